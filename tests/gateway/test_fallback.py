"""Fallback over real sockets: from one provider to the next, across dialects, until content has reached the client."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.test_streams import error_of, events, finishes, text_of
from tests.gateway.whole import SSE, Held, Step, Whole, cut, failing, key_of, reset, said, tried
from tests.gateway.wire import CHUNKS, EVENTS, MESSAGE
from tests.live import asked, reply, sse

IN_STREAM = sse({"type": "error", "error": {"type": "overloaded_error", "message": "busy in the stream"}}, named=True)
TWO_HUNDRED = b'{"type":"error","error":{"type":"overloaded_error","message":"busy in the body"}}'
MODELS = {"three": ["an/m", "ge/m", "oa/m"], "twins": ["oa/m", "o2/m"]}
ONCE = {"retry": {"max_attempts": 1}}


@pytest.fixture(scope="module")
def _many() -> Iterator[Whole]:
    hosts = {"oa": "openai", "o2": "openai", "an": "anthropic", "ge": "gemini"}
    with Whole(hosts, breaker={"enabled": False}, resilience=ONCE, routing={"models": MODELS}) as whole:
        yield whole


@pytest.fixture
def many(_many: Whole) -> Whole:
    _many.clear()
    return _many


FAILURES: dict[str, Step] = {
    "500": failing(500),
    "429": failing(429),
    "its key is refused": failing(401),
    "it lacks the model": failing(404),
    "reset": reset,
    "an error in a 200": reply(IN_STREAM, kind=SSE),
    "an error in a body": reply(TWO_HUNDRED),
    "an empty stream": reply(b"", kind=SSE),
    "cut before content": cut(sse(EVENTS[0], named=True)),
    "a page": reply(b"<html>hi</html>", kind="text/html"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_the_next_provider_answers_whatever_it_speaks(many: Whole, failure: Step, dialect: str, stream: bool) -> None:
    many["an"].script.append(failure)

    answer = many.ask(*asked("three", dialect, stream=stream))

    call = many.call()
    assert answer.status == 200
    assert "Hello" in (text_of(answer.body, dialect) if stream else answer.body.decode())
    assert finishes(answer.body) or not stream
    told = [answer.field(f"x-setu-{name}") for name in ("provider", "model", "attempts", "route")]
    assert told == ["ge", "m", "2", "alias three"]
    assert [(each.provider, each.outcome) for each in call.attempts] == [("an", "failed"), ("ge", "ok")]
    assert (call.provider, call.upstream_model, call.status, call.end) == ("ge", "m", 200, "complete")
    assert [len(many[name].sent) for name in ("an", "ge", "oa")] == [1, 1, 0]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_each_target_gets_its_own_fields_and_body(many: Whole, stream: bool) -> None:
    """HDR-05: what belongs to the first provider does not go to the second."""
    many["an"].script.append(failing(500))
    many["ge"].script.append(failing(500))
    body, path = asked("three", "anthropic", stream=stream)

    many.ask(body, path, [("x-api-key", "sk-mine"), ("anthropic-version", "2023-06-01"), ("anthropic-beta", "b-1")])

    first, second, third = (many[name].sent[0] for name in ("an", "ge", "oa"))
    assert (first.field("x-api-key"), first.field("anthropic-beta")) == (key_of("an"), "b-1")
    assert (second.field("x-goog-api-key"), third.field("authorization")) == (key_of("ge"), f"Bearer {key_of('oa')}")
    for sent in (second, third):
        assert not {"x-api-key", "anthropic-version", "anthropic-beta"} & {name for name, _ in sent.fields}
    assert "contents" in json.loads(second.body)
    assert json.loads(third.body)["model"] == "m"


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
@pytest.mark.parametrize("first", ["oa", "an"])
def test_nobody_else_is_asked_once_the_client_has_content(many: Whole, dialect: str, first: str) -> None:
    pieces = {"oa": sse(*CHUNKS[:2]), "an": sse(*EVENTS[:3], named=True)}
    many[first].script.append(cut(pieces[first]))
    body, path = asked("three" if first == "an" else "twins", dialect, stream=True)

    answer = many.ask(body, path)

    call = many.call()
    assert (answer.status, answer.field("x-setu-provider")) == (200, first)
    assert text_of(answer.body, dialect) == ("Hel" if first == "oa" else "Hello")
    assert any(error_of(event) for event in events(answer.body))
    assert not finishes(answer.body)
    assert (tried(call.attempts), call.end) == ([(first, "cut", 200)], "truncated-upstream")


def test_the_first_real_error_is_told(many: Whole) -> None:
    many["an"].script.append(failing(529, type="overloaded_error", message="the first one is busy"))
    many["ge"].script.append(reset)
    many["oa"].script.append(failing(401, message="bad key of ours"))

    answer = many.ask(said("three"))

    assert (answer.status, answer.error["message"]) == (503, "the first one is busy")
    assert answer.field("x-setu-attempts") == "3"
    assert answer.field("x-setu-provider") == "an"
    assert (many.call().provider, many.calls[0].error) == ("an", "overloaded")


def test_a_400_is_everybodys(many: Whole) -> None:
    many["oa"].script.append(failing(400, message="nonsense"))

    answer = many.ask(said("twins"))

    assert (answer.status, answer.error["message"], len(many["o2"].sent)) == (400, "nonsense", 0)


def test_a_provider_without_a_key_is_passed_over() -> None:
    hosts = {"a": "openai", "b": "openai"}
    with Whole(hosts, {"a": {"api_key": ""}}, routing={"models": {"x": ["a/m", "b/m"]}}) as whole:
        answer = whole.ask(said("x"))

        assert (answer.status, answer.field("x-setu-provider"), len(whole["a"].sent)) == (200, "b", 0)
        assert tried(whole.call().attempts) == [("b", "ok", 200)]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_routes_deadline_is_each_tries(stream: bool) -> None:
    rule = {"name": "quick", "model": "x", "to": ["a/m", "b/m"], "timeout": "150ms", "attempts": 1}
    with Whole({"a": "openai", "b": "openai"}, routing={"rule": [rule]}) as whole:
        held = Held()
        whole["a"].script.append(held)

        began = time.monotonic()
        answer = whole.ask(said("x", stream=stream))

        assert (answer.status, answer.field("x-setu-provider")) == (200, "b")
        assert 0.15 <= time.monotonic() - began < 1.0
        assert held.left.wait(1)
        assert tried(whole.call().attempts)[0] == ("a", "failed", 0)
        assert whole.call().attempts[0].error == "upstream_timeout"


def test_the_deadline_of_a_routes_use_case_is_told_in_a_504() -> None:
    route: dict[str, Any] = {
        "name": "r", "match": {"use_case": "u"}, "primary": {"provider": "a", "model": "m"}, "timeout_ms": 100, "retries": 0
    }  # fmt: skip
    with Whole({"a": "openai"}, routing={"routes": [route]}) as whole:
        whole["a"].script.append(Held())

        answer = whole.ask(said(None, metadata={"use_case": "u"}))

        assert (answer.status, answer.error["code"]) == (504, "upstream_timeout")
        assert "within 0.1 s" in answer.error["message"]
        assert answer.field("x-setu-route") == "route r"


def test_a_client_names_its_fallbacks() -> None:
    with Whole({"a": "openai", "b": "openai", "c": "anthropic"}, resilience=ONCE) as whole:
        whole["a"].script.append(failing(500))
        whole["b"].script.append(failing(500))
        whole["c"].script.append(reply(MESSAGE))

        answer = whole.ask(said("a/m"), fields=[("x-setu-fallback", "b, c/other")])

        assert (answer.status, answer.field("x-setu-provider"), answer.field("x-setu-model")) == (200, "c", "other")
        assert whole["c"].bodies[0]["model"] == "other"


def test_an_unknown_fallback_is_said() -> None:
    with Whole({"a": "openai"}) as whole:
        answer = whole.ask(said("a/m"), fields=[("x-setu-fallback", "nobody")])

        assert (answer.status, answer.error["code"], len(whole["a"].sent)) == (400, "provider_not_found", 0)


def test_fallback_can_be_switched_off() -> None:
    routing = {"models": {"x": ["a/m", "b/m"]}, "enable_fallback": False}
    with Whole({"a": "openai", "b": "openai"}, resilience=ONCE, routing=routing) as whole:
        whole["a"].script.append(failing(500))

        assert whole.ask(said("x")).status == 500
        assert len(whole["b"].sent) == 0
