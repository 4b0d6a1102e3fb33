"""`setu start`: the gateway."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli import redaction

if TYPE_CHECKING:
    from setu.cassette.edits import Rules

NO_PROVIDER = (
    "setu: note: no provider is configured: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or "
    "OPENROUTER_API_KEY, or write a setu.toml"
)


def start(
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for any [default: 3742].")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration file [default: setu.toml, then XDG].")] = None,
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
    import os

    from setu import build
    from setu.cli.rooms import listening, note, settings
    from setu.ports import Transport
    from setu.server import serve
    from setu.studio import Setup, Studio
    from setu.telemetry import logs
    from setu.transport.httpx_ import HttpxTransport

    rules = _rules(replay, record, redact_header, redact_pointer, redact_pattern)
    logs.configure(verbose=verbose)
    loaded = settings(config, host, port)
    deployed = build.deployments(loaded, os.environ, offline_key=build.OFFLINE_KEY if replay is not None else None)
    transport: Transport = HttpxTransport(read_timeouts=build.timeouts(deployed))
    replaying = recording = None
    if record is not None:
        recording = Studio(Setup(directory=record, mode="all", redact=rules), live=transport, tell=note)
    if replay is not None:
        replaying = Studio(Setup(directory=replay, on_exhausted="cycle", redact=rules), tell=note)
        transport = replaying.open(None)
    listener = serve.bind(loaded.server.host, loaded.server.port)
    if not deployed:
        typer.echo(NO_PROVIDER, err=True)
    media = build.media_fetcher(loaded, HttpxTransport()) if replay is None else None

    def gateway(upstream: Transport) -> Transport:
        return build.gateway(deployed, upstream, config=loaded, media=media)

    served = recording.both_sides(gateway) if recording is not None else gateway(transport)
    app = build.app(build.guarded(served, loaded), loaded, build.describe_gateway(deployed))
    names = ", ".join(deployed) or "no provider"
    serve.run(app, listener, lambda: listening("gateway", serve.url_of(listener), names))
    if replaying is not None and replaying.misses:
        raise typer.Exit(1)


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
