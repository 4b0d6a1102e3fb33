"""What the checks said, run by run, and whose fault it was."""

from collections.abc import Iterable, Mapping

import msgspec

from setu.conformance.judges.finding import Finding
from setu.conformance.judges.registry import judge
from setu.http import Exchange

FORWARDED = ("PRX-004", "XLT-")
"""Checks of the request that went upstream; on the identity path it is the client's own."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A check that ran: what it found, where, and whether the upstream is to blame for it."""

    check: str
    place: str
    findings: tuple[Finding, ...] = ()
    upstream: bool = False


class Tally:
    """Collects entries in the order they come."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, check: str, findings: Iterable[Finding], place: str, *, upstream: bool = False) -> None:
        self.entries.append(Entry(check=check, place=place, findings=tuple(findings), upstream=upstream))

    def judge(self, exchange: Exchange, place: str, *, same: bool) -> frozenset[str]:
        """Run every judge over an exchange; return the checks that applied.

        `same` says that client and upstream speak one dialect. Then the gateway passes bytes: a fault that the
        upstream's own answer has already is the upstream's, and the forwarded request is the client's.
        """
        verdicts = judge(exchange)
        theirs = self._upstreams(exchange) if same else {}
        for check, findings in verdicts.items():
            if same and check.startswith(FORWARDED):
                continue
            self.add(check, findings, place, upstream=bool(findings) and bool(theirs.get(check)))
        return frozenset(verdicts)

    @staticmethod
    def _upstreams(exchange: Exchange) -> Mapping[str, list[Finding]]:
        if not exchange.upstream:
            return {}
        theirs = exchange.upstream[0]
        # Judged as if the client had asked the upstream itself: same question, the upstream's answer.
        return judge(msgspec.structs.replace(theirs, request=exchange.request, upstream=()))
