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
    from setu.cassette.library import Library
    from setu.cli.rooms import OFFLINE_KEY, listening, recorder, replayer, settings
    from setu.errors import ConfigError
    from setu.ports import Transport
    from setu.server import serve
    from setu.telemetry import logs
    from setu.transport.httpx_ import HttpxTransport

    if replay is not None and record is not None:
        raise ConfigError("--replay and --record exclude each other")
    logs.configure(verbose=verbose)
    loaded = settings(config, host, port)
    deployed = build.deployments(loaded, os.environ, offline_key=OFFLINE_KEY if replay is not None else None)
    timeouts = build.timeouts(deployed)
    library: Library | None = None
    transport: Transport
    if replay is not None:
        transport, library = replayer(replay, speed=1.0, on_exhausted="cycle")
    elif record is not None:
        transport = recorder(record, HttpxTransport(read_timeouts=timeouts))
    else:
        transport = HttpxTransport(read_timeouts=timeouts)
    listener = serve.bind(loaded.server.host, loaded.server.port)
    if not deployed:
        typer.echo(NO_PROVIDER, err=True)
    media = build.media_fetcher(loaded, HttpxTransport()) if replay is None else None
    gateway = build.gateway(deployed, transport, config=loaded, media=media)
    app = build.app(gateway, loaded, build.describe_gateway(deployed))
    names = ", ".join(deployed) or "no provider"
    serve.run(app, listener, lambda: listening("gateway", serve.url_of(listener), names))
    if library is not None and library.misses:
        raise typer.Exit(1)
