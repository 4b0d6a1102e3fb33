"""What a judge says, and how a rule becomes one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from setu._json import JsonError, encode
from setu.conformance.judges.view import Event, View
from setu.http import Exchange

_SHOWN = 120


class Finding(msgspec.Struct, frozen=True):
    """One departure from a check, with the evidence.

    `path` is a JSON path into the document (or into event `event`), `span` the half-open byte range of the body
    that holds the evidence; `got` and `want` are short JSON texts.
    """

    check: str
    message: str
    path: str | None = None
    got: str | None = None
    want: str | None = None
    event: int | None = None
    span: tuple[int, int] | None = None


Judge = Callable[[Exchange], list[Finding] | None]
"""None: the check does not apply to this exchange; an empty list: it passes."""

PairJudge = Callable[[Exchange, Exchange], list[Finding] | None]
SetJudge = Callable[[Sequence[Exchange]], list[Finding] | None]

Condition = Callable[[View], bool]
Body = Callable[[View], Iterator[Finding]]


class Rule(NamedTuple):
    """A check's condition and its body; a rule over a view is a judge over an exchange."""

    check: str
    when: Condition
    body: Body

    def __call__(self, view: View) -> list[Finding] | None:
        try:
            if not self.when(view):
                return None
            return [msgspec.structs.replace(found, check=self.check) for found in self.body(view)]
        except RecursionError:
            return [Finding(self.check, "the JSON is nested too deeply to judge")]


class Rules:
    """The rules of one area, in the order they are written."""

    def __init__(self) -> None:
        self.table: dict[str, Rule] = {}

    def add(self, check: str, when: Condition) -> Callable[[Body], Body]:
        """Register the decorated generator as the rule of a check.

        Raises:
            ValueError: the check has a rule already.
        """
        if check in self.table:
            raise ValueError(f"two rules for {check}")

        def register(body: Body) -> Body:
            self.table[check] = Rule(check, when, body)
            return body

        return register


def flaw(
    message: str,
    *,
    path: str | None = None,
    got: Any = msgspec.UNSET,
    want: Any = msgspec.UNSET,
    at: Event | None = None,
) -> Finding:
    """Build a finding; the rule that yields it fills in the check's id."""
    return Finding(
        check="",
        message=message,
        path=path,
        got=show(got),
        want=show(want),
        event=None if at is None else at.index,
        span=None if at is None else (at.start, at.end),
    )


def show(value: Any) -> str | None:
    """Return a value as short JSON text; `UNSET` means there is none to show."""
    if value is msgspec.UNSET:
        return None
    try:
        text = encode(value).decode()
    except JsonError:
        text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def both(*conditions: Condition) -> Condition:
    """Return the conjunction of conditions."""
    return lambda view: all(condition(view) for condition in conditions)


def judges_of(*areas: Rules) -> Mapping[str, Rule]:
    """Merge areas into one table.

    Raises:
        ValueError: two areas claim one check.
    """
    merged: dict[str, Rule] = {}
    for area in areas:
        for check, rule in area.table.items():
            if check in merged:
                raise ValueError(f"two rules for {check}")
            merged[check] = rule
    return merged
