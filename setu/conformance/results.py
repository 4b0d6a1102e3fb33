"""Results of a run: a status per check, counts per area, two verdicts, one exit code."""

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum

import msgspec

from setu import __version__
from setu.conformance.catalogue import Catalogue, Check, Level
from setu.conformance.judges.finding import Finding
from setu.conformance.provenance import rules_sha, sdks
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


class Verdict(StrEnum):
    """What a run says of its target."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    NOTHING = "nothing ran"


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One judging of one check: `place` names the exchange, `repro` a command that repeats it."""

    check: str
    place: str
    findings: tuple[Finding, ...] = ()
    repro: str | None = None
    error: str | None = None


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """A check's status with what it was observed on; `reason` explains a status that findings do not.

    `held` counts observations without a finding that are not kept, as in a report that was read back.
    """

    check: Check
    status: Status
    observations: tuple[Observation, ...] = ()
    reason: str | None = None
    held: int = 0

    @property
    def broken(self) -> tuple[Observation, ...]:
        return tuple(seen for seen in self.observations if seen.findings or seen.error is not None)

    @property
    def exchanges(self) -> int:
        """How often the check was judged."""
        return len(self.observations) + self.held

    def condensed(self) -> "CheckResult":
        """Return the result with its evidence; what held is only counted."""
        broken = self.broken
        return msgspec.structs.replace(self, observations=broken, held=self.exchanges - len(broken))


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
    """All results against one target; `skipped` gives the reason by scenario that is not about it.

    `target` describes it to a reader, `name` is what it is called in every run (empty: as `target`). `kind` says what
    it is (`provider`, `gateway`, `url`, `recordings`), `mode` how it was asked (`offline`, `two-sided`, `live`,
    `passive`), `fingerprint` what else is known of it (`version`, `url`). `started` is an ISO date-time, empty where
    a run must be the same each time. `untried` are checks of the catalogue without a result, `overdue` expectations
    whose date is past, as sentences by check.
    """

    target: str
    catalogue: str
    results: tuple[CheckResult, ...]
    skipped: Mapping[str, str] = {}
    name: str = ""
    kind: str = "provider"
    mode: str = "offline"
    model: str = ""
    seed: int = 0
    started: str = ""
    fingerprint: Mapping[str, str] = {}
    suite: str = __version__
    schema_sha: str = ""
    sdk: Mapping[str, str] = {}
    untried: tuple[str, ...] = ()
    overdue: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        """What the target is called, the same in every run."""
        return self.name or self.target

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

    @property
    def stale(self) -> Mapping[str, str]:
        """Expectations that must go or be thought over, as sentences by check."""
        passing = {
            result.check.id: f"expected to fail ({result.reason}), but passes: remove the expectation"
            for result in self.results
            if result.status is Status.XPASS
        }
        return {**self.overdue, **passing}

    def verdict(self, *, strict: bool = False) -> Verdict:
        if not self.counts().run:
            return Verdict.NOTHING
        return Verdict.PASS if (self.strict if strict else self.compat) else Verdict.FAIL

    def exit_code(self, *, strict: bool = False) -> Exit:
        match self.verdict(strict=strict):
            case Verdict.NOTHING:
                return Exit.NOTHING
            case Verdict.FAIL:
                return Exit.FAILED
            case _:
                return Exit.STALE if self.stale else Exit.OK

    def by_status(self, profile: str, level: Level) -> Mapping[Status, int]:
        """Count the checks of a profile and a level by status, those without any included."""
        found = [
            result.status for result in self.results if (result.check.profile, result.check.level) == (profile, level)
        ]
        return {status: found.count(status) for status in Status}

    def condensed(self) -> "Run":
        """Return the run by its name and with its evidence; what held is only counted."""
        return msgspec.structs.replace(
            self, name=self.label, results=tuple(result.condensed() for result in self.results)
        )


def collect(
    target: str,
    catalogue: Catalogue,
    observations: Iterable[Observation],
    *,
    unsupported: Mapping[str, str] | None = None,
    inconclusive: Mapping[str, str] | None = None,
    expected: Mapping[str, str] | None = None,
    overdue: Mapping[str, str] | None = None,
    skipped: Mapping[str, str] | None = None,
) -> Run:
    """Sum observations up to one result per check, in the catalogue's order.

    The mappings give reasons by check id; a check that was observed is never unsupported or inconclusive. Checks
    that were neither observed nor named are left out, as `untried`. `overdue` are sentences about expectations whose
    date is past: they still excuse a failure, but the run is stale.

    Raises:
        ConfigError: an observation or a reason names a check that the catalogue does not have.
    """
    seen: dict[str, list[Observation]] = {}
    for observation in observations:
        seen.setdefault(observation.check, []).append(observation)
    named = {Status.UNSUPPORTED: unsupported or {}, Status.INCONCLUSIVE: inconclusive or {}}
    known = catalogue.by_id
    for name in (*seen, *(name for reasons in named.values() for name in reasons), *(expected or {}), *(overdue or {})):
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
    concluded = {result.check.id for result in results}
    return Run(
        target=target,
        catalogue=catalogue.version,
        results=tuple(results),
        skipped=skipped or {},
        schema_sha=rules_sha(),
        sdk=sdks(),
        untried=tuple(check.id for check in catalogue.checks if check.id not in concluded),
        overdue=overdue or {},
    )


def _judged(check: Check, seen: tuple[Observation, ...], expected: str | None) -> CheckResult:
    broken = any(observation.findings for observation in seen)
    if any(observation.error is not None for observation in seen):
        status = Status.ERROR
    elif expected is not None:
        status = Status.XFAIL if broken else Status.XPASS
    elif broken:
        status = Status.FAIL if check.level == "MUST" else Status.WARN
    else:
        status = Status.PASS
    return CheckResult(check=check, status=status, observations=seen, reason=expected)
