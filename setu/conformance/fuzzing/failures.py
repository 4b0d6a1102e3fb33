"""What failed, once for each kind of failure: the smallest request that shows it, and how many did."""

from collections.abc import Callable, Iterable

import msgspec

from setu import _json
from setu.conformance.curl import HIDDEN
from setu.conformance.fuzzing.reduce import reduced
from setu.conformance.judges.finding import Finding
from setu.conformance.judges.view import MISSING, parse
from setu.conformance.tally import Tally
from setu.http import Exchange, Request

REDUCED = 6
"""Failures of one endpoint that are made smaller; a server that fails at everything has more, and all alike."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with an exchange; `kind` tells problems apart that deserve an example each."""

    check: str
    message: str
    kind: str


class Failure(msgspec.Struct, kw_only=True):
    """A kind of failure: its smallest example so far."""

    problem: Problem
    place: str
    exchange: Exchange
    count: int = 1


Ask = Callable[[Request], Iterable[Problem]]
"""Sends a request as before and says what is wrong, with nothing for a request that is no longer of its mode."""


class Failures:
    """The kinds of failure of one endpoint."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Failure] = {}

    def note(self, problem: Problem, exchange: Exchange, place: str) -> None:
        key = (problem.check, problem.kind, place)
        known = self._found.get(key)
        if known is None:
            self._found[key] = Failure(problem=problem, place=place, exchange=exchange)
            return
        known.count += 1
        if _size(exchange) < _size(known.exchange):
            known.problem, known.exchange = problem, exchange

    def report(self, tally: Tally, asks: Callable[[str], Ask], *, tries: int, secrets: frozenset[str]) -> None:
        """Add each kind of failure to a tally; `asks` gives the way to repeat a request of a place."""
        for index, failure in enumerate(self._found.values()):
            request = failure.exchange.request
            if index < REDUCED and tries:
                request = smallest(request, failure.problem, asks(failure.place), tries)
            times = f" (the smallest of {failure.count})" if failure.count > 1 else ""
            finding = Finding(failure.problem.check, f"{failure.problem.message}{times}")
            tally.add(failure.problem.check, [finding], failure.place, _shown(request, secrets))


def _size(exchange: Exchange) -> int:
    body = exchange.request.body
    return len(body) if isinstance(body, bytes) else 0


def _shown(request: Request, secrets: frozenset[str]) -> Request:
    """Return a request without the values of headers that are nobody's business."""
    headers = request.headers.copy()
    for name in secrets:
        headers.set(name, HIDDEN)
    return msgspec.structs.replace(request, headers=headers)


def smallest(request: Request, problem: Problem, ask: Ask, tries: int) -> Request:
    """Return the smallest request found that has the same problem."""
    body = request.body
    value = parse(body) if isinstance(body, bytes) and body else MISSING
    if value is MISSING:
        return request

    def still(smaller: object) -> bool:
        asked = msgspec.structs.replace(request, body=_json.encode(smaller))
        return any((found.check, found.kind) == (problem.check, problem.kind) for found in ask(asked))

    return msgspec.structs.replace(request, body=_json.encode(reduced(value, still, tries)))
