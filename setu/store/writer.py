"""What the thread of usage does: rows into the database, into files while there is none, and from there back.

One thread uses it. It knows nothing of queues, and imports the database's libraries when they are first needed.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from setu.signals import Call
from setu.store.prices import Prices
from setu.store.rows import sealed
from setu.store.spill import Spill

if TYPE_CHECKING:
    from sqlalchemy import Engine

_LOG = logging.getLogger(__name__)
_PRUNE_EVERY = 3600.0


class Writer:
    """Writes batches; `behind` says that rows wait in files, `down` that the database did not take the last ones.

    A failed database is tried again after `retry` seconds, then after twice as long, and so on up to `longest`.
    """

    def __init__(
        self,
        url: str,
        spill: Spill,
        *,
        prices: Prices | None = None,
        keep_days: int | None = None,
        retry: float = 0.5,
        longest: float = 30.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._spill = spill
        self._prices = prices
        self._keep_days = keep_days
        self._retry = self._first_retry = retry
        self._longest = longest
        self._now = now
        self._retry_at = 0.0
        self._prune_at = 0.0
        self._engine: Engine | None = None
        self._draining: Iterator[list[Call]] | None = None
        self.behind = spill.left_over()
        self.down = False
        self.written = self.rejected = 0

    def prepare(self) -> None:
        """Load the prices, which takes a moment; without them there are the configuration's own."""
        if self._prices is None:
            return
        try:
            self._prices.load()
        except Exception as error:  # noqa: BLE001 - rows without a cost are better than none
            _LOG.warning("the price list cannot be loaded: %s; usage has only the configured prices", error)

    def seal(self, call: Call) -> Call:
        """Give a call its id, its time and its cost."""
        call = sealed(call, self._now())
        if call.cost is None and self._prices is not None:
            cost = self._cost(self._prices, call)
            return msgspec.structs.replace(call, cost=cost) if cost is not None else call
        return call

    def _cost(self, prices: Prices, call: Call) -> int | None:
        try:
            return prices.cost(call)
        except Exception as error:  # noqa: BLE001 - a row without a cost is better than none
            _LOG.warning("the cost of a call to %s cannot be computed: %s", call.provider, error)
            return None

    def write(self, calls: Sequence[Call]) -> None:
        """Write sealed calls into the database, or into a file: at once there while the database is down.

        Raises:
            OSError: neither can be written.
        """
        if not self.down and self._insert(calls):
            return
        try:
            self.keep(calls)
        except OSError:
            if not (self._may_try() and self._insert(calls)):
                raise

    def keep(self, calls: Sequence[Call], *, sync: bool = True) -> None:
        """Write sealed calls into a file.

        Raises:
            OSError: it cannot be written.
        """
        self._spill.append(calls, sync=sync)
        self.behind = True

    def catch_up(self) -> bool:
        """Write some of the rows that wait in files; tell whether there may be more. Old rows go, too, once an hour."""
        if self.down and not self._may_try():
            return False
        if not self.behind:
            self._prune()
            return False
        self._draining = self._draining or self._spill.drain()
        try:
            chunk = next(self._draining, None)
        except OSError as error:
            _LOG.warning("usage rows that wait in %s cannot be read: %s", self._spill.folder, error)
            chunk = None
        if chunk is None:
            self._draining, self.behind = None, self._spill.waiting
            return self.behind
        if not self._insert([self.seal(call) for call in chunk]):
            self._draining = None
            return False
        return True

    def pause(self) -> float | None:
        """Return the seconds until there is something to do without a new call; None for never."""
        if self.behind:
            return max(0.0, self._retry_at - time.monotonic()) if self.down else 0.0
        if self._keep_days is None:
            return None
        return max(0.0, self._prune_at - time.monotonic())

    def close(self) -> None:
        self._draining = None
        self._spill.close()
        if self._engine is not None:
            self._engine.dispose()

    def _may_try(self) -> bool:
        return not self.down or time.monotonic() >= self._retry_at

    def _insert(self, calls: Sequence[Call]) -> bool:
        try:
            from setu.store import database

            refused = database.write(self._opened(), calls)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the database, the rows are kept
            self._failed(error)
            return False
        self._succeeded()
        self.written += len(calls) - len(refused)
        if refused:
            self.rejected += len(refused)
            _LOG.error("%d usage row(s) were refused by the database; see %s", len(refused), self._spill.folder)
            self._spill.reject(refused)
        return True

    def _opened(self) -> "Engine":
        if self._engine is None:
            from setu.store import database

            engine = database.connect(self._url)
            try:
                database.migrate(engine)
            except BaseException:
                engine.dispose()
                raise
            self._engine = engine
        return self._engine

    def _failed(self, error: Exception) -> None:
        if not self.down:
            from setu.store.reason import reason

            _LOG.warning(
                "the usage database cannot be written (%s); rows wait in %s until it can",
                reason(error),
                self._spill.folder,
            )
            self._retry = self._first_retry
        self.down = True
        self._retry_at = time.monotonic() + self._retry
        self._retry = min(self._retry * 2, self._longest)
        if self._engine is not None:
            # What was wrong may have been the tables: they are looked at anew.
            self._engine.dispose()
            self._engine = None

    def _succeeded(self) -> None:
        if self.down:
            _LOG.warning("the usage database can be written again")
        self.down = False

    def _prune(self) -> None:
        if self._keep_days is None or time.monotonic() < self._prune_at:
            return
        self._prune_at = time.monotonic() + _PRUNE_EVERY
        try:
            from setu.store import database

            database.prune(self._opened(), self._keep_days)
        except Exception as error:  # noqa: BLE001 - it is tried again in an hour
            self._failed(error)
