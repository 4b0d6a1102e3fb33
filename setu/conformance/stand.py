"""The scripted upstream: every provider at once, answering as the simulator does, or as a probe wants it to."""

import threading
from collections import deque
from collections.abc import Mapping

from setu.cassette.fault_answers import Burst, answers
from setu.cassette.fault_steps import Struck
from setu.cassette.faults import parse_rule
from setu.cassette.match import model_of, route_of
from setu.cassette.script import Script
from setu.conformance.noted import Noted
from setu.dialects.record import Framing
from setu.dialects.registry import DIALECTS
from setu.errors import ErrorInfo, SetuError
from setu.http import Ending, Exchange, Headers, Request, Response
from setu.ports import Clock
from setu.transport.play import play
from setu.transport.simulate.simulator import Simulator

Plan = Script | str | Mapping[str, Script]
"""An answer: a script, a script for each dialect in which it may be asked, or a fault on the simulator's answer, in the
words of `setu replay --fault`."""


class Stand:
    """A transport on which every exchange is on record. Plans may come, and records be read, from another thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._simulator = Simulator(clock)
        self._plans: deque[Plan] = deque()
        self._by_model: dict[str, deque[Plan]] = {}
        self._lock = threading.Lock()
        self._done: list[Exchange] = []
        self.received = 0
        self.under_way = 0

    def play(self, *plans: Plan) -> None:
        """Answer the next requests so, one after the other; then as the simulator does."""
        with self._lock:
            self._plans.extend(plans)

    def play_for(self, model: str, *plans: Plan) -> None:
        """Answer the next requests for a model so."""
        with self._lock:
            self._by_model.setdefault(model, deque()).extend(plans)

    def taken(self) -> tuple[Exchange, ...]:
        """Return the exchanges that have ended since the last call, and forget them."""
        with self._lock:
            done, self._done = tuple(self._done), []
        return done

    def clear(self) -> None:
        """Forget what was planned and what has been."""
        with self._lock:
            self._plans.clear()
            self._by_model.clear()
            self._done = []

    async def send(self, request: Request) -> Response:
        """Answer as planned.

        Raises:
            TruncatedError: the plan ends before the head of an answer.
        """
        await request.read()
        self._count(1, received=True)
        start = self._clock.monotonic()
        try:
            response = await play(await self._script(request), self._clock)
        except BaseException as error:
            ending = Ending.ERROR if isinstance(error, SetuError) else Ending.CLOSED_BY_CLIENT
            self.note(Exchange(request=request, status=0, headers=Headers(), body=b"", end=ending))
            raise
        if isinstance(response.body, bytes):
            self.note(Exchange(request=request, status=response.status, headers=response.headers, body=response.body))
        else:
            response.body = Noted(request, response, self._clock, start, self.note)
        return response

    async def aclose(self) -> None:
        """Do nothing: there is nothing to release."""

    async def _script(self, request: Request) -> Script:
        with self._lock:
            own = self._by_model.get(model_of(request) or "")
            plans = own or self._plans
            plan = plans.popleft() if plans and not _lists(request) else None
        if plan is None:
            return await self._simulator.script(request)
        if isinstance(plan, Mapping):
            route = route_of(request)
            made = plan.get(route.dialect) if route is not None else None
            return made if made is not None else await self._simulator.script(request)
        if not isinstance(plan, str):
            return plan
        return self._struck(plan, request, await self._simulator.script(request))

    def _struck(self, text: str, request: Request, made: Script) -> Script:
        rule = parse_rule(text)
        route = route_of(request)
        framing: Framing = (route.framing if route is not None else None) or "sse"
        dialect = route.dialect if route is not None else ""
        struck = Struck(dialect=dialect, framing=framing, now=self._clock.now())
        if not isinstance(rule.effect, Burst):
            return rule.effect(struck)(made)
        first, *rest = answers(rule.effect, struck, _worded)
        with self._lock:
            self._plans.extendleft(reversed(rest))
        return first

    def _count(self, by: int, *, received: bool = False) -> None:
        with self._lock:
            self.under_way += by
            self.received += received

    def note(self, exchange: Exchange) -> None:
        """Put an ended exchange on record."""
        with self._lock:
            self._done.append(exchange)
            self.under_way -= 1


def _lists(request: Request) -> bool:
    """Tell a request for the models: gateways ask for them of their own accord, and use up no plan by it."""
    route = route_of(request)
    return route is not None and route.operation == "models"


def _worded(dialect: str, info: ErrorInfo) -> bytes:
    return DIALECTS.get(dialect, DIALECTS["openai_chat"]).errors.render(info)
