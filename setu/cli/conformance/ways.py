"""From the options of `setu conformance` to a way of running it."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import typer

from setu.conformance import caps, expected, live, modes, selection, two_sided
from setu.conformance.catalogue import load as load_catalogue
from setu.conformance.common import Common
from setu.conformance.gateways import Model
from setu.conformance.lab import Aim
from setu.conformance.recorded import Source
from setu.conformance.results import Exit, Run
from setu.conformance.runner import Settings, each_once, minimum, names_of
from setu.conformance.runner import run as run_offline
from setu.errors import ConfigError


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The options, by their names."""

    provider: str | None = None
    gateway: str | None = None
    base_url: str | None = None
    cassette: list[Path] | None = None
    har: list[Path] | None = None
    corpus: list[Path] | None = None
    model: list[str] | None = None
    embedding: str | None = None
    upstream_port: int = 9009
    header: list[str] | None = None
    api_key_env: str | None = None
    caps: Path | None = None
    select: list[str] | None = None
    profile: str | None = None
    expected_failures: Path | None = None
    budget_usd: float | None = None
    max_requests: int | None = None
    tries: int = 3
    save: Path | None = None
    cassettes: Path | None = None
    report: list[str] = []
    previous: Path | None = None
    clients: bool = False
    strict: bool = False
    seed: int = 0
    max_examples: int = 40
    fuzz: bool = True
    live_fuzz: bool = False

    def __post_init__(self) -> None:
        for name in ("model", "header", "report"):  # typer gives None for an option that was not there
            if getattr(self, name) is None:
                msgspec.structs.force_setattr(self, name, [])


def runs_of(asked: Asked) -> Iterator[Run]:
    """Run what was asked for.

    Raises:
        ConfigError: options that do not go together, or that cannot be read.
        AbsentError: what is to be judged is not there.
        CassetteError: recordings are not there, or cannot be read.
    """
    recordings = bool(asked.cassette or asked.har or asked.corpus)
    ways = {"--provider": asked.provider, "--gateway": asked.gateway, "--base-url": asked.base_url}
    given = [name for name, value in ways.items() if value] + ["recordings"] * recordings
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} exclude each other")
    common = _common(asked)
    if asked.gateway:
        return _once(lambda: _gateway(asked, common))
    if asked.base_url:
        return _once(lambda: _server(asked, common))
    if recordings:
        return modes.recorded(_sources(asked), common)
    return _offline(asked, common)


def _once(way: Callable[[], Run]) -> Iterator[Run]:
    """Run one thing when its result is asked for, so that a terminal can show that it is under way."""
    yield way()


def _common(asked: Asked) -> Common:
    catalogue = load_catalogue()
    known = expected.load(asked.expected_failures, catalogue.by_id) if asked.expected_failures else ()
    return Common(
        selection=selection.parse(asked.select or [], asked.profile, catalogue),
        expected=known,
        today=datetime.now(UTC).date(),
        seed=asked.seed,
        save=asked.save,
    )


def _offline(asked: Asked, common: Common) -> Iterator[Run]:
    settings = Settings(
        cassettes=asked.cassettes, seed=asked.seed, max_examples=asked.max_examples, fuzz=asked.fuzz, common=common
    )
    for name, own in each_once(names_of(asked.provider or "all"), settings):
        run = run_offline(name, own)
        whole = asked.cassettes is None and asked.fuzz and not asked.select and asked.profile is None
        least = minimum(name) if whole else 1
        if run.counts().run < least and run.exit_code() is Exit.OK:
            typer.echo(f"{name}: only {run.counts().run} checks ran, {least} should have", err=True)
            run = msgspec.structs.replace(run, results=())
        yield run


def _gateway(asked: Asked, common: Common) -> Run:
    assert asked.gateway is not None
    examples = asked.max_examples if asked.fuzz and not asked.select else 0
    if not asked.gateway.startswith(("http://", "https://")):
        return modes.gateway(asked.gateway, common, port=asked.upstream_port, examples=examples)
    declared = caps.load(asked.caps) if asked.caps is not None else None
    has = frozenset(declared.capabilities) if declared is not None else frozenset()
    models = two_sided.models_of(asked.model or [], modes.clients_of(has))
    if not models:
        raise ConfigError("--gateway URL needs --model openai=NAME, anthropic=NAME or gemini=NAME: its own names")
    embedding = asked.embedding or (declared.embedding if declared is not None else None)
    sight = two_sided.Sight(
        url=live.root_of(asked.gateway),
        models=models,
        headers=_headers(asked),
        capabilities=dict.fromkeys(models, has) if declared is not None else {},
        embedding=Model(name=embedding) if embedding else None,
    )
    return modes.gateway(asked.gateway, common, port=asked.upstream_port, sight=sight, examples=examples)


def _server(asked: Asked, common: Common) -> Run:
    assert asked.base_url is not None
    if len(asked.model or []) != 1 or not asked.base_url.startswith(("http://", "https://")):
        raise ConfigError("--base-url is http://… or https://…, and needs one --model")
    declared = caps.load(asked.caps) if asked.caps is not None else None
    headers = _headers(asked)
    aim = Aim(
        model=(asked.model or [""])[0],
        embedding=asked.embedding or (declared.embedding if declared is not None else None),
        capabilities=frozenset(declared.capabilities) if declared is not None else None,
        headers=headers,
        secrets=tuple(value.removeprefix("Bearer ") for name, value in headers.items() if name == "authorization"),
        tries=asked.tries,
    )
    return modes.server(
        asked.base_url,
        aim,
        common,
        live.Budget(usd=asked.budget_usd, requests=asked.max_requests),
        examples=asked.max_examples if asked.live_fuzz else 0,
    )


def _headers(asked: Asked) -> dict[str, str]:
    """Return the headers of every request, the key among them."""
    found: dict[str, str] = {}
    if asked.api_key_env is not None:
        key = os.environ.get(asked.api_key_env)
        if not key:
            raise ConfigError(f"--api-key-env: the environment has no variable {asked.api_key_env}")
        found["authorization"] = f"Bearer {key}"
    for text in asked.header or []:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise ConfigError("--header is NAME=VALUE")  # the rest may be a secret
        found[name.strip().lower()] = value
    return found


def _sources(asked: Asked) -> list[Source]:
    kinds = (("cassette", asked.cassette), ("har", asked.har), ("corpus", asked.corpus))
    return [Source(kind, path) for kind, paths in kinds for path in paths or []]  # type: ignore[arg-type] # three of its words


def code_of(run: Run, *, strict: bool) -> Exit:
    return run.exit_code(strict=strict)
