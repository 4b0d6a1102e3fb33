"""Performing a plan: real asyncio, a clock that does not wait, and nothing left behind."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import DeadlineError
from setu.gateway.perform import Performed, Tried, in_time, perform
from setu.resilience.attempts import Sleep, Try, attempts
from setu.resilience.outcome import CUT, OK, Outcome, denied
from setu.resilience.policy import Retry
from tests.transport.virtual import VirtualClock

T = TypeVar("T")

AGAIN = Outcome(kind="failed", status=503, retryable=True)
NEXT = Outcome(kind="failed", status=401)
DENIED = denied(retry_after=2)


class Answer:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = 0

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.closed += 1


class Hosts:
    """Answers each target's n-th call with the n-th of its outcomes, the last one again and again."""

    def __init__(self, **told: Sequence[Outcome]) -> None:
        self.told = told
        self.numbers: list[int] = []
        self.answers: list[Answer] = []

    async def call(self, target: str, number: int) -> Tried[Answer]:
        self.numbers.append(number)
        await asyncio.sleep(0)
        before = sum(answer.name == target for answer in self.answers)
        outcome = self.told[target][min(before, len(self.told[target]) - 1)]
        if outcome.kind == "denied":
            return Tried(outcome)
        self.answers.append(Answer(target))
        return Tried(outcome, self.answers[-1])


def run(main: Coroutine[Any, Any, T]) -> T:
    async def alone() -> T:
        try:
            return await main
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    return asyncio.run(alone())


def performed(hosts: Hosts, clock: VirtualClock | None = None, hedge: float | None = None) -> Performed[Answer]:
    plan = attempts(list(hosts.told), lambda _: Retry(), draw=lambda: 0.5, now=lambda: 0.0, hedge=hedge)
    return run(perform(plan, hosts.call, clock or VirtualClock()))


def test_an_answer_is_returned_open() -> None:
    hosts = Hosts(a=[OK])

    done = performed(hosts)

    assert (done.value, done.outcome, done.outcomes) == (hosts.answers[0], OK, (OK,))
    assert hosts.answers[0].closed == 0


def test_waits_go_to_the_clock_and_tries_are_numbered() -> None:
    hosts, clock = Hosts(a=[AGAIN], b=[OK]), VirtualClock()

    done = performed(hosts, clock)

    assert clock.slept == [0.5, 1.0]
    assert hosts.numbers == [1, 2, 3, 4]
    assert done.value is hosts.answers[-1]
    assert [answer.closed for answer in hosts.answers] == [1, 1, 1, 0]


def test_when_all_fail_the_first_real_failure_is_returned_open() -> None:
    hosts = Hosts(a=[DENIED], b=[NEXT], c=[NEXT])

    done = performed(hosts)

    assert (done.outcome, done.value) == (NEXT, hosts.answers[0])
    assert done.outcomes == (DENIED, NEXT, NEXT)
    assert [answer.closed for answer in hosts.answers] == [0, 1]


def test_when_all_were_denied_there_is_an_error_and_no_value() -> None:
    done = performed(Hosts(a=[DENIED]))

    assert done.value is None
    assert done.outcome.error is not None
    assert (done.outcome.error.status, done.outcome.error.retry_after) == (503, 2)


def test_content_that_was_sent_is_never_followed_by_a_try() -> None:
    hosts = Hosts(a=[CUT], b=[OK])

    assert performed(hosts).outcome == CUT
    assert hosts.numbers == [1]


def test_one_target_is_asked_without_a_task_of_its_own() -> None:
    tasks: list[asyncio.Task[Any] | None] = []

    async def call(_target: str, _number: int) -> Tried[Answer]:
        tasks.append(asyncio.current_task())
        return Tried(OK, Answer("a"))

    async def main() -> None:
        plan = attempts(["a"], lambda _: Retry(), draw=lambda: 0.5, now=lambda: 0.0)
        await perform(plan, call, VirtualClock())
        assert tasks == [asyncio.current_task()]

    run(main())


def test_an_exception_ends_everything_and_what_failed_before_is_closed() -> None:
    hosts = Hosts(a=[NEXT])

    async def call(target: str, number: int) -> Tried[Answer]:
        if number == 2:
            raise RuntimeError("a defect")
        return await hosts.call(target, number)

    plan = attempts(["a", "b"], lambda _: Retry(), draw=lambda: 0.5, now=lambda: 0.0)
    with pytest.raises(RuntimeError):
        run(perform(plan, call, VirtualClock()))

    assert hosts.answers[0].closed == 1


def test_an_answer_that_cannot_be_closed_spoils_nothing() -> None:
    class Stuck(Answer):
        async def aclose(self) -> None:
            raise OSError("gone already")

    async def call(_target: str, number: int) -> Tried[Answer]:
        return Tried(OK if number == 2 else NEXT, Stuck("a"))

    plan = attempts(["a", "b"], lambda _: Retry(), draw=lambda: 0.5, now=lambda: 0.0)

    assert run(perform(plan, call, VirtualClock())).outcome == OK


def test_a_hedged_try_takes_the_first_answer_and_closes_the_other() -> None:
    hosts = Hosts(a=[OK], b=[OK])
    released = asyncio.Event()

    async def call(target: str, number: int) -> Tried[Answer]:
        if target == "a":
            await released.wait()
        return await hosts.call(target, number)

    plan = attempts(["a", "b"], lambda _: Retry(), draw=lambda: 0.5, now=lambda: 0.0, hedge=0.3)
    clock = VirtualClock()
    done = run(perform(plan, call, clock))

    assert done.value is not None
    assert (done.value.name, clock.slept) == ("b", [0.3])


def _cancelling(after: int, main: Callable[[], Coroutine[Any, Any, Any]]) -> Coroutine[Any, Any, bool]:
    """Cancel `main` at its n-th turn of the loop; tell whether it was still running."""

    async def cancelled() -> bool:
        task = asyncio.create_task(main())
        for _ in range(after):
            await asyncio.sleep(0)
        running = not task.done()
        task.cancel()
        await asyncio.wait([task])
        assert running == task.cancelled()
        return running

    return cancelled()


@pytest.mark.parametrize("hedge", [None, 0.0])
def test_cancelled_at_any_point_it_leaves_no_task_and_no_open_answer(hedge: float | None) -> None:
    for after in range(60):
        hosts = Hosts(a=[AGAIN, NEXT], b=[AGAIN, OK])

        def main(hosts: Hosts = hosts) -> Coroutine[Any, Any, Any]:
            plan = attempts(["a", "b"], lambda _: Retry(), draw=lambda: 0.5, now=lambda: 0.0, hedge=hedge)
            return perform(plan, hosts.call, VirtualClock())

        if not run(_cancelling(after, main)):
            break
        assert all(answer.closed for answer in hosts.answers)
    else:
        raise AssertionError("it never came to its end")
    assert after > 5


@given(st.lists(st.lists(st.sampled_from([AGAIN, NEXT, DENIED, OK]), min_size=1, max_size=4), min_size=1, max_size=4))
def test_every_answer_is_returned_or_closed_and_never_both(told: list[list[Outcome]]) -> None:
    hosts = Hosts(**dict(zip("abcd", told, strict=False)))

    done = performed(hosts)

    assert [answer.closed for answer in hosts.answers] == [int(answer is not done.value) for answer in hosts.answers]
    assert done.value is None or done.outcome in done.outcomes


def test_what_takes_too_long_is_a_deadline_that_says_so() -> None:
    with pytest.raises(DeadlineError, match=r"^https://h did not begin to answer within 0\.01 s$"):
        run(in_time(asyncio.sleep(5), 0.01, "https://h"))


def test_what_is_in_time_is_returned() -> None:
    assert run(in_time(asyncio.sleep(0, "x"), 1.0, "h")) == "x"
    assert run(in_time(asyncio.sleep(0, "x"), None, "h")) == "x"


def test_a_timeout_of_somebody_else_is_not_taken_for_ours() -> None:
    async def fails() -> None:
        raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs"):
        run(in_time(fails(), 5.0, "h"))


def test_the_generator_sees_what_the_calls_gave() -> None:
    seen: list[tuple[Outcome, ...]] = []

    def plan() -> Any:
        seen.append((yield Try(("a",))))
        seen.append((yield Sleep(1.0)))
        seen.append((yield Try(("b",))))

    run(perform(plan(), Hosts(a=[NEXT], b=[OK]).call, VirtualClock()))

    assert seen == [(NEXT,), (), (OK,)]
