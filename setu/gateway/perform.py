"""Do what the attempt generator says: ask, wait, tell it how it went. All decisions are the generator's."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from setu.errors import DeadlineError
from setu.gateway.race import race, undisturbed
from setu.ports import Clock
from setu.resilience.attempts import Attempts, Sleep, Try
from setu.resilience.deadlines import late
from setu.resilience.outcome import Outcome, surfaced
from setu.resilience.policy import Deadline


class Closable(Protocol):
    """What a try gives: an answer, or the ready page of an error."""

    async def aclose(self) -> None: ...


T = TypeVar("T")
A = TypeVar("A")
V = TypeVar("V", bound=Closable)

_OVER = frozenset({"ok", "cut"})


class Tried(msgspec.Struct, Generic[V], frozen=True):
    """How a try went and what it gave. What a failure gave must hold no connection: it is kept through all waits."""

    outcome: Outcome
    value: V | None = None


class Performed(msgspec.Struct, Generic[V], frozen=True):
    """How a request went: the outcome that counts, what belongs to it (for the caller to close), and all outcomes."""

    outcome: Outcome
    value: V | None
    outcomes: tuple[Outcome, ...]


Call = Callable[[T, int], Coroutine[Any, Any, Tried[V]]]
"""Asks a target; the number counts the tries of the request, from 1."""


async def perform(plan: Attempts[T], call: Call[T, V], clock: Clock) -> Performed[V]:
    """Drive a plan to its end; when there is no answer, the first real failure is returned (MSG-14).

    Whatever is not returned is closed, also when this is cancelled; an exception of `call` ends everything.
    """
    tries: list[Tried[V]] = []
    step = next(plan, None)
    try:
        while step is not None:
            told: list[Tried[V]] = []
            if isinstance(step, Sleep):
                await clock.sleep(step.seconds)
            else:
                told = await _tried(step, call, len(tries) + 1, clock)
                tries += told
            step = _following(plan, told)
        chosen = _chosen(tries)
        if len(tries) > 1:
            await _drop_all([tried for tried in tries if tried is not chosen])
    except BaseException:
        plan.close()
        await _drop_all(tries)
        raise
    return Performed(chosen.outcome, chosen.value, tuple([tried.outcome for tried in tries]))


async def _tried(step: Try[T], call: Call[T, V], number: int, clock: Clock) -> list[Tried[V]]:
    if len(step.targets) == 1:
        return [await call(step.targets[0], number)]
    starts = [partial(call, target, number + later) for later, target in enumerate(step.targets)]
    return await race(starts, step.stagger, clock, won=_is_over, drop=_drop)


def _following(plan: Attempts[T], told: list[Tried[V]]) -> Try[T] | Sleep | None:
    try:
        return plan.send(tuple([tried.outcome for tried in told]))
    except StopIteration:
        return None


def _chosen(tries: list[Tried[V]]) -> Tried[V]:
    """Return the try that counts: the one that gave an answer, else the one whose failure is told."""
    if tries and _is_over(tries[-1]):
        return tries[-1]
    told = surfaced([tried.outcome for tried in tries])
    return next((tried for tried in tries if tried.outcome is told), Tried(told))


def _is_over(tried: Tried[V]) -> bool:
    return tried.outcome.kind in _OVER


async def _drop_all(tries: list[Tried[V]]) -> None:
    if any(tried.value is not None for tried in tries):
        await undisturbed(_drop_each(tries))


async def _drop_each(tries: list[Tried[V]]) -> None:
    for tried in tries:
        await _drop(tried)


async def _drop(tried: Tried[V]) -> None:
    if tried.value is not None:
        with contextlib.suppress(Exception):
            await tried.value.aclose()


async def in_time(awaited: Awaitable[A], seconds: float | None, host: str, deadline: Deadline = "first_byte") -> A:
    """Await something for so long at most; None: for as long as it takes.

    Raises:
        DeadlineError: it took longer; the sentence names the deadline.
    """
    if seconds is None:
        return await awaited
    try:
        async with asyncio.timeout(seconds) as limit:
            return await awaited
    except TimeoutError:
        if not limit.expired():
            raise
        raise DeadlineError(late(deadline, host, seconds)) from None
