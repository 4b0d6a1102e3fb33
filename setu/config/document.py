"""A file's text as data, with the line of every key."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import tomli

from setu.config.layers import Path
from setu.errors import ConfigError

YAML_SUFFIXES = (".yaml", ".yml")
_NAME = r"""(?:"[^"]*"|'[^']*'|[\w-]+)"""
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")


class Document(NamedTuple):
    """What a file holds; `line` tells where a key stands, or the nearest table above it."""

    data: dict[str, Any]
    line: Callable[[Path], int]


def document(text: str, name: str) -> Document:
    """Read TOML, or YAML by the suffix of the name.

    Raises:
        ConfigError: it is neither; names file and line.
    """
    if name.lower().endswith(YAML_SUFFIXES):
        from setu.config import yaml_

        return Document(*yaml_.parsed(text, name))
    try:
        return Document(tomli.loads(text), lambda path: line_of(text, path))
    except tomli.TOMLDecodeError as error:
        raise ConfigError(f"{name}:{error.lineno}: not valid TOML: {error.msg}") from None


def line_of(text: str, path: Path) -> int:
    """Return the line of a TOML text where a key stands, or the nearest table above it; 1 when neither is found."""
    table: Path = ()
    counts: Counter[Path] = Counter()
    best = (0, 1)
    for line, content in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(content):
            table = _names(header[2])
            if header[1] == "[[":
                counts[table] += 1
            table = here = _counted(table, counts)
        elif assignment := _ASSIGNMENT.match(content):
            here = (*table, *_names(assignment[1]))
        else:
            continue
        shared = len(here) if here == path[: len(here)] else 0
        if shared > best[0]:
            best = (shared, line)
    return best[1]


def _names(dotted: str) -> Path:
    return tuple(name.strip("\"'") for name in re.findall(_NAME, dotted))


def _counted(table: Path, counts: Counter[Path]) -> Path:
    """Return the way to a table with the positions in the lists of tables on it."""
    found: list[str] = []
    for n, step in enumerate(table, 1):
        found.append(step)
        if table[:n] in counts:
            found.append(str(counts[table[:n]] - 1))
    return tuple(found)
