"""The reverse proxy by path: where a request goes, and with whose credential."""

import asyncio

import pytest

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.errors import ConnectionFailedError
from setu.http import Headers, Request, Response
from setu.transport.reverse import Reverse


class Noted:
    """A transport that keeps the last request."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.request: Request | None = None
        self.closed = 0

    async def send(self, request: Request) -> Response:
        self.request = request
        if self.error is not None:
            raise self.error
        return Response(302, Headers.of({"location": "https://x.test", "set-cookie": "a=b"}), b"as it is")

    async def aclose(self) -> None:
        self.closed += 1


def sent(
    path: str, *fields: tuple[str, str], query: str = "", upstream: str = "openai", key: str = "", method: str = "POST"
) -> Request:
    noted = Noted()
    config = Config(providers={"up": ProviderConfig(type="openai_compatible", base_url="http://up.test:8080/api/v1")})
    deployed = {**build.deployments(Config(), {}, offline_key=key), **build.deployments(config, {})}
    reverse = Reverse(noted, deployed, build.render_error, upstream=upstream)
    request = Request(
        method=method, path=path, query=query, headers=Headers.of([("host", "localhost:3742"), *fields]), body=b"{}"
    )
    answer = asyncio.run(reverse.send(request))
    assert (answer.status, answer.body) == (302, b"as it is")
    assert noted.request is not None
    return noted.request


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("/v1/embeddings", "https://api.openai.com/v1/embeddings"),
        ("/v1/messages", "https://api.anthropic.com/v1/messages"),
        (
            "/v1beta/models/g:generateContent",
            "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent",
        ),
        ("/openrouter/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
        ("/anthropic/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("/up/v1/messages", "http://up.test:8080/api/v1/messages"),
        ("/openai/v1/files/x%2Fy", "https://api.openai.com/v1/files/x%2Fy"),
    ],
)
def test_a_path_says_whose_it_is(path: str, url: str) -> None:
    assert sent(path).url == url


def test_another_home_takes_what_was_openais_alone() -> None:
    assert sent("/v1/chat/completions", upstream="up").url == "http://up.test:8080/api/v1/chat/completions"
    assert sent("/v1/embeddings", upstream="up").url == "http://up.test:8080/api/v1/embeddings"
    assert sent("/v1/messages", upstream="up").origin == "https://api.anthropic.com"


def test_a_header_names_the_provider_and_goes_no_further() -> None:
    request = sent("/v1/chat/completions", ("x-setu-provider", "openrouter"))

    assert request.origin == "https://openrouter.ai"
    assert "x-setu-provider" not in request.headers


def test_fields_pass_but_for_one_connections_own() -> None:
    request = sent(
        "/v1/messages", ("x-a", "1"), ("connection", "close, x-hop"), ("x-hop", "1"), ("te", "x"), ("accept-encoding", "br"), ("x-a", "2"), query="beta=true"
    )  # fmt: skip

    assert request.headers.raw == [(b"x-a", b"1"), (b"x-a", b"2")]
    assert (request.query, request.body) == ("beta=true", b"{}")


@pytest.mark.parametrize(
    ("fields", "query", "expected"),
    [
        ([], "", [(b"authorization", b"Bearer ours")]),
        ([], "monkey=1", [(b"authorization", b"Bearer ours")]),
        ([("authorization", "Bearer theirs")], "", [(b"authorization", b"Bearer theirs")]),
        ([("x-api-key", "theirs")], "", [(b"x-api-key", b"theirs")]),
        ([], "key=theirs", []),
    ],
)
def test_our_key_stands_in_only_where_the_client_has_none(
    fields: list[tuple[str, str]], query: str, expected: list[tuple[bytes, bytes]]
) -> None:
    assert sent("/v1/chat/completions", *fields, query=query, key="ours").headers.raw == expected


@pytest.mark.parametrize(
    ("path", "word"), [("/v1/chat/completions", b'"type":"server_error"'), ("/v1/messages", b'"type":"api_error"'), ("/v1beta/models/g:generateContent", b'"code":502')]
)  # fmt: skip
def test_an_upstream_that_is_not_there_is_said_in_the_clients_words(path: str, word: bytes) -> None:
    noted = Noted(ConnectionFailedError("cannot reach it"))
    reverse = Reverse(noted, build.deployments(Config(), {}, offline_key=""), build.render_error)

    answer = asyncio.run(reverse.send(Request(method="POST", path=path)))

    assert answer.status == 502
    assert isinstance(answer.body, bytes)
    assert word in answer.body
    assert b"cannot reach it" in answer.body


def test_an_unknown_provider_is_400_with_the_names() -> None:
    reverse = Reverse(Noted(), build.deployments(Config(), {}, offline_key=""), build.render_error)

    answer = asyncio.run(
        reverse.send(Request(method="POST", path="/v1/embeddings", headers=Headers.of({"x-setu-provider": "nobody"})))
    )

    assert answer.status == 400
    assert isinstance(answer.body, bytes)
    assert b"provider_not_found" in answer.body
    assert b"openrouter" in answer.body


def test_closing_closes_what_is_behind() -> None:
    noted = Noted()
    asyncio.run(Reverse(noted, {}, build.render_error).aclose())

    assert noted.closed == 1


def test_two_clients_of_one_path_get_their_own_place_and_credential() -> None:
    noted = Noted()
    reverse = Reverse(noted, build.deployments(Config(), {}, offline_key="ours"), build.render_error)

    def onward(*fields: tuple[str, str]) -> tuple[str, str | None]:
        request = reverse.onward(Request(method="POST", path="/v1/chat/completions", headers=Headers.of(fields)))
        return request.origin, request.headers.get("authorization")

    assert onward(("x-setu-provider", "openrouter")) == ("https://openrouter.ai", "Bearer ours")
    assert onward() == ("https://api.openai.com", "Bearer ours")
    assert onward(("authorization", "Bearer theirs")) == ("https://api.openai.com", "Bearer theirs")
    assert onward() == ("https://api.openai.com", "Bearer ours")


def test_what_is_known_of_a_request_is_not_worked_out_again() -> None:
    noted = Noted()
    reverse = Reverse(noted, {}, build.render_error)
    onward = Request(method="POST", path="/there")

    asyncio.run(reverse.send(Request(method="POST", path="/here"), onward))

    assert noted.request is onward
