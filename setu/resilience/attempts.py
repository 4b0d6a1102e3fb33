"""Which target is tried next, as a generator: it says what to do and is told how it went. It does nothing itself."""

from collections.abc import Callable, Generator, Sequence
from typing import Generic, TypeVar

import msgspec

from setu.resilience.backoff import wait_for
from setu.resilience.outcome import Outcome
from setu.resilience.policy import Retry

T = TypeVar("T")

_OVER = frozenset({"ok", "cut"})


class Try(msgspec.Struct, Generic[T], frozen=True):
    """Ask these targets; each but the first only after `stagger` seconds without an answer from those before it."""

    targets: tuple[T, ...]
    stagger: float = 0.0


class Sleep(msgspec.Struct, frozen=True):
    """Wait so many seconds."""

    seconds: float


Attempts = Generator[Try[T] | Sleep, tuple[Outcome, ...], None]
"""What `attempts` makes; it wants the outcomes of the targets that were asked, in their order, and nothing of a sleep.
"""


def attempts(
    targets: Sequence[T],
    policy_of: Callable[[T], Retry],
    *,
    draw: Callable[[], float],
    now: Callable[[], float],
    deadline: float | None = None,
    hedge: float | None = None,
    together: int = 2,
) -> Attempts[T]:
    """Yield tries and sleeps until an answer came, or nothing is left to try.

    A failure that may pass is retried on the same target, with waits; then, or when it may not pass, the next target
    is asked. A denied target is left at once, and it cost no try. An error that every target would give ends it, and
    so does content that has reached the client. No sleep reaches beyond `deadline`, which is a time of `now`.

    With `hedge`, up to `together` targets are asked so many seconds apart.
    """
    book = _Book(targets, policy_of)
    width = together if hedge is not None else 1
    while book.here < len(targets):
        asked = book.next(width)
        outcomes = yield Try(tuple([targets[index] for index in asked]), hedge or 0.0)
        if book.over(asked, outcomes):
            return
        wait = book.wait(draw)
        if wait and (deadline is None or now() + wait < deadline):
            yield Sleep(wait)
        elif wait:
            book.leave()
        if deadline is not None and now() >= deadline:
            return


class _Book(Generic[T]):
    """What each target has left. `here` is the first that may be asked."""

    __slots__ = ("_last", "_left", "_policies", "here")

    def __init__(self, targets: Sequence[T], policy_of: Callable[[T], Retry]) -> None:
        self._policies = [policy_of(target) for target in targets]
        self._left = [policy.attempts for policy in self._policies]
        self._last: Outcome | None = None
        self.here = 0
        self._go_on()

    def next(self, width: int) -> list[int]:
        if width == 1:
            return [self.here]
        able = [index for index in range(self.here, len(self._left)) if self._left[index] > 0]
        return able[:width]

    def over(self, asked: Sequence[int], outcomes: Sequence[Outcome]) -> bool:
        """Note how a try went; tell whether nothing may follow."""
        stop = False
        for index, outcome in zip(asked, outcomes, strict=False):
            if outcome.kind in _OVER:
                return True
            self._left[index] = self._left[index] - 1 if outcome.retryable and outcome.kind == "failed" else 0
            stop = stop or (outcome.final and not outcome.retryable)
        self._last = outcomes[0]
        return stop

    def wait(self, draw: Callable[[], float]) -> float:
        """Return the wait before the target is asked again; 0.0 when the next one's turn has come."""
        index, left, last = self.here, self._left[self.here], self._last
        if left > 0 and last is not None:
            policy = self._policies[index]
            wait = wait_for(last, policy.attempts - left, policy, draw())
            if wait is not None:
                return wait
        self.leave()
        return 0.0

    def leave(self) -> None:
        """Give the target up, and with it all others where its last error was for nobody else."""
        if self._last is not None and self._last.final:
            self.here = len(self._left)
            return
        self._left[self.here] = 0
        self._go_on()

    def _go_on(self) -> None:
        while self.here < len(self._left) and self._left[self.here] <= 0:
            self.here += 1
