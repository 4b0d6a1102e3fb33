"""Replay side by side with aimock and WireMock: `python -m tests.benchmarks.compare_replay [--page PAGE]`.

Needs wrk and a Java runtime (Debian: `wrk`, `default-jre-headless`), Node 22 and the npm registry; about ten minutes on
a machine that has nothing else to do. The two packages are installed into the cache that the tests of npm clients use.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks.contest import exchanges, page, rivals
from tests.benchmarks.contest.measure import Effort, losses, paces, speeds
from tests.clients.nodes import installed

PACKAGES = Path(__file__).with_name("contest")
TOOLS = ("setu", "aimock", "wiremock")


def tools(names: Sequence[str]) -> list[rivals.Tool]:
    """Return tools by name, with what they need installed."""
    if tuple(names) == ("setu",):
        return [rivals.setu()]
    packages = installed(PACKAGES)
    known: dict[str, Callable[[], rivals.Tool]] = {
        "setu": rivals.setu,
        "aimock": partial(rivals.aimock, packages),
        "wiremock": partial(rivals.wiremock, packages),
    }
    return [known[name]() for name in names]


def figures(found: Sequence[rivals.Tool], effort: Effort, exchange_count: int = 10) -> str:
    """Measure and return everything that the page shows."""
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        stream = exchanges.stream(room)
        streaming = [*found, *_variants(found)]
        fast = speeds(streaming, [exchanges.plain(), stream], room, effort)
        pace = paces(found, stream, room, effort.runs)
        kept = losses(found, exchanges.ten(room)[:exchange_count], room, effort.runs)
    return "\n".join(
        [
            page.facts(found, effort, busy),
            "",
            page.speed_table(fast, streaming),
            page.pace_table(pace),
            page.kept_table(kept, found),
            page.lost_table(kept, found),
            page.explained(),
            "",
        ]
    )


def _variants(found: Sequence[rivals.Tool]) -> list[rivals.Tool]:
    """A stub without a dribble is the faster way to play a stream where the chunks do not matter."""
    return (
        [rivals.wiremock(installed(PACKAGES), dribble=False)] if any(tool.name == "WireMock" for tool in found) else []
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=TOOLS)
    parser.add_argument("--seconds", type=float, default=Effort().seconds, help="length of a run")
    parser.add_argument("--runs", type=int, default=Effort().runs)
    parser.add_argument("--page", type=Path, help="write the figures between the markers of this page")
    asked = parser.parse_args()
    text = figures(tools(asked.tools), Effort(asked.seconds, asked.runs))
    print(text)
    if asked.page is not None:
        asked.page.write_text(page.updated(asked.page.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
