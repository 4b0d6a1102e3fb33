"""Assertions at JSON pointers: what must be so in a body."""

import re
from typing import Any

import msgspec

from setu import _json
from setu.conformance.scenario import Assertion

MISSING = object()


def at(document: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer (RFC 6901), `MISSING` where there is none; `-1` is a list's last."""
    value = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and re.fullmatch(r"-?\d+", name) and -len(value) <= int(name) < len(value):
            value = value[int(name)]
        else:
            return MISSING
    return value


def broken(assertion: Assertion, document: Any) -> str | None:
    """Return why an assertion does not hold of a document; None when it holds."""
    value = at(document, assertion.pointer)
    if assertion.absent:
        return None if value is MISSING else f"{_shown(value)}, expected nothing there"
    if value is MISSING:
        return "nothing there"
    problem = _broken(assertion, value)
    return None if problem is None else f"{_shown(value)}, expected {problem}"


def _broken(assertion: Assertion, value: Any) -> str | None:
    """Return what was expected instead."""
    tests: list[tuple[bool, str]] = []
    if assertion.equals is not msgspec.UNSET:
        tests.append((same(value, assertion.equals), _shown(assertion.equals)))
    if assertion.json is not msgspec.UNSET:
        tests.append((same(_parsed(value), assertion.json), f"JSON text of {_shown(assertion.json)}"))
    if assertion.matches is not None:
        fits = isinstance(value, str) and re.fullmatch(assertion.matches, value, re.DOTALL) is not None
        tests.append((fits, f"a match of /{assertion.matches}/"))
    if assertion.contains is not None:
        tests.append((assertion.contains in _text(value), f"{assertion.contains!r} in it"))
    if assertion.lacks is not None:
        tests.append((assertion.lacks not in _text(value), f"no {assertion.lacks!r} in it"))
    if assertion.length is not None:
        fits = isinstance(value, (list, str, dict)) and len(value) == assertion.length
        tests.append((fits, f"a length of {assertion.length}"))
    if assertion.one_of is not None:
        tests.append(
            (any(same(value, wanted) for wanted in assertion.one_of), f"one of {_shown(list(assertion.one_of))}")
        )
    return next((wanted for holds, wanted in tests if not holds), None)


def same(value: Any, wanted: Any) -> bool:
    """Tell whether two JSON values are one: 1 is 1.0, but neither is true, at any depth (for Python all three are)."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        return value.keys() == wanted.keys() and all(same(value[key], wanted[key]) for key in wanted)
    if isinstance(value, (list, tuple)) and isinstance(wanted, (list, tuple)):
        return len(value) == len(wanted) and all(map(same, value, wanted))
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _parsed(value: Any) -> Any:
    try:
        return _json.decode(value) if isinstance(value, str) else MISSING
    except _json.JsonError:
        return MISSING


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json.encode(value).decode()


def _shown(value: Any) -> str:
    text = _json.encode(value).decode()
    return text if len(text) <= 200 else text[:200] + "…"
