"""Read `setu.toml`: errors name file, line and key, and never show a value."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import tomli
from pydantic import BaseModel, ValidationError

from setu.config.model import Config
from setu.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


_OFFLINE = {"api_key": "", "keys": "offline"}
"""What stands for a key whose variable is not set, where no key is needed."""


def find(explicit: Path | None, environ: Mapping[str, str], folder: Path = Path()) -> Path | None:
    """Return the file to read: the one named, else `$SETU_CONFIG`, the folder's `setu.toml`, the user's own, or None.

    Raises:
        ConfigError: a named file does not exist.
    """
    named = explicit or (Path(environ["SETU_CONFIG"]) if environ.get("SETU_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"configuration file not found: {named}")
        return named
    home = Path(environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "/")) / ".config")
    for candidate in (folder / "setu.toml", home / "setu" / "setu.toml"):
        if candidate.is_file():
            return candidate
    return None


def load(path: Path | None, environ: Mapping[str, str] = os.environ, *, offline: bool = False) -> Config:
    """Read and check a file; None gives the defaults. `offline`: variables of keys need not be set.

    Raises:
        ConfigError: unreadable, no TOML, an unknown key or a wrong value; the message names file, line and key.
    """
    if path is None:
        return Config()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    return parse(text, str(path), environ, offline=offline)


def parse(text: str, name: str, environ: Mapping[str, str], *, offline: bool = False) -> Config:
    """Check a configuration's text; `name` is what errors call it."""
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise ConfigError(f"{name}:{error.lineno}: not valid TOML: {error.msg}") from None
    data = _expanded(data, (), text, name, environ, _OFFLINE if offline else {})
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ConfigError(_explained(tuple(first["loc"]), first["type"], first["msg"], text, name)) from None


def _expanded(
    value: Any, path: tuple[str, ...], text: str, name: str, environ: Mapping[str, str], unset: Mapping[str, str]
) -> Any:
    """Replace `${NAME}` in every string by the environment's value; `unset` has what stands for one, by its key."""
    if isinstance(value, dict):
        return {key: _expanded(inner, (*path, key), text, name, environ, unset) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(inner, path, text, name, environ, unset) for inner in value]
    if not isinstance(value, str):
        return value

    def lookup(found: re.Match[str]) -> str:
        if found[1] not in environ and path[-1] in unset:
            return unset[path[-1]]
        if found[1] not in environ:
            where = f"{name}:{line_of(text, path)}: {'.'.join(path)}"
            raise ConfigError(f"{where}: the environment has no variable {found[1]}")
        return environ[found[1]]

    return _VARIABLE.sub(lookup, value)


def _explained(loc: tuple[int | str, ...], kind: str, message: str, text: str, name: str) -> str:
    path = tuple(str(step) for step in loc)
    where = f"{name}:{line_of(text, path)}: {'.'.join(path)}" if path else name
    if kind != "extra_forbidden":
        return f"{where}: {message.removeprefix('Value error, ')}"
    near = get_close_matches(path[-1], _known(path[:-1]), n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"{where}: unknown key{hint}"


def _known(path: tuple[str, ...]) -> list[str]:
    """Return the keys that a table may have."""
    model: type[BaseModel] = Config
    for step in path:
        field = model.model_fields.get(step)
        if field is None:
            continue  # the name of a provider
        for candidate in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return list(model.model_fields)


def line_of(text: str, path: tuple[str, ...]) -> int:
    """Return the line where a key stands, or the nearest table above it; 1 when neither is found."""
    table: tuple[str, ...] = ()
    best, line = (0, 1), 0
    for line, content in enumerate(text.splitlines(), 1):
        stripped = content.strip()
        if stripped.startswith("["):
            table = tuple(step.strip().strip("\"'") for step in stripped.strip("[] \t").split("."))
            here = table
        elif "=" in stripped and not stripped.startswith("#"):
            here = (*table, *(step.strip().strip("\"'") for step in stripped.partition("=")[0].split(".")))
        else:
            continue
        shared = len(here) if here == path[: len(here)] else 0
        if shared > best[0]:
            best = (shared, line)
    return best[1]
