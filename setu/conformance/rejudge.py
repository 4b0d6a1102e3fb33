"""Keep what a run saw, and judge it again with a newer catalogue: a run folder is `report.json` and `cassettes/`.

What is kept is redacted like every recording. What redaction hides, what needs several exchanges and what only a probe
can conclude on cannot be told from recordings: there the old results stand, and say so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from setu.cassette.formats.intake import Intake
from setu.cassette.gate import safe
from setu.cassette.model import Interaction, Recording, Side
from setu.cassette.shelf import cassette_files, read_cassette, verified_block, write_blocks
from setu.conformance.catalogue import Catalogue, load
from setu.conformance.judges.view import View
from setu.conformance.probes.registry import PROBES
from setu.conformance.report import json_
from setu.conformance.results import CheckResult, Observation, Run, Status, collect
from setu.conformance.tally import Tally
from setu.errors import CassetteNotFoundError, ConfigError
from setu.http import Exchange

REPORT = "report.json"
CASSETTES = "cassettes"

_HIDDEN = frozenset({"AUTH-004", "AUTH-005", "ERR-012"})
"""Checks for what redaction takes out."""
_PROBED = frozenset(check for probe in PROBES for check in probe.checks)
_ABOUT = ("name", "kind", "mode", "model", "seed", "started", "fingerprint")
"""Members of a run that judging it again does not change."""
_NAMED = {Status.UNSUPPORTED, Status.INCONCLUSIVE}


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What exchanges do not say of themselves: the `places` they were judged at, one each, and secrets in use."""

    places: tuple[str, ...]
    secrets: tuple[str, ...] = ()


def save(folder: Path, exchanges: Sequence[Exchange], meta: Meta) -> None:
    """Write the exchanges that a run judged as cassettes: both sides of each, linked as twins; without secrets.

    An exchange that never got an answer's head is left out: there is nothing to judge.

    Raises:
        CassetteError: a file cannot be written.
        ValueError: not one place for each exchange.
    """
    files: dict[str, list[str]] = {}
    for number, (exchange, place) in enumerate(zip(exchanges, meta.places, strict=True)):
        for side, heard in _sides(exchange):
            recording = Recording(side=side, twin=f"{number:06} {place}", recorded=_today())
            alone = msgspec.structs.replace(heard, upstream=())
            kept = Intake(secrets=meta.secrets).take_in(Interaction(exchange=alone, recording=recording))
            name = f"{side}/{kept.recording.op or 'raw'}.yaml"
            files.setdefault(name, []).append(safe(kept, verified_block, meta.secrets)[1])
    for name, blocks in files.items():
        write_blocks(folder / CASSETTES / name, blocks)


def saved(folder: Path) -> list[tuple[str, Exchange]]:
    """Return what `save` kept, in its order: each exchange with its place, and with what was sent upstream for it.

    Raises:
        CassetteNotFoundError: nothing was kept.
        CassetteDecodeError: a file is not a cassette.
    """
    clients: dict[str, Exchange] = {}
    upstream: dict[str, list[Exchange]] = {}
    for file in cassette_files(folder / CASSETTES):
        for interaction in read_cassette(file):
            twin, side = interaction.recording.twin or interaction.place, interaction.recording.side
            if side == "client":
                clients[twin] = interaction.exchange
            else:
                upstream.setdefault(twin, []).append(interaction.exchange)
    return [
        (twin.partition(" ")[2] or twin, msgspec.structs.replace(clients[twin], upstream=tuple(upstream.get(twin, ()))))
        for twin in sorted(clients)
    ]


def run(folder: Path, *, catalogue: Catalogue | None = None) -> Run:
    """Judge a saved run anew.

    Raises:
        ConfigError: the folder has no report of one run.
        CassetteError: it is not there, or its cassettes are not or cannot be read.
    """
    if not folder.is_dir():
        raise CassetteNotFoundError(f"no saved run at {folder}")
    before = _report(folder / REPORT)
    catalogue = catalogue or load()
    anew = [seen for seen in _anew(folder) if seen.check in catalogue.by_id]
    recomputed = {seen.check for seen in anew if _is_told(seen.check, catalogue)}
    known, gone = _parted([result for result in before.results if result.check.id not in recomputed], catalogue)
    observed = [seen for result in known for seen in _observed(result)]
    after = collect(
        before.target,
        catalogue,
        [*_news(anew, recomputed, known), *observed],
        unsupported=_named(known, Status.UNSUPPORTED),
        inconclusive=_named(known, Status.INCONCLUSIVE),
        expected=_expected(before, catalogue),
        overdue={check: why for check, why in before.overdue.items() if check in catalogue.by_id},
        skipped={**before.skipped, **gone},
    )
    carried = {result.check.id: result for result in known}
    return msgspec.structs.replace(
        after,
        results=tuple(_marked(result, carried.get(result.check.id)) for result in after.results),
        **{name: getattr(before, name) for name in _ABOUT},
    )


def _anew(folder: Path) -> list[Observation]:
    tally = Tally()
    for place, exchange in saved(folder):
        tally.judge(exchange, place, same=_speaks_upstreams(exchange), again=exchange.request)
    return tally.observations


def _news(anew: Iterable[Observation], recomputed: set[str], known: Iterable[CheckResult]) -> list[Observation]:
    """Return the new observations; where old ones stand, too, only what they do not say yet."""
    said = {(result.check.id, seen.place) for result in known for seen in result.broken}
    told = {result.check.id for result in known}
    return [
        seen
        for seen in anew
        if seen.check in recomputed
        or seen.check not in told
        or (seen.findings and (seen.check, seen.place) not in said)
    ]


def _sides(exchange: Exchange) -> Iterator[tuple[Side, Exchange]]:
    if exchange.status:
        yield "client", exchange
        yield from (("upstream", sent) for sent in exchange.upstream if sent.status)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _report(path: Path) -> Run:
    runs = json_.read(path)
    if len(runs) != 1:
        raise ConfigError(f"{path}: the report of one run is wanted, not of {len(runs)}")
    return runs[0]


def _speaks_upstreams(exchange: Exchange) -> bool:
    """Tell whether the gateway passed bytes: then their faults are the upstream's."""
    if not exchange.upstream:
        return False
    dialect = View(exchange).dialect
    return dialect is not None and dialect == View(exchange.upstream[-1]).dialect


def _is_told(check: str, catalogue: Catalogue) -> bool:
    """Tell whether recordings alone decide a check; what a probe concludes on may have taken more than one exchange."""
    row = catalogue.by_id.get(check)
    passive = row is not None and row.kind == "passive"
    return check not in _HIDDEN and (passive or check not in _PROBED)


def _parted(results: Iterable[CheckResult], catalogue: Catalogue) -> tuple[list[CheckResult], dict[str, str]]:
    """Part results whose check still exists from reasons why the others are gone."""
    known = [result for result in results if result.check.id in catalogue.by_id]
    return known, {
        result.check.id: f"not in catalogue {catalogue.version}, was {result.status.value}"
        for result in results
        if result.check.id not in catalogue.by_id
    }


def _observed(result: CheckResult) -> Iterator[Observation]:
    """Yield what an old result rests on; that something held is told by one observation without a finding."""
    if result.status not in _NAMED:
        yield from result.broken
        if result.exchanges > len(result.broken) or not result.broken:
            yield Observation(check=result.check.id, place="")


def _named(results: Iterable[CheckResult], status: Status) -> Mapping[str, str]:
    return {result.check.id: result.reason or "" for result in results if result.status is status}


def _expected(before: Run, catalogue: Catalogue) -> Mapping[str, str]:
    excused = (result for result in before.results if result.status in (Status.XFAIL, Status.XPASS))
    return {result.check.id: result.reason or "" for result in excused if result.check.id in catalogue.by_id}


def _marked(result: CheckResult, old: CheckResult | None) -> CheckResult:
    """Say of a result that it, or a part of it, is the old one."""
    if old is None or result.status in _NAMED:
        return result
    told = tuple(seen for seen in result.observations if seen.place or seen.findings or seen.error is not None)
    reason = "; ".join(filter(None, (old.reason, "carried over: recordings alone do not tell")))
    return msgspec.structs.replace(result, observations=told, held=old.exchanges - len(old.broken), reason=reason)
