"""A race of calls that start one after the other: the first that wins ends it, and nobody is left running."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from setu.ports import Clock

R = TypeVar("R")


async def race(
    starts: Sequence[Callable[[], Coroutine[Any, Any, R]]],
    stagger: float,
    clock: Clock,
    *,
    won: Callable[[R], bool],
    drop: Callable[[R], Awaitable[None]],
) -> list[R]:
    """Return what came of those that were started, in their order, up to the one that won.

    The next one starts when those before it have been silent for `stagger` seconds. When all that were started have
    lost, no other is: that is for the caller to decide. The losers of a race that was won are cancelled and waited
    for, and what they gave all the same is dropped; so is everything when the race itself is cancelled, or one raises.
    """
    running: list[asyncio.Task[R]] = []
    try:
        winner = None
        for start in starts:
            running.append(asyncio.create_task(start()))
            last = len(running) == len(starts)
            winner = await _winner(running, None if last else stagger, clock, won)
            if winner is not None or all(task.done() for task in running):
                break
        results = [task for task in running if task is winner or _has_lost(task, won)]
        await _put_down([task for task in running if task not in results], drop)
    except BaseException:
        await _put_down(running, drop)
        raise
    return [task.result() for task in results]


async def _winner(
    running: Sequence[asyncio.Task[R]], seconds: float | None, clock: Clock, won: Callable[[R], bool]
) -> asyncio.Task[R] | None:
    """Wait until one has won, all have lost, or the time is up."""
    timer = None if seconds is None else asyncio.create_task(clock.sleep(seconds))
    try:
        while True:
            for task in running:
                if task.done() and won(task.result()):
                    return task
            waited: list[asyncio.Task[Any]] = [task for task in running if not task.done()]
            if not waited or (timer is not None and timer.done()):
                return None
            await asyncio.wait(waited if timer is None else [*waited, timer], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if timer is not None and timer.cancel():
            await asyncio.wait([timer])


def _has_lost(task: "asyncio.Task[R]", won: Callable[[R], bool]) -> bool:
    return task.done() and task.exception() is None and not won(task.result())


async def _put_down(tasks: Sequence[asyncio.Task[R]], drop: Callable[[R], Awaitable[None]]) -> None:
    """Cancel tasks, wait until they are gone, and drop what they gave all the same."""
    if tasks:
        for task in tasks:
            task.cancel()
        await undisturbed(_gone(tasks, drop))


async def _gone(tasks: Sequence[asyncio.Task[R]], drop: Callable[[R], Awaitable[None]]) -> None:
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled() and task.exception() is None:
            with contextlib.suppress(Exception):
                await drop(task.result())


async def undisturbed(cleaning: Coroutine[Any, Any, None]) -> None:
    """Clean up to the end, however often the caller is cancelled meanwhile; then it is cancelled."""
    task = asyncio.create_task(cleaning)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled
