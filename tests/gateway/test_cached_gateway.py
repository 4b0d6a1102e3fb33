"""The response cache over real sockets: what is given again, in which form, to whom, and what the records say."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.gateway.test_streams import text_of
from tests.gateway.whole import Held, Whole, cut, failing, said, tried, until
from tests.gateway.wire import CHUNKS, OA_STREAM, PLAIN
from tests.live import Answer, asked, reply, sse
from tests.servers import SSE_HEAD, chunked

LIMITS = {"tokens_per_minute": 100_000, "concurrency": 30}
HOSTS = {"a": "openai", "b": "anthropic"}
DIALECTS = ["openai_chat", "anthropic", "gemini"]


@pytest.fixture(scope="module")
def _whole() -> Iterator[Whole]:
    once = {"retry": {"max_attempts": 1}}
    routing = {"models": {"x": ["a/m", "b/m"]}}
    with Whole(
        HOSTS, cache={"enabled": True}, limits=LIMITS, resilience=once, routing=routing, breaker={"enabled": False}
    ) as whole:
        yield whole


@pytest.fixture
def whole(_whole: Whole) -> Whole:
    _whole.clear()
    return _whole


def fresh(request: pytest.FixtureRequest) -> str:
    """Return words that nobody has asked before."""
    return str(request.node.name)


def ask(whole: Whole, words: str, dialect: str = "openai_chat", *, stream: bool = False, **fields: str) -> Answer:
    body, path = asked("a/m", dialect, stream=stream)
    named = [(name.replace("_", "-"), value) for name, value in fields.items()]
    return whole.ask(body.replace(b'"hi"', json.dumps(words).encode()), path, named)


def states(answers: list[Answer]) -> list[str | None]:
    return [answer.field("x-setu-cache") for answer in answers]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_the_second_of_two_is_given_again(
    whole: Whole, request: pytest.FixtureRequest, dialect: str, stream: bool
) -> None:
    answers = [ask(whole, fresh(request), dialect, stream=stream) for _ in range(2)]

    miss, hit = answers
    assert (states(answers), len(whole["a"].sent)) == (["miss", "hit"], 1)
    assert hit.body == miss.body
    assert hit.field("content-type") == miss.field("content-type")
    assert (hit.field("age"), hit.field("cache-control"), miss.field("cache-control")) == (
        "0", "private, no-store", "private, no-store"
    )  # fmt: skip
    assert (hit.field("x-setu-provider"), hit.field("x-setu-model")) == ("a", "m")
    first, second = whole.reported(2)
    assert [(call.cache, call.status, call.end) for call in (first, second)] == [
        ("miss", 200, "complete"), ("hit", 200, "complete")
    ]  # fmt: skip
    assert (second.attempts, second.provider, second.input_tokens) == ((), "a", None)
    assert first.id != second.id


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
def test_a_stream_and_a_whole_body_are_two_things(whole: Whole, request: pytest.FixtureRequest, dialect: str) -> None:
    """HDR-03."""
    words = fresh(request)
    answers = [ask(whole, words, dialect, stream=stream) for stream in (False, True, False, True)]

    assert states(answers) == ["miss", "miss", "hit", "hit"]
    kinds = [(answer.field("content-type") or "").partition(";")[0] for answer in answers]
    assert kinds == ["application/json", "text/event-stream"] * 2
    assert text_of(answers[3].body, dialect) == "Hello"


def test_nobody_gets_anothers_answer(whole: Whole, request: pytest.FixtureRequest) -> None:
    """HDR-04."""
    words = fresh(request)
    tenants = [ask(whole, words, x_setu_tenant=tenant) for tenant in ("one", "two", "one")]
    shown = [ask(whole, words, x_api_key=key) for key in ("k1", "k2", "k1")]

    assert states(tenants) == ["miss", "miss", "hit"]
    assert states(shown) == ["miss", "miss", "hit"]


@pytest.mark.parametrize(
    ("directive", "expected"),
    [("no-store", ["bypass", "bypass", "miss"]), ("no-cache", ["miss", "miss", "hit"])],
)
def test_a_client_can_do_without(
    whole: Whole, request: pytest.FixtureRequest, directive: str, expected: list[str]
) -> None:
    words = fresh(request)
    answers = [ask(whole, words, cache_control=directive) for _ in range(2)]
    answers.append(ask(whole, words))

    assert states(answers) == expected
    assert [call.cache for call in whole.reported(3)] == expected


def test_a_failure_is_not_kept(whole: Whole, request: pytest.FixtureRequest) -> None:
    whole["a"].script.append(failing(500))
    answers = [ask(whole, fresh(request)) for _ in range(3)]

    assert ([answer.status for answer in answers], states(answers)) == ([500, 200, 200], ["miss", "miss", "hit"])
    assert answers[0].field("x-setu-cache") == "miss"
    first = whole.reported(3)[0]
    assert (first.status, first.end) == (500, "error")


def test_nor_is_a_stream_that_was_cut(whole: Whole, request: pytest.FixtureRequest) -> None:
    whole["a"].script.append(cut(sse(*CHUNKS[:2])))
    answers = [ask(whole, fresh(request), stream=True) for _ in range(3)]

    assert states(answers) == ["miss", "miss", "hit"]
    assert [call.end for call in whole.reported(3)] == ["truncated-upstream", "complete", "complete"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_the_same_question_at_the_same_time_is_asked_once(
    whole: Whole, request: pytest.FixtureRequest, stream: bool
) -> None:
    held = Held(reply(OA_STREAM, kind="text/event-stream") if stream else reply(PLAIN["oa"]))
    whole["a"].script.append(held)
    words = fresh(request)

    with ThreadPoolExecutor(8) as pool:
        asks = [pool.submit(ask, whole, words, stream=stream) for _ in range(8)]
        assert held.reached.wait(3)
        threading.Event().wait(0.2)
        held.released.set()
        answers = [each.result() for each in asks]

    assert len(whole["a"].sent) == 1
    assert len({answer.body for answer in answers}) == 1
    assert sorted(str(state) for state in states(answers)) == ["hit"] * 7 + ["miss"]
    calls = whole.reported(8)
    assert sorted(len(call.attempts) for call in calls) == [0] * 7 + [1]
    assert {(call.status, call.end) for call in calls} == {(200, "complete")}


PHASES: dict[str, tuple[bytes, bytes, bool]] = {
    "before the head": (b"", reply(PLAIN["oa"]), False),
    "before the head of a stream": (b"", reply(OA_STREAM, kind="text/event-stream"), True),
    "in mid-stream": (
        SSE_HEAD + chunked(sse(*CHUNKS[:2]), end=False), chunked(sse(*CHUNKS[2:], "[DONE]")), True
    ),
}  # fmt: skip


@pytest.mark.parametrize("phase", PHASES)
def test_the_first_of_two_leaves_and_the_call_goes_on(whole: Whole, request: pytest.FixtureRequest, phase: str) -> None:
    first, rest, stream = PHASES[phase]
    held = Held(rest, first)
    whole["a"].script.append(held)
    body: dict[str, Any] = said("a/m", fresh(request), stream=stream)

    with ThreadPoolExecutor(1) as pool:
        with whole.begin(body) as leader:
            assert held.reached.wait(2)
            if phase == "in mid-stream":
                leader.read_to(b"Hel")
            follower = pool.submit(whole.ask, body)
            until(lambda: followed(whole) == 2)
        threading.Event().wait(0.1)
        assert not held.left.is_set()
        held.released.set()
        answer = follower.result()

    assert (answer.status, answer.field("x-setu-cache"), len(whole["a"].sent)) == (200, "hit", 1)
    assert b"[DONE]" in answer.body if stream else b"Hello" in answer.body
    calls = sorted(whole.reported(2), key=lambda call: len(call.attempts))
    assert [(call.status, call.cache) for call in calls] == [(200, "hit"), (200, "miss")]
    assert (calls[1].provider, tried(calls[1].attempts)) == ("a", [("a", "ok", 200)])
    if not stream:
        assert (calls[1].input_tokens, calls[1].output_tokens) == (3, 1)
    assert whole.ask(body).field("x-setu-cache") == "hit"


def followed(whole: Whole) -> int:
    """Return how many clients a call in flight has."""
    cache = whole.services.cache
    assert cache is not None
    return sum(len(flight._readers) for flight in cache._flying)


def test_the_first_leaves_a_call_that_fails(whole: Whole, request: pytest.FixtureRequest) -> None:
    held = Held(failing(500, message="down"))
    whole["a"].script.append(held)
    body = said("a/m", fresh(request))

    with ThreadPoolExecutor(1) as pool:
        with whole.begin(body):
            assert held.reached.wait(2)
            follower = pool.submit(whole.ask, body)
            until(lambda: followed(whole) == 2)
        threading.Event().wait(0.1)
        held.released.set()
        answer = follower.result()

    assert (answer.status, len(whole["a"].sent)) == (200, 2), "who followed a failure asks again"
    assert sorted((call.status, call.cache) for call in whole.reported(2)) == [(200, "miss"), (500, "miss")]


@pytest.mark.parametrize(("status", "asked_upstream"), [(400, 1), (500, 2)])
def test_what_a_flight_of_eight_gets_of_a_failure(
    whole: Whole, request: pytest.FixtureRequest, status: int, asked_upstream: int
) -> None:
    """A client error is everybody's; of another one, one more asks, and the others take what that gets."""
    held = [Held(failing(status, message="no")) for _ in range(3)]
    whole["a"].script.extend(held)
    words = fresh(request)

    with ThreadPoolExecutor(8) as pool:
        asks = [pool.submit(ask, whole, words) for _ in range(8)]
        until(lambda: followed(whole) == 8)
        for each in held:
            each.released.set()
        answers = [each.result() for each in asks]

    assert {(answer.status, answer.error["message"]) for answer in answers} == {(status, "no")}
    assert len(whole["a"].sent) == asked_upstream
    calls = whole.reported(8)
    assert {(call.status, call.end) for call in calls} == {(status, "error")}
    assert sum(len(call.attempts) for call in calls) == asked_upstream


def test_all_leave_and_so_does_the_call(whole: Whole, request: pytest.FixtureRequest) -> None:
    held = Held()
    whole["a"].script.append(held)
    body = said("a/m", fresh(request), stream=True)
    with whole.begin(body), whole.begin(body):
        assert held.reached.wait(2)
        until(lambda: followed(whole) == 2)
    assert held.left.wait(2)

    calls = whole.reported(2)
    assert [call.end for call in calls] == ["closed-by-client"] * 2
    assert sorted(len(call.attempts) for call in calls) == [0, 1]


def test_a_hit_is_nobodys_try_of_a_fallback(whole: Whole, request: pytest.FixtureRequest) -> None:
    words = fresh(request)
    whole["a"].script.append(failing(500))
    answers = [whole.ask(said("x", words)) for _ in range(2)]

    assert [answer.field("x-setu-provider") for answer in answers] == ["b", "b"]
    assert [answer.field("x-setu-attempts") for answer in answers] == ["2", None]
    assert [call.provider for call in whole.reported(2)] == ["b", "b"]
