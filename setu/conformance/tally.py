"""What the checks said, run by run, and whose fault it was."""

from collections.abc import Container, Iterable, Mapping

import msgspec

from setu.conformance.curl import curl
from setu.conformance.judges.finding import Finding
from setu.conformance.judges.registry import judge
from setu.conformance.results import Observation
from setu.http import Exchange, Request

FORWARDED = ("PRX-004", "XLT-")
"""Checks of the request that went upstream; on the identity path it is the client's own."""


class Tally:
    """Collects observations in the order they come; `upstreams` are faults that the upstream's bytes had already."""

    def __init__(self, *, keep: bool = False) -> None:
        self.kept: list[tuple[str, Exchange]] = []
        """Exchanges with their places, if they are to be kept."""
        self._keep = keep
        self.observations: list[Observation] = []
        self.upstreams: list[Observation] = []
        self.inconclusive: dict[str, str] = {}
        """Checks on which the subject did not cooperate, with the reason."""
        self.unsupported: dict[str, str] = {}
        """Checks about what the subject declares not to have."""
        self.skipped: dict[str, str] = {}
        """Scenarios that are not about this target, with the reason."""

    def add(self, check: str, findings: Iterable[Finding], place: str, again: Request | None = None) -> None:
        """Note one judging of a check; `again` is the request that repeats what was found."""
        found = tuple(findings)
        repro = curl(again) if again is not None and found else None
        self.observations.append(Observation(check=check, place=place, findings=found, repro=repro))

    def keep(self, place: str, exchange: Exchange) -> None:
        """Note an exchange for whoever wants to judge it again."""
        if self._keep:
            self.kept.append((place, exchange))

    def fault(self, check: str, error: str, place: str) -> None:
        """Note that a check could not be judged."""
        self.observations.append(Observation(check=check, place=place, error=error))

    def judge(
        self,
        exchange: Exchange,
        place: str,
        *,
        same: bool,
        again: Request | None = None,
        but: Container[str] = (),
    ) -> frozenset[str]:
        """Run every judge over an exchange, `but` some; return the checks that applied.

        `same` says that client and upstream speak one dialect. Then the gateway passes bytes: a fault that the
        upstream's own answer has already is the upstream's, and the forwarded request is the client's.
        """
        verdicts = {check: found for check, found in judge(exchange).items() if check not in but}
        theirs = _upstreams(exchange) if same else {}
        for check, findings in verdicts.items():
            if same and check.startswith(FORWARDED):
                continue
            if findings and theirs.get(check):
                self.upstreams.append(Observation(check=check, place=place, findings=tuple(findings)))
            else:
                self.add(check, findings, place, again)
        return frozenset(verdicts)


def _upstreams(exchange: Exchange) -> Mapping[str, list[Finding]]:
    if not exchange.upstream:
        return {}
    # By what the upstream itself was asked: a gateway that asks for more, or for something else, answers for that.
    return judge(msgspec.structs.replace(exchange.upstream[0], upstream=()))
