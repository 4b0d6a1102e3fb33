"""Recipes for gateways: how to install, configure and start one so that its upstreams are Setu's scripted one."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import msgspec
import tomli

import setu
from setu.bundled import data_dir
from setu.conformance.packages import Wanted
from setu.errors import ConfigError

HERE = "here"
_PLACE = re.compile(r"\{([a-z_]+)\}")
_KEYS = ("key", "openai_key", "anthropic_key", "gemini_key")


class Install(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it comes from; `here` is what runs already. `{version}` in packages is the recipe's."""

    kind: Literal["pypi", "npm", "here"]
    packages: tuple[str, ...] = ()
    node: str = ""
    overrides: Mapping[str, str] = {}


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of its models: the gateway's name for it, the dialects it can be asked in, and headers that it needs.

    `members` are those of a chat request that it does not do without, although OpenAI's API does.
    """

    name: str
    clients: frozenset[str] = frozenset({"openai_chat"})
    headers: Mapping[str, str] = {}
    members: Mapping[str, Any] = {}


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of `conformance/gateways`.

    `models` stand under the dialect of the upstream behind them; `missing` says why one is not there. `ready` is the
    path that answers once it is up. In `command`, `environment`, `headers` and `files` these are filled in: `{port}`,
    `{upstream}` (a URL without a path), `{folder}` (of this run), `{packages}` (of the installation), `{python}`,
    `{node}`, and fake keys: `{key}` (its clients'), `{openai_key}`, `{anthropic_key}`, `{gemini_key}` (its upstreams').
    """

    name: str = ""
    title: str
    home: str = ""
    version: str = ""
    ready: str
    ready_seconds: float
    command: tuple[str, ...]
    install: Install
    models: Mapping[str, Model]
    missing: Mapping[str, str] = {}
    embedding: Model | None = None
    capabilities: frozenset[str]
    headers: Mapping[str, str] = {}
    environment: Mapping[str, str] = {}
    files: Mapping[str, str] = {}

    @property
    def wanted(self) -> Wanted:
        packages = tuple(package.replace("{version}", self.version) for package in self.install.packages)
        return Wanted(
            kind=self.install.kind, packages=packages, node=self.install.node, overrides=self.install.overrides
        )

    def can(self, dialect: str) -> frozenset[str]:
        """Return the capabilities with the model of an upstream: the gateway's, and the dialects it can be asked in."""
        return self.capabilities | {_ASKED[client] for client in self.models[dialect].clients if client in _ASKED}


_ASKED = {"openai_responses": "responses", "anthropic": "anthropic", "gemini": "gemini"}


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe with everything filled in; the headers of every request are among those of each model."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    models: Mapping[str, Model]
    embedding: Model | None
    files: Mapping[str, str]


PLACES = frozenset({"port", "upstream", "folder", "packages", "python", "node", *_KEYS})


def names() -> tuple[str, ...]:
    """Return the names of the recipes that come with Setu."""
    return tuple(sorted(path.stem for path in (data_dir("conformance") / "gateways").glob("*.toml")))


def load(said: str) -> Recipe:
    """Return the recipe of a name, of `NAME@VERSION`, or of a file.

    Raises:
        ConfigError: there is none, it is no TOML, or a member is unknown, missing or of the wrong type.
    """
    if said.endswith(".toml"):
        return _read(Path(said))
    name, _, version = said.partition("@")
    if name not in names():
        raise ConfigError(f"no recipe for a gateway {name!r}; there are {', '.join(names())}, or give a .toml file")
    recipe = _read(data_dir("conformance") / "gateways" / f"{name}.toml")
    if version and recipe.install.kind == HERE:
        raise ConfigError(f"{said}: {name} is the installation that runs, version {recipe.version}")
    return msgspec.structs.replace(recipe, version=version) if version else recipe


def _read(path: Path) -> Recipe:
    try:
        recipe = msgspec.convert(tomli.loads(path.read_text(encoding="utf-8")), Recipe)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from None
    version = recipe.version or (setu.__version__ if recipe.install.kind == HERE else "")
    recipe = msgspec.structs.replace(recipe, name=recipe.name or path.stem, version=version)
    _check(recipe, path)
    return recipe


def _check(recipe: Recipe, path: Path) -> None:
    """Find what would fail only after minutes of installing."""
    if recipe.install.kind != HERE and not recipe.install.packages:
        raise ConfigError(f"{path}: install.packages is empty")
    if recipe.install.kind != HERE and not recipe.version:
        raise ConfigError(f"{path}: version is missing")
    if recipe.install.kind == "npm" and not recipe.install.node:
        raise ConfigError(f"{path}: install.node is missing")
    if both := sorted(recipe.models.keys() & recipe.missing.keys()):
        raise ConfigError(f"{path}: missing.{both[0]} has a model, too")
    for key, text in _texts(recipe):
        if unknown := sorted(set(_PLACE.findall(text)) - PLACES):
            known = ", ".join(sorted(PLACES))
            raise ConfigError(f"{path}: {key} has {{{unknown[0]}}}, which is not filled in; there are {known}")


def _texts(recipe: Recipe) -> list[tuple[str, str]]:
    """Return every text with places in it, with the key of the file that it stands at."""
    tables = {"environment": recipe.environment, "headers": recipe.headers, "files": recipe.files}
    tables |= {f"models.{dialect}.headers": model.headers for dialect, model in recipe.models.items()}
    tables |= {"embedding.headers": recipe.embedding.headers} if recipe.embedding is not None else {}
    found = [(f"command[{at}]", word) for at, word in enumerate(recipe.command)]
    return found + [(f"{table}.{key}", text) for table, texts in tables.items() for key, text in texts.items()]


def keys(seed: int) -> dict[str, str]:
    """Return made-up keys, the same for the same seed; no two are alike: one that turns up tells whose it is."""
    return {name: f"sk-setu-{blake2b(f'{seed} {name}'.encode(), digest_size=16).hexdigest()}" for name in _KEYS}


def render(recipe: Recipe, values: Mapping[str, str]) -> Rendered:
    """Fill in a recipe; `values` has one for each of `PLACES` that it uses."""

    def fill(text: str) -> str:
        return _PLACE.sub(lambda found: values[found[1]], text)

    def table(texts: Mapping[str, str]) -> dict[str, str]:
        return {name: fill(text) for name, text in texts.items()}

    def model(said: Model) -> Model:
        return msgspec.structs.replace(said, headers=table(recipe.headers) | table(said.headers))

    return Rendered(
        command=tuple(map(fill, recipe.command)),
        environment=table(recipe.environment),
        models={dialect: model(said) for dialect, said in recipe.models.items()},
        embedding=None if recipe.embedding is None else model(recipe.embedding),
        files=table(recipe.files),
    )
