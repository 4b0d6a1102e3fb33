"""`setu verify`: are recordings still true?"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli.cassettes.rooms import Json, Paths, say

if TYPE_CHECKING:
    from setu.cassette.drift import Drift, Level
    from setu.cassette.model import Interaction


class Expired(StrEnum):
    """What becomes of recordings that are too old."""

    WARN = "warn"
    FAIL = "fail"


Live = Annotated[
    bool,
    typer.Option(
        "--live",
        help="Ask the providers again, with the keys of the environment; of equal calls only the first one.",
    ),
]
Against = Annotated[Path | None, typer.Option(help="Compare with these recordings of the same calls instead.")]
Twins = Annotated[
    bool,
    typer.Option(
        "--twins", help="Make recorded translations again, offline: both sides must be what `setu start --record` kept."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Only recordings whose host, operation, model or place this pattern fits; may be repeated."),
]
MaxRequests = Annotated[int, typer.Option(min=1, help="How many requests may be made.")]
MaxAge = Annotated[str | None, typer.Option(help="How old recordings may be: 30d, 8w, 1y.")]
WhenExpired = Annotated[Expired, typer.Option("--expired", help="What a recording is that is older.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")]
ConfigFile = Annotated[Path | None, typer.Option(help="Configuration file [default: setu.toml, then XDG].")]


def verify(
    paths: Paths,
    live: Live = False,
    against: Against = None,
    twins: Twins = False,
    only: Only = None,
    max_requests: MaxRequests = 50,
    max_age: MaxAge = None,
    expired: WhenExpired = Expired.WARN,
    strict: Strict = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Tell how the structure of answers has drifted from what is recorded: members, types, events, statuses.

    A new member is information, one that is gone a warning, another type or order of events an error. Exits with 1
    on errors. What a model said, identifiers and counts are not compared. --live makes each recorded call once, however
    often it was recorded. --twins compares values, too: it is about Setu's translators, no provider is asked.
    """
    import asyncio
    from datetime import UTC, datetime

    from setu.cassette.age import aged, parse_age
    from setu.cli.cassettes.rooms import interactions
    from setu.errors import ConfigError

    if live + twins + (against is not None) > 1:
        raise ConfigError("--live, --against and --twins exclude each other")
    if not (live or twins) and against is None and max_age is None:
        raise ConfigError("verify needs --live, --against DIR, --twins or --max-age AGE")
    days = parse_age(max_age) if max_age is not None else None
    everything = [*interactions(paths)]
    recorded = [each for each in everything if _wanted(each, only or ())]
    report = Report()
    if days is not None:
        today = datetime.now(UTC).date()
        level: Level = "error" if expired is Expired.FAIL else "warn"
        report.drifts += [drift for each in recorded for drift in aged(each, days, today, level)]
    if against is not None:
        report.pair(recorded, interactions([against]))
    if live:
        asyncio.run(_ask(report, recorded, paths[0], config, max_requests))
    if twins:
        asyncio.run(_translate(report, everything, only or (), config))
    report.print(as_json=as_json)
    raise typer.Exit(report.status(strict=strict))


class Report:
    """What a comparison has found: drift, how many answers were compared, and why others were not."""

    def __init__(self) -> None:
        self.drifts: list[Drift] = []
        self.compared = 0
        self.skipped: list[tuple[str, str]] = []

    def add(self, recorded: "Interaction", found: "Interaction") -> None:
        from setu.cassette.drift import compare

        self.compared += 1
        self.drifts += compare(recorded, found)

    def pair(self, recorded: "Iterable[Interaction]", others: "Iterable[Interaction]") -> None:
        from setu.cassette.pairing import pairs_of
        from setu.studio import key_of

        for _, old, new in pairs_of(recorded, others, key_of):
            if old is not None and new is not None:
                self.add(old, new)
            elif old is not None:
                self.skipped.append((old.place, "the other side has no recording of this call"))

    def fail(self, place: str, problem: str) -> None:
        from setu.cassette.drift import Drift

        self.drifts.append(Drift(level="error", place=place, pointer="", message=f"could not be asked: {problem}"))

    def status(self, *, strict: bool) -> int:
        return int(any(drift.level == "error" or (strict and drift.level == "warn") for drift in self.drifts))

    def _reasons(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for place, reason in self.skipped:
            found.setdefault(reason, []).append(place)
        return found

    def print(self, *, as_json: bool) -> None:
        import msgspec

        from setu.cli.cassettes.rooms import print_json, table

        counts = {level: sum(drift.level == level for drift in self.drifts) for level in ("error", "warn", "info")}
        if as_json:
            skipped = [{"place": place, "reason": reason} for place, reason in self.skipped]
            drifts = msgspec.to_builtins(self.drifts)
            print_json({"compared": self.compared, "counts": counts, "drift": drifts, "skipped": skipped})
            return
        if self.drifts:
            table(("level", "place", "where", "drift"), ((d.level, d.place, d.pointer, d.message) for d in self.drifts))
        for reason, places in self._reasons().items():
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            say(f"not compared: {places[0]}{more}: {reason}")
        typer.echo(
            f"{self.compared} answers compared, {len(self.skipped)} not: "
            + ", ".join(f"{count} {level}" for level, count in counts.items())
        )


async def _ask(
    report: Report, recorded: "Sequence[Interaction]", directory: Path, config: Path | None, limit: int
) -> None:
    """Make the recorded calls again and compare."""
    import os

    from setu import build, live
    from setu.cli.cassettes.rooms import ticking
    from setu.cli.rooms import note, settings
    from setu.errors import ConfigError
    from setu.studio import Setup, Studio
    from setu.transport.httpx_ import HttpxTransport

    deployed = build.deployments(settings(config, None, None), os.environ)
    wanted, skipped = live.plan(recorded, deployed, limit)
    if not wanted and skipped:
        why = skipped[0]
        raise ConfigError(f"none of {len(skipped)} calls can be made again; {why.recorded.place}: {why.skipped}")
    report.skipped += [(each.recorded.place, each.skipped) for each in skipped]
    transport = HttpxTransport(read_timeouts=build.timeouts(deployed))
    studio = Studio(Setup(directory=directory), live=transport, tell=note)
    with ticking("answers", len(wanted)) as tick:
        async for recording, found, failed, _ in live.ask(studio, wanted, deployed, transport):
            if found is not None:
                report.add(recording, found)
            else:
                report.fail(recording.place, failed)
            tick()


async def _translate(
    report: Report, everything: "Sequence[Interaction]", only: Sequence[str], config: Path | None
) -> None:
    """Make recorded translations again and compare; one that fits by either side is wanted."""
    import os

    from setu import build, twins
    from setu.cli.cassettes.rooms import ticking
    from setu.cli.rooms import settings
    from setu.errors import ConfigError

    found, alone = twins.pairs_of(everything)
    pairs = [pair for pair in found if any(_wanted(side, only) for side in (pair.client, *pair.natives))]
    report.skipped += [(client.place, reason) for client, reason in alone if _wanted(client, only)]
    loaded = settings(config, None, None)
    deployed = build.deployments(loaded, os.environ, offline_key=build.OFFLINE_KEY)
    with ticking("translations", len(pairs)) as tick:
        async for pair, drifts, skipped in twins.regress(pairs, deployed, loaded):
            if skipped:
                report.skipped.append((pair.client.place, skipped))
            else:
                report.compared += 1
                report.drifts += drifts
            tick()
    if not report.compared:
        why = "".join(f"; {place}: {reason}" for place, reason in report.skipped[:1])
        raise ConfigError(f"no translation with both sides among {len(everything)} recordings can be made again{why}")


def _wanted(each: "Interaction", patterns: Sequence[str]) -> bool:
    from fnmatch import fnmatchcase

    from setu.cassette.match import model_of

    if not patterns:
        return True
    request = each.exchange.request
    host = request.origin.partition("://")[2]
    names = (host, each.recording.op, model_of(request) or "", each.place.rpartition(":")[0], each.place)
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
