"""What a provider is: a host, as data. Whatever needs behaviour beyond a quirk does not belong here."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from setu.dialects.record import Facts

Scheme = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key", "signer", "none"]


class KeySource(msgspec.Struct, frozen=True, kw_only=True):
    """An environment variable that holds a key, and the scheme that presents it."""

    env: str
    scheme: Scheme


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a base URL needs, such as `{region}`: the first of its environment variables, else the default."""

    env: tuple[str, ...] = ()
    default: str | None = None


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A host that serves models.

    `base_url` is what its own SDK calls the base URL, with `{name}` for each of its `variables`; `dialects` are those
    it speaks, best first. `keys` are tried in order. `models` are the ids it is known to serve, with their facts;
    `families` are glob patterns of ids it serves without being listed (dated versions, new models). `headers` go with
    every request. `docs` is the page all of this was read from.
    """

    name: str
    base_url: str
    dialects: tuple[str, ...]
    keys: tuple[KeySource, ...] = ()
    scheme: Scheme = "bearer"
    variables: Mapping[str, Variable] = {}
    capabilities: frozenset[str] = frozenset()
    models: Mapping[str, Facts] = {}
    families: tuple[str, ...] = ()
    headers: Mapping[str, str] = {}
    owned_by: str = ""
    docs: str = ""
