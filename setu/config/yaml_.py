"""YAML as a configuration: safe values only, and the line of every key."""

from typing import Any

import yaml

from setu.config.layers import Path
from setu.errors import ConfigError


def parsed(text: str, name: str) -> tuple[dict[str, Any], "Lines"]:
    """Return what a text holds, and where.

    Raises:
        ConfigError: it is no YAML, or no table; names file and line.
    """
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        data = loader.construct_document(root) if root is not None else {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2026-02-30
        raise ConfigError(f"{name}:{_line(error)}: not valid YAML: {_reason(error)}") from None
    finally:
        loader.dispose()
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError(f"{name}:1: must be a table of keys, not {type(data).__name__}")
    return _named(data, name), Lines(root)


class Lines:
    """The line of every key of a document; of one that is not there, that of the nearest table above it."""

    def __init__(self, root: yaml.Node | None) -> None:
        self._known: dict[Path, int] = {(): 1}
        if root is not None:
            self._walk(root, ())

    def __call__(self, path: Path) -> int:
        return next(self._known[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self._known)

    def _walk(self, node: yaml.Node, path: Path) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._know(key, value, (*path, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for n, value in enumerate(node.value):
                self._know(value, value, (*path, str(n)))

    def _know(self, at: yaml.Node, value: yaml.Node, path: Path) -> None:
        if path not in self._known:  # an anchor may hold itself
            self._known[path] = at.start_mark.line + 1
            if len(path) < _DEEPEST:
                self._walk(value, path)


_DEEPEST = 16
"""No key lies deeper; an alias of an outer table would never end."""


def _named(value: Any, file: str, depth: int = 0) -> Any:
    """Make every key text (YAML's may be numbers), and leave out what holds nothing, as `providers:` alone does."""
    if depth > _DEEPEST:
        raise ConfigError(f"{file}:1: is nested too deeply")
    if isinstance(value, dict):
        return {str(key): _named(inner, file, depth + 1) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_named(inner, file, depth + 1) for inner in value]
    return value


def _line(error: Exception) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark is not None else 1


def _reason(error: Exception) -> str:
    return getattr(error, "problem", None) or type(error).__name__
