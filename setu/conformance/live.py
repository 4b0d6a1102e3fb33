"""Judge a live server on a URL: within a budget, with patience for models, and with all of it on record."""

from collections.abc import Iterable

import msgspec

from setu import build
from setu.conformance.judges.view import View, obj
from setu.conformance.lab import Aim, Lab
from setu.conformance.probes import registry
from setu.conformance.probes.probe import Probe
from setu.conformance.subject import HangUp, Remote, Subject
from setu.conformance.tally import Tally
from setu.errors import AbsentError, ConnectionFailedError, DeadlineError, SpentError
from setu.http import Exchange, Request
from setu.ports import Clock
from setu.transport.httpx_ import HttpxTransport

TIMEOUT_SECONDS = 120.0
BUSY = frozenset({429, 503, 529})
RETRIES = 2
LONGEST_WAIT = 30.0
PRICES = (10.0, 60.0)
"""US dollars for a million tokens in and out: more than nearly every model costs, so that a budget holds."""
UNKNOWN_TOKENS = (500, 500)
"""What an answer without usage is counted for."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may cost: US dollars at `prices` for a million tokens in and out, and requests. None: no limit."""

    usd: float | None = None
    requests: int | None = None
    prices: tuple[float, float] = PRICES


class Metered:
    """A subject that counts, stops at the budget, retries a busy server, and keeps every exchange."""

    def __init__(self, subject: Subject, budget: Budget, clock: Clock) -> None:
        self._subject = subject
        self._budget = budget
        self._clock = clock
        self.exchanges: list[Exchange] = []
        self.usd = 0.0
        self.retried = 0

    async def exchange(self, request: Request, *, hang_up: HangUp | None = None) -> Exchange:
        """Ask, unless the budget is spent.

        Raises:
            SpentError: it is.
        """
        for turn in range(RETRIES + 1):
            self._check()
            exchange = await self._subject.exchange(request, hang_up=hang_up)
            self.exchanges.append(exchange)
            self.usd += self._cost(exchange)
            if exchange.status not in BUSY or turn == RETRIES:
                return exchange
            self.retried += 1
            await self._clock.sleep(_wait(exchange, turn))
        raise AssertionError("the last turn returns")

    def _check(self) -> None:
        budget = self._budget
        if budget.requests is not None and len(self.exchanges) >= budget.requests:
            raise SpentError(f"the budget of {budget.requests} requests is spent")
        if budget.usd is not None and self.usd >= budget.usd:
            raise SpentError(f"the budget of {budget.usd:g} US dollars is spent (estimated)")

    def _cost(self, exchange: Exchange) -> float:
        """Estimate what an exchange cost; an error costs nothing."""
        if not 200 <= exchange.status < 300 or exchange.request.method != "POST":
            return 0.0
        view = View(exchange)
        found = [obj(view.document.get("usage")), *(obj(event.fields.get("usage")) for event in view.events)]
        counted: dict[str, object] = next((one for one in reversed(found) if one), {})
        unknown = UNKNOWN_TOKENS
        tokens = [
            _count(counted.get("prompt_tokens", counted.get("input_tokens")), unknown[0]),
            _count(counted.get("completion_tokens", counted.get("output_tokens")), unknown[1]),
        ]
        return sum(count * price for count, price in zip(tokens, self._budget.prices, strict=True)) / 1e6


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _wait(exchange: Exchange, turn: int) -> float:
    """Return how long to leave a busy server alone, in seconds."""
    said = exchange.headers.get("retry-after") or ""
    return min(float(said) if said.isdecimal() else 2.0 * (turn + 1), LONGEST_WAIT)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run left behind."""

    exchanges: tuple[Exchange, ...]
    usd: float
    retried: int


async def run(
    base_url: str,
    aim: Aim,
    tally: Tally,
    *,
    budget: Budget | None = None,
    probes: Iterable[Probe] = registry.PROBES,
) -> Outcome:
    """Run every probe that needs no scripted upstream.

    Raises:
        AbsentError: nobody is there, or it refuses the credentials.
    """
    clock = build.SystemClock()
    transport = HttpxTransport(read_timeout=TIMEOUT_SECONDS, verbatim=True)
    metered = Metered(Remote(transport, clock, root_of(base_url)), budget or Budget(), clock)
    try:
        await _reach(metered, aim)
        await registry.run(metered, msgspec.structs.replace(aim, url=root_of(base_url)), tally, probes=probes)
    finally:
        await transport.aclose()
    return Outcome(exchanges=tuple(metered.exchanges), usd=metered.usd, retried=metered.retried)


async def _reach(metered: Metered, aim: Aim) -> None:
    """See that somebody answers, and lets us in, before every check fails for the same reason."""
    lab = Lab(metered, aim, Tally(), name="reach")
    try:
        exchange = await lab.ask(lab.chat("Say hello.", max_tokens=16), judged=False)
    except (ConnectionFailedError, DeadlineError) as error:
        raise AbsentError(str(error)) from None
    if exchange.status in (401, 403):
        raise AbsentError(f"the server refuses the credentials: status {exchange.status}")


def root_of(base_url: str) -> str:
    """Return a base URL without the `/v1` that probes write themselves."""
    return base_url.rstrip("/").removesuffix("/v1")
