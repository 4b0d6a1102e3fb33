"""The ledger in Redis: one count for every worker and machine.

Reserving takes one round trip, settling one more where something is to be corrected. An admission takes none while
a breaker is closed: every process hears of the others' breakers within `HEAR_EVERY`, and writes only changes, each by
compare and set, so that the one state machine in `setu.resilience.breaker` decides and one process alone gets a probe.

Calls at once are leases: a process that is killed holds its places for `LEASE` seconds at most; a living one renews
them. While Redis is down, breakers, turns and averages go on in this process, and `allow` says what limits do.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import count
from math import ceil, floor
from typing import Any

import msgspec

from setu.ports import Clock
from setu.resilience import breaker, windows
from setu.resilience.breaker import CLOSED, Breaker, Policy
from setu.resilience.ledger import Charge, Permit, Refusal, Reservation, Result, Room, Standing, Unit
from setu.resilience.periods import period_of
from setu.resilience.refusals import LIMITS_UNAVAILABLE
from setu.resilience.windows import Window
from setu.store.ledger import (
    NOTHING,
    is_window,
    key_of,
    refused_by_count,
    refused_by_window,
    reset_of,
    room_of,
)
from setu.store.redis_client import LOG, RedisDownError, RedisLink
from setu.store.redis_scripts import HEAR, RENEW, RESERVE, SETTLE, SWAP
from setu.store.watch import Watch, shut

HEAR_EVERY = 0.25
LEASE = 60.0
"""Seconds between two looks at the shared breakers, and for which a place is held that nobody renews."""

_TRIES = 8
"""Attempts to write a breaker that others write, too; one failure more or less does not matter after that."""

_OWED = 10_000
"""Corrections that are remembered while Redis is down."""

_DAY = 86_400

ArgumentsT = list[str | bytes | float]


class RedisLedger:
    """Counts, breakers and turns that all who use the same Redis and prefix share.

    `tell_time` replaces Redis's clock for the counts (a differential test hands in its own).
    """

    def __init__(
        self,
        link: RedisLink,
        clock: Clock,
        policy: Policy | None = None,
        *,
        allow: bool = True,
        prefix: str = "setu:",
        lease: float = LEASE,
        tell_time: bool = False,
    ) -> None:
        self._link = link
        self._clock = clock
        self._allow = allow
        self._prefix = prefix
        self._lease = lease
        self._tell_time = tell_time
        self._ahead = clock.now() - clock.monotonic()
        self._watch = Watch(lambda: clock.monotonic() + self._ahead, policy or Policy(), clock.now)
        self._open: dict[str, Reservation] = {}
        self._owed: deque[tuple[list[str], ArgumentsT]] = deque(maxlen=_OWED)
        self._process = uuid.uuid4().hex[:12]
        self._tokens = count(1)
        self._hearing: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self._renewed = clock.monotonic()

    def adopt(self, policy: Policy, *, allow: bool | None = None) -> None:
        """Follow a new policy; breakers keep their states."""
        self._watch.policy = policy
        self._allow = self._allow if allow is None else allow

    async def reserve(self, charges: Sequence[Charge]) -> Reservation | Refusal:
        if not charges:
            return NOTHING
        self._begin()
        now, token = self._clock.now(), f"{self._process}:{next(self._tokens)}"
        keys = [self._key(charge, now) for charge in charges]
        arguments: ArgumentsT = [repr(now) if self._tell_time else "", self._lease, token]
        for charge in charges:
            limit = charge.limit
            arguments += [_kind(charge), charge.amount, limit.amount, limit.burst, _expire(charge, now)]
        try:
            reply = await self._link.run(RESERVE, keys, arguments)
        except RedisDownError:
            return self._unasked(charges, now, token)
        if not reply[0]:
            return _refusal(charges[reply[1] - 1], float(reply[2]), reply[3])
        taken = float(reply[1])
        rooms = tuple(_room(charge, found, taken) for charge, found in zip(charges, reply[2:], strict=True))
        return self._opened(Reservation(charges=tuple(charges), rooms=rooms, taken=taken, token=token))

    async def settle(self, reservation: Reservation, used: Mapping[Unit, int]) -> None:
        if self._open.pop(reservation.token, None) is None:
            return
        keys: list[str] = []
        # What is corrected later must not count as used then, but a new day does not change whose it was.
        arguments: ArgumentsT = [repr(self._clock.now()) if self._tell_time else "", reservation.token]
        for charge in reservation.charges:
            more = _more(charge, used, degraded=reservation.degraded)
            if more:
                keys.append(self._key(charge, reservation.taken))
                arguments += [_kind(charge), more, floor(reservation.taken), _expire(charge, reservation.taken)]
        if not keys:
            return
        await self._correct(keys, arguments)

    async def cancel(self, reservation: Reservation) -> None:
        await self.settle(reservation, {charge.limit.unit: 0 for charge in reservation.charges})

    async def admit(self, name: str) -> Permit | Refusal:
        self._begin()
        if not self._heard.is_set():  # a new process does not know yet which breakers are open
            await self._heard.wait()
        watch = self._watch
        for _ in range(_TRIES):
            old = watch.breaker(name)
            new, admitted, wait = breaker.admit(old, watch.now(), watch.policy)
            if admitted == "no":
                return shut(name, wait)
            if new is old or await self._swap(name, old, new):
                return watch.let(name, probe=admitted == "probe")
        return shut(name, HEAR_EVERY)

    async def report(self, permit: Permit, result: Result | None) -> None:
        self._begin()
        watch, name = self._watch, permit.name
        watch.done(permit, result)
        for _ in range(_TRIES):
            old = watch.breaker(name)
            new = breaker.report(old, watch.now(), watch.policy, result, probe=permit.probe)
            if new == old or await self._swap(name, old, new):
                return

    async def turn(self, name: str) -> int:
        self._begin()
        try:
            return int(await self._link.call("INCR", f"{self._prefix}turn:{name}")) - 1
        except RedisDownError:
            return self._watch.turn(name)

    def standing(self) -> Mapping[str, Standing]:
        return self._watch.standing()

    async def aclose(self) -> None:
        """End the background task, settle what is owed if Redis answers, close the connections."""
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.wait([self._hearing])
        await self._pay()
        await self._link.aclose()

    def _begin(self) -> None:
        """Start to listen, once there is a loop to do it in."""
        if self._hearing is None:
            self._hearing = asyncio.get_running_loop().create_task(self._listen(), name="setu-redis-ledger")

    async def _listen(self) -> None:
        while True:
            try:
                if await self._link.heal():
                    await self._pay()
                    await self._hear()
                    await self._renew()
            except RedisDownError:
                pass  # said already; the next round asks whether it is back
            except Exception:  # noqa: BLE001 - without this task nobody would notice that Redis is back
                LOG.exception("listening to Redis failed; it goes on")
            self._heard.set()
            await self._clock.sleep(HEAR_EVERY)

    async def _hear(self) -> None:
        """Learn the others' breakers; tell ours to a Redis that forgot them."""
        (seconds, micros), flat = await self._link.run(HEAR, [self._breakers], [])
        self._ahead = int(seconds) + int(micros) / 1e6 - self._clock.monotonic()
        heard = {flat[i].decode(): _unpack(flat[i + 1]) for i in range(0, len(flat), 2)}
        for name, state in heard.items():
            if state is None:
                await self._link.call("HDEL", self._breakers, name)
            else:
                self._watch.put(name, state)
        for name, state in self._watch.breakers():
            if name not in heard and state != CLOSED:
                await self._swap(name, None, state)

    async def _renew(self) -> None:
        """Keep the places of calls that are under way."""
        if self._clock.monotonic() - self._renewed < self._lease / 3:
            return
        self._renewed = self._clock.monotonic()
        held = [
            (self._key(charge, reservation.taken), f"{reservation.token}:{n}")
            for reservation in self._open.values()
            for charge in reservation.charges
            if charge.limit.unit == "concurrency" and not reservation.degraded
            for n in range(1, charge.amount + 1)
        ]
        for start in range(0, len(held), 500):
            some = held[start : start + 500]
            now = repr(self._clock.now()) if self._tell_time else ""
            await self._link.run(RENEW, [key for key, _ in some], [now, self._lease, *(holder for _, holder in some)])

    async def _pay(self) -> None:
        """Send the corrections that were owed."""
        while self._owed and not self._link.down:
            await self._correct(*self._owed.popleft())

    async def _correct(self, keys: list[str], arguments: ArgumentsT) -> None:
        """Send a correction, or remember it.

        One that may have arrived is not sent again: twice given back would be a credit, and one that is lost only
        leaves an estimate standing.
        """
        try:
            await self._link.run(SETTLE, keys, arguments)
        except RedisDownError as error:
            if not error.sent:
                self._owed.append((keys, arguments))

    async def _swap(self, name: str, old: Breaker | None, new: Breaker) -> bool:
        """Change a breaker here at once and in Redis if it is still `old` there; else learn what it is."""
        if old is not None:
            self._watch.put(name, new)
        arguments: ArgumentsT = [name, _pack(old or CLOSED), _pack(new), _pack(CLOSED)]
        try:
            done, held = await self._link.run(SWAP, [self._breakers], arguments)
        except RedisDownError:
            return True
        # Also when it went well: what was heard meanwhile may be older.
        self._watch.put(name, new if done else _unpack(held) or CLOSED)
        return bool(done)

    @property
    def _breakers(self) -> str:
        return f"{self._prefix}breakers"

    def _key(self, charge: Charge, now: float) -> str:
        return f"{self._prefix}limit:{':'.join(key_of(charge, now))}"

    def _opened(self, reservation: Reservation) -> Reservation:
        self._open[reservation.token] = reservation
        return reservation

    def _unasked(self, charges: Sequence[Charge], now: float, token: str) -> Reservation | Refusal:
        """Answer for a Redis that is down."""
        if not self._allow:
            return Refusal(subject="", retry_after=1.0, reason=LIMITS_UNAVAILABLE)
        return self._opened(Reservation(charges=tuple(charges), taken=now, token=token, degraded=True))


def _more(charge: Charge, used: Mapping[Unit, int], *, degraded: bool) -> int:
    """Return what a settled charge has to add. One that could not be taken is added to its budget in whole."""
    unit = charge.limit.unit
    if degraded:
        return used.get(unit, 0) if charge.limit.period != "minute" else 0
    return -charge.amount if unit == "concurrency" else used.get(unit, charge.amount) - charge.amount


def _kind(charge: Charge) -> str:
    if is_window(charge.limit):
        return "w"
    return "c" if charge.limit.unit == "concurrency" else "b"


def _expire(charge: Charge, now: float) -> int:
    """Return the seconds that a budget's count is kept: a day longer than its period, for late corrections."""
    if charge.limit.period == "minute":
        return 0
    return ceil(period_of(charge.limit.period, now)[1] - now) + _DAY


def _room(charge: Charge, found: Sequence[int], now: float) -> Room:
    limit = charge.limit
    if not is_window(limit):
        return room_of(charge, limit.amount - found[0], reset_of(limit, now))
    minute, two, slot = found
    return room_of(charge, windows.room_of(limit, minute, two), windows.whole(slot, now, limit))


def _refusal(charge: Charge, now: float, found: Any) -> Refusal:
    if not is_window(charge.limit):
        return refused_by_count(charge, int(found), reset_of(charge.limit, now))
    pairs = sorted((int(found[i]), int(found[i + 1])) for i in range(0, len(found), 2))
    window = Window(tuple(slot for slot, _ in pairs), tuple(used for _, used in pairs))
    return refused_by_window(charge, window, now)


def _pack(state: Breaker) -> bytes:
    return msgspec.json.encode(state)


def _unpack(packed: bytes) -> Breaker | None:
    """Return a breaker as Redis has it, None for what another version wrote and this one cannot read."""
    try:
        return msgspec.json.decode(packed, type=Breaker)
    except msgspec.MsgspecError:
        return None
