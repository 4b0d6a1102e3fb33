"""The three measurements: speed, pace, and what is kept; the tools take turns, so that a slow minute strikes all."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from setu.cassette.model import Interaction
from tests.benchmarks.contest.exchanges import Played
from tests.benchmarks.contest.kept import Answer, Share, compare, errors_ms, p95, recorded, served
from tests.benchmarks.contest.load import Load, put
from tests.benchmarks.contest.rivals import Running, Tool, ask

CONNECTIONS = (1, 16)
STREAMS = 10
WARMING = 2
"""Requests before the first that counts: a virtual machine is slow at what it does for the first time."""


Losses = dict[str, Share]
"""By member how much of it came."""


class Effort(NamedTuple):
    """How long and how often."""

    seconds: float = 5
    runs: int = 3
    warm_up: float = 10


class Speed(NamedTuple):
    """One exchange at one number of connections, played by one tool; `loads` has one entry a run."""

    exchange: str
    connections: int
    tool: str
    loads: tuple[Load, ...]
    chunks: int
    """Chunks of the transfer coding that one answer came in."""

    @property
    def per_second(self) -> float:
        return median(load.per_second for load in self.loads)

    @property
    def cpu_ms(self) -> float:
        return median(load.cpu_ms for load in self.loads)


def speeds(tools: Sequence[Tool], exchanges: Sequence[Played], room: Path, effort: Effort) -> list[Speed]:
    """Play each exchange as fast as each tool can, over and over; a tool for streams plays those alone."""
    found: dict[tuple[Played, int, Tool], list[Load]] = {}
    chunks: dict[tuple[Played, Tool], int] = {}
    with ExitStack() as stack:
        servers = _all(tools, exchanges, room, stack, paced=False)
        for played in exchanges:
            for tool, server in _players(servers, played):
                chunks[played, tool] = len(ask(server.url, played.interaction).chunks)
                if effort.warm_up:
                    put(server, played.interaction, CONNECTIONS[-1], effort.warm_up, room)
        for _ in range(effort.runs):
            for played in exchanges:
                for connections in CONNECTIONS:
                    for tool, server in _players(servers, played):
                        load = put(server, played.interaction, connections, effort.seconds, room)
                        found.setdefault((played, connections, tool), []).append(load)
    return [
        Speed(played.name, connections, tool.name, tuple(loads), chunks[played, tool])
        for (played, connections, tool), loads in found.items()
    ]


def paces(tools: Sequence[Tool], played: Played, room: Path, runs: int) -> dict[str, float]:
    """Return by how many milliseconds events of ten streams side by side are off, the 95th of a hundred."""
    errors: dict[str, list[float]] = {tool.name: [] for tool in tools}
    was = recorded(played.interaction)
    with ExitStack() as stack:
        servers = _all(tools, [played], room, stack, paced=True)
        for server in servers.values():
            ask(server.url, played.interaction)
        for _ in range(runs):
            for tool, server in servers.items():
                answers = _side_by_side(server.url, played.interaction)
                errors[tool.name].append(p95([error for now in answers for error in errors_ms(was, now)]))
    return {name: median(values) for name, values in errors.items()}


def losses(tools: Sequence[Tool], exchanges: Sequence[Played], room: Path, runs: int) -> dict[str, dict[str, Losses]]:
    """Return by exchange and tool what of it came: that of the run whose timing was the best.

    Every exchange has a server of its own, so that none can be answered with what belongs to another.
    """
    found: dict[str, dict[str, Losses]] = {}
    for number, played in enumerate(exchanges):
        was = recorded(played.interaction)
        for tool in tools:
            own = room / f"{number} {tool.name}"
            with tool.serve([played.file], own, True) as server:
                for _ in range(WARMING):
                    ask(server.url, played.interaction)
                tried = [compare(was, _once(server.url, played.interaction)) for _ in range(runs)]
            found.setdefault(played.name, {})[tool.name] = max(tried, key=lambda shares: shares["timing"].kept)
    return found


def _all(
    tools: Sequence[Tool], exchanges: Sequence[Played], room: Path, stack: ExitStack, *, paced: bool
) -> dict[Tool, Running]:
    files = [played.file for played in exchanges]
    pace = "paced" if paced else "fast"
    return {tool: stack.enter_context(tool.serve(files, room / f"{pace} {tool.name}", paced)) for tool in tools}


def _players(servers: Mapping[Tool, Running], played: Played) -> list[tuple[Tool, Running]]:
    streamed = len(recorded(played.interaction).chunks) > 1
    return [(tool, server) for tool, server in servers.items() if streamed or not tool.for_streams]


def _once(url: str, interaction: Interaction) -> Answer:
    start = time.monotonic()
    return served(interaction, ask(url, interaction), start)


def _side_by_side(url: str, interaction: Interaction) -> list[Answer]:
    with ThreadPoolExecutor(STREAMS) as threads:
        return list(threads.map(lambda _: _once(url, interaction), range(STREAMS)))
