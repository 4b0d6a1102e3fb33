"""Breakers over real sockets: a provider that fails is left alone, then asked once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateway.whole import Held, Whole, cut, failing, reset, said, tried
from tests.gateway.wire import CHUNKS, COMPLETION
from tests.live import asked, reply, sse

BREAKER = {"failures": 3, "open_for": 0.3}
ONCE = {"retry": {"max_attempts": 1}}
TWO = {"models": {"x": ["a/m", "b/m"]}}


def opened(whole: Whole, count: int = 3) -> None:
    """Let a provider fail until it is left alone."""
    whole["a"].script.extend([failing(500)] * count)
    for _ in range(count):
        assert whole.ask(said("a/m")).status == 500
    whole.clear()


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_the_503_of_an_open_breaker_is_the_documented_one(stream: bool) -> None:
    with Whole({"a": "openai"}, breaker={**BREAKER, "open_for": 30}, resilience=ONCE) as whole:
        opened(whole)
        answer = whole.ask(said("a/m", stream=stream))

        assert (answer.status, len(whole["a"].sent)) == (503, 0)
        waits = answer.error["retry_after"]
        assert 28 <= waits <= 30
        assert answer.json == {
            "error": {
                "message": "Provider a is currently unavailable",
                "type": "provider_error",
                "param": None,
                "code": "provider_unavailable",
                "provider": "a",
                "retry_after": waits,
                "status_code": 503,
                "retryable": True,
                "request_id": answer.field("x-request-id"),
            },
            "request_id": answer.field("x-request-id"),
        }
        assert answer.field("retry-after") == str(waits)
        assert tried(whole.call().attempts) == [("a", "denied", 0)]
        assert (whole.calls[0].status, whole.calls[0].error) == (503, "provider_unavailable")


@pytest.mark.parametrize(
    ("dialect", "member"), [("anthropic", {"type": "api_error"}), ("gemini", {"status": "UNAVAILABLE", "code": 503})]
)
def test_other_dialects_say_it_their_way(dialect: str, member: dict[str, object]) -> None:
    with Whole({"a": "openai"}, breaker={**BREAKER, "open_for": 30}, resilience=ONCE) as whole:
        opened(whole)
        answer = whole.ask(*asked("a/m", dialect))

        assert answer.status == 503
        assert answer.error["message"] == "Provider a is currently unavailable"
        assert member.items() <= answer.error.items()
        assert answer.field("retry-after") is not None


def test_what_the_client_did_wrong_opens_nothing() -> None:
    with Whole({"a": "openai"}, breaker=BREAKER, resilience=ONCE) as whole:
        for status in (400, 401, 403, 404, 422, 429) * 2:
            whole["a"].script.append(failing(status))
            assert whole.ask(said("a/m")).status == status

        assert whole.ask(said("a/m")).status == 200


def test_a_cut_stream_is_a_failure() -> None:
    with Whole({"a": "openai"}, breaker={**BREAKER, "open_for": 30}, resilience=ONCE) as whole:
        whole["a"].script.extend([cut(sse(*CHUNKS[:2]))] * 3)
        for _ in range(3):
            whole.ask(said("a/m", stream=True))
        whole.reported(3)

        assert whole.ask(said("a/m")).status == 503


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_the_next_target_is_asked_without_a_try(stream: bool) -> None:
    with Whole(
        {"a": "openai", "b": "anthropic"}, breaker={**BREAKER, "open_for": 30}, routing=TWO, resilience=ONCE
    ) as whole:
        opened(whole)
        answer = whole.ask(said("x", stream=stream))

        assert (answer.status, answer.field("x-setu-provider"), len(whole["a"].sent)) == (200, "b", 0)
        assert tried(whole.call().attempts)[-1] == ("b", "ok", 200)


def test_where_all_are_open_the_client_hears_when_the_first_is_back() -> None:
    with Whole(
        {"a": "openai", "b": "openai"}, breaker={**BREAKER, "open_for": 30}, routing=TWO, resilience=ONCE
    ) as whole:
        whole["a"].script.extend([failing(500)] * 3)
        whole["b"].script.extend([failing(500)] * 3)
        for _ in range(3):
            whole.ask(said("a/m"))
            whole.ask(said("b/m"))

        answer = whole.ask(said("x"))

        assert (answer.status, answer.error["code"]) == (503, "provider_unavailable")
        assert int(answer.field("retry-after") or 0) <= 30


@pytest.mark.parametrize("well", [True, False], ids=["it is well", "it is not"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_of_twenty_clients_one_is_the_probe(well: bool, stream: bool) -> None:
    with Whole({"a": "openai"}, breaker=BREAKER, resilience=ONCE) as whole:
        opened(whole)
        time.sleep(0.35)
        held = Held(reply(COMPLETION) if well else failing(500))
        whole["a"].script.append(held)
        statuses: list[int] = []
        refused = threading.Event()

        def one(_: int) -> None:
            statuses.append(whole.ask(said("a/m", stream=stream)).status)
            if len(statuses) >= 19:
                refused.set()

        with ThreadPoolExecutor(20) as pool:
            asks = [pool.submit(one, number) for number in range(20)]
            assert refused.wait(5)
            held.released.set()
            for each in asks:
                each.result()

        assert len(whole["a"].sent) == 1
        assert sorted(statuses) == ([200] + [503] * 19 if well else sorted([500] + [503] * 19))
        assert whole.ask(said("a/m")).status == (200 if well else 503)
        whole.reported(21)


def test_a_probe_whose_client_leaves_is_no_verdict() -> None:
    with Whole({"a": "openai"}, breaker=BREAKER, resilience=ONCE) as whole:
        opened(whole)
        time.sleep(0.35)
        held = Held()
        whole["a"].script.append(held)
        with whole.begin(said("a/m")):
            assert held.reached.wait(2)
        assert held.left.wait(2)
        whole.reported(1)

        assert whole.ask(said("a/m")).status == 200


def test_a_connection_that_is_refused_counts() -> None:
    with Whole({"a": "openai"}, breaker={**BREAKER, "open_for": 30}, resilience=ONCE) as whole:
        whole["a"].script.extend([reset] * 3)
        assert [whole.ask(said("a/m")).status for _ in range(3)] == [502] * 3

        assert whole.ask(said("a/m")).error["code"] == "provider_unavailable"
