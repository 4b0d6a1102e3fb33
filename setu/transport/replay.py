"""Replay: a transport that answers from recordings, byte for byte, and explains what it cannot answer."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence

from setu.cassette.faults import Burst, Rule, status_burst
from setu.cassette.library import Library
from setu.cassette.match import route_of
from setu.cassette.script import Script, script_of
from setu.errors import ErrorInfo, NoMatchError, kind_of_status
from setu.http import Headers, Request, Response
from setu.ports import Clock
from setu.transport.play import play

RenderError = Callable[[str, ErrorInfo], bytes]
"""Renders an error in a dialect's envelope; the dialect's name is empty where no dialect knows the path."""


class Replay:
    """Answers from a library. A miss is a 424, which no SDK retries, in the envelope of the request's dialect.

    `speed` is 0 for no waits, 1 for the recorded timing, n for n times as fast. `faults` strike the recordings they
    name; the error answers of a burst come before the recording and do not use it up.
    """

    def __init__(
        self,
        library: Library,
        clock: Clock,
        *,
        render_error: RenderError,
        speed: float = 0,
        faults: Sequence[Rule] = (),
    ) -> None:
        self._library = library
        self._clock = clock
        self._render_error = render_error
        self._speed = speed
        self._faults = [rule for rule in faults if not isinstance(rule.effect, Burst)]
        self._bursts = [(rule, rule.effect) for rule in faults if isinstance(rule.effect, Burst)]
        self._started: set[int] = set()
        self._pending: defaultdict[str, deque[Script]] = defaultdict(deque)
        self._calls: Counter[str] = Counter()
        self.hits = 0
        self.misses = 0

    async def send(self, request: Request) -> Response:
        """Play the recording of a request; never raises for a request that has none."""
        await request.read()
        route = route_of(request)
        dialect = route.dialect if route else ""
        failing = self._failing(dialect)
        if failing is not None:
            return await play(failing, self._clock)
        try:
            interaction = self._library.take(request)
        except NoMatchError as error:
            self.misses += 1
            return self._miss(dialect, error)
        self.hits += 1
        script = script_of(interaction, self._speed)
        self._calls[dialect] += 1
        for rule in self._faults:
            if rule.strikes(dialect, self._calls[dialect]) and not isinstance(rule.effect, Burst):
                script = rule.effect(script)
        response = await play(script, self._clock)
        response.headers.set("x-setu-replay", "hit")
        return response

    async def aclose(self) -> None:
        """Do nothing: a library holds no file open."""

    @property
    def library(self) -> Library:
        return self._library

    @property
    def unused(self) -> int:
        """The number of recordings that nothing has asked for."""
        return len(self._library.unused())

    def _failing(self, dialect: str) -> Script | None:
        """Return the next error answer of a burst that strikes before the coming call."""
        for index, (rule, burst) in enumerate(self._bursts):
            if index not in self._started and rule.strikes(dialect, self._calls[dialect] + 1):
                self._started.add(index)
                self._pending[dialect].extend(self._burst(dialect, burst))
        return self._pending[dialect].popleft() if self._pending[dialect] else None

    def _burst(self, dialect: str, burst: Burst) -> tuple[Script, ...]:
        info = ErrorInfo(
            kind=kind_of_status(burst.status),
            status=burst.status,
            message="a fault that the replay was told to play",
            retry_after=burst.retry_after,
        )
        headers = Headers.of({"content-type": "application/json", "x-setu-replay": "fault"})
        if burst.retry_after is not None:
            headers.add("retry-after", f"{burst.retry_after:g}")
        return status_burst(burst.times, burst.status, headers, self._render_error(dialect, info))

    def _miss(self, dialect: str, error: NoMatchError) -> Response:
        told = error.info()
        message = f"{told.message}\n{error.report}" if error.report else told.message
        info = ErrorInfo(kind=told.kind, status=told.status, message=message, type=told.type, code=told.code)
        headers = Headers.of({"content-type": "application/json", "x-should-retry": "false", "x-setu-replay": "miss"})
        return Response(info.status, headers, self._render_error(dialect, info))
