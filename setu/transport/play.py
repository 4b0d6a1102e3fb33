"""Play scripts as responses, in-process; and the playlist, a transport that serves scripts in order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from setu import _json
from setu.cassette.match import model_of, route_of
from setu.cassette.script import Bytes, End, HalfChunk, Head, Script, Wait
from setu.errors import NoMatchError, TruncatedError
from setu.http import Ending, Headers, Request, Response
from setu.ports import Clock

OnEnd = Callable[[Ending, int], None]
"""Told once how an answer ended and how many chunks of it were sent."""


async def play(script: Script, clock: Clock, on_end: OnEnd | None = None) -> Response:
    """Return the script's response as soon as its head is due.

    Waits add up to an absolute schedule, so a slow reader does not shift what follows. A body in one piece without
    waits comes as bytes, any other as a stream, which raises TruncatedError where the script does not end well.
    `on_end` is told of a stream when it has ended or its reader has left, of bytes at once.

    Raises:
        TruncatedError: the script ends before its head.
    """
    end = on_end or _unheard
    schedule = _Schedule(clock)
    kind = Ending.TRUNCATED
    for index, step in enumerate(script):
        match step:
            case Head():
                return Response(step.status, step.headers.copy(), _body(script[index + 1 :], schedule, end))
            case Wait():
                await _waited(schedule, step, end)
            case End():
                kind = step.kind
                break
            case _:
                break
    end(kind, 0)
    raise TruncatedError("the connection ended before a response", reset=kind is Ending.RESET)


class Playlist:
    """Serves scripts in order, by model where `by_model` names it; `received` keeps the requests.

    `GET /models` is answered with the models, and does not use up a script.
    """

    def __init__(
        self,
        scripts: Iterable[Script],
        clock: Clock,
        *,
        by_model: Mapping[str, Sequence[Script]] | None = None,
        models: Sequence[str] = (),
    ) -> None:
        self._clock = clock
        self._scripts = list(scripts)
        self._by_model = {model: list(own) for model, own in (by_model or {}).items()}
        self._models = (*models, *(model for model in self._by_model if model not in models))
        self.received: list[Request] = []

    @property
    def remaining(self) -> int:
        """The number of scripts not yet served."""
        return len(self._scripts) + sum(map(len, self._by_model.values()))

    async def send(self, request: Request) -> Response:
        """Play the next script.

        Raises:
            NoMatchError: there is none left.
        """
        await request.read()
        self.received.append(request)
        route = route_of(request)
        if route is not None and route.operation == "models":
            return _models_response(self._models)
        scripts = self._by_model.get(model_of(request) or "", self._scripts)
        if not scripts:
            raise NoMatchError(f"the playlist has no answer left for {request.method} {request.path}")
        return await play(scripts.pop(0), self._clock)

    async def aclose(self) -> None:
        """Do nothing: a playlist holds nothing open."""


class _Schedule:
    """When the next step is due, on the clock's monotonic time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due = clock.monotonic()

    async def wait(self, seconds: float) -> None:
        self._due += seconds
        late = self._clock.monotonic() - self._due
        if late < 0:
            await self._clock.sleep(-late)


class _Played:
    """The body of a script: its chunks when they are due, then its end."""

    def __init__(self, steps: Script, schedule: _Schedule, on_end: OnEnd) -> None:
        self._steps = steps
        self._at = 0
        self._schedule = schedule
        self._on_end: OnEnd | None = on_end
        self._missing = 0
        self._sent = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while self._at < len(self._steps):
            step = self._steps[self._at]
            self._at += 1
            match step:
                case Wait():
                    await self._schedule.wait(step.seconds)
                case Bytes():
                    self._sent += 1
                    return step.data
                case HalfChunk():
                    return self._break(step)
                case End():
                    self._tell(step.kind)
                    self._end(step.kind)
                case Head():
                    continue
        self._tell(Ending.COMPLETE)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Leave off; who has had every chunk has had the whole answer, whether it waited for its end or not."""
        left = self._steps[self._at :]
        whole = not self._missing and all(isinstance(step, Wait) or step == End() for step in left)
        self._tell(Ending.COMPLETE if whole else Ending.CLOSED_BY_CLIENT)

    def _tell(self, kind: Ending) -> None:
        """Say once how it ended; nothing is played after that."""
        self._at = len(self._steps)
        told, self._on_end = self._on_end, None
        if told is not None:
            told(kind, self._sent)

    def _end(self, kind: Ending) -> None:
        if self._missing:
            reset = kind is Ending.RESET
            raise TruncatedError("the response ended within a chunk", reset=reset, promised=(b"", self._missing))
        if kind is Ending.RESET:
            raise TruncatedError("the connection was reset before the response was complete", reset=True)
        if kind is not Ending.COMPLETE:
            raise TruncatedError("the response ended before it was complete")

    def _break(self, half: HalfChunk) -> bytes:
        """Give what there is of the chunk; the error that follows tells a socket how much more was promised."""
        self._missing = max(half.promised - len(half.data), 1)
        return half.data


def _unheard(_kind: Ending, _sent: int) -> None:
    """Nobody asked."""


async def _waited(schedule: _Schedule, step: Wait, end: OnEnd) -> None:
    """Wait for the head; a client may leave meanwhile."""
    try:
        await schedule.wait(step.seconds)
    except asyncio.CancelledError:
        end(Ending.CLOSED_BY_CLIENT, 0)
        raise


def _body(steps: Script, schedule: _Schedule, on_end: OnEnd) -> "bytes | _Played":
    match steps:
        case (Bytes(data), End(Ending.COMPLETE)):
            on_end(Ending.COMPLETE, 1)
            return data
        case (End(Ending.COMPLETE),):
            on_end(Ending.COMPLETE, 0)
            return b""
    return _Played(steps, schedule, on_end)


def _models_response(models: Sequence[str]) -> Response:
    """List the models in a shape that OpenAI's, Anthropic's and Gemini's clients all read."""
    rows = [
        {"id": model, "object": "model", "type": "model", "display_name": model, "created": 0, "owned_by": "setu"}
        for model in models
    ]
    names = [{"name": f"models/{model}", "displayName": model} for model in models]
    body = {"object": "list", "data": rows, "has_more": False, "models": names}
    return Response(200, Headers.of({"content-type": "application/json"}), _json.encode(body))
