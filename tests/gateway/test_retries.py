"""Retries over real sockets: what is tried again, how often, when, and what the client and the records say of it."""

import time
from collections.abc import Iterator

import pytest

from tests.gateway.whole import Held, Step, Whole, cut, failing, key_of, reset, said, tried
from tests.gateway.wire import COMPLETION, OA_STREAM
from tests.live import reply
from tests.servers import SSE_HEAD, chunked

HALF = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\nconnection: close\r\n\r\n{"


@pytest.fixture(scope="module")
def _one() -> Iterator[Whole]:
    with Whole({"a": "openai"}, breaker={"enabled": False}) as whole:
        yield whole


@pytest.fixture
def one(_one: Whole) -> Whole:
    _one.clear()
    return _one


@pytest.mark.parametrize(
    ("first", "status", "error"),
    [
        (failing(500), 500, "server"),
        (failing(503), 503, "unavailable"),
        (failing(429), 429, "rate_limit"),
        (failing(408), 408, "timeout"),
        (reset, 0, "upstream_unreachable"),
        (HALF, 502, "upstream_truncated"),
    ],
    ids=["500", "503", "429", "408", "reset", "half an answer"],
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_what_may_pass_is_tried_again(one: Whole, first: Step, status: int, error: str, stream: bool) -> None:
    one["a"].script.append(first)

    answer = one.ask(said(stream=stream))

    call = one.call()
    assert (answer.status, answer.field("x-setu-attempts")) == (200, "2")
    assert tried(call.attempts) == [("a", "failed", status), ("a", "ok", 200)]
    assert call.attempts[0].error == error
    assert (call.status, call.end, call.input_tokens) == (200, "complete", None if stream else 3)
    assert len(one["a"].sent) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_the_client_did_wrong_is_not(one: Whole, status: int) -> None:
    one["a"].script.append(failing(status, message="your mistake"))

    answer = one.ask(said())

    assert (answer.status, answer.error["message"]) == (status, "your mistake")
    assert answer.field("x-setu-attempts") is None
    assert tried(one.call().attempts) == [("a", "failed", status)]


@pytest.mark.parametrize("field", ["retry-after: 0.3", "retry-after-ms: 300"])
def test_the_host_says_when(one: Whole, field: str) -> None:
    one["a"].script.append(failing(429, field))

    began = time.monotonic()
    answer = one.ask(said())

    assert answer.status == 200
    assert 0.3 <= time.monotonic() - began < 1.5


def test_a_host_that_asks_for_too_long_a_wait_is_not_waited_for(one: Whole) -> None:
    one["a"].script.append(failing(429, "retry-after: 3600", message="tomorrow"))

    answer = one.ask(said())

    assert (answer.status, answer.error["message"], answer.field("retry-after")) == (429, "tomorrow", "3600")
    assert len(one["a"].sent) == 1


@pytest.mark.parametrize(("status", "says", "tries"), [(500, "false", 1), (409, "true", 2)])
def test_the_host_says_whether(one: Whole, status: int, says: str, tries: int) -> None:
    one["a"].script.append(failing(status, f"x-should-retry: {says}"))

    one.ask(said())

    assert len(one["a"].sent) == tries


def test_after_the_last_try_the_client_gets_the_hosts_own_error(one: Whole) -> None:
    one["a"].script.extend([failing(500, message=f"number {number}") for number in (1, 2, 3)])

    answer = one.ask(said())

    assert (answer.status, answer.error["message"]) == (500, "number 1")
    assert answer.field("x-setu-attempts") == "3"
    assert one.call().end == "error"


def test_no_try_follows_what_the_client_has_read(one: Whole) -> None:
    content = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":null}]}\n\n'
    one["a"].script.append(cut(content))

    answer = one.ask(said(stream=True))

    call = one.call()
    assert (answer.status, len(one["a"].sent)) == (200, 1)
    assert answer.body.count(b"Hel") == 1
    assert b"[DONE]" not in answer.body
    assert b'"error"' in answer.body
    assert (tried(call.attempts), call.end) == ([("a", "cut", 200)], "truncated-upstream")


def test_each_try_sends_the_same(one: Whole) -> None:
    """Header fields set for the first try are there in the second, and there once (HDR-05)."""
    one["a"].script.extend([failing(500), failing(500)])

    one.ask(said(text="ünï"), fields=[("user-agent", "mine/1"), ("x-custom", "1")])

    first, second, third = one["a"].sent
    assert first == second == third
    assert [value for name, value in first.fields if name == "authorization"] == [f"Bearer {key_of('a')}"]


def test_a_total_deadline_ends_tries_and_waits() -> None:
    with Whole({"a": "openai"}, {"a": {"total_timeout": 0.4}}) as whole:
        slow = [Held(reply(COMPLETION), seconds=5) for _ in range(2)]
        whole["a"].script.extend([failing(500, "retry-after-ms: 100"), *slow])

        began = time.monotonic()
        answer = whole.ask(said())
        took = time.monotonic() - began

        assert (answer.status, answer.error["code"]) == (500, None)  # the first real error, not our own impatience
        assert 0.35 < took < 1.5
        assert slow[0].left.wait(2)
        assert not slow[1].reached.is_set()
        assert tried(whole.call().attempts) == [("a", "failed", 500), ("a", "failed", 0)]


def test_a_stream_has_no_total_deadline() -> None:
    with Whole({"a": "openai"}, {"a": {"total_timeout": 0.1}}) as whole:
        held = Held(chunked(OA_STREAM), SSE_HEAD)
        whole["a"].script.append(held)
        with whole.begin(said(stream=True)) as begun:
            held.reached.wait(2)
            time.sleep(0.3)
            held.released.set()

            assert b"[DONE]" in begun.read_to(b"\r\n0\r\n\r\n")
