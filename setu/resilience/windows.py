"""Sliding windows of a minute: exact on the safe side, never more than the limit in any 60 s.

Time is cut into slots of one second. What is granted counts until its whole slot is more than a minute old, so for
60 s at least and 61 s at most: a window never grants too much, and gives room back at most one second late. (The usual
counter of two weighted buckets gives room back too early: up to twice its limit passes in 60 s across a boundary.)

A burst lets `burst` more pass at once and is paid back in the next minute: any 60 s hold at most `amount + burst`, and
any 120 s at most `2 * amount`.

`setu/store/redis_scripts.py` does the same arithmetic in Lua; a differential test holds the two together.
"""

from bisect import bisect_left
from math import floor, inf

import msgspec

from setu.resilience.ledger import Limit

SLOT = 1.0
MINUTE = 60
KEPT = 2 * MINUTE


class Window(msgspec.Struct, frozen=True):
    """What was granted in each slot that is still remembered, oldest first; slots without a grant are absent."""

    slots: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()


EMPTY = Window()


def slot_of(window: Window, now: float) -> int:
    """Return the slot of now: a clock that steps back a little stays in the newest slot, so that nothing is lost."""
    slot = floor(now / SLOT)
    if not window.slots:
        return slot
    newest = window.slots[-1]
    return newest if slot < newest <= slot + MINUTE else slot


def used(window: Window, slot: int, minutes: int = 1) -> int:
    """Return what still counts at a slot."""
    return sum(window.counts[bisect_left(window.slots, slot - minutes * MINUTE) :])


def most(limit: Limit) -> int:
    """Return the largest amount that can ever be granted at once."""
    return min(limit.amount + limit.burst, 2 * limit.amount) if limit.burst else limit.amount


def left(window: Window, now: float, limit: Limit) -> int:
    """Return what could be granted now; never negative."""
    slot = slot_of(window, now)
    window = _kept(window, slot)
    return room_of(limit, used(window, slot), used(window, slot, 2) if limit.burst else 0)


def room_of(limit: Limit, minute: int, two: int) -> int:
    """Return what is left of a limit after the use of its last minute and, where it has a burst, of its last two."""
    if not limit.burst:
        return max(0, limit.amount - minute)
    return max(0, min(limit.amount + limit.burst - minute, 2 * limit.amount - two))


def take(window: Window, now: float, amount: int, limit: Limit) -> Window | None:
    """Grant an amount, or return None."""
    if amount > left(window, now, limit):
        return None
    return add(window, now, amount)


def add(window: Window, now: float, amount: int) -> Window:
    """Count an amount whether there is room or not: what was used was used."""
    slot = slot_of(window, now)
    window = _kept(window, slot)
    if window.slots and window.slots[-1] == slot:
        return Window(window.slots, (*window.counts[:-1], window.counts[-1] + amount))
    return Window((*window.slots, slot), (*window.counts, amount))


def give_back(window: Window, taken: float, amount: int) -> Window:
    """Take an amount out of the slot in which it was granted.

    A slot that is forgotten gives nothing back, and none goes below zero: a refund is never a credit.
    """
    slot = floor(taken / SLOT)
    at = bisect_left(window.slots, slot)
    if at == len(window.slots) or window.slots[at] != slot:
        return window
    rest = max(0, window.counts[at] - amount)
    return Window(window.slots, (*window.counts[:at], rest, *window.counts[at + 1 :]))


def wait(window: Window, now: float, amount: int, limit: Limit) -> float:
    """Return the seconds until an amount fits if nothing else is granted before; infinite if it never can."""
    if amount > most(limit):
        return inf
    slot = slot_of(window, now)
    window = _kept(window, slot)
    free = max(_fits(window, slot, 1, amount, limit.amount + limit.burst), slot)
    if limit.burst:
        free = max(free, _fits(window, slot, 2, amount, 2 * limit.amount))
    return max(0.0, free * SLOT - now) if free > slot else 0.0


def whole(newest: int | None, now: float, limit: Limit) -> float:
    """Return the seconds until nothing counts any more, given the newest slot that does."""
    if newest is None:
        return 0.0
    minutes = 2 if limit.burst else 1
    return max(0.0, (newest + minutes * MINUTE + 1) * SLOT - now)


def newest(window: Window, now: float, limit: Limit) -> int | None:
    """Return the newest slot that holds something and still counts."""
    oldest = slot_of(window, now) - (2 if limit.burst else 1) * MINUTE
    pairs = zip(reversed(window.slots), reversed(window.counts), strict=True)
    return next((slot for slot, count in pairs if count and slot >= oldest), None)


def _kept(window: Window, slot: int) -> Window:
    """Forget what counts no more: slots too old, and those of a clock that was an hour ahead."""
    slots = window.slots
    if not slots or (slots[0] >= slot - KEPT and slots[-1] <= slot):
        return window
    start, end = bisect_left(slots, slot - KEPT), bisect_left(slots, slot + 1)
    return Window(slots[start:end], window.counts[start:end])


def _fits(window: Window, slot: int, minutes: int, amount: int, cap: int) -> int:
    """Return the first slot at which an amount fits under a cap, when the oldest grants leave first."""
    span = minutes * MINUTE
    over = used(window, slot, minutes) + amount - cap
    for at in range(bisect_left(window.slots, slot - span), len(window.slots)):
        if over <= 0:
            return slot
        over -= window.counts[at]
        if over <= 0:
            return window.slots[at] + span + 1
    return slot
