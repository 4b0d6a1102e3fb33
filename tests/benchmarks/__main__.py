"""What each feature of the gateway costs: `python -m tests.benchmarks [ROW …] [--quick]`.

About five minutes; a minute with --quick. Linux only: processor time comes from /proc. wrk makes the load where it is
installed, redis-server is needed for the rows with Redis.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.contest.page import updated
from tests.benchmarks.load import Done
from tests.benchmarks.measure import QUICK, Bench, Effort, Figures
from tests.benchmarks.targets import SETU, Target, Work, available

WORKS: tuple[Work, ...] = ("json", "inside", "one", "burst", "timed")


def chosen(names: Sequence[str], targets: Sequence[Target]) -> list[Target]:
    """Return the rows whose names hold one of the words, and the rows that these are compared with."""
    found = [one for one in targets if not names or any(name.lower() in one.name.lower() for name in names)]
    bases = {one.base for one in found}
    return [one for one in targets if one in found or one.name in bases]


def measured(targets: Sequence[Target], works: Sequence[Work], effort: Effort) -> tuple[list[Figures], Done]:
    """Measure rows under loads; return the figures, and the upstream's own."""
    with ExitStack() as stack:
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="setu-bench-")))
        bench = Bench(targets, room, stack, lambda line: print(line, file=sys.stderr, flush=True))
        floor = bench.floor(effort)
        names = [target.name for target in targets]
        return [each for work in works for each in bench.run(work, names, effort)], floor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows whose names hold this; by default all")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=WORKS, help="loads; by default all")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--seconds", type=float, help="length of a run, 4 at most")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run there")
    parser.add_argument("--page", type=Path, help="write the figures between the markers of this page")
    asked = parser.parse_args()
    effort = QUICK if asked.quick else Effort()
    seconds = min(4.0, asked.seconds or effort.seconds)
    effort = effort._replace(seconds=seconds, rounds=asked.rounds or effort.rounds)
    busy = os.getloadavg()[0]
    found, floor = measured(chosen(asked.rows, available(SETU, shutil.which)), asked.works, effort)
    said = table.text(found, floor, effort, busy)
    print(said)
    if asked.json is not None:
        asked.json.write_text(json.dumps(table.records(found, floor, effort, busy), indent=1), encoding="utf-8")
    if asked.page is not None:
        asked.page.write_text(updated(asked.page.read_text(encoding="utf-8"), said), encoding="utf-8")


if __name__ == "__main__":
    main()
