"""`setu start`: the gateway."""

from pathlib import Path
from typing import Annotated

import typer

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
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every request.")] = False,
) -> None:
    """Start the gateway: OpenAI-, Anthropic- and Gemini-compatible, in front of any provider."""
    import os

    from setu import build
    from setu.cli.rooms import listening, note, settings
    from setu.errors import ConfigError
    from setu.ports import Transport
    from setu.server import serve
    from setu.studio import Setup, Studio
    from setu.telemetry import logs
    from setu.transport.httpx_ import HttpxTransport

    if replay is not None and record is not None:
        raise ConfigError("--replay and --record exclude each other")
    logs.configure(verbose=verbose)
    loaded = settings(config, host, port)
    deployed = build.deployments(loaded, os.environ, offline_key=build.OFFLINE_KEY if replay is not None else None)
    timeouts = build.timeouts(deployed)
    transport: Transport = HttpxTransport(read_timeouts=timeouts)
    replaying = Studio(Setup(directory=replay, on_exhausted="cycle"), tell=note) if replay is not None else None
    recording = Studio(Setup(directory=record, mode="all"), live=transport, tell=note) if record is not None else None
    if replaying is not None:
        transport = replaying.open(None)
    listener = serve.bind(loaded.server.host, loaded.server.port)
    if not deployed:
        typer.echo(NO_PROVIDER, err=True)
    media = build.media_fetcher(loaded, HttpxTransport()) if replay is None else None

    def gateway(upstream: Transport) -> Transport:
        return build.gateway(deployed, upstream, config=loaded, media=media)

    served = recording.both_sides(gateway) if recording is not None else gateway(transport)
    app = build.app(served, loaded, build.describe_gateway(deployed))
    names = ", ".join(deployed) or "no provider"
    serve.run(app, listener, lambda: listening("gateway", serve.url_of(listener), names))
    if replaying is not None and replaying.misses:
        raise typer.Exit(1)
