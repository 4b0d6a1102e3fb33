"""Usage off the hot path: whoever serves hands a call over and goes on; a thread writes it down.

Nothing is dropped. Rows that the database does not take wait in files (`setu.store.spill`) and follow when it is back;
a clean shutdown loses none, a killed process at most what it had not written yet: 250 ms of rows, or 100 of them, and
where the database hangs those of the seconds that it is given (5 for a locked SQLite file, 15 for PostgreSQL).
Only where neither the database nor the folder can be written do rows stay in memory, the newest 50,000 of them.
"""

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from setu.signals import Call
from setu.store.drivers import check_driver
from setu.store.prices import Prices
from setu.store.spill import Spill
from setu.store.writer import Writer

_LOG = logging.getLogger(__name__)
_RELIEF = 500
"""Calls that a full queue gives to a file at once: a millisecond or two."""


class Pace(NamedTuple):
    """How many rows are written at a time and how long they may wait (seconds); how many calls may be in memory.

    Beyond `bound` they go to a file, beyond `held`, where no file can be written, the oldest are lost.
    """

    batch: int = 100
    interval: float = 0.25
    bound: int = 10_000
    held: int = 50_000
    retry: float = 0.5
    longest_retry: float = 30.0


_PACE = Pace()


class Tally(NamedTuple):
    """What became of the calls. `lost` is more than zero only where neither database nor file could be written."""

    written: int
    spilled: int
    rejected: int
    lost: int
    queued: int
    down: bool


class UsageStore:
    """Writes calls into a database, `sqlite:///FILE` or `postgresql+psycopg://…`.

    The thread starts with the first call, or at once where an earlier process left rows behind: what it needs takes a
    third of a second to import. A call with an `id` is written once, however often it comes.

    Raises:
        ConfigError: PostgreSQL without its driver.
    """

    def __init__(
        self,
        url: str,
        spill_dir: Path,
        *,
        prices: Prices | None = None,
        keep_days: int | None = None,
        pace: Pace = _PACE,
        now: Callable[[], float] = time.time,
    ) -> None:
        check_driver(url)
        self._pace = pace
        self._spill = Spill(spill_dir)
        self._writer = Writer(
            url,
            self._spill,
            prices=prices,
            keep_days=keep_days,
            retry=pace.retry,
            longest=pace.longest_retry,
            now=now,
        )
        self._queue: deque[Call | threading.Event] = deque()
        self._woken = threading.Event()
        self._hurried = threading.Event()
        self._ended = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._in_hand: Sequence[Call] = ()
        self._closing_until: float | None = None
        self._nowhere = False
        self._lost = 0
        if self._writer.behind:
            self.start()

    def put(self, call: Call) -> None:
        """Hand a call over; returns at once."""
        queue = self._queue
        queue.append(call)
        if not self._woken.is_set():
            self._woken.set()
            if self._thread is None:
                self.start()
        waiting = len(queue)
        if waiting == self._pace.batch:
            self._hurried.set()
        elif waiting > self._pace.bound:
            self._relieve()

    def start(self) -> None:
        """Start the thread, unless it runs."""
        with self._starting:
            if self._thread is None:
                # A daemon, so that a forgotten `close` cannot keep the interpreter; then it is called at its end.
                self._thread = threading.Thread(target=self._run, name="setu-usage", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all that was put is in the database or in a file; tell whether it is."""
        mark = threading.Event()
        self._queue.append(mark)
        self.start()
        self._woken.set()
        self._hurried.set()
        return mark.wait(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Write everything down and end; what the database does not take in time goes into a file."""
        if self._thread is None and not self._queue:
            return
        self._closing_until = time.monotonic() + timeout
        self.start()
        self._woken.set()
        self._hurried.set()
        self._ended.wait(timeout)
        atexit.unregister(self.close)
        if not self._ended.is_set():
            # Stuck in the database: what it has in hand goes into the file too, and is written once all the same.
            self._keep([*self._in_hand, *self._taken(len(self._queue))[0]])

    def tally(self) -> Tally:
        """Return what became of the calls so far."""
        writer = self._writer
        return Tally(writer.written, self._spill.appended, writer.rejected, self._lost, len(self._queue), writer.down)

    def _run(self) -> None:
        self._writer.prepare()
        while self._closing_until is None or self._queue:
            self._rest()
            calls, marks = self._taken(self._pace.batch)
            self._in_hand = calls
            if calls:
                self._store(calls)
            self._in_hand = ()
            for mark in marks:
                mark.set()
            self._writer.catch_up()
        while time.monotonic() < self._closing_until and self._writer.catch_up():
            continue
        self._writer.close()
        self._ended.set()

    def _rest(self) -> None:
        """Wait for a call or for something else to do, then a moment for more of them."""
        if not self._queue and self._closing_until is None:
            self._woken.wait(self._writer.pause())
        self._woken.clear()
        if 0 < len(self._queue) < self._pace.batch and self._closing_until is None:
            self._hurried.wait(self._pace.interval)
        self._hurried.clear()

    def _taken(self, most: int) -> tuple[list[Call], list[threading.Event]]:
        """Take calls off the queue, sealed, and the marks between them."""
        calls: list[Call] = []
        marks: list[threading.Event] = []
        for _ in range(most):
            try:
                each = self._queue.popleft()
            except IndexError:
                break
            if isinstance(each, Call):
                calls.append(self._writer.seal(each))
            else:
                marks.append(each)
        return calls, marks

    def _store(self, calls: list[Call]) -> None:
        try:
            self._writer.write(calls)
        except OSError as error:
            self._hold(calls, error)
            if self._closing_until is None:
                time.sleep(min(1.0, self._pace.interval * 4))
            return
        self._nowhere = False

    def _relieve(self) -> None:
        """Give some of a queue that grows too long to a file; where there is none, forget the oldest of too many."""
        if not self._nowhere:
            calls, marks = self._taken(_RELIEF)
            if self._keep(calls):
                for mark in marks:
                    mark.set()
            else:
                self._queue.extendleft(reversed(marks))
        while len(self._queue) > self._pace.held:
            self._queue.popleft()
            self._lost += 1

    def _keep(self, calls: list[Call]) -> bool:
        try:
            self._writer.keep(calls, sync=False)
        except OSError as error:
            self._hold(calls, error)
            return False
        return True

    def _hold(self, calls: list[Call], error: OSError) -> None:
        """Keep calls in memory; a gateway that ends cannot."""
        if not self._nowhere:
            _LOG.error(
                "usage can be written neither to the database nor to a file (%s); the newest %d rows stay in memory",
                error,
                self._pace.held,
            )
        self._nowhere = True
        if self._closing_until is not None:
            self._lost += len(calls)
            _LOG.error("%d usage row(s) are lost", len(calls))
            return
        self._queue.extendleft(reversed(calls))
