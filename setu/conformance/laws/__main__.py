"""Prove the laws: `python -m setu.conformance.laws --profile ci [--law P29] [--pair CLIENT,UPSTREAM] [--seed N]`."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

from setu.conformance.laws.bench import PROFILES, Profile, Verdict, bench, judged
from setu.conformance.laws.pair import Pair
from setu.conformance.laws.table import LAWS
from setu.dialects.registry import DIALECTS


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m setu.conformance.laws", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="dev", help=_profiles())
    parser.add_argument("--examples", type=_count, metavar="N", help="examples of every pair, instead of the profile's")
    parser.add_argument("--law", help="one law, such as P29")
    parser.add_argument("--dialect", choices=sorted(DIALECTS), help="only pairs with this dialect on either side")
    parser.add_argument("--pair", type=_pair, metavar="CLIENT,UPSTREAM", help="one pair, such as openai_chat,gemini")
    parser.add_argument("--seed", type=int, default=0, help="what examples are drawn from, unless derandomised")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args(given)


def _profiles() -> str:
    """Say what each profile tries; its numbers are those of `bench`."""
    own = "; ".join(
        f"{name}: {found.own} examples for a dialect in front of itself, {found.other} for any other pair"
        + (", derandomised" if found.derandomize else "")
        for name, found in PROFILES.items()
    )
    return f"{own} (default: dev)"


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count


def _pair(text: str) -> str:
    """Return the pair's name as the rows print it."""
    client, _, upstream = text.partition(",")
    for name in (client, upstream):
        if name not in DIALECTS:
            raise argparse.ArgumentTypeError(f"no such dialect: {name!r}; there are {', '.join(sorted(DIALECTS))}")
    return f"{client} → {upstream}"


def _profile(options: argparse.Namespace) -> Profile:
    chosen = PROFILES[options.profile]
    return chosen if options.examples is None else Profile(options.examples, options.examples, chosen.derandomize)


def _wanted(pair: Pair, options: argparse.Namespace) -> bool:
    return options.pair in (None, pair.name) and options.dialect in (None, pair.client.name, pair.upstream.name)


def verdicts(options: argparse.Namespace) -> Iterator[Verdict]:
    """Try the laws, several at a time, and yield what became of them in their order."""
    profile = _profile(options)
    found = bench(DIALECTS, profile, options.seed)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        work: list[Future[Verdict]] = [
            pool.submit(judged, number, place, profile, options.seed)
            for number, law in enumerate(LAWS)
            if options.law in (None, law.id)
            for place, pair in enumerate(found)
            if _wanted(pair, options)
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
