"""`setu record`: a recording reverse proxy."""

from pathlib import Path
from typing import Annotated

import typer


def record(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- CMD…]", help="Run this command against the proxy, then stop.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for cassettes.")] = Path("cassettes"),
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on [default: 3742; any free one with a command].")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration file [default: setu.toml, then XDG].")] = None,
    upstream: Annotated[
        str, typer.Option(help="Where unprefixed OpenAI paths go: a provider's name, or a base URL.")
    ] = "openai",
) -> None:
    """Record real traffic: point a client at this proxy; its calls go on unchanged and land in cassettes.

    /v1/chat/completions goes to OpenAI, /v1/messages to Anthropic, /v1beta/… to Gemini, /openrouter/v1/… and the like
    to the provider named. Secrets are removed before anything is written.
    """
    import os

    from setu import build
    from setu.cli.rooms import child, listening, recorder, settings, with_upstream
    from setu.server import serve
    from setu.transport.httpx_ import HttpxTransport
    from setu.transport.reverse import Reverse

    loaded = settings(config, host, 0 if command and port is None else port)
    deployed, upstream = with_upstream(build.deployments(loaded, os.environ, offline_key=""), upstream)
    transport = recorder(output, HttpxTransport(read_timeouts=build.timeouts(deployed)))
    proxy = Reverse(transport, deployed, build.render_error, upstream=upstream)
    app = build.app(proxy, loaded, lambda: {"mode": "record", "output": str(output)})
    if command:
        with serve.Background(app, loaded.server.host, loaded.server.port) as server:
            status = child(command, server.url)
        raise typer.Exit(status)
    listener = serve.bind(loaded.server.host, loaded.server.port)
    serve.run(app, listener, lambda: listening("recording proxy", serve.url_of(listener), f"into {output}"))
