"""Prove the laws: `python -m setu.conformance.laws --profile ci [--law P29] [--dialect anthropic] [--seed N]`."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

from setu.conformance.laws.bench import PROFILES, Verdict, bench, judged
from setu.conformance.laws.table import LAWS
from setu.dialects.registry import DIALECTS


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m setu.conformance.laws", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="dev")
    parser.add_argument("--law", help="one law, such as P29")
    parser.add_argument("--dialect", choices=sorted(DIALECTS), help="only pairs with this dialect on either side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args(given)


def verdicts(options: argparse.Namespace) -> Iterator[Verdict]:
    """Try the laws, several at a time, and yield what became of them in their order."""
    found = bench(DIALECTS, PROFILES[options.profile], options.seed)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        work: list[Future[Verdict]] = [
            pool.submit(judged, number, place, options.profile, options.seed)
            for number, law in enumerate(LAWS)
            if options.law in (None, law.id)
            for place, pair in enumerate(found)
            if options.dialect in (None, pair.client.name, pair.upstream.name)
        ]
        for future in work:
            yield future.result()


def main(given: Sequence[str] | None = None) -> int:
    """Print a row for each law and pair; 1 if one fails, 2 if none was tried."""
    options = _arguments(given)
    failed, tried_, start = [], 0, time.perf_counter()
    for verdict in verdicts(options):
        tried_ += verdict.excuse is None
        state = "n/a" if verdict.excuse else "FAILED" if verdict.problem else "ok"
        tried_for = f"{verdict.examples:5}  {verdict.seconds:6.2f}s"
        row = f"{verdict.law}  {verdict.title:58} {verdict.pair:32} {tried_for}  {state:6}  {verdict.excuse or ''}"
        print(row.rstrip(), flush=True)  # noqa: T201 - a command prints
        if verdict.problem:
            failed.append(verdict)
    for verdict in failed:
        print(f"\n{verdict.law} {verdict.title}, {verdict.pair}:\n{verdict.problem}")  # noqa: T201 - a command prints
    print(f"\n{tried_} laws on pairs, {len(failed)} failed, {time.perf_counter() - start:.0f} s")  # noqa: T201 - a command prints
    return 2 if not tried_ else 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
