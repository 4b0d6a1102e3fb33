"""A string that matches a regular expression, chosen by dice."""

import importlib
import re
from typing import Any

from setu.transport.simulate.dice import Dice

# The standard library's own parser of patterns; its name is private, its output has not changed since 3.6.
_parse: Any = importlib.import_module("re._parser").parse

_MOST_REPEATS = 64
_PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
_CATEGORIES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_WORD": "abcdefghijklmnopqrstuvwxyz_0123456789",
    "CATEGORY_SPACE": " ",
}


def matching(pattern: str, dice: Dice) -> str:
    """Return a match; the empty string when the pattern is not one Python understands."""
    try:
        tree = _parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return ""
    return _sequence(tree, dice)


def _sequence(tree: Any, dice: Dice) -> str:
    return "".join(_node(str(op), argument, dice) for op, argument in tree)


def _node(op: str, argument: Any, dice: Dice) -> str:
    match op:
        case "LITERAL":
            return chr(argument)
        case "ANY":
            return dice.pick("abcxyz")
        case "NOT_LITERAL":
            return dice.pick([char for char in _PRINTABLE if ord(char) != argument])
        case "IN":
            return dice.pick(_members(argument))
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = min(argument[0], _MOST_REPEATS), int(argument[1]), argument[2]
            return "".join(_sequence(inner, dice) for _ in range(dice.between(least, min(most, least + 3))))
        case "SUBPATTERN":
            return _sequence(argument[3], dice)
        case "BRANCH":
            return _sequence(dice.pick(argument[1]), dice)
        case _:
            return ""  # anchors and look-arounds take no room


def _members(items: Any) -> list[str]:
    """Expand a character class to printable members."""
    negated = bool(items) and str(items[0][0]) == "NEGATE"
    found: list[str] = []
    for op, argument in items:
        match str(op):
            case "LITERAL":
                found.append(chr(argument))
            case "RANGE":
                found += [chr(code) for code in range(argument[0], min(argument[1], argument[0] + 127) + 1)]
            case "CATEGORY":
                found += _category(str(argument))
    if negated:
        found = [char for char in _PRINTABLE if char not in found]
    return found or ["a"]


def _category(name: str) -> list[str]:
    if "_NOT_" in name:
        inside = _CATEGORIES[name.replace("_NOT_", "_")]
        return [char for char in _PRINTABLE if char not in inside and not (char.isalnum() and "WORD" in name)]
    return list(_CATEGORIES[name])
