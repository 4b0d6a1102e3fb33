"""How OpenAI words what is wrong with a parameter: type, range, choice, name."""

import re
from typing import Any, NamedTuple

from setu.transport.simulate.refused import RefusedError, is_integer, is_number

Json = dict[str, Any]

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_WORDS = {
    "string": "a string",
    "boolean": "a boolean",
    "integer": "an integer",
    "decimal": "a decimal",
    "object": "an object",
    "array": "an array",
}


class Param(NamedTuple):
    """The kind of a parameter's value, its inclusive bounds, and the only strings it takes."""

    kind: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


def said(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "an integer"}
    return "null" if value is None else kinds.get(type(value), "a decimal")


def _is(value: Any, kind: str) -> bool:
    match kind:
        case "integer":
            return is_integer(value)
        case "decimal":
            return is_number(value)
        case _:
            return isinstance(value, {"string": str, "boolean": bool, "object": dict, "array": list}[kind])


def typed(value: Any, name: str, kind: str) -> Any:
    if not _is(value, kind):
        message = f"Invalid type for '{name}': expected {_WORDS[kind]}, but got {said(value)} instead."
        raise RefusedError(message, param=name, code="invalid_type")
    return value


def needed(owner: Json, name: str, kind: str, path: str = "") -> Any:
    where = f"{path}.{name}" if path else name
    if name not in owner:
        raise RefusedError(f"Missing required parameter: '{where}'.", param=where, code="missing_required_parameter")
    return typed(owner[name], where, kind)


def check_param(value: Any, name: str, rule: Param) -> None:
    """Check type and range; null stands for the default."""
    if value is None:
        return
    typed(value, name, rule.kind)
    if rule.choices and value not in rule.choices:
        raise bad_value(value, name, rule.choices)
    if rule.low is not None and value < rule.low:
        raise _out_of_range(name, rule.kind, value, "below minimum", f">= {rule.low}")
    if rule.high is not None and value > rule.high:
        raise _out_of_range(name, rule.kind, value, "above maximum", f"<= {rule.high}")


def bad_value(value: Any, name: str, choices: tuple[str, ...]) -> RefusedError:
    listed = ", ".join(f"'{choice}'" for choice in choices[:-1])
    supported = f"{listed}, and '{choices[-1]}'" if listed else f"'{choices[-1]}'"
    message = f"Invalid value: '{value}'. Supported values are: {supported}."
    return RefusedError(message, param=name, code="invalid_value")


def _out_of_range(name: str, kind: str, value: float, how: str, wanted: str) -> RefusedError:
    side = "below_min_value" if "minimum" in how else "above_max_value"
    message = f"Invalid '{name}': {kind} {how} value. Expected a value {wanted}, but got {value} instead."
    return RefusedError(message, param=name, code=f"{kind}_{side}")


def tool_name(name: str, path: str) -> None:
    if not _TOOL_NAME.fullmatch(name):
        raise RefusedError(
            f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'.",
            param=path,
            code="invalid_value",
        )
    if len(name) > 64:
        raise RefusedError(
            f"Invalid '{path}': string too long. Expected a string with maximum length 64, but got a string with "
            f"length {len(name)} instead.",
            param=path,
            code="string_above_max_length",
        )
