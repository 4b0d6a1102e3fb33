"""Whatever goes wrong is said in the client's words, with the right status, whoever is at fault."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.wire import CHUNKS, COMPLETION, EVENTS, HOME, PLAIN
from tests.live import CHAT, MESSAGES, Answer, Live, Upstream, asked, reply, sse

DIALECTS = ("openai_chat", "anthropic", "gemini")
GENERATE = "/v1beta/models/ge/m:generateContent"
ENDPOINTS = {"openai_chat": CHAT, "anthropic": MESSAGES, "gemini": GENERATE}


def require_envelope(answer: Answer, dialect: str, status: int) -> dict[str, Any]:
    """Check an error's form by its dialect's documentation; return the inner object."""
    assert answer.status == status, answer.body
    assert answer.field("content-type") == "application/json"
    error = answer.error
    assert isinstance(error["message"], str)
    if dialect == "openai_chat":
        assert {"message", "type", "param", "code"} <= set(error)
    elif dialect == "anthropic":
        assert answer.json["type"] == "error"
        assert error["type"].endswith("_error") or error["type"] == "request_too_large"
    else:
        assert error["code"] == status
        assert error["status"].isupper()
    return error


BROKEN = [
    (b"", 0), (b"{", 1), (b'{"model":"oa/m" "x":1}', 16), (b'{"model":"oa/m"} x', 18), (b'{"a":tru}', 6), (b"{'a':1}", 1), (b'{"a":NaN}', 5),
]  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("body", "position"), BROKEN)
def test_malformed_json_is_400_and_says_where(
    live: Live, upstream: Upstream, dialect: str, body: bytes, position: int
) -> None:
    error = require_envelope(live.ask(body, ENDPOINTS[dialect]), dialect, 400)

    assert "not valid JSON" in error["message"]
    assert f"at byte {position}" in error["message"]
    assert upstream.sent == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_text_that_is_no_utf_8_is_400_and_says_where(live: Live, dialect: str) -> None:
    error = require_envelope(live.ask(b'{"x":"caf\xe9"}', ENDPOINTS[dialect]), dialect, 400)

    assert "not valid UTF-8 at byte 9" in error["message"]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("body", "kind"), [(b"[]", "array"), (b'"x"', "string"), (b" 1", "number"), (b"null", "null")])
def test_json_that_is_no_object_is_400(live: Live, dialect: str, body: bytes, kind: str) -> None:
    assert kind in require_envelope(live.ask(body, ENDPOINTS[dialect]), dialect, 400)["message"]


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
@pytest.mark.parametrize(
    ("body", "word"),
    [({}, "model"), ({"model": None}, "model"), ({"model": 3}, "model"), ({"model": ""}, "model"), ({"model": "oa/m", "stream": "yes"}, "stream")],
)  # fmt: skip
def test_a_routed_member_of_the_wrong_kind_is_400(live: Live, dialect: str, body: dict[str, Any], word: str) -> None:
    assert word in require_envelope(live.ask(body, ENDPOINTS[dialect]), dialect, 400)["message"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_model_nobody_serves_is_400_and_an_unknown_provider_says_which_there_are(live: Live, dialect: str) -> None:
    body, path = asked("no-such-model", dialect)

    error = require_envelope(live.ask(body, path), dialect, 400)
    assert "no-such-model" in error["message"]
    for field in ("X-Setu-Provider", "x-provider"):
        error = require_envelope(live.ask(body, path, [(field, "oaa")]), dialect, 400)
        assert "did you mean 'oa'" in error["message"]


def test_openai_clients_get_the_names_as_data(live: Live) -> None:
    models = live.ask(asked("no-such-model")[0]).error
    names = live.ask(asked("m")[0], CHAT, [("x-provider", "nope")]).error

    assert (models["code"], names["code"]) == ("model_not_found", "provider_not_found")
    assert "oa/gpt-4o" in models["available_models"]
    assert names["available_providers"] == ["an", "dead", "ge", "keyless", "local", "oa"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_provider_without_a_key_is_503_and_names_its_variables(live: Live, upstream: Upstream, dialect: str) -> None:
    error = require_envelope(live.ask(*asked("keyless/m", dialect)), dialect, 503)

    assert error["message"] == "provider 'keyless' has no key: set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN"
    assert upstream.sent == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_upstream_that_cannot_be_reached_is_502(live: Live, dialect: str) -> None:
    for stream in (False, True):
        error = require_envelope(live.ask(*asked("dead/m", dialect, stream=stream)), dialect, 502)
        assert "cannot reach http://127.0.0.1:9" in error["message"]


SAID: dict[str, Callable[[int], dict[str, Any]]] = {
    "oa": lambda status: {"error": {"message": "the words", "type": "x", "param": None, "code": None}},
    "an": lambda status: {"type": "error", "error": {"type": "api_error", "message": "the words"}},
    "ge": lambda status: {"error": {"code": status, "message": "the words", "status": "UNKNOWN_WORD"}},
}
STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504, 529)
SDK_SAYS = {529: 503}
"""What a client other than Anthropic's is told instead of a status it does not know."""


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_error_status_reaches_every_client_in_its_envelope(
    live: Live, upstream: Upstream, provider: str, dialect: str
) -> None:
    for status in STATUSES:
        upstream.answer = reply(
            json.dumps(SAID[provider](status)).encode(), f"{status} Oops", "application/json", "retry-after: 7"
        )
        for stream in (False, True):
            answer = live.ask(*asked(f"{provider}/m", dialect, stream=stream))
            assert answer.field("retry-after") == "7"
            assert "the words" in answer.body.decode()
            if HOME[provider] == dialect:
                assert (answer.status, answer.json) == (status, SAID[provider](status))
            else:
                expected = SDK_SAYS.get(status, status) if dialect != "anthropic" else status
                require_envelope(answer, dialect, expected)


def test_a_wait_of_less_than_a_second_is_not_no_wait(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(b'{"error":{"message":"x"}}', "429 Slow", "application/json", "retry-after-ms: 250")

    assert live.ask(*asked("oa/m", "anthropic")).field("retry-after") == "1"


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "304 Not Modified", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_followed_by_nobody(live: Live, upstream: Upstream, provider: str, status: str) -> None:
    upstream.answer = (
        f"HTTP/1.1 {status}\r\nlocation: https://elsewhere.test/?sig=secret\r\ncontent-length: 0\r\n\r\n".encode()
    )
    for dialect in DIALECTS:
        for stream in (False, True):
            answer = live.ask(*asked(f"{provider}/m", dialect, stream=stream))
            assert status[:3] in require_envelope(answer, dialect, 502)["message"]
            assert answer.field("location") is None
    assert len(upstream.sent) == 6


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "page", [b"<html><title>Gate</title>secret</html>", b"", b"   ", b'{"unclosed":', b"[]", b'"text"']
)
def test_a_success_without_an_answer_is_502_when_translated(
    live: Live, upstream: Upstream, provider: str, stream: bool, page: bytes
) -> None:
    for dialect in DIALECTS:
        if dialect == HOME[provider]:
            continue
        for kind in ("text/html", "application/json", "text/event-stream"):
            upstream.answer = reply(page, "200 OK", kind)
            require_envelope(live.ask(*asked(f"{provider}/m", dialect, stream=stream)), dialect, 502)


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
def test_an_html_error_keeps_its_status_and_loses_its_markup(live: Live, upstream: Upstream, provider: str) -> None:
    upstream.answer = reply(b"<html><body>Bad Gateway</body></html>", "503 Busy", "text/html")
    for dialect in DIALECTS:
        if dialect != HOME[provider]:
            assert "<" not in require_envelope(live.ask(*asked(f"{provider}/m", dialect)), dialect, 503)["message"]


MASKED: dict[str, list[dict[str, Any]]] = {
    "oa": [{"error": {"message": "slow down", "code": 429}}, {"error": {"message": "slow down", "type": "rate_limit_error"}, "user_id": "u"}],
    "an": [{"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}],
    "ge": [{"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}],
}  # fmt: skip


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_200_that_holds_an_error_is_an_error(
    live: Live, upstream: Upstream, provider: str, dialect: str, stream: bool
) -> None:
    for body in MASKED[provider]:
        upstream.answer = reply(json.dumps(body, indent=1).encode())

        error = require_envelope(live.ask(*asked(f"{provider}/m", dialect, stream=stream)), dialect, 429)

        assert error["message"] == "slow down"


def cut(body: bytes) -> bytes:
    """An answer that promises more than it gives."""
    return reply(body).replace(b"content-length: %d" % len(body), b"content-length: %d" % (len(body) + 9))


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_plain_answer_that_breaks_off_is_502(live: Live, upstream: Upstream, provider: str, dialect: str) -> None:
    upstream.answer = cut(PLAIN[provider])

    error = require_envelope(live.ask(*asked(f"{provider}/m", dialect)), dialect, 502)

    assert "cut its answer short" in error["message"]


@pytest.mark.parametrize("dialect", ["anthropic", "gemini"])
@pytest.mark.parametrize(
    "stream",
    [
        sse(CHUNKS[0], {"error": {"message": "slow down", "type": "rate_limit_error", "code": 429}}),
        sse({"error": {"message": "slow down", "type": "rate_limit_error"}}, "[DONE]"),
        b": ping\n\n" + sse({"error": {"message": "slow down", "code": 429}}),
    ],
)
def test_an_error_before_any_content_is_a_status(live: Live, upstream: Upstream, dialect: str, stream: bytes) -> None:
    upstream.answer = reply(stream, "200 OK", "text/event-stream")

    error = require_envelope(live.ask(*asked("oa/m", dialect, stream=True)), dialect, 429)

    assert error["message"] == "slow down"
    assert [(call.status, call.end) for call in live.calls] == [(429, "error")]


def test_anthropics_overload_before_content_is_a_status_too(live: Live, upstream: Upstream) -> None:
    failed = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    upstream.answer = reply(
        sse(EVENTS[0], {"type": "ping"}, EVENTS[1], failed, named=True), "200 OK", "text/event-stream"
    )

    assert require_envelope(live.ask(*asked("an/m", stream=True)), "openai_chat", 503)["message"] == "Overloaded"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_wrong_method_is_405_and_says_the_right_one(live: Live, dialect: str, method: str) -> None:
    answer = live.ask(b"", ENDPOINTS[dialect], method=method)

    assert "POST" in require_envelope(answer, dialect, 405)["message"]
    assert answer.field("allow") == "POST"


@pytest.mark.parametrize(
    ("path", "dialect"),
    [("/v1/nope", "openai_chat"), ("/", "openai_chat"), ("/v2/messages", "anthropic"), ("/v1/messages/batches", "anthropic"), ("/v1beta/cachedContents", "gemini")],
)  # fmt: skip
def test_an_unknown_path_is_404_in_the_nearest_dialect(live: Live, path: str, dialect: str) -> None:
    if path == "/":
        assert live.ask(b"{}", path).status == 405
        return
    require_envelope(live.ask(b"{}", path), dialect, 404)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_body_of_another_type_is_415(live: Live, dialect: str, media_type: str) -> None:
    answer = live.ask(b"a=b", ENDPOINTS[dialect], [("content-type", media_type)])

    assert media_type in require_envelope(answer, dialect, 415)["message"]


def test_an_object_as_curl_sends_it_is_json(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(COMPLETION)

    answer = live.ask(asked("oa/m")[0], fields=[("content-type", "application/x-www-form-urlencoded")])

    assert answer.status == 200


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_body_over_ten_megabytes_is_413(live: Live, upstream: Upstream, dialect: str) -> None:
    limit = 10 * 1024 * 1024
    upstream.answer = reply(COMPLETION)
    lead, end = b'{"model":"oa/m","messages":[],"x":"', b'"}'
    fits = lead + b"x" * (limit - len(lead) - len(end)) + end

    error = require_envelope(live.ask(fits + b" ", ENDPOINTS[dialect]), dialect, 413)

    assert str(limit) in error["message"]
    assert upstream.sent == []
    if dialect == "openai_chat":
        assert live.ask(fits).status == 200
        assert len(upstream.sent[0].body) == limit - 3
