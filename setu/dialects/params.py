"""Scalar options as tables: one row per option and dialect, so that what a pair loses follows from two tables."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from setu import _json
from setu._json import Json, Raw, kind_of
from setu.chat.request import Options
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, pointer


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """One option of one dialect.

    `field` is the canonical name (a field of `Options`), `wire` the dialect's, `aliases` older spellings it accepts.
    `low` and `high` bound a number (inclusive), `most` the length of a list; a text is one of `choices` where there are
    any, and `labels` are an object of strings. `clamp` bends a foreign value into the
    range, with a loss; a client's own value out of range is an error.
    """

    field: str
    wire: str
    kind: Literal["integer", "number", "flag", "text", "texts", "labels", "json"]
    aliases: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    clamp: bool = True


def read_options(obj: Obj, table: Iterable[Param]) -> dict[str, Any]:
    """Take the table's members from an object; the result feeds `Options(**…)`.

    Raises:
        LocalDialectError: a wrong type or a value out of range; names the member.
    """
    values: dict[str, Any] = {}
    for param in table:
        for name in (param.wire, *param.aliases):
            if not obj.has(name):
                continue
            value = _read(obj, param, name)
            if values.get(param.field) is None:  # the dialect's own spelling comes first and wins
                values[param.field] = value
    return values


def write_options(options: Options, table: Iterable[Param]) -> tuple[dict[str, Any], list[Loss]]:
    """Return the wire members for the options that are set, and a loss for each that has no row."""
    rows = {param.field: param for param in table}
    members: dict[str, Any] = {}
    losses: list[Loss] = []
    for field in Options.__struct_fields__:
        value = getattr(options, field)
        if value is UNSET or value is None:
            continue
        param = rows.get(field)
        if param is None:
            if field not in _SILENT and value is not False:
                losses.append(_missing(field))
            continue
        members[param.wire], loss = _bend(value, param)
        if loss is not None:
            losses.append(loss)
    return members, losses


def _missing(field: str) -> Loss:
    return Loss(
        phase="request",
        pointer=pointer(field),
        reason="not supported by the target",
        severity="info" if field in _HARMLESS else "warn",
    )


_SILENT = frozenset({"stream_usage"})
"""Options that the gateway itself honours whatever the upstream does."""

_HARMLESS = frozenset(
    {"user", "metadata", "cache_key", "cache_retention", "cache_options", "service_tier", "safety_identifier"}
)
"""Options whose absence cannot change the answer."""


def _read(obj: Obj, param: Param, name: str) -> Any:
    if obj.is_null(name):
        obj.raw(name)
        return None
    match param.kind:
        case "integer":
            value: Any = obj.integer(name)
        case "number":
            value = obj.number(name)
        case "flag":
            value = obj.flag(name)
        case "text":
            value = obj.text(name)
        case "json":
            value = obj.raw(name)
        case "texts":
            value = _texts(obj, name)
        case "labels":
            value = _labels(obj, name)
    if value is not None and not obj.lenient:
        _check(obj, param, name, value)
    return value


def _texts(obj: Obj, name: str) -> tuple[str, ...] | None:
    """Read a list of strings; a bare string is a list of one."""
    if obj.members[name][:1] == b'"':
        return (obj.need_text(name),)
    values = obj.texts(name)
    return None if values is None else tuple(values)


def _labels(obj: Obj, name: str) -> Json | None:
    """Take an object of strings, as it is written."""
    where, raw = obj.at(name), obj.raw(name)
    if raw is None or obj.lenient:
        return raw
    if kind_of(raw) != "object":
        raise obj.wrong(name, "an object")
    for key, label in _json.split(raw).items():
        if kind_of(label) != "string":
            raise obj.error(f"'{where}.{key}' must be a string", param=f"{where}.{key}")
    return raw


def _check(obj: Obj, param: Param, name: str, value: Any) -> None:
    where = obj.at(name)
    if param.most is not None and isinstance(value, tuple) and len(value) > param.most:
        raise obj.error(f"'{where}' must have at most {param.most} items", param=where)
    if param.choices and value not in param.choices:
        raise obj.error(f"'{where}' must be one of {', '.join(param.choices)}", param=where)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if param.low is not None and value < param.low:
            raise obj.error(f"'{where}' must be at least {param.low:g}", param=where)
        if param.high is not None and value > param.high:
            raise obj.error(f"'{where}' must be at most {param.high:g}", param=where)


def _bend(value: Any, param: Param) -> tuple[Any, Loss | None]:
    if param.kind in {"json", "labels"}:
        return Raw(value), None
    if isinstance(value, tuple):
        if param.most is not None and len(value) > param.most:
            reason = f"the target takes at most {param.most}; the rest was dropped"
            return list(value[: param.most]), Loss(phase="request", pointer=pointer(param.field), reason=reason)
        return list(value), None
    if not param.clamp or isinstance(value, (str, bool)):
        return value, None
    bent = value
    if param.low is not None and value < param.low:
        bent = _bound(value, param.low)
    if param.high is not None and value > param.high:
        bent = _bound(value, param.high)
    if bent == value:
        return value, None
    return bent, Loss(phase="request", pointer=pointer(param.field), reason=f"clamped from {value:g} to {bent:g}")


def _bound(value: float, bound: float) -> float:
    """Return the bound as a number like the value; a fraction stays one (`top_p: 1` under 0.99 is no 0)."""
    return int(bound) if isinstance(value, int) and float(bound).is_integer() else bound
