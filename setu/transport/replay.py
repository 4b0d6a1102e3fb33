"""Replay: a transport that answers from recordings, byte for byte, and explains what it cannot answer."""

from collections.abc import Sequence

from setu.cassette.chaos import Chaos
from setu.cassette.fault_answers import RenderError
from setu.cassette.fault_steps import Struck
from setu.cassette.faults import HEADER, Rule, parse_rules
from setu.cassette.journal import Journal, Served, attempt_of, retry_after_ms
from setu.cassette.library import Library
from setu.cassette.match import route_of
from setu.cassette.model import Interaction
from setu.cassette.physics import Physics, paced
from setu.cassette.pieces import framing_of
from setu.cassette.script import Head, Script, script, script_of
from setu.dialects.record import Framing
from setu.errors import ConfigError, ErrorInfo, ErrorKind, NoMatchError
from setu.http import Ending, Headers, Request, Response
from setu.ports import Clock
from setu.transport.play import play

_MAX_SCRIPTS = 64


class Replay:
    """Answers from a library. A miss is a 424, which no SDK retries, in the envelope of the request's dialect.

    `speed` is 0 for no waits, 1 for the recorded timing, n for n times as fast; `ttfb` seconds go by before each head;
    `physics` paces answers instead of either. `faults` strike the recordings they name; the error answers of a burst
    come before the recording and do not use it up. `journal` may be shared by the replays of several scopes.
    """

    def __init__(
        self,
        library: Library,
        clock: Clock,
        *,
        render_error: RenderError,
        speed: float = 0,
        ttfb: float | None = None,
        physics: Physics | None = None,
        faults: Sequence[Rule] = (),
        journal: Journal | None = None,
        scope: str = "",
    ) -> None:
        self._library = library
        self._clock = clock
        self._render_error = render_error
        self._speed = speed
        self._ttfb = ttfb
        self._physics = physics
        self._chaos = Chaos(faults, render_error)
        self._scope = scope
        self._scripts: dict[int, tuple[Interaction, Framing, Script]] = {}
        self.journal = journal if journal is not None else Journal()
        self.hits = 0
        self.misses = 0

    async def send(self, request: Request) -> Response:
        """Play the recording of a request; never raises for a request that has none.

        Raises:
            TruncatedError: a recording, or a fault, that breaks off before its head.
        """
        return await self.answer(request)

    async def answer(self, request: Request, client: Request | None = None) -> Response:
        """Play the recording of a request as `send` does.

        `client` is what a client asked in another dialect, where the request is its translation: the journal tells of
        that, and its headers say which faults and which attempt.
        """
        await request.read()
        route = route_of(request)
        dialect = route.dialect if route else ""
        served = self._arrived(request, client or request)
        struck = Struck(dialect=dialect, key=served.key, now=self._clock.now())
        try:
            own = parse_rules((client or request).headers.get(HEADER) or "")
        except ConfigError as error:
            return await self._refuse(served, dialect, error)
        failing = self._chaos.failing(struck, own)
        if failing is not None:
            served.fault = failing.text
            return await self._play(served, failing.script, "fault", {"x-setu-replay": "fault"})
        try:
            interaction, match = self._library.take(request)
        except NoMatchError as error:
            self.misses += 1
            return await self._miss(served, dialect, error)
        self.hits += 1
        served.place = interaction.place
        how = match if client is None else "translated"
        answer = self._struck(served, interaction, struck, own)
        return await self._play(served, answer, how, {"x-setu-replay": "hit", "x-setu-match": how})

    async def aclose(self) -> None:
        """Do nothing: a library holds no file open."""

    @property
    def library(self) -> Library:
        return self._library

    @property
    def unused(self) -> int:
        """The number of recordings that nothing has asked for."""
        return len(self._library.unused())

    @property
    def faults(self) -> tuple[Rule, ...]:
        return self._chaos.rules

    def set_faults(self, faults: Sequence[Rule]) -> None:
        """Put these rules in place of the ones there are; calls are counted from here."""
        self._chaos = Chaos(faults, self._render_error)

    def _arrived(self, request: Request, client: Request) -> Served:
        """Take note of what a client asked; the key is that of what is looked for."""
        key, path, model = self._library.asked(request)
        if client is not request:
            _, path, model = self._library.asked(client)
        route = route_of(client)
        served = Served(
            scope=self._scope,
            dialect=route.dialect if route else "",
            op=route.operation if route else "raw",
            method=client.method,
            path=path,
            model=model,
            key=key,
            attempt=attempt_of(client.headers),
        )
        self.journal.add(served, self._clock.monotonic())
        return served

    def _struck(self, served: Served, interaction: Interaction, struck: Struck, own: Sequence[Rule]) -> Script:
        """Return the recording at its pace, and as faults leave it."""
        framing, steps = self._prepared(interaction)
        if self._physics is not None:
            steps = paced(steps, self._physics, framing, struck.key)
        broken = self._chaos.strike(
            steps, Struck(dialect=struck.dialect, framing=framing, key=struck.key, now=struck.now), own
        )
        served.fault = broken.text
        served.broken = broken.lies or interaction.exchange.end is not Ending.COMPLETE
        return broken.script

    def _prepared(self, interaction: Interaction) -> tuple[Framing, Script]:
        """Return a recording as a script; cutting a stream costs more than playing it, so the last ones are kept."""
        known = self._scripts.get(id(interaction))
        if known is None:
            if len(self._scripts) >= _MAX_SCRIPTS:
                self._scripts.clear()
            if self._physics is None:
                steps = script_of(interaction, self._speed, ttfb=self._ttfb)
            else:
                steps = script_of(interaction)
            # The interaction is kept with it, so that its id is nobody else's.
            known = self._scripts[id(interaction)] = interaction, framing_of(interaction.exchange), steps
        return known[1:]

    async def _play(self, served: Served, steps: Script, match: str, marks: dict[str, str]) -> Response:
        head = next((step for step in steps if isinstance(step, Head)), None)
        if head is not None:
            served.status = head.status
            served.retry_after_ms = retry_after_ms(head.headers, self._clock.now())
        self.journal.answered(served, match)

        def ended(kind: Ending, events: int) -> None:
            self.journal.done(served, kind, events, self._clock.monotonic())

        response = await play(steps, self._clock, ended)
        response.headers.remove(*marks)
        for name, value in marks.items():
            response.headers.add(name, value)
        return response

    async def _miss(self, served: Served, dialect: str, error: NoMatchError) -> Response:
        told = error.info()
        message = f"{told.message}\n{error.report}" if error.report else told.message
        info = ErrorInfo(kind=told.kind, status=told.status, message=message, type=told.type, code=told.code)
        return await self._own_answer(served, dialect, info, "miss")

    async def _refuse(self, served: Served, dialect: str, error: ConfigError) -> Response:
        """Answer a request whose fault header says nothing known; it is not retried."""
        info = ErrorInfo(kind=ErrorKind.INVALID_REQUEST, status=400, message=str(error), code="bad_fault", param=HEADER)
        return await self._own_answer(served, dialect, info, "refused")

    async def _own_answer(self, served: Served, dialect: str, info: ErrorInfo, match: str) -> Response:
        headers = Headers.of({"content-type": "application/json", "x-should-retry": "false"})
        answer = script(info.status, headers, self._render_error(dialect, info))
        return await self._play(served, answer, match, {"x-setu-replay": match})
