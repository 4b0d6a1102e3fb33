"""Results of a run: a status per check, counts per area, two verdicts, one exit code."""

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum

import msgspec

from setu.conformance.catalogue import Catalogue, Check
from setu.conformance.judges.finding import Finding
from setu.errors import ConfigError


class Status(StrEnum):
    """What became of a check.

    `fail` is a broken MUST, `warn` a broken SHOULD or MAY; `inconclusive` means that the model did not cooperate,
    `unsupported` that the target declares not to have it, `error` that it could not be judged (a missing recording).
    `xfail` failed as expected, `xpass` was expected to fail and did not: the expectation is stale.
    """

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    WARN = "warn"
    UNSUPPORTED = "unsupported"
    INCONCLUSIVE = "inconclusive"
    XFAIL = "xfail"
    XPASS = "xpass"
    ERROR = "error"


class Exit(IntEnum):
    """Exit codes of a run; `FAILED` outranks `STALE`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    STALE = 4
    NOTHING = 5


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One judging of one check: `place` names the exchange, `repro` a command that repeats it."""

    check: str
    place: str
    findings: tuple[Finding, ...] = ()
    repro: str | None = None
    error: str | None = None


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """A check's status with what it was observed on; `reason` explains a status that findings do not."""

    check: Check
    status: Status
    observations: tuple[Observation, ...] = ()
    reason: str | None = None

    @property
    def broken(self) -> tuple[Observation, ...]:
        return tuple(seen for seen in self.observations if seen.findings or seen.error)


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Checks of one area; `run` are those that were judged, xfail and xpass included, and those in error."""

    run: int = 0
    passed: int = 0
    failed: int = 0
    warned: int = 0
    unsupported: int = 0
    inconclusive: int = 0


_JUDGED = frozenset({Status.PASS, Status.FAIL, Status.WARN, Status.XFAIL, Status.XPASS, Status.ERROR})
_PASSED = frozenset({Status.PASS, Status.XPASS})
_FAILED = frozenset({Status.FAIL, Status.ERROR})


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """All results against one target; `skipped` gives the reason by scenario that is not about it."""

    target: str
    catalogue: str
    results: tuple[CheckResult, ...]
    skipped: Mapping[str, str] = {}

    @property
    def areas(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(result.check.area for result in self.results))

    def counts(self, area: str | None = None) -> Counts:
        """Count the results of an area, or of all."""
        statuses = [result.status for result in self.results if area in (None, result.check.area)]
        return Counts(
            run=sum(status in _JUDGED for status in statuses),
            passed=sum(status in _PASSED for status in statuses),
            failed=sum(status in _FAILED for status in statuses),
            warned=sum(status in (Status.WARN, Status.XFAIL) for status in statuses),
            unsupported=statuses.count(Status.UNSUPPORTED),
            inconclusive=statuses.count(Status.INCONCLUSIVE),
        )

    @property
    def compat(self) -> bool:
        """Every judged MUST holds, or failed as expected."""
        return not any(result.status in _FAILED for result in self.results)

    @property
    def strict(self) -> bool:
        """Every judged MUST and SHOULD holds, or failed as expected."""
        return self.compat and not any(
            result.status is Status.WARN and result.check.level == "SHOULD" for result in self.results
        )

    def exit_code(self, *, strict: bool = False) -> Exit:
        if not self.counts().run:
            return Exit.NOTHING
        if not (self.strict if strict else self.compat):
            return Exit.FAILED
        stale = any(result.status is Status.XPASS for result in self.results)
        return Exit.STALE if stale else Exit.OK


def collect(
    target: str,
    catalogue: Catalogue,
    observations: Iterable[Observation],
    *,
    unsupported: Mapping[str, str] | None = None,
    inconclusive: Mapping[str, str] | None = None,
    expected: Mapping[str, str] | None = None,
    skipped: Mapping[str, str] | None = None,
) -> Run:
    """Sum observations up to one result per check, in the catalogue's order.

    The mappings give reasons by check id; a check that was observed is never unsupported or inconclusive. Checks
    that were neither observed nor named are left out.

    Raises:
        ConfigError: an observation or a reason names a check that the catalogue does not have.
    """
    seen: dict[str, list[Observation]] = {}
    for observation in observations:
        seen.setdefault(observation.check, []).append(observation)
    named = {Status.UNSUPPORTED: unsupported or {}, Status.INCONCLUSIVE: inconclusive or {}}
    known = catalogue.by_id
    for name in (*seen, *(name for reasons in named.values() for name in reasons), *(expected or {})):
        if name not in known:
            raise ConfigError(f"the catalogue has no check {name}")
    results: list[CheckResult] = []
    for check in catalogue.checks:
        if check.id in seen:
            results.append(_judged(check, tuple(seen[check.id]), (expected or {}).get(check.id)))
            continue
        for status, reasons in named.items():
            if check.id in reasons:
                results.append(CheckResult(check=check, status=status, reason=reasons[check.id]))
                break
    return Run(target=target, catalogue=catalogue.version, results=tuple(results), skipped=skipped or {})


def _judged(check: Check, seen: tuple[Observation, ...], expected: str | None) -> CheckResult:
    broken = any(observation.findings for observation in seen)
    if any(observation.error for observation in seen):
        status = Status.ERROR
    elif expected is not None:
        status = Status.XFAIL if broken else Status.XPASS
    elif broken:
        status = Status.FAIL if check.level == "MUST" else Status.WARN
    else:
        status = Status.PASS
    return CheckResult(check=check, status=status, observations=seen, reason=expected)
