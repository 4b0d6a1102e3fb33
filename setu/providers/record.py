"""What a provider is: a host, as data. Whatever needs behaviour beyond a quirk does not belong here."""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from setu._json import Json
from setu.dialects.record import Facts, Loss, Operation
from setu.framing.frame import Frame

Scheme = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key", "signer", "none"]


class KeySource(msgspec.Struct, frozen=True, kw_only=True):
    """An environment variable that holds a key, and the scheme that presents it."""

    env: str
    scheme: Scheme


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a base URL needs, such as `{region}`: the first of its environment variables, else the default.

    With `follows` it is derived: `cases` gives it by the value of that other variable, and the default may name
    further ones. `example` stands for an unset variable where nothing leaves the machine. `reads` turns what was given
    into what the URL takes.
    """

    env: tuple[str, ...] = ()
    default: str | None = None
    follows: str | None = None
    cases: Mapping[str, str] = {}
    example: str | None = None
    reads: Callable[[str], str] | None = None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What a quirk does to a request: top-level members to set (None takes one out), and what was lost by it."""

    changes: Mapping[str, Json | None] = {}
    losses: tuple[Loss, ...] = ()


Members = Mapping[str, Json]
"""A body's top-level members as raw JSON."""


class Quirk(msgspec.Struct, frozen=True, kw_only=True):
    """Where one host needs the opposite of another that speaks the same dialect.

    What a decoder can take from every host alike is no quirk. `request` edits the body that is about to be sent, the
    client's own bytes included; an empty edit leaves them as they are. `frame` sees each frame of a stream before
    anyone else: it returns the frame, another one, or None to drop it. Both are pure and total. `source` is the page or
    thread that documents the habit, `proof` the recorded exchange, breakage row or cassette that shows it.
    """

    dialect: str
    source: str
    proof: str
    request: Callable[[Members], Edit] | None = None
    frame: Callable[[Frame], Frame | None] | None = None


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """Where an operation lives below the base URL, `{model}` filled in; `query` is the stream's."""

    plain: str
    stream: str | None = None
    query: str = ""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A host that serves models.

    `base_url` is what its own SDK calls the base URL, with `{name}` for each of its `variables`, and `{model}` or a
    query where the host wants them there; `dialects` are those it speaks, best first, and `speaks` says which one a
    model takes (glob pattern to dialect) where that is the model's affair. `paths` replaces all of a dialect's paths.
    `keys` are tried in order; `credentials` names what else can sign (a service account). `models` are the ids it is
    known to serve, with their facts; `families` are glob patterns of ids it serves without being listed (dated
    versions, new models). `headers` go with every request; of `anthropic-beta` flags only those in `betas` do, if it is
    set (B-HDR-01).

    `docs` is the page to read; `read` the day on which it, or the source it names, was opened for this row (empty: not
    yet). `unconfirmed` says in words which facts of the row no opened page, official client or recorded exchange shows.
    """

    name: str
    base_url: str
    dialects: tuple[str, ...]
    speaks: Mapping[str, str] = {}
    paths: Mapping[str, Mapping[Operation, Path]] = {}
    keys: tuple[KeySource, ...] = ()
    scheme: Scheme = "bearer"
    credentials: Literal["google", "aws"] | None = None
    variables: Mapping[str, Variable] = {}
    capabilities: frozenset[str] = frozenset()
    quirks: tuple[Quirk, ...] = ()
    models: Mapping[str, Facts] = {}
    families: tuple[str, ...] = ()
    headers: Mapping[str, str] = {}
    betas: frozenset[str] | None = None
    owned_by: str = ""
    docs: str = ""
    read: str = ""
    unconfirmed: tuple[str, ...] = ()
