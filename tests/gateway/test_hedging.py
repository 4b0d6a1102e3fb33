"""Hedging over real sockets: a second target is asked when the first says nothing, and only one answer is given."""

import time
from typing import Any

import pytest

from tests.gateway.test_streams import text_of
from tests.gateway.whole import SSE, Held, Whole, failing, said, tried, until
from tests.gateway.wire import CHUNKS, OA_STREAM, PLAIN
from tests.live import reply, sse
from tests.servers import SSE_HEAD, chunked

HOSTS = {"a": "openai", "b": "openai"}
ROUTING = {"models": {"x": ["a/m", "b/m"]}, "hedge_after": "100ms"}
LIMITS = {"default_tenant": {"concurrency": 5, "tokens_per_minute": 100_000}}


def hedged(**sections: Any) -> Whole:
    return Whole(HOSTS, **{"routing": ROUTING, "limits": LIMITS, **sections})


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_the_second_is_asked_when_the_first_says_nothing(stream: bool) -> None:
    with hedged() as whole:
        held = Held(reply(PLAIN["oa"]))
        whole["a"].script.append(held)

        began = time.monotonic()
        answer = whole.ask(said("x", stream=stream))
        took = time.monotonic() - began

        assert (answer.status, answer.field("x-setu-provider"), answer.field("x-setu-attempts")) == (200, "b", "2")
        assert 0.1 <= took < 1.0
        assert held.left.wait(1), "the loser is let go"
        call = whole.call()
        assert sorted(tried(call.attempts)) == [("a", "cut", 0), ("b", "ok", 200)]
        assert (call.provider, call.status, call.end) == ("b", 200, "complete")
        if stream:
            assert text_of(answer.body, "openai_chat") == "Hello"
            assert answer.body.endswith(b"data: [DONE]\n\n")


def test_a_stream_that_began_without_content_can_lose() -> None:
    with hedged() as whole:
        held = Held(b"", SSE_HEAD + chunked(sse(CHUNKS[0]), end=False))
        whole["a"].script.append(held)

        answer = whole.ask(said("x", stream=True))

        assert (answer.field("x-setu-provider"), answer.body) == ("b", OA_STREAM)
        assert held.left.wait(1)
        assert sorted(tried(whole.call().attempts)) == [("a", "cut", 200), ("b", "ok", 200)]


def test_the_first_may_still_win() -> None:
    with hedged() as whole:
        first, second = Held(reply(PLAIN["oa"])), Held()
        whole["a"].script.append(first)
        whole["b"].script.append(second)
        with whole.begin(said("x")) as begun:
            assert second.reached.wait(2)
            first.released.set()

            assert b"x-setu-provider: a" in begun.read_to(b"Hello")
        assert second.left.wait(1)
        assert sorted(tried(whole.call().attempts)) == [("a", "ok", 200), ("b", "cut", 0)]


def test_a_quick_first_is_alone() -> None:
    with hedged() as whole:
        assert whole.ask(said("x")).field("x-setu-attempts") is None
        assert (len(whole["a"].sent), len(whole["b"].sent)) == (1, 0)


def test_a_first_that_fails_is_followed_at_once() -> None:
    with hedged(resilience={"retry": {"max_attempts": 1}}, routing={**ROUTING, "hedge_after": "2s"}) as whole:
        whole["a"].script.append(failing(500))

        began = time.monotonic()
        answer = whole.ask(said("x"))

        assert (answer.status, answer.field("x-setu-provider")) == (200, "b")
        assert time.monotonic() - began < 1.0


def test_when_both_fail_the_first_error_is_told() -> None:
    with hedged(resilience={"retry": {"max_attempts": 1}}) as whole:
        held = Held(failing(503, message="first"))
        whole["a"].script.append(held)
        whole["b"].script.append(failing(500, message="second"))
        with whole.begin(said("x")) as begun:
            assert held.reached.wait(2)
            until(lambda: len(whole["b"].sent) == 1)
            time.sleep(0.05)
            held.released.set()

            assert b"first" in begun.read_to(b"}}")
        assert sorted(tried(whole.call().attempts)) == [("a", "failed", 503), ("b", "failed", 500)]


def test_a_provider_says_when_it_is_hedged() -> None:
    providers = {"a": {"hedge": {"after": "80ms"}}}
    with Whole(HOSTS, providers, routing={"models": ROUTING["models"]}) as whole:
        whole["a"].script.append(Held())

        assert whole.ask(said("x")).field("x-setu-provider") == "b"


def test_a_client_that_leaves_takes_both_along() -> None:
    with hedged() as whole:
        first, second = Held(), Held()
        whole["a"].script.append(first)
        whole["b"].script.append(second)
        with whole.begin(said("x", stream=True)):
            assert second.reached.wait(2)
        assert first.left.wait(1)
        assert second.left.wait(1)

        call = whole.call()
        assert (call.end, sorted(tried(call.attempts))) == ("closed-by-client", [("a", "cut", 0), ("b", "cut", 0)])


def test_a_winners_stream_is_its_own_to_the_end() -> None:
    with hedged() as whole:
        whole["a"].script.append(Held(reply(OA_STREAM, kind=SSE)))
        pieces = [chunked(sse(each), end=False) for each in (*CHUNKS, "[DONE]")]
        held = Held(b"".join(pieces[2:]) + b"0\r\n\r\n", SSE_HEAD + b"".join(pieces[:2]))
        whole["b"].script.append(held)
        with whole.begin(said("x", stream=True)) as begun:
            first = begun.read_to(b"Hel")
            held.released.set()
            rest = begun.read_to(b"[DONE]")

        assert (first + rest).count(b'"Hel"') == 1
        assert whole.call().provider == "b"
