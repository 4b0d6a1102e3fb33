"""`setu start`: the gateway."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli import redaction

if TYPE_CHECKING:
    from setu.cassette.edits import Rules


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
    from setu.cli import serving
    from setu.cli.rooms import asked
    from setu.telemetry import logs

    rules = _rules(replay, record, redact_header, redact_pointer, redact_pattern)
    logs.configure(verbose=verbose)
    options = asked(host, port, listen or ())._replace(profile=profile, strict=strict)
    mode = serving.Mode(workers, allow_per_process_limits, replay, record, rules, verbose)
    raise typer.Exit(serving.run(serving.Source(config, options), mode))


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
