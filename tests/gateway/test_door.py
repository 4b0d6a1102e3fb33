"""Who may come in."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import build
from setu.chat.ids import counter
from setu.config.load import parse
from setu.config.model import Auth, Config
from setu.errors import ConfigError
from setu.gateway.door import Door, shown_key
from setu.http import Headers, Request, Response

KEY = "sk-let-me-in-0123456789"


class Inside:
    async def send(self, request: Request) -> Response:
        return Response(200, body=b"inside")

    async def aclose(self) -> None:
        pass


def ask(headers: dict[str, str], *, query: str = "", path: str = "/v1/chat/completions") -> Response:
    door = Door(Inside(), [KEY, "another"], build.render_error, counter())
    return asyncio.run(door.send(Request(method="POST", path=path, query=query, headers=Headers.of(headers))))


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY}"},
        {"x-api-key": KEY},
        {"api-key": KEY},
        {"x-goog-api-key": KEY},
        {"authorization": "Bearer another"},
    ],
)
def test_a_known_key_lets_in_wherever_an_sdk_puts_it(headers: dict[str, str]) -> None:
    assert ask(headers).status == 200


def test_googles_query_parameter_counts() -> None:
    assert ask({}, query=f"alt=sse&key={KEY}").status == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": f"Basic {KEY}"}, {"authorization": KEY}, {"authorization": "Bearer "}, {"x-api-key": ""}],
)
def test_without_a_key_the_answer_is_401(headers: dict[str, str]) -> None:
    answer = ask(headers)

    assert answer.status == 401
    assert b"no API key was given" in bytes(answer.body)  # type: ignore[arg-type] # it is bytes


def test_a_wrong_key_is_401_and_never_shown() -> None:
    answer = ask({"authorization": "Bearer sk-wrong-9876"})

    assert (answer.status, answer.headers.get("www-authenticate")) == (401, "Bearer")
    assert answer.headers.get("x-request-id")
    assert isinstance(answer.body, bytes)
    assert b'"code":"invalid_api_key"' in answer.body
    assert b"9876" not in answer.body


def test_the_refusal_is_in_the_words_of_the_endpoint() -> None:
    answer = ask({}, path="/v1/messages")

    assert isinstance(answer.body, bytes)
    assert b'"type":"error"' in answer.body
    assert b"authentication_error" in answer.body


@given(st.text(max_size=40).filter(lambda key: key not in (KEY, "another")))
def test_no_other_text_is_a_key(key: str) -> None:
    door = Door(Inside(), [KEY, "another"], build.render_error, counter())

    assert not door._knows(key)


def test_the_first_key_shown_counts() -> None:
    request = Request(method="GET", path="/", headers=Headers.of({"x-api-key": "a", "authorization": "Bearer b"}))

    assert shown_key(request) == "a"


def test_without_the_mode_there_is_no_door() -> None:
    inside = Inside()

    assert build.guarded(inside, Config()) is inside


def test_with_the_mode_there_is_one() -> None:
    config = Config(auth=Auth(mode="keys", keys=(KEY,)))

    assert isinstance(build.guarded(Inside(), config), Door)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[auth]\nmode = "keys"\n', "there are no auth.keys"),
        ('[auth]\nkeys = ["k"]\n', "auth.mode is none"),
        ('[auth]\nmode = "key"\n', "auth.mode"),
    ],
)
def test_half_a_configuration_is_told(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse(text, "setu.toml", {})
