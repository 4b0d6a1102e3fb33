"""The law of the books: however a request ends, it is reported once, and nothing is left outstanding."""

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setu.signals import Call
from tests.gateway.whole import Held, Step, Whole, cut, failing, reset, until, usual
from tests.gateway.wire import CHUNKS, EVENTS, OA_STREAM, PLAIN
from tests.live import Sent, asked, reply, sse
from tests.servers import SSE_HEAD, chunked

HOSTS = {"a": "openai", "b": "anthropic"}
LIMITS = {"concurrency": 100, "tokens_per_minute": 10**9, "default_tenant": {"requests_per_minute": 10**6}}
PROVIDERS = {name: {"rate_limit": {"concurrency": 50}} for name in HOSTS}
DIALECTS = ["openai_chat", "anthropic", "gemini"]


NONCES = count(10**6)


def slow() -> Step:
    return Held(reply(PLAIN["oa"]), seconds=0.12)


STEPS: dict[str, Callable[[], Step | None]] = {
    "well": lambda: None,
    "500": lambda: failing(500),
    "400": lambda: failing(400),
    "429": lambda: failing(429, "retry-after-ms: 5"),
    "reset": lambda: reset,
    "silent": lambda: Held(failing(500), seconds=0.15),
    "slow": slow,
    "no content": lambda: cut(b": begun\n\n"),
    "begun": lambda: cut(sse(CHUNKS[0])),
    "cut": lambda: cut(sse(*CHUNKS[:2])),
    "cut in Anthropic's": lambda: cut(sse(*EVENTS[:3], named=True)),
    "stuck": lambda: Held(chunked(sse(*CHUNKS[2:], "[DONE]")), SSE_HEAD + chunked(sse(*CHUNKS[:2]), end=False), 0.12),
    "page": lambda: reply(b"<html>", kind="text/html"),
}


class Course(NamedTuple):
    """What one client does and what the upstreams do."""

    dialect: str
    stream: bool
    first: list[str]
    second: list[str]
    leaves: float | None
    nonce: int = 0


COURSES = st.builds(
    Course,
    dialect=st.sampled_from(DIALECTS),
    stream=st.booleans(),
    first=st.lists(st.sampled_from(list(STEPS)), max_size=2),
    second=st.lists(st.sampled_from(list(STEPS)), max_size=2),
    leaves=st.sampled_from([None, None, None, 0.0, 0.01, 0.05, 0.1]),
)


@pytest.fixture(scope="module", params=["plain", "hedged", "cached", "masked and mirrored"])
def whole(request: pytest.FixtureRequest) -> Iterator[Whole]:
    routing: dict[str, Any] = {"models": {"x": ["a/m", "b/m"]}}
    more: dict[str, Any] = {}
    if request.param == "hedged":
        routing["hedge_after"] = "30ms"
    if request.param == "cached":
        more["cache"] = {"enabled": True}
    if request.param == "masked and mirrored":
        routing["rule"] = [{"name": "r", "model": "*", "mirror": ["b/copy"]}]
        more["privacy"] = {"enabled": True, "providers": ["b"]}  # what passes unread to b is refused
    retry = {"retry": {"max_attempts": 2, "initial_interval": 0.005, "max_interval": 0.005}}
    with Whole(
        HOSTS, PROVIDERS, routing=routing, limits=LIMITS, resilience=retry, breaker={"enabled": False}, **more
    ) as made:
        yield made


def ask(whole: Whole, course: Course) -> bytes | None:
    """Ask as a client does; return what it read, or None when it left."""
    body, path = asked("x", course.dialect, stream=course.stream)
    body = body.replace(b'"hi"', f'"anna{course.nonce}@example.org"'.encode())
    with whole.begin(json.loads(body), path, [("user-agent", str(course.nonce))]) as begun:
        if course.leaves is None:
            return begun.read()
        time.sleep(course.leaves)
    return None


def asked_of(whole: Whole, course: Course) -> int:
    """Return how often upstreams were asked; what a client before began may still arrive."""
    return sum(sent.field("user-agent") == str(course.nonce) for host in whole.hosts.values() for sent in host.sent)


def finishes(read: bytes, course: Course) -> bool:
    marks = {"openai_chat": b"[DONE]", "anthropic": b"message_stop", "gemini": b'"finishReason"'}
    return marks[course.dialect] in read if course.stream else b" 200 " in read.partition(b"\r\n")[0]


@given(course=COURSES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_request_is_reported_once_and_nothing_is_left_open(whole: Whole, course: Course) -> None:
    whole.clear()
    course = course._replace(nonce=next(NONCES))
    for host, names in (("a", course.first), ("b", course.second)):
        whole[host].script.extend(step for name in names if (step := STEPS[name]()) is not None)

    read = ask(whole, course)

    until(lambda: bool(own(whole.calls)) and whole.at_rest and settled(whole))
    (call,) = own(whole.calls)
    mirrors = [each for each in whole.calls if each.route == "mirror"]
    assert len(mirrors) == len({each.id for each in mirrors}) <= 1
    assert sum(len(each.attempts) for each in whole.calls) >= asked_of(whole, course)
    assert [each.number for each in sorted(call.attempts, key=lambda each: each.number)] == list(
        range(1, len(call.attempts) + 1)
    )
    if read is not None:
        assert (call.end == "complete") == finishes(read, course), (call.end, read)
        assert f" {call.status} ".encode() in read.partition(b"\r\n")[0]
    elif call.end == "closed-by-client":
        assert call.error is None


def own(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.route != "mirror"]


def settled(whole: Whole) -> bool:
    """Tell whether a copy's record is there, where one was sent."""
    mirror = whole.rooms.mirror
    return mirror is None or not mirror._tasks


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_crowd_in_one_flight_of_which_some_leave(whole: Whole, stream: bool) -> None:
    """Twelve ask the same at once, every third leaves: twelve reports, one for each."""
    for round_ in range(3):
        whole.clear()
        rest = reply(OA_STREAM, kind="text/event-stream") if stream else reply(PLAIN["oa"])
        whole["a"].script.extend([Held(rest, seconds=0.1) for _ in range(12)])
        courses = [
            Course("openai_chat", stream, [], [], 0.02 + each / 200 if each % 3 == round_ else None, 7 * round_)
            for each in range(12)
        ]
        with ThreadPoolExecutor(12) as pool:
            read = list(pool.map(lambda course: ask(whole, course), courses))

        until(lambda: len(own(whole.calls)) >= 12 and whole.at_rest and settled(whole))
        calls = own(whole.calls)
        assert len({call.id for call in calls}) == len(calls) == 12
        assert all(finishes(each, courses[0]) for each in read if each is not None)
        assert sum(call.end == "complete" for call in calls) >= sum(each is not None for each in read)


LENGTH = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
RAW: dict[str, tuple[Callable[[], Step], bool, str]] = {
    "well": (lambda: reply(b"{}"), False, "complete"),
    "500": (lambda: failing(500), False, "complete"),
    "reset": (lambda: reset, False, "error"),
    "cut": (lambda: cut(b"half"), False, "truncated-upstream"),
    "left before the head": (Held, True, "closed-by-client"),
    "left in the body": (lambda: Held(b"", LENGTH), True, "closed-by-client"),
}


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_what_passes_unread_is_reported_once(whole: Whole, kind: str, method: str) -> None:
    made, leaves, end = RAW[kind]
    whole.clear()
    step = made()
    whole["a"].script.append(step)

    if leaves:
        assert isinstance(step, Held)
        with whole.begin({}, "/a/v1/other"):
            assert step.reached.wait(2)
        assert step.left.wait(2)
    else:
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            whole.ask(b"{}" if method == "POST" else b"", "/a/v1/other", method=method)

    call = whole.call()
    assert (call.end, call.route, call.provider, call.operation) == (end, "raw", "a", "raw")


def test_usual_answers_are_what_the_dialects_say() -> None:
    """The law would hold for upstreams that answer nothing, too: they do answer."""
    assert b"[DONE]" in usual("openai", Sent("POST / HTTP/1.1", [], b'{"stream": true}'))
    assert b"Hello" in usual("anthropic", Sent("POST / HTTP/1.1", [], b"{}"))
