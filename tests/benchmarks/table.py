"""The measurements as tables for a page and as JSON for a program."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from setu import __version__
from tests.benchmarks.load import Done
from tests.benchmarks.measure import Effort, Figures
from tests.benchmarks.targets import INSIDE

_COLUMNS = {
    "json": ("CPU µs a request", "requests/s"),
    "inside": ("CPU µs a request", "requests/s"),
    "one": ("CPU µs a request", "requests/s"),
    "burst": ("CPU µs a chunk", "chunks/s"),
    "timed": ("CPU µs a chunk", "chunks/s"),
}
_TITLES = {
    "json": "JSON, 16 connections",
    "inside": "JSON, 16 connections, the upstream inside the gateway's process",
    "one": "JSON, one connection",
    "burst": "Streams, 100 chunks at once, 16 connections",
    "timed": "Streams, 100 chunks 1 ms apart, 64 connections",
}


def text(found: Sequence[Figures], floor: Done, effort: Effort, busy: float) -> str:
    """Return what a page shows."""
    parts = [facts(floor, effort, busy), ""]
    for work in dict.fromkeys(each.work for each in found):
        parts += [f"### {_TITLES[work]}", "", *_table([each for each in found if each.work == work]), ""]
    return "\n".join(parts)


def facts(floor: Done, effort: Effort, busy: float) -> str:
    """Say what was measured, where, when, and how long; `busy` is the load average before it."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, Setu {__version__}, Python {platform.python_version()}, {os.cpu_count()} "
        f"processors ({_processor()}), {platform.system()} {platform.machine()}, load average {busy:.1f} before the "
        f"start. {effort.rounds} rounds of {effort.seconds:g} s for each row, each right after a run of its base row; "
        f"medians. The upstream by itself: {floor.requests / floor.seconds:,.0f} requests/s."
    )


def _table(found: Sequence[Figures]) -> list[str]:
    cost, speed = _COLUMNS[found[0].work]
    latency = found[0].work == "one"
    paced = found[0].work == "timed"
    head = ["", cost, "over its base", "from … to", speed, *(["p50 µs"] if latency else []), "MiB at most"]
    head += ["first content, p50 ms", "delay p50 ms", "delay p99 ms"] if paced else []
    rows = [_line(head), "|---" + "|--:" * (len(head) - 1) + "|"]
    for each in found:
        lowest, highest = min(one.each for one in each.samples), max(one.each for one in each.samples)
        cells = [each.target.name.removesuffix(INSIDE), f"{each.each:,.{_digits(each)}f}", _signed(each)]
        cells += [f"{lowest:,.{_digits(each)}f} … {highest:,.{_digits(each)}f}", f"{each.middle(_rate) or 0:,.0f}"]
        cells += [_number(each.middle(lambda done: done.latency), 1)] if latency else []
        cells += [f"{each.memory / 1024:.0f}"]
        if paced:
            cells += [_number(each.middle(of), 1000) for of in (_first, _delay, _delay_99)]
        rows.append(_line(cells))
    return rows


def _digits(each: Figures) -> int:
    return 0 if each.work in {"json", "inside", "one"} else 1


def _signed(each: Figures) -> str:
    return "" if each.over is None else f"{each.over:+,.{_digits(each)}f}"


def _number(value: float | None, scale: float) -> str:
    return "" if value is None else f"{value / scale:,.{0 if scale == 1 else 1}f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rate(done: Done) -> float:
    return (done.chunks or done.requests) / done.seconds


def _first(done: Done) -> float | None:
    return done.first


def _delay(done: Done) -> float | None:
    return done.delay


def _delay_99(done: Done) -> float | None:
    return done.delay_99


def records(found: Sequence[Figures], floor: Done, effort: Effort, busy: float) -> dict[str, Any]:
    """Return everything, every run, as JSON."""
    rows = [
        {
            "name": each.target.name,
            "work": each.work,
            "cpu_us": round(each.each, 2),
            "over_base_us": None if each.over is None else round(each.over, 2),
            "start_s": round(each.start, 2),
            "peak_kib": each.memory,
            "runs": [{"cpu_us": round(one.each, 2), **one.done._asdict()} for one in each.samples],
            "base_runs": [round(one.each, 2) for one in each.pairs],
        }
        for each in found
    ]
    return {"facts": facts(floor, effort, busy), "rows": rows}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
