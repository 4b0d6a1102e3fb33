"""The resilience verdict: what a client did with the failures it was given, judged from what it sent.

Only what can be seen on the wire is judged, and how the process ended where it was started by Setu; each finding says
on what it rests. Requests with the same match key are the attempts of one call as long as each comes after the failure
of the one before it; what comes after a whole answer is a new call.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from setu import _json
from setu.cassette.journal import Served
from setu.http import Ending

Level = Literal["fail", "info"]

RETRYABLE = frozenset({408, 409, 429})
"""Statuses below 500 that clients retry, as OpenAI's and Anthropic's do; of those from 500 on they retry all."""

SLACK_MS = 50
"""How much sooner than told a retry may come: timers and clocks are not exact."""

HASTE_MS = 100
"""A retry that comes sooner than this after a failure has not backed off."""

MAX_RETRIES = 5

CHECKS = {
    "retried": "a failure that may pass (408, 409, 429, 5xx) was tried again",
    "not-retried": "an error that will not pass (400, 401, 403, 404, 413, 422, 424) was not tried again",
    "retry-after": "the client waited as long as it was told to",
    "backoff": "the client waited before it tried again",
    "stopped": "the client stopped trying in time",
    "success-kept": "the client did not ask again for what it had got",
    "truncation": "an answer that was not whole was not taken for one",
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a client may do: retries of one call, milliseconds to be early, milliseconds that are no backing off."""

    max_retries: int = MAX_RETRIES
    slack_ms: int = SLACK_MS
    haste_ms: int = HASTE_MS


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A finding: which check, whether it fails, which requests (numbers of the journal), and on what it rests."""

    check: str
    level: Level
    call: str
    requests: tuple[int, ...]
    message: str
    basis: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was judged: by check how often there was something to judge, and what was found.

    `exit_status` is None where no command was run.
    """

    calls: int
    requests: int
    judged: dict[str, int]
    findings: tuple[Judged, ...] = ()
    exit_status: int | None = None

    @property
    def ok(self) -> bool:
        return not any(finding.level == "fail" for finding in self.findings)

    def report(self) -> dict[str, Any]:
        """Return the verdict as a JSON document."""
        checks = [
            {"check": check, "asks": asks, "judged": self.judged[check], "failed": self._failed(check)}
            for check, asks in CHECKS.items()
        ]
        return {
            "ok": self.ok,
            "calls": self.calls,
            "requests": self.requests,
            "exit_status": self.exit_status,
            "checks": checks,
            "findings": [msgspec.to_builtins(finding) for finding in self.findings],
        }

    def to_json(self) -> bytes:
        return _json.encode(self.report())

    def table(self) -> str:
        """Return the verdict as text: a line for each check, then the findings."""
        lines = [f"resilience: {'ok' if self.ok else 'not ok'} ({self.calls} calls, {self.requests} requests)"]
        lines += [self._row(check, asks) for check, asks in CHECKS.items()]
        for finding in self.findings:
            where = ", ".join(f"#{n}" for n in finding.requests)
            lines += [f"  {finding.level}: {finding.check}: {finding.call} ({where})", f"    {finding.message}"]
            lines.append(f"    basis: {finding.basis}")
        return "\n".join(lines)

    def _failed(self, check: str) -> int:
        return sum(finding.check == check and finding.level == "fail" for finding in self.findings)

    def _row(self, check: str, asks: str) -> str:
        judged, failed = self.judged[check], self._failed(check)
        mark = "-" if not judged else "FAIL" if failed else "ok"
        return f"  {mark:4}  {check:12}  {judged - failed}/{judged}  {asks}"


class Call(msgspec.Struct, frozen=True):
    """The attempts of one call, in order."""

    attempts: tuple[Served, ...]

    @property
    def name(self) -> str:
        first = self.attempts[0]
        return " ".join(filter(None, (first.method, first.path, first.model, first.scope)))

    @property
    def pairs(self) -> Iterator[tuple[Served, Served]]:
        """Each attempt with the one that followed it."""
        return zip(self.attempts, self.attempts[1:], strict=False)


def verdict(entries: Iterable[Served], *, exit_status: int | None = None, limits: Limits = Limits()) -> Verdict:  # noqa: B008  # a frozen value
    """Judge a client by the requests it made; `exit_status` is that of the process that made them."""
    entries = sorted(entries, key=lambda entry: entry.n)
    calls = calls_of(entries)
    judged = dict.fromkeys(CHECKS, 0)
    findings: list[Judged] = []
    for call in calls:
        for check, judge in _JUDGES.items():
            for found in judge(call, limits, exit_status):
                judged[check] += 1
                if found is not None:
                    findings.append(found)
    return Verdict(
        calls=len(calls), requests=len(entries), judged=judged, findings=tuple(findings), exit_status=exit_status
    )


def calls_of(entries: Sequence[Served]) -> list[Call]:
    """Put the attempts of each call together; requests side by side are calls of their own."""
    waiting: defaultdict[tuple[str, str], list[list[Served]]] = defaultdict(list)
    found: list[list[Served]] = []
    for entry in entries:
        others = waiting[entry.scope, entry.key]
        call = _continued(others, entry)
        if call is None:
            call = []
            found.append(call)
            # Of calls that were answered only the last can still be asked for again; that keeps this short.
            others[:] = [other for other in others if not _answered(other[-1], entry)]
            others.append(call)
        call.append(entry)
    return [Call(tuple(call)) for call in found]


def failed(entry: Served) -> bool:
    """Say whether an answer is not what the client asked for: an error, or not whole."""
    return entry.status >= 400 or _not_whole(entry)


def _continued(calls: Sequence[list[Served]], entry: Served) -> list[Served] | None:
    """Return the call that a request is the next attempt of: one that has failed, or whichever where it says so."""
    over = [call for call in calls if call[-1].ended and call[-1].done_ms <= entry.at_ms]
    lost = next((call for call in over if failed(call[-1])), None)
    return lost or (over[-1] if over and entry.attempt else None)


def _answered(last: Served, entry: Served) -> bool:
    return bool(last.ended) and last.done_ms <= entry.at_ms and not failed(last)


def _may_pass(entry: Served) -> bool:
    return entry.status in RETRYABLE or entry.status >= 500


def _final(entry: Served) -> bool:
    return 400 <= entry.status < 500 and not _may_pass(entry)


def _not_whole(entry: Served) -> bool:
    """Say whether the client got less than an answer; one that it left itself is its own choice."""
    return entry.broken or entry.ended not in ("", Ending.COMPLETE)


def _cut_short(entry: Served) -> bool:
    """Say whether an answer that was no error broke off, not by the client's doing."""
    return entry.status < 400 and _not_whole(entry) and entry.ended != Ending.CLOSED_BY_CLIENT


Found = Iterator[Judged | None]
"""What a check finds in a call: None where it had something to judge and all was well."""


def _retried(call: Call, _limits: Limits, _status: int | None) -> Found:
    last = call.attempts[-1]
    for failure, _ in call.pairs:
        if _may_pass(failure):
            yield None
    if not _may_pass(last):
        return
    if len(call.attempts) > 1:
        yield None  # it did try again; whether it stopped too soon is nobody's to say
    else:
        yield _finding("retried", call, (last,), f"gave up at the first {last.status}", _NO_MORE)


def _not_retried(call: Call, _limits: Limits, _status: int | None) -> Found:
    for failure, retry in call.pairs:
        if not _final(failure):
            continue
        level: Level = "info" if retry.attempt == 0 else "fail"
        basis = "the client says itself that it is a retry" if retry.attempt else "the same request came again"
        if retry.attempt == 0:
            basis = "the same request came again; the client calls it a first attempt, so it may be a call of its own"
        yield _finding("not-retried", call, (failure, retry), f"asked again after {failure.status}", basis, level)
    if _final(call.attempts[-1]):
        yield None


def _waited(call: Call, limits: Limits, _status: int | None) -> Found:
    for failure, retry in call.pairs:
        if failure.retry_after_ms is None or not _may_pass(failure):
            continue
        gap = retry.at_ms - failure.done_ms
        if gap >= failure.retry_after_ms - limits.slack_ms:
            yield None
        else:
            said = f"came back after {gap} ms, told to wait {failure.retry_after_ms} ms"
            yield _finding("retry-after", call, (failure, retry), said, _GAP)


def _backed_off(call: Call, limits: Limits, _status: int | None) -> Found:
    for failure, retry in call.pairs:
        if not _may_pass(failure) or failure.retry_after_ms is not None:
            continue
        gap = retry.at_ms - failure.done_ms
        said = f"came back {gap} ms after a {failure.status}"
        yield None if gap >= limits.haste_ms else _finding("backoff", call, (failure, retry), said, _GAP)


def _stopped(call: Call, limits: Limits, _status: int | None) -> Found:
    retries = len(call.attempts) - 1
    if not retries:
        return
    said = f"tried {retries} times more, allowed are {limits.max_retries}"
    yield None if retries <= limits.max_retries else _finding("stopped", call, call.attempts, said, "requests counted")


def _kept(call: Call, _limits: Limits, _status: int | None) -> Found:
    for answer, retry in call.pairs:
        if not failed(answer):
            basis = "the client says itself that it is a retry"
            yield _finding("success-kept", call, (answer, retry), "asked again after a whole answer", basis)
    if not failed(call.attempts[-1]):
        yield None


def _noticed(call: Call, _limits: Limits, status: int | None) -> Found:
    for answer, _ in call.pairs:
        if _cut_short(answer):
            yield None
    last = call.attempts[-1]
    if not _cut_short(last):
        return
    cause = last.fault or f"the recording's end ({last.ended})"
    if status is None:
        said = f"an answer that was not whole ({cause}) was not asked for again"
        basis = "the wire does not show what the client made of it; run the client by `-- COMMAND` to have it judged"
        yield _finding("truncation", call, (last,), said, basis, "info")
    elif status == 0:
        said = f"an answer that was not whole ({cause}) was taken for one"
        yield _finding("truncation", call, (last,), said, "no retry, and the process ended with status 0")
    else:
        yield None


_NO_MORE = "no request with the same content followed"
_GAP = "time from the end of the failed answer to the arrival of the next request"

_JUDGES: dict[str, Callable[[Call, Limits, int | None], Found]] = {
    "retried": _retried,
    "not-retried": _not_retried,
    "retry-after": _waited,
    "backoff": _backed_off,
    "stopped": _stopped,
    "success-kept": _kept,
    "truncation": _noticed,
}


def _finding(
    check: str, call: Call, entries: Sequence[Served], message: str, basis: str, level: Level = "fail"
) -> Judged:
    return Judged(
        check=check,
        level=level,
        call=call.name,
        requests=tuple(entry.n for entry in entries),
        message=message,
        basis=basis,
    )
