"""Other spellings of keys, those of the five gateways before this one: rewritten before anything is checked."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from setu.config.layers import Path, dotted, leaves, put
from setu.config.schema import ANY


class Synonym(NamedTuple):
    """An accepted way to a key and the canonical one, with `*` for the user's names.

    `convert` makes the canonical value of the accepted one's; what it cannot convert it returns as it is, for the
    check of the canonical key to refuse. `new` is None for a key that has nothing to set here, and `why` says so.
    """

    old: Path
    new: Path | None
    convert: Callable[[Any], Any]
    why: str = ""


class Rewritten(NamedTuple):
    """A configuration in canonical keys: `olds` has the way each rewritten key had, `notes` those without effect."""

    data: dict[str, Any]
    olds: Mapping[Path, Path]
    notes: tuple[tuple[Path, str], ...] = ()

    def old(self, path: Path) -> Path:
        """Return the way that its user gave a key, or one below it."""
        for n in range(len(path), 0, -1):
            if path[:n] in self.olds:
                return self.olds[path[:n]] + path[n:]
        return path


class SameKeyError(ValueError):
    """Two spellings of one key, of which nobody knows which is meant."""

    def __init__(self, old: Path, new: Path) -> None:
        super().__init__(f"says the same as {dotted(new)}: keep one of them")
        self.old = old


def rewritten(data: Mapping[str, Any], table: tuple[Synonym, ...] = ()) -> Rewritten:
    """Replace every accepted spelling by the canonical one; the data itself is left alone.

    Raises:
        SameKeyError: both are there.
    """
    result: dict[str, Any] = _copied(data)
    olds: dict[Path, Path] = {}
    notes: list[tuple[Path, str]] = []
    for synonym in table or SYNONYMS:
        for old, names in list(_found(result, synonym.old)):
            value = _taken(result, old, synonym.old)
            origin = Rewritten({}, olds).old(old)
            if synonym.new is None:
                notes += [(origin, synonym.why)] if synonym.why else []
                continue
            new = _filled(synonym.new, names)
            _place(result, new, synonym.convert(value), origin, olds)
    return Rewritten(result, olds, tuple(notes))


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(inner) for key, inner in value.items()}
    return value


def _found(data: Mapping[str, Any], pattern: Path, names: Path = ()) -> Iterator[tuple[Path, Path]]:
    """Yield the ways that fit a pattern, with the names that stand for its stars."""
    step, rest = pattern[0], pattern[1:]
    for key in list(data) if step == ANY else [step] if step in data else []:
        found = (*names, key) if step == ANY else names
        if not rest:
            yield (key,), found
        elif isinstance(data[key], Mapping):
            for path, inner in _found(data[key], rest, found):
                yield (key, *path), inner


def _taken(data: dict[str, Any], path: Path, pattern: Path) -> Any:
    """Remove a key, and the tables that it leaves empty; one that the user named says something by being there."""
    if len(path) == 1:
        return data.pop(path[0])
    inner = data[path[0]]
    value = _taken(inner, path[1:], pattern[1:])
    if not inner and pattern[0] != ANY:
        del data[path[0]]
    return value


def _filled(pattern: Path, names: Path) -> Path:
    given = iter(names)
    return tuple(next(given) if step == ANY else step for step in pattern)


def _place(data: dict[str, Any], new: Path, value: Any, old: Path, olds: dict[Path, Path]) -> None:
    parts = list(leaves(value)) if isinstance(value, Mapping) else [((), value)]
    for below, part in parts:
        if _holds(data, new + below):
            raise SameKeyError(old + below, new + below)
        put(data, new + below, part)
        olds[new + below] = old + below
    olds.setdefault(new, old)


def _holds(data: Any, path: Path) -> bool:
    for step in path:
        if not isinstance(data, Mapping):
            return True  # a plain value stands where a table would
        if step not in data:
            return False
        data = data[step]
    return True


def milliseconds(value: Any) -> Any:
    """Return a number of milliseconds as a duration."""
    number = _number(value)
    return value if number is None else number / 1000


def tries(value: Any) -> Any:
    """Return how often something is tried at most, of how often it is tried again."""
    number = _number(value)
    return value if number is None or number != int(number) else int(number) + 1


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(value) if value.strip().isdecimal() else None
    return value if isinstance(value, int | float) else None


def _same(old: str, new: str | None, convert: Callable[[Any], Any] = lambda value: value, why: str = "") -> Synonym:
    return Synonym(tuple(old.split(".")), tuple(new.split(".")) if new else None, convert, why)


_LOGS = "the log goes to standard error"

SYNONYMS: tuple[Synonym, ...] = (
    _same("daemon", "server"),
    _same("providers.*.endpoint", "providers.*.base_url"),
    _same("providers.*.timeout_seconds", "providers.*.timeout"),
    _same("providers.*.timeout_ms", "providers.*.timeout", milliseconds),
    _same("providers.*.name", None),  # the name of its table
    _same("providers.*.max_retries", "providers.*.retry.max_attempts", tries),
    _same("providers.*.retries", "providers.*.retry.max_attempts", tries),
    _same("providers.*.retry.max_retries", "providers.*.retry.max_attempts", tries),
    _same("providers.*.retry.retries", "providers.*.retry.max_attempts", tries),
    _same("providers.*.retry_delay", "providers.*.retry.initial_interval"),
    _same("providers.*.retry.initial_interval_ms", "providers.*.retry.initial_interval", milliseconds),
    _same("providers.*.retry.max_interval_ms", "providers.*.retry.max_interval", milliseconds),
    _same("providers.*.retry.backoff_multiplier", "providers.*.retry.multiplier"),
    _same("providers.*.health_check_url", "providers.*.health_check.url"),
    _same("providers.*.health_check_interval", "providers.*.health_check.interval"),
    _same("providers.*.api_key_fallback", None, why="an api_key is used whenever there is one"),
    _same("providers.*.auth", None, why="tokens are not kept in the configuration; use api_key"),
    _same("routes", "routing.routes"),
    _same("server.log_level", None, why="--verbose says how much is logged"),
    _same("server.log_file_enabled", None, why=_LOGS),
    _same("server.log_file_prefix", None, why=_LOGS),
    _same("server.log_rotation", None, why=_LOGS),
    _same("server.log_dir", None, why=_LOGS),
    _same("observability.logging", None, why=_LOGS),
    _same("observability.metrics", None, why="counts are at GET /v1/metrics"),
    _same("observability.tracing", None, why="spans are not sent"),
    _same("routing_policy.type", "routing.strategy"),
    _same("routing_policy.config", "routing"),
    _same("server.read_timeout", None, why="a slow client holds nobody up"),
    _same("server.write_timeout", None, why="an answer may take as long as its provider; see providers.*.timeout"),
    _same("server.max_connections", None, why="connections are not counted; see limits.concurrency"),
    _same("server.connection_pool_size", None, why="the pool grows as needed"),
    _same("server.buffer_size", None, why="pieces are passed on as they come"),
    _same("server.enable_streaming", None, why="a request says itself whether it streams"),
)
