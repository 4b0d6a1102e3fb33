"""The environment as a source: `.env` files, and a variable for every key of the configuration.

Names of keys hold `_`, so a variable cannot be split: every key's own name is known instead. `SETU_SERVER_PORT` and
`SETU_SERVER__PORT` are both server.port.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path as File
from typing import Any, NamedTuple

from pydantic import BaseModel

from setu.config.layers import Path, nearest, put
from setu.config.schema import ANY, Shape, keys
from setu.errors import ConfigError

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_COMMENT = re.compile(r"\s#.*$")


def dotenv(text: str) -> dict[str, str]:
    """Read `NAME=value` lines: quotes around a value are taken off, `#` begins a comment outside them."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        said = None if line.lstrip().startswith("#") else _LINE.match(line)
        if said is not None:
            found[said[1]] = _unquoted(said[2])
    return found


def _unquoted(value: str) -> str:
    quote = value[:1]
    if quote in ("'", '"') and (end := value.find(quote, 1)) > 0:
        return value[1:end]
    return _COMMENT.sub("", " " + value).strip()


def with_dotenv(environ: Mapping[str, str], folder: File = File()) -> dict[str, str]:
    """Return the environment with the folder's `.env` below it: what is set already stays.

    Raises:
        ConfigError: there is one that cannot be read.
    """
    try:
        text = (folder / ".env").read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return dict(environ)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{folder / '.env'}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return {**dotenv(text), **environ}


class Said(NamedTuple):
    """What variables say: a tree of raw values, the variable of each key, and those that look meant but name none."""

    data: dict[str, Any]
    variables: Mapping[Path, str]
    unknown: tuple[str, ...] = ()

    def variable(self, path: Path) -> str:
        """Return the variable that said a key."""
        return nearest(self.variables, path)


class Names:
    """The variables that a configuration has, for a prefix such as `SETU_`.

    `synonyms` are pairs of ways, the accepted one and the canonical one: both have variables.
    """

    def __init__(
        self, model: type[BaseModel], synonyms: Iterable[tuple[Path, Path]] = (), prefix: str = "SETU_"
    ) -> None:
        self._prefix = prefix
        self._tables = tuple(f"{prefix}{name}_".upper() for name in model.model_fields)
        self._known: dict[str, tuple[Path, Shape]] = {}
        self._named: list[tuple[re.Pattern[str], Path, Shape]] = []
        canonical = dict(keys(model))
        self._add(canonical)
        for old, new in synonyms:
            self._add({old + path[len(new) :]: found for path, found in canonical.items() if path[: len(new)] == new})

    def _add(self, ways: Mapping[Path, Shape]) -> None:
        for path, shape in ways.items():
            for between in ("_", "__"):
                if ANY in path:
                    steps = ("(.+)" if step == ANY else re.escape(step.upper()) for step in path)
                    self._named.append((re.compile(self._prefix + between.join(steps)), path, shape))
                else:
                    self._known.setdefault(self._prefix + between.join(path).upper(), (path, shape))

    def read(self, environ: Mapping[str, str], configured: Mapping[str, Any]) -> Said:
        """Return what the environment says; an empty variable says nothing.

        `configured` is what other sources say: `SETU_PROVIDERS_MY_HOST_API_KEY` means a provider `my-host` there is.
        """
        data: dict[str, Any] = {}
        variables: dict[Path, str] = {}
        unknown: list[str] = []
        for name in sorted(environ, key=lambda name: ("__" in name, name)):  # the exact spelling has the last word
            if not name.startswith(self._prefix) or not environ[name]:
                continue
            found = self._find(name, configured)
            if found is None:
                unknown += [self._missed(name)] if name.startswith(self._tables) else []
                continue
            path, shape = found
            put(data, path, _value(environ[name], shape))
            variables[path] = name
        return Said(data, variables, tuple(unknown))

    def _find(self, name: str, configured: Mapping[str, Any]) -> tuple[Path, Shape] | None:
        if name in self._known:
            return self._known[name]
        fits = [(match, path, shape) for pattern, path, shape in self._named if (match := pattern.fullmatch(name))]
        if not fits:
            return None
        # The name is the user's, the rest is ours: the reading with the least of the former is meant.
        match, path, shape = min(fits, key=lambda fit: sum(map(len, fit[0].groups())))
        return _resolved(path, iter(match.groups()), configured), shape

    def _missed(self, name: str) -> str:
        near = get_close_matches(name, self._known, n=1)
        return f"{name}: names no key of the configuration" + (f"; did you mean {near[0]}?" if near else "")


def _resolved(path: Path, names: Any, configured: Any) -> Path:
    """Put the names that are configured in the place of `*`; of one that is not, its lower case."""
    found: list[str] = []
    for step in path:
        tables = configured if isinstance(configured, Mapping) else {}
        name = _spelled(next(names), tables) if step == ANY else step
        found.append(name)
        configured = tables.get(name)
    return tuple(found)


def _spelled(variable: str, tables: Mapping[str, Any]) -> str:
    same = (name for name in tables if re.sub(r"[^A-Z0-9]", "_", str(name).upper()) == variable)
    return next(same, variable.lower())


def _value(text: str, shape: Shape) -> Any:
    return [part.strip() for part in text.split(",") if part.strip()] if shape.kind == "list" else text
