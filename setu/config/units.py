"""Durations and sizes as people write them: `30`, `"30s"`, `"500ms"`, `"100MB"`."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_SPAN = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|min|s|m|h|d))+")
_STEP = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|min|s|m|h|d)")


def seconds(value: Any) -> Any:
    """Return a duration's seconds: a number, or a text such as `500ms`, `30s`, `1h30m`.

    Raises:
        ValueError: a text that is none.
    """
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if _SPAN.fullmatch(text):
        return sum(float(number) * _SECONDS[unit] for number, unit in _STEP.findall(text))
    found = _NUMBER.fullmatch(text)
    if found is None or found[2]:
        raise ValueError(f"{value!r} is no duration: write seconds, or a text such as '500ms', '30s', '10m', '1h'")
    return float(found[1])


def size(value: Any) -> Any:
    """Return a size's bytes: a number, or a text such as `100MB` or `10MiB`.

    Raises:
        ValueError: a text that is none.
    """
    if not isinstance(value, str):
        return value
    found = _NUMBER.fullmatch(value)
    unit = _BYTES.get(found[2].lower()) if found is not None else None
    if found is None or unit is None:
        raise ValueError(f"{value!r} is no size: write bytes, or a text such as '512KB', '100MB', '1GiB'")
    return int(float(found[1]) * unit)


Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0)]
Size = Annotated[int, BeforeValidator(size), Field(gt=0)]
