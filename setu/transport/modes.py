"""Record modes: which calls are answered from recordings and which go out and are recorded.

The names are vcrpy's and pytest-recording's: `none` replays only, `once` records what has no cassette yet,
`new_episodes` records what no recording answers, `all` records every call, `rewrite` does so in place of what was
there, `verify` replays and calls the provider too, to see whether the recording is still true.
"""

import asyncio
from collections.abc import Callable
from typing import Literal, get_args

import msgspec

from setu.cassette.model import Interaction
from setu.errors import ConfigError, SetuError
from setu.http import Request, Response
from setu.transport.record import Record
from setu.transport.replay import Replay

RecordMode = Literal["none", "once", "new_episodes", "all", "rewrite", "verify"]
MODES: tuple[RecordMode, ...] = get_args(RecordMode)
REPLAYS: frozenset[RecordMode] = frozenset({"none", "once", "new_episodes", "verify"})

Compare = Callable[[Interaction, Interaction], None]
"""Told a recording and what the provider answers to the same request now."""


def parse_mode(text: str) -> RecordMode:
    """Read a mode; hyphens do for underscores.

    Raises:
        ConfigError: there is no such mode.
    """
    found = next((mode for mode in MODES if mode == text.replace("-", "_")), None)
    if found is None:
        raise ConfigError(f"no record mode {text!r}; there are {', '.join(MODES)}")
    return found


class Modal:
    """Answers one cassette's requests by its mode.

    `replay` has the recordings that were there at the start: what is recorded now is for the next run, so that a
    sequence of equal requests is recorded as the sequence it was. In `once` that is either all or nothing.
    """

    def __init__(self, mode: RecordMode, replay: Replay, record: Record) -> None:
        self._replay = replay
        self._record = record
        self._mode: RecordMode = ("none" if len(replay.library) else "all") if mode == "once" else mode

    async def send(self, request: Request) -> Response:
        await request.read()
        if self._mode == "none" or (self._mode == "new_episodes" and self._replay.library.answers(request)):
            return await self._replay.send(request)
        return await self._record.send(request)

    async def aclose(self) -> None:
        await self._record.aclose()
        await self._replay.aclose()


class Verify:
    """Answers from recordings, asks the provider the same, and hands both to `compare`.

    The client gets the recording, at once; a provider that cannot be reached is told to `on_error`, and that is all.
    """

    def __init__(self, replay: Replay, live: Record, compare: Compare, on_error: Callable[[str], None]) -> None:
        self._replay = replay
        self._live = live
        self._compare = compare
        self._on_error = on_error
        self._asking: set[asyncio.Task[None]] = set()

    async def send(self, request: Request) -> Response:
        await request.read()
        if not self._replay.library.answers(request):
            return await self._replay.send(request)
        recorded = self._replay.library.peek(request)
        task = asyncio.create_task(
            self._ask(recorded, msgspec.structs.replace(request, headers=request.headers.copy()))
        )
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return await self._replay.send(request)

    async def aclose(self) -> None:
        """Wait for the answers that are still awaited."""
        await asyncio.gather(*self._asking)
        await self._live.aclose()
        await self._replay.aclose()

    async def _ask(self, recorded: Interaction, request: Request) -> None:
        try:
            found = await self._live.observe(request)
        except SetuError as error:
            self._on_error(f"{recorded.place}: the provider could not be asked: {error}")
            return
        self._compare(recorded, found)
