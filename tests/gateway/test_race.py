"""A race: who is started when, who wins, and that the others are gone."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest

from setu.gateway.race import race
from tests.transport.virtual import VirtualClock

T = TypeVar("T")


class Runner:
    """Finishes with `result` after `seconds` of real time; `fate` is what became of it."""

    def __init__(self, result: str, seconds: float, *, stubborn: bool = False) -> None:
        self.result = result
        self.seconds = seconds
        self.stubborn = stubborn
        self.fate = "never started"

    async def run(self) -> str:
        self.fate = "running"
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.fate = "cancelled"
            await asyncio.sleep(0.01)  # a loser has something to put away
            self.fate = "put away"
            if not self.stubborn:
                raise
            return self.result
        if self.result == "raises":
            raise RuntimeError("a defect")
        self.fate = "finished"
        return self.result


class Real(VirtualClock):
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(main: Coroutine[Any, Any, T]) -> T:
    async def alone() -> T:
        try:
            return await asyncio.wait_for(main, 5)
        finally:
            await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    return asyncio.run(alone())


def racing(runners: list[Runner], stagger: float, dropped: list[str] | None = None) -> Coroutine[Any, Any, list[str]]:
    async def drop(result: str) -> None:
        if dropped is not None:
            dropped.append(result)

    starts = [runner.run for runner in runners]
    return race(starts, stagger, Real(), won=lambda result: result.startswith("win"), drop=drop)


def fates(runners: list[Runner]) -> list[str]:
    return [runner.fate for runner in runners]


def test_a_quick_first_one_is_alone() -> None:
    runners = [Runner("win", 0.01), Runner("win", 0)]

    assert run(racing(runners, 5)) == ["win"]
    assert fates(runners) == ["finished", "never started"]


def test_a_slow_first_one_is_overtaken_and_put_away_before_the_race_is_over() -> None:
    runners = [Runner("win slow", 3), Runner("win", 0.01)]

    assert run(racing(runners, 0.02)) == ["win"]
    assert fates(runners) == ["put away", "finished"]


def test_the_first_may_still_win_after_the_second_was_started() -> None:
    runners = [Runner("win", 0.06), Runner("win slow", 3)]

    assert run(racing(runners, 0.02)) == ["win"]
    assert fates(runners) == ["finished", "put away"]


def test_one_that_fails_while_another_runs_is_waited_out() -> None:
    runners = [Runner("lose", 0.05), Runner("win", 0.1)]

    assert run(racing(runners, 0.02)) == ["lose", "win"]


def test_one_that_fails_alone_ends_it_before_the_next_is_started() -> None:
    runners = [Runner("lose", 0.01), Runner("win", 0)]

    assert run(racing(runners, 5)) == ["lose"]
    assert fates(runners) == ["finished", "never started"]


def test_when_all_lose_all_are_told() -> None:
    assert run(racing([Runner("lose a", 0.05), Runner("lose b", 0.01)], 0.02)) == ["lose a", "lose b"]


def test_two_that_win_at_once_are_one_winner_and_one_that_is_dropped() -> None:
    dropped: list[str] = []

    assert run(racing([Runner("win a", 0), Runner("win b", 0)], 0, dropped)) == ["win a"]
    assert dropped in ([], ["win b"])


def test_what_a_loser_gives_all_the_same_is_dropped() -> None:
    dropped: list[str] = []

    assert run(racing([Runner("win late", 3, stubborn=True), Runner("win", 0.01)], 0.02, dropped)) == ["win"]
    assert dropped == ["win late"]


def test_one_that_raises_ends_it_and_the_others_are_put_away() -> None:
    runners = [Runner("win", 3), Runner("raises", 0.01)]

    with pytest.raises(RuntimeError, match="a defect"):
        run(racing(runners, 0.02))

    assert runners[0].fate == "put away"


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.05])
def test_a_cancelled_race_leaves_nobody_running(after: float) -> None:
    runners = [Runner("win", 3), Runner("win", 3)]

    assert run(_cancelled(lambda: racing(runners, 0.02), after, times=1))
    assert {"running", "cancelled"}.isdisjoint(fates(runners))


def test_a_race_cancelled_again_while_it_puts_losers_away_still_waits_for_them() -> None:
    runners, dropped = [Runner("win late", 3, stubborn=True), Runner("win", 0.01)], list[str]()

    # At 0.035 s the second has won, and the first is putting something away.
    assert run(_cancelled(lambda: racing(runners, 0.02, dropped), 0.035, times=2))
    assert fates(runners) == ["put away", "finished"]
    assert "win" in dropped


async def _cancelled(main: Callable[[], Coroutine[Any, Any, Any]], after: float, times: int) -> bool:
    task = asyncio.create_task(main())
    await asyncio.sleep(after)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([task])
    return task.cancelled()


def test_a_clock_that_does_not_wait_starts_all_at_once() -> None:
    async def never() -> str:
        await asyncio.sleep(3)
        return "lose"

    async def quick() -> str:
        return "win"

    async def drop(_: str) -> None: ...

    starts: list[Callable[[], Coroutine[Any, Any, str]]] = [never, never, quick]
    clock = VirtualClock()
    awaited: Awaitable[list[str]] = race(starts, 0.5, clock, won=lambda result: result == "win", drop=drop)

    async def main() -> list[str]:
        return await awaited

    assert run(main()) == ["win"]
    assert clock.slept == [0.5, 0.5]
