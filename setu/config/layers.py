"""A configuration is laid together from sources; each knows where a key stands, in its user's words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Path = tuple[str, ...]
"""The way to a key: the names of tables and, in lists, positions."""


def dotted(path: Path) -> str:
    """Return a way as people write it; a name that would break the line is quoted."""
    return ".".join(step if step.isprintable() and step else repr(step) for step in path)


class Layer(NamedTuple):
    """What one source says. `place` tells where a key stands (`setu.toml:3: server.port`, `SETU_SERVER_PORT`)."""

    data: Mapping[str, Any]
    place: Callable[[Path], str]
    source: str


class Merged(NamedTuple):
    """What all of them say together. `origins` has the layer that had the last word, for every table and value."""

    data: dict[str, Any]
    origins: Mapping[Path, Layer]

    def layer(self, path: Path) -> Layer | None:
        """Return who said a key, or the nearest table above it; None when nobody said any of it."""
        steps = range(len(path), 0, -1)
        return next((self.origins[path[:n]] for n in steps if path[:n] in self.origins), None)


def merge(layers: Sequence[Layer]) -> Merged:
    """Lay sources over each other, the weakest first: tables are united, everything else is replaced."""
    data: dict[str, Any] = {}
    origins: dict[Path, Layer] = {}
    for layer in layers:
        _lay(data, layer.data, (), layer, origins)
    return Merged(data, origins)


def _lay(under: dict[str, Any], over: Mapping[str, Any], path: Path, layer: Layer, origins: dict[Path, Layer]) -> None:
    for key, value in over.items():
        here = (*path, key)
        if isinstance(value, Mapping):
            if not isinstance(under.get(key), dict):
                _forget(origins, here)
                under[key] = {}
            origins[here] = layer
            _lay(under[key], value, here, layer, origins)
        else:
            _forget(origins, here)
            under[key] = value
            origins[here] = layer


def _forget(origins: dict[Path, Layer], path: Path) -> None:
    for known in [known for known in origins if known[: len(path)] == path]:
        del origins[known]


def leaves(data: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value that is no table, with its way."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def put(data: dict[str, Any], path: Path, value: Any) -> None:
    """Set a key, with the tables on its way."""
    for step in path[:-1]:
        inner = data.get(step)
        if not isinstance(inner, dict):
            inner = data[step] = {}
        data = inner
    data[path[-1]] = value


def nearest(names: Mapping[Path, str], path: Path) -> str:
    """Return the name that belongs to a key, or to the nearest one above or below it."""
    for n in range(len(path), 0, -1):
        if path[:n] in names:
            return names[path[:n]]
    return next((name for way, name in names.items() if way[: len(path)] == path), dotted(path))
