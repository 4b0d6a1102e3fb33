"""Expected failures: a list of checks that are known to fail, each with a reason, an issue and a date.

    - {check: TOOL-013, reason: "upstream STOP in a later chunk", issue: "https://…/42", until: 2027-01-31}

An entry excuses one check, never an area. One that is no longer needed, or whose date is past, is stale.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import yaml

from setu.errors import ConfigError


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: `until` is the last day on which it excuses, `line` where it stands in its file."""

    check: str
    reason: str
    issue: str
    until: date
    line: int

    @property
    def sentence(self) -> str:
        return f"{self.reason}; {self.issue}, until {self.until.isoformat()}"


def load(path: Path, known: Collection[str]) -> tuple[Expectation, ...]:
    """Read a file of expectations about `known` check ids; an empty file expects nothing.

    Raises:
        ConfigError: the file cannot be read, or an entry is not one; names file, line and member.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    found: dict[str, Expectation] = {}
    for line, index, entry in _entries(text, str(path)):
        place = f"{path}:{line}: /{index}"
        expectation = _expectation(entry, line, place, known)
        if (first := found.get(expectation.check)) is not None:
            raise ConfigError(f"{place}: {first.check} stands at line {first.line} already")
        found[expectation.check] = expectation
    return tuple(found.values())


def reasons(expectations: Sequence[Expectation]) -> Mapping[str, str]:
    """Return why each check may fail: the argument `expected` of `results.collect`."""
    return {each.check: each.sentence for each in expectations}


def overdue(expectations: Sequence[Expectation], today: date) -> Mapping[str, str]:
    """Return a sentence for each expectation whose date is past: the argument `overdue` of `results.collect`."""
    return {
        each.check: f"expected to fail until {each.until.isoformat()}, which is past ({each.reason}; {each.issue}): "
        "fix it, or argue for a later date"
        for each in expectations
        if each.until < today
    }


def _entries(text: str, name: str) -> Iterator[tuple[int, int, Any]]:
    """Yield each entry with its line, from 1, and its index, from 0."""
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            raise ConfigError(f"{name}:{root.start_mark.line + 1}: expected a list of {{{', '.join(_MEMBERS)}}}")
        for index, node in enumerate(root.value):
            yield node.start_mark.line + 1, index, loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{name}:{mark.line + 1 if mark else 1}: not readable YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:  # a date like 2027-13-01 is a ValueError of the constructor
        raise ConfigError(f"{name}: not readable YAML: {str(error).splitlines()[0]}") from None
    finally:
        loader.dispose()


_MEMBERS = ("check", "reason", "issue", "until")


def _expectation(entry: Any, line: int, place: str, known: Collection[str]) -> Expectation:
    if not isinstance(entry, dict):
        raise ConfigError(f"{place}: expected a mapping of {', '.join(_MEMBERS)}")
    for name in _MEMBERS:
        if name not in entry:
            raise ConfigError(f"{place}/{name}: missing")
    for name in entry:
        if name not in _MEMBERS:
            raise ConfigError(f"{place}/{name}: unknown; there are {', '.join(_MEMBERS)}")
    return Expectation(
        check=_check(entry["check"], f"{place}/check", known),
        reason=_text(entry["reason"], f"{place}/reason"),
        issue=_address(entry["issue"], f"{place}/issue"),
        until=_date(entry["until"], f"{place}/until"),
        line=line,
    )


def _check(value: Any, place: str, known: Collection[str]) -> str:
    if isinstance(value, str) and value in known:
        return value
    if isinstance(value, str) and any(name.startswith(f"{value.rstrip('-*')}-") for name in known):
        raise ConfigError(f"{place}: {value} is an area; expectations are per check")
    raise ConfigError(f"{place}: there is no check {value!r}; `setu conformance list` names them")


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{place}: expected a sentence")
    return value.strip()


def _address(value: Any, place: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://\S+", value):
        raise ConfigError(f"{place}: expected the URL of an issue")
    return value


def _date(value: Any, place: str) -> date:
    """Return a date; YAML reads an unquoted one itself, and a date with a time is none."""
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{place}: expected a date like 2027-01-31, not {str(value)!r}") from None
