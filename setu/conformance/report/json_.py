"""The JSON report `setu.conformance/1`, written and read; `conformance/report.schema.json` is its schema.

One run is one document; several stand in `runs` of one. Of exchanges that hold a report has the number, of those that
break a check all the evidence: whatever else reports say can be made from it again.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec

from setu import _json
from setu.conformance.catalogue import Check, Level
from setu.conformance.judges.finding import Finding
from setu.conformance.report.limits import limits
from setu.conformance.results import CheckResult, Observation, Run, Status
from setu.errors import ConfigError

SCHEMA = "setu.conformance/1"

_OF_A_CHECK = frozenset(field.name for field in msgspec.structs.fields(Check))


def render(runs: Sequence[Run]) -> str:
    """Return the report as text, the same for the same runs."""
    documents = [document(run) for run in runs]
    whole = documents[0] if len(documents) == 1 else {"schema": SCHEMA, "runs": documents}
    text = json.dumps(whole, ensure_ascii=False, indent=2) + "\n"
    # Evidence may hold a lone surrogate, which no file can.
    return text.encode("utf-8", "replace").decode()


def document(run: Run) -> dict[str, Any]:
    """Return the document of one run."""
    return {
        "schema": SCHEMA,
        "catalogue": run.catalogue,
        "suite": run.suite,
        "schema_sha": run.schema_sha,
        "sdk": dict(run.sdk),
        "target": {
            "kind": run.kind,
            "name": run.label,
            "description": run.target,
            "mode": run.mode,
            "model": run.model,
            "fingerprint": dict(run.fingerprint),
        },
        "seed": run.seed,
        "started": run.started,
        "verdicts": {"compat": run.verdict().value, "strict": run.verdict(strict=True).value},
        "summary": _summary(run),
        "checks": [_check(result) for result in run.results],
        "skipped": dict(run.skipped),
        "overdue": dict(run.overdue),
        "limits": {"untried": list(run.untried), "sentences": list(limits(run))},
    }


def _summary(run: Run) -> dict[str, Any]:
    """Count by profile, level and status."""
    profiles = dict.fromkeys(result.check.profile for result in run.results)
    return {
        profile: {
            level: {status.value: number for status, number in counted.items()}
            for level in get_args(Level)
            if sum((counted := run.by_status(profile, level)).values())
        }
        for profile in profiles
    }


def _check(result: CheckResult) -> dict[str, Any]:
    broken = result.broken
    repro = next((seen.repro for seen in broken if seen.repro is not None), None)
    found: dict[str, Any] = msgspec.to_builtins(result.check)
    found |= {"status": result.status.value, "exchanges": result.exchanges}
    found |= _given(reason=result.reason, repro=repro)
    found["findings"] = [entry for index, seen in enumerate(broken) for entry in _findings(index, seen)]
    return found


def _findings(index: int, seen: Observation) -> list[dict[str, Any]]:
    where = {"place": seen.place, "exchange": index} | _given(repro=seen.repro)
    errors = [] if seen.error is None else [{"message": seen.error, "error": True, "evidence": where}]
    return errors + [
        {
            "message": found.message,
            **_given(path=found.path, got=found.got, want=found.want),
            "evidence": where | _given(event=found.event, bytes=found.span and list(found.span)),
        }
        for found in seen.findings
    ]


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


class _Evidence(msgspec.Struct):
    place: str
    exchange: int
    event: int | None = None
    bytes: tuple[int, int] | None = None
    repro: str | None = None


class _Finding(msgspec.Struct):
    message: str
    evidence: _Evidence
    path: str | None = None
    got: str | None = None
    want: str | None = None
    error: bool = False


class _Judged(msgspec.Struct):
    status: Status
    exchanges: int
    findings: tuple[_Finding, ...]
    reason: str | None = None


class _Target(msgspec.Struct):
    kind: str
    name: str
    description: str
    mode: str
    model: str = ""
    fingerprint: dict[str, str] = {}


class _Limits(msgspec.Struct, frozen=True):
    untried: tuple[str, ...] = ()


class _Report(msgspec.Struct):
    catalogue: str
    suite: str
    schema_sha: str
    target: _Target
    seed: int
    checks: tuple[dict[str, Any], ...]
    sdk: dict[str, str] = {}
    started: str = ""
    skipped: dict[str, str] = {}
    overdue: dict[str, str] = {}
    limits: _Limits = _Limits()


def read(path: Path) -> tuple[Run, ...]:
    """Return the runs of a report in a file, with their evidence; see `loads`."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    return loads(text, str(path))


def loads(text: bytes | str, name: str) -> tuple[Run, ...]:
    """Return the runs of a report: what was written, condensed. Members of later versions are passed over.

    Raises:
        ConfigError: it is no such report; says where.
    """
    try:
        whole = _json.decode(text)
        _claims(whole)
        return tuple(_run(each) for each in whole.get("runs", [whole]))
    except (_json.JsonError, msgspec.ValidationError, TypeError) as error:
        raise ConfigError(f"{name}: not a {SCHEMA} report: {error}") from None


def _claims(value: Any) -> None:
    claimed = value.get("schema") if isinstance(value, dict) else None
    if claimed != SCHEMA:
        raise msgspec.ValidationError(f"its schema is {claimed!r}")


def _run(value: Any) -> Run:
    _claims(value)
    found = msgspec.convert(value, _Report)
    target = found.target
    return Run(
        target=target.description,
        catalogue=found.catalogue,
        results=tuple(_result(check) for check in found.checks),
        skipped=found.skipped,
        name=target.name,
        kind=target.kind,
        mode=target.mode,
        model=target.model,
        seed=found.seed,
        started=found.started,
        fingerprint=target.fingerprint,
        suite=found.suite,
        schema_sha=found.schema_sha,
        sdk=found.sdk,
        untried=found.limits.untried,
        overdue=found.overdue,
    )


def _result(value: Mapping[str, Any]) -> CheckResult:
    check = msgspec.convert({name: each for name, each in value.items() if name in _OF_A_CHECK}, Check)
    judged = msgspec.convert(value, _Judged)
    observations = _observations(check.id, judged.findings)
    return CheckResult(
        check=check,
        status=judged.status,
        observations=observations,
        reason=judged.reason,
        held=max(0, judged.exchanges - len(observations)),
    )


def _observations(check: str, findings: Sequence[_Finding]) -> tuple[Observation, ...]:
    """Put findings together again by the exchange that they were found in."""
    exchanges: dict[int, list[_Finding]] = {}
    for found in findings:
        exchanges.setdefault(found.evidence.exchange, []).append(found)
    return tuple(
        Observation(
            check=check,
            place=found[0].evidence.place,
            findings=tuple(_finding(check, each) for each in found if not each.error),
            repro=found[0].evidence.repro,
            error=next((each.message for each in found if each.error), None),
        )
        for found in exchanges.values()
    )


def _finding(check: str, found: _Finding) -> Finding:
    return Finding(
        check,
        found.message,
        path=found.path,
        got=found.got,
        want=found.want,
        event=found.evidence.event,
        span=found.evidence.bytes,
    )
