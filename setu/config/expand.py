"""`${NAME}` and `${NAME:-otherwise}` in a configuration's texts."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from setu.config.layers import Path

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")

Unset = Callable[[Path, str], str]
"""Given a key and the variable that is not set: the text that stands for it, or it raises."""


def expanded(value: Any, environ: Mapping[str, str], unset: Unset, path: Path = ()) -> Any:
    """Replace every variable, so that no `${…}` ever goes upstream. One that is empty counts as not set for `:-`."""
    if isinstance(value, dict):
        return {key: expanded(inner, environ, unset, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [expanded(inner, environ, unset, (*path, str(n))) for n, inner in enumerate(value)]
    if not isinstance(value, str):
        return value

    def lookup(found: re.Match[str]) -> str:
        name, otherwise = found[1], found[2]
        if otherwise is not None:
            return environ.get(name) or otherwise
        return environ[name] if name in environ else unset(path, name)

    return _VARIABLE.sub(lookup, value)
