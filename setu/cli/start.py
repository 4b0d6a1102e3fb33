"""`setu start`: the gateway."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli import redaction

if TYPE_CHECKING:
    from setu.cassette.edits import Rules
    from setu.config.model import Config

NO_PROVIDER = (
    "setu: note: no provider is configured: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or "
    "OPENROUTER_API_KEY, or write a setu.toml"
)


def start(
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for any [default: 3742].")] = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS:PORT", help="Listen here instead; repeatable, one process may have several."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file [default: setu.toml, config.yaml, then XDG].")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="Defaults and variables of a predecessor: ai-gateway-proxy, responses-proxy, ai-gateway, semaroute."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse to start where a warning would do.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the sockets.")] = 1,
    allow_per_process_limits: Annotated[
        bool, typer.Option("--allow-per-process-limits", help="Let every worker count limits for itself.")
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(help="Answer from this directory of cassettes, not from live providers; `bundled` is Setu's own."),
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Record upstream traffic into this directory.")] = None,
    redact_header: redaction.Headers = None,
    redact_pointer: redaction.Pointers = None,
    redact_pattern: redaction.Patterns = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every request.")] = False,
) -> None:
    """Start the gateway: OpenAI-, Anthropic- and Gemini-compatible, in front of any provider."""
    from setu import build
    from setu.cli import serving
    from setu.cli.rooms import asked, listening, note
    from setu.server import serve
    from setu.server.workers import Supervisor, adopted
    from setu.telemetry import logs

    rules = _rules(replay, record, redact_header, redact_pointer, redact_pattern)
    logs.configure(verbose=verbose)
    options = asked(host, port, listen or ())._replace(profile=profile, strict=strict, offline=False)
    worker = adopted()
    source = serving.Source(config, options)
    loaded = source.load()
    sentences = [*loaded.warnings, *_exposed(loaded.config)]
    if workers > 1:
        _need_one_count(loaded.config, recorded=record or replay, allowed=allow_per_process_limits)
    listeners = worker.listeners if worker else [serve.bind(*one) for one in build.addresses(loaded.config)]
    urls = ", ".join(map(serve.url_of, listeners))
    for sentence in sentences if worker is None else ():
        note(sentence)
    if workers > 1 and worker is None:
        count = f"{workers} workers"
        raise typer.Exit(Supervisor(workers, listeners, lambda: listening("gateway", urls, count), tell=note).run())
    served = serving.open_(source, loaded, replay=replay, record=record, rules=rules, shared=worker is not None)
    if not served.names and worker is None:
        typer.echo(NO_PROVIDER, err=True)
    names = ", ".join(served.names) or "no provider"
    serve.run(
        served.app,
        listeners,
        worker.ready if worker else lambda: listening("gateway", urls, names),
        grace=loaded.config.server.shutdown_timeout,
        keep_alive=loaded.config.server.idle_timeout,
    )
    if served.misses():
        raise typer.Exit(1)


def _exposed(config: "Config") -> list[str]:
    """Return what is worth a warning of where this configuration listens.

    Raises:
        ConfigError: there is something, and checking is strict.
    """
    from setu.access.exposure import exposed
    from setu.build import addresses

    found = (exposed(host, config.auth.mode, strict=config.strict) for host, _ in addresses(config))
    return [sentence for sentence in found if sentence is not None][:1]


def _need_one_count(config: "Config", *, recorded: Path | None, allowed: bool) -> None:
    """Refuse several workers where each would do for itself what must be done once.

    Raises:
        ConfigError: recordings, or limits that every worker would count for itself.
    """
    from setu.config.limits import limits_of
    from setu.errors import ConfigError
    from setu.resilience.limits import NO_LIMITS

    if recorded is not None:
        raise ConfigError("--workers: recordings are written and replayed by one process; leave --workers out")
    counted = limits_of(config.limits, {name: each.rate_limit for name, each in config.providers.items()})
    if counted != NO_LIMITS and config.state.redis_url is None and not allowed:
        raise ConfigError(
            "--workers: each worker would count limits for itself: set state.redis_url, "
            "or say --allow-per-process-limits"
        )


def _rules(
    replay: Path | None,
    record: Path | None,
    headers: list[str] | None,
    pointers: list[str] | None,
    patterns: list[str] | None,
) -> "Rules":
    """Return what is to be taken out of recordings.

    Raises:
        ConfigError: there are none to take it out of, or options do not go together.
    """
    from setu.cassette.redact import parse_rules
    from setu.errors import ConfigError

    if replay is not None and record is not None:
        raise ConfigError("--replay and --record exclude each other")
    if (headers or pointers or patterns) and replay is None and record is None:
        raise ConfigError("--redact-header, --redact-pointer and --redact-pattern need --record or --replay")
    return parse_rules(headers or (), pointers or (), patterns or ())
