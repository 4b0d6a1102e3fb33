"""The ledger in memory: counts of one process, forgotten when it ends."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count

from setu.ports import Clock
from setu.resilience import breaker, windows
from setu.resilience.breaker import Policy
from setu.resilience.ledger import Charge, Limit, Permit, Refusal, Reservation, Result, Room, Standing, Unit
from setu.resilience.periods import period_of
from setu.resilience.windows import EMPTY, Window
from setu.store.watch import Watch, shut

NOTHING = Reservation()
"""The reservation of a request without limits."""

BUSY_RETRY = 1.0
"""Seconds after which a client may ask again where nobody knows when a place is free."""

_KEEP = 1024

KeyT = tuple[str, str, str, str]


def key_of(charge: Charge, now: float) -> KeyT:
    """Return what is counted as one: a subject's unit in a period. Not the amount: it may change on a reload."""
    limit = charge.limit
    period = "" if limit.period == "minute" else period_of(limit.period, now)[0]
    return (limit.dimension, charge.subject, limit.unit, period)


def room_of(charge: Charge, remaining: int, reset: float) -> Room:
    return Room(limit=charge.limit, subject=charge.subject, remaining=max(0, remaining), reset=reset)


def refused_by_window(charge: Charge, window: Window, now: float) -> Refusal:
    """Return the refusal of a sliding window: when the amount fits, and when all of it is free."""
    limit = charge.limit
    reset = windows.whole(windows.newest(window, now, limit), now, limit)
    return Refusal(
        subject=charge.subject,
        limit=limit,
        retry_after=windows.wait(window, now, charge.amount, limit),
        room=room_of(charge, windows.left(window, now, limit), reset),
        never=charge.amount > windows.most(limit),
    )


def refused_by_count(charge: Charge, used: int, reset: float) -> Refusal:
    """Return the refusal of a budget, or of a limit on calls at once."""
    return Refusal(
        subject=charge.subject,
        limit=charge.limit,
        retry_after=reset or BUSY_RETRY,
        room=room_of(charge, charge.limit.amount - used, reset),
        never=charge.amount > charge.limit.amount,
    )


def is_window(limit: Limit) -> bool:
    return limit.period == "minute" and limit.unit != "concurrency"


def reset_of(limit: Limit, now: float) -> float:
    """Return the seconds to a budget's end; 0 for concurrency, of which nobody knows."""
    return 0.0 if limit.unit == "concurrency" else period_of(limit.period, now)[1] - now


class MemoryLedger:
    """The default ledger: a process's own, without I/O. Every method runs to its end without giving way."""

    def __init__(self, clock: Clock, policy: Policy | None = None) -> None:
        self._clock = clock
        self._watch = Watch(clock.monotonic, policy or Policy(), clock.now)
        self._windows: dict[KeyT, Window] = {}
        self._counts: Counter[KeyT] = Counter()
        self._open: set[str] = set()
        self._tokens = count(1)
        self._keep = _KEEP

    def adopt(self, policy: Policy) -> None:
        """Follow a new policy; breakers keep their states."""
        self._watch.policy = policy

    async def reserve(self, charges: Sequence[Charge]) -> Reservation | Refusal:
        if not charges:
            return NOTHING
        now = self._clock.now()
        keys = [key_of(charge, now) for charge in charges]
        for key, charge in zip(keys, charges, strict=True):
            refusal = self._refusal(key, charge, now)
            if refusal is not None:
                return refusal
        rooms = tuple(self._take(key, charge, now) for key, charge in zip(keys, charges, strict=True))
        token = str(next(self._tokens))
        self._open.add(token)
        self._forget(now)
        return Reservation(charges=tuple(charges), rooms=rooms, taken=now, token=token)

    async def settle(self, reservation: Reservation, used: Mapping[Unit, int]) -> None:
        if reservation.token not in self._open:
            return
        self._open.remove(reservation.token)
        for charge in reservation.charges:
            more = used.get(charge.limit.unit, charge.amount) - charge.amount
            if charge.limit.unit == "concurrency":
                more = -charge.amount
            if more:
                self._correct(charge, reservation.taken, more)

    async def cancel(self, reservation: Reservation) -> None:
        await self.settle(reservation, {charge.limit.unit: 0 for charge in reservation.charges})

    def recall(self, charges: Sequence[Charge]) -> None:
        """Count what was used before this process began: a budget must survive a restart."""
        now = self._clock.now()
        for charge in charges:
            self._correct(charge, now, charge.amount)

    async def admit(self, name: str) -> Permit | Refusal:
        watch = self._watch
        old = watch.breaker(name)
        new, admitted, wait = breaker.admit(old, watch.now(), watch.policy)
        if admitted == "no":
            return shut(name, wait)
        if new is not old:
            watch.put(name, new)
        return watch.let(name, probe=admitted == "probe")

    async def report(self, permit: Permit, result: Result | None) -> None:
        watch = self._watch
        watch.done(permit, result)
        old = watch.breaker(permit.name)
        new = breaker.report(old, watch.now(), watch.policy, result, probe=permit.probe)
        if new is not old:
            watch.put(permit.name, new)

    async def turn(self, name: str) -> int:
        return self._watch.turn(name)

    def standing(self) -> Mapping[str, Standing]:
        return self._watch.standing()

    async def aclose(self) -> None:
        """Nothing is held."""

    def _refusal(self, key: KeyT, charge: Charge, now: float) -> Refusal | None:
        limit = charge.limit
        if is_window(limit):
            window = self._windows.get(key, EMPTY)
            fits = charge.amount <= windows.left(window, now, limit)
            return None if fits else refused_by_window(charge, window, now)
        used = self._counts[key]
        fits = used + charge.amount <= limit.amount
        return None if fits else refused_by_count(charge, used, reset_of(limit, now))

    def _take(self, key: KeyT, charge: Charge, now: float) -> Room:
        limit = charge.limit
        if is_window(limit):
            window = self._windows[key] = windows.add(self._windows.get(key, EMPTY), now, charge.amount)
            reset = windows.whole(window.slots[-1], now, limit)
            return room_of(charge, windows.left(window, now, limit), reset)
        self._counts[key] += charge.amount
        return room_of(charge, limit.amount - self._counts[key], reset_of(limit, now))

    def _correct(self, charge: Charge, taken: float, more: int) -> None:
        """Add to what a charge took, or give some of it back where it was taken."""
        key = key_of(charge, taken)
        if not is_window(charge.limit):
            self._counts[key] = max(0, self._counts[key] + more)
        elif more > 0:
            self._windows[key] = windows.add(self._windows.get(key, EMPTY), self._clock.now(), more)
        elif key in self._windows:
            self._windows[key] = windows.give_back(self._windows[key], taken, -more)

    def _forget(self, now: float) -> None:
        """Drop idle subjects now and then: clients may name any number of tenants."""
        if len(self._windows) + len(self._counts) <= self._keep:
            return
        current = {"", period_of("day", now)[0], period_of("month", now)[0]}
        old = windows.slot_of(EMPTY, now) - windows.KEPT
        self._windows = {key: window for key, window in self._windows.items() if window.slots[-1] >= old}
        self._counts = Counter({key: used for key, used in self._counts.items() if used and key[3] in current})
        self._keep = max(_KEEP, 2 * (len(self._windows) + len(self._counts)))
