"""The measurements as tables, and where they stand on the page."""

import os
import platform
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.contest.kept import LATE_MS, MEMBERS
from tests.benchmarks.contest.load import generator
from tests.benchmarks.contest.measure import STREAMS, Effort, Losses, Speed
from tests.benchmarks.contest.rivals import Tool
from tests.clients.nodes import node

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def updated(page: str, figures: str) -> str:
    """Return a page with other figures between its markers.

    Raises:
        ValueError: it has none.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return f"{page.partition(BEGIN)[0]}{BEGIN}\n\n{figures}\n{END}{page.partition(END)[2]}"


def facts(tools: Sequence[Tool], effort: Effort, busy: float) -> str:
    """Say what was measured, where, when and how long; `busy` is the load average before it."""
    named = ", ".join(f"{tool.name} {tool.version}" for tool in tools)
    names = {tool.name for tool in tools}
    runtimes = [f"Python {platform.python_version()}"]
    runtimes += [_node()] if "aimock" in names else []
    runtimes += [_java()] if "WireMock" in names else []
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors ({_processor()}), {platform.system()} "
        f"{platform.machine()}, load average {busy:.1f} before the start: {named}; {', '.join(runtimes)}. Load from {generator()} on the same machine, "
        f"{effort.runs} runs of {effort.seconds:g} s each with the tools in turn, after {effort.warm_up:g} s that do "
        "not count; medians."
    )


def speed_table(found: Sequence[Speed], tools: Sequence[Tool]) -> str:
    """One row a figure, one column a tool."""
    by_place: dict[tuple[str, int], dict[str, Speed]] = {}
    for speed in found:
        by_place.setdefault((speed.exchange, speed.connections), {})[speed.tool] = speed
    rows: list[list[str]] = []
    for (exchange, connections), own in by_place.items():
        place = f"{exchange}; {connections} connection{'s' if connections > 1 else ''}"
        row = [own.get(tool.name) for tool in tools]
        rows.append([place, "answers/s (lowest to highest)", *_cells(row, _span)])
        if any(speed is not None and speed.chunks > 1 for speed in row):
            rows.append(["", "chunks of one answer", *_cells(row, lambda speed: f"{speed.chunks:,}")])
            rows.append(["", "chunks/s", *_cells(row, lambda speed: f"{speed.per_second * speed.chunks:,.0f}")])
        rows.append(["", "CPU ms an answer", *_cells(row, lambda speed: f"{speed.cpu_ms:.2f}")])
    return _table(["exchange", "figure", *(tool.name for tool in tools)], rows, figures=2)


def pace_table(found: Mapping[str, float]) -> str:
    return _table(
        [f"{STREAMS} streams at their recorded pace", *found],
        [["95 of 100 events are at most so far off, ms", *(f"{value:.1f}" for value in found.values())]],
        figures=1,
    )


def kept_table(found: Mapping[str, Mapping[str, Losses]], tools: Sequence[Tool]) -> str:
    """For each member: in how many of the exchanges that have it, it came whole."""
    rows = []
    for member in MEMBERS:
        cells = []
        for tool in tools:
            shares = [by_tool[tool.name][member] for by_tool in found.values()]
            having = [share for share in shares if share.of]
            cells.append(f"{sum(share.whole for share in having)} of {len(having)}")
        rows.append([member, *cells])
    return _table(["whole in", *(tool.name for tool in tools)], rows, figures=1)


def lost_table(found: Mapping[str, Mapping[str, Losses]], tools: Sequence[Tool]) -> str:
    rows = [[name, *(_lost(by_tool[tool.name]) for tool in tools)] for name, by_tool in found.items()]
    return _table(["what came of it", *(tool.name for tool in tools)], rows, figures=len(tools) + 1)


def explained() -> str:
    return (
        "`members` are the paths of JSON members that an answer has; `event kinds` the names or types of events, or "
        "which members they carry; `chunking` the body cut where it was recorded; `timing` the events that came within "
        f"{LATE_MS:.0f} ms of their recorded moment, in the best of the runs. Header fields of the connection and `date` "
        "do not count."
    )


def _lost(shares: Losses) -> str:
    if not shares["status"].whole:
        return f"not played: {shares['status'].note}"
    parts = [
        f"{name} ({share.note})"
        if share.of == 1 and share.note
        else f"{name} {share.kept} of {share.of}" + (f" ({share.note})" if share.note else "")
        for name, share in shares.items()
        if not share.whole
    ]
    return "all" if not parts else "all but " + ", ".join(parts)


def _cells(row: Sequence[Speed | None], show: Callable[[Speed], str]) -> list[str]:
    return ["" if speed is None else show(speed) for speed in row]


def _span(speed: Speed) -> str:
    rates = [load.per_second for load in speed.loads]
    return f"{speed.per_second:,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, figures: int) -> str:
    """Draw a table whose columns from the one numbered `figures` on stand to the right."""
    rule = ["---" if number < figures else "---:" for number in range(len(head))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *rows))


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else platform.processor() or "unknown"


def _java() -> str:
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    return f"Java {said.split(chr(34))[1]}"


def _node() -> str:
    return f"Node {subprocess.run([node(), '--version'], capture_output=True, text=True, check=True).stdout.strip()}"
