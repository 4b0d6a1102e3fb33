"""Read a configuration from all its sources: errors name source, line and key, and never show a value.

The strongest first: the command line, `SETU_…` variables, a predecessor's own variables (under its profile alone), the
file, the profile's defaults, the defaults.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from setu.config import expand, profiles, synonyms
from setu.config.document import document, line_of
from setu.config.environ import Names
from setu.config.explain import explained
from setu.config.layers import Layer, Merged, dotted, merge, nearest, put
from setu.config.layers import Path as Way
from setu.config.model import Config
from setu.errors import ConfigError

__all__ = ["Loaded", "Options", "find", "line_of", "load", "parse", "read"]

_OFFLINE = {"api_key": "", "keys": "offline", "admin_keys": "offline"}
"""What stands for a key whose variable is not set, where no key is needed."""


class Loaded(NamedTuple):
    """A configuration, the files it was read from, who said what in it, and what is to be told to its user."""

    config: Config
    files: tuple[Path, ...]
    merged: Merged
    warnings: tuple[str, ...] = ()
    profile: profiles.Profile = profiles.PROFILES["setu"]


class Options(NamedTuple):
    """What the command line says. `said` are keys with their values, `names` their options' names."""

    profile: str | None = None
    strict: bool = False
    offline: bool = False
    said: Mapping[Way, Any] = {}
    names: Mapping[Way, str] = {}


USUAL = ("setu.toml",)
OF_A_SERVER = ("setu.toml", "config.yaml")
"""Many projects have a `config.yaml` of something else: only a server is started beside its own."""


def find(
    explicit: Path | None, environ: Mapping[str, str], folder: Path = Path(), names: Sequence[str] = USUAL
) -> Path | None:
    """Return the file to read: the one named, else `$SETU_CONFIG`, one of those names in the folder, the user's own.

    Raises:
        ConfigError: a named file does not exist.
    """
    named = explicit or (Path(environ["SETU_CONFIG"]) if environ.get("SETU_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"configuration file not found: {named}")
        return named
    home = Path(environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "/")) / ".config")
    candidates = (*(folder / name for name in names), home / "setu" / "setu.toml")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def load(path: Path | None, environ: Mapping[str, str] = os.environ, *, offline: bool = False) -> Config:
    """Read and check a file; None gives the defaults. `offline`: variables of keys need not be set.

    Raises:
        ConfigError: unreadable, no TOML or YAML, an unknown key or a wrong value; names source, line and key.
    """
    return read(path, environ, Options(offline=offline)).config


def parse(text: str, name: str, environ: Mapping[str, str], *, offline: bool = False) -> Config:
    """Check a configuration's text; `name` is what errors call it."""
    return _checked([_Text(text, name)], environ, Options(offline=offline)).config


def read(path: Path | None, environ: Mapping[str, str], options: Options | None = None) -> Loaded:
    """Read a file, if there is one, and all the other sources.

    Raises:
        ConfigError: a source cannot be read or holds what it must not; names source, line and key.
    """
    options = options or Options()
    texts = [_text(path)] if path is not None else []
    loaded = _checked(texts, environ, options)
    return loaded._replace(files=(*((path,) if path is not None else ()), *loaded.files))


class _Text(NamedTuple):
    text: str
    name: str


def _text(path: Path) -> _Text:
    try:
        return _Text(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _checked(texts: list[_Text], environ: Mapping[str, str], options: Options) -> Loaded:
    """Lay the sources over each other, and check what they say together."""
    documents = [(document(*text), text.name) for text in texts]
    said = {key: documents[0][0].data.get(key) for key in ("profile", "strict")} if documents else {}
    profile = profiles.profile_of(str(options.profile or environ.get("SETU_PROFILE") or said.get("profile") or "setu"))
    reading = _Reading(environ, strict=_is_strict(options, environ, said.get("strict")), offline=options.offline)
    layers = [Layer(profile.defaults, lambda path: f"profile {profile.name}: {dotted(path)}", profile.name)]
    layers += [reading.file(found.data, found.line, name) for found, name in documents]
    files = tuple(path for path in _files(profile, environ))
    for path in files:
        text = _text(path)
        found = document(*text)
        layers.append(reading.file(found.data, found.line, text.name))
    layers.append(_legacy(profile, environ))
    below = merge(layers)
    layers += [reading.variables(prefix, below) for prefix in (profile.prefix, "SETU_") if prefix is not None]
    layers.append(_said(options))
    merged = merge(layers)
    name = texts[0].name if texts else "the configuration"
    try:
        config = Config.model_validate(merged.data)
    except ValidationError as error:
        raise ConfigError(explained(error, merged, name)) from None
    if reading.strict and reading.warnings:
        raise ConfigError(reading.warnings[0])
    return Loaded(config, files, merged, tuple(reading.warnings), profile)


def _is_strict(options: Options, environ: Mapping[str, str], said: object) -> bool:
    text = environ.get("SETU_STRICT")
    return options.strict or (said is True if not text else text.lower() in ("1", "true", "yes", "on"))


class _Reading:
    """Turns sources into layers; keeps what is worth a warning, which strict checking makes errors."""

    def __init__(self, environ: Mapping[str, str], *, strict: bool, offline: bool) -> None:
        self._environ = environ
        self._offline = offline
        self.strict = strict
        self.warnings: list[str] = []

    def file(self, data: Mapping[str, Any], line: Any, name: str) -> Layer:
        """Return a file's layer: variables filled in, other spellings rewritten."""

        def at(path: Way) -> str:
            return f"{name}:{line(path)}: {dotted(path)}"

        def unset(path: Way, variable: str) -> str:
            return self._unset(path, variable, at(path))

        return self._canonical(expand.expanded(data, self._environ, unset), at, name)

    def _unset(self, path: Way, variable: str, where: str) -> str:
        """Say what stands for a variable that is not set.

        A provider without its key cannot be called, and says so. Anything else would listen, let in or send elsewhere
        than its user meant.
        """
        key = next(step for step in reversed(path) if not step.isdecimal())
        if self._offline and key in _OFFLINE:
            return _OFFLINE[key]
        problem = f"{where}: the environment has no variable {variable}"
        if key != "api_key":
            raise ConfigError(problem)
        self.warnings.append(problem)
        return ""

    def variables(self, prefix: str, below: Merged) -> Layer:
        """Return the layer of the variables that there are for every key."""
        pairs = [(one.old, one.new) for one in synonyms.SYNONYMS if one.new is not None]
        said = Names(Config, pairs, prefix).read(self._environ, below.data)
        self.warnings += said.unknown
        return self._canonical(said.data, said.variable, "environment")

    def _canonical(self, data: Mapping[str, Any], at: Any, source: str) -> Layer:
        try:
            found = synonyms.rewritten(data)
        except synonyms.SameKeyError as error:
            raise ConfigError(f"{at(error.old)}: {error}") from None
        self.warnings += [f"{at(path)}: has no effect: {why}" for path, why in found.notes]
        return Layer(found.data, lambda path: at(found.old(path)), source)


def _files(profile: profiles.Profile, environ: Mapping[str, str]) -> list[Path]:
    """Return the further files that a profile reads: those named, and the usual ones that exist."""
    found = []
    for variable, usual in profile.files.items():
        named = environ.get(variable)
        if named and not Path(named).is_file():
            raise ConfigError(f"{variable}: file not found: {named}")
        if named or Path(usual).is_file():
            found.append(Path(named or usual))
    return found


def _legacy(profile: profiles.Profile, environ: Mapping[str, str]) -> Layer:
    data: dict[str, Any] = {}
    variables: dict[Way, str] = {}
    for variable, places in profile.legacy.items():
        for place in places if environ.get(variable) else ():
            value = place.convert(environ[variable])
            if value is not None:
                put(data, place.path, value)
                variables[place.path] = variable
    return Layer(data, lambda path: nearest(variables, path), "environment")


def _said(options: Options) -> Layer:
    data: dict[str, Any] = {"strict": True} if options.strict else {}
    if options.profile is not None:
        data["profile"] = options.profile
    for path, value in options.said.items():
        put(data, path, value)
    return Layer(data, lambda path: nearest(options.names, path), "command line")
