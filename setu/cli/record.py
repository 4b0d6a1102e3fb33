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
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            "-m",
            help="all, new_episodes (what no recording answers), once (where there is no cassette yet), "
            "rewrite (anew, unchanged recordings untouched), none (replay only).",
        ),
    ] = "all",
    cassette: Annotated[
        str | None, typer.Option(help="Record what names no cassette into this one, NAME.yaml in the directory.")
    ] = None,
    miss: Annotated[
        str | None,
        typer.Option(help="Record just the call of a replay's miss: FILE:LINE of setu-misses.jsonl.", metavar="PLACE"),
    ] = None,
    scrub_ids: Annotated[
        bool, typer.Option("--scrub-ids", help="Rename the providers' random ids, so that a diff shows meaning only.")
    ] = False,
    no_timing: Annotated[bool, typer.Option("--no-timing", help="Keep no times.")] = False,
    keep_chunks: Annotated[
        bool,
        typer.Option("--keep-chunks", help="Keep the transport's chunk boundaries where they are not the events'."),
    ] = False,
    strip_media: Annotated[
        bool, typer.Option("--strip-media", help="Keep only a digest of base64 media over 64 KiB.")
    ] = False,
    blobs: Annotated[
        bool, typer.Option("--blobs", help="Keep base64 media over 64 KiB as files in .blobs, not in the cassette.")
    ] = False,
) -> None:
    """Record real traffic: point a client at this proxy; its calls go on unchanged and land in cassettes.

    /v1/chat/completions goes to OpenAI, /v1/messages to Anthropic, /v1beta/… to Gemini, /openrouter/v1/… and the like
    to the provider named. Secrets are removed before anything is written.
    """
    import asyncio
    import os

    from setu import build
    from setu.cassette.misslog import read_miss
    from setu.cassette.scope import parse_scope
    from setu.cli.rooms import child, listening, note, settings, with_upstream
    from setu.errors import ConfigError
    from setu.server import serve
    from setu.studio import Setup, Studio, again, proxy
    from setu.transport.httpx_ import HttpxTransport
    from setu.transport.modes import parse_mode

    loaded = settings(config, host, 0 if command and port is None else port)
    deployed, upstream = with_upstream(build.deployments(loaded, os.environ, offline_key=""), upstream)
    live = HttpxTransport(read_timeouts=build.timeouts(deployed))
    if strip_media and blobs:
        raise ConfigError("--strip-media and --blobs exclude each other")
    setup = Setup(
        directory=output,
        mode=parse_mode(mode),
        timing=not no_timing,
        chunks=keep_chunks,
        rename=scrub_ids,
        media="strip" if strip_media else "blobs" if blobs else "inline",
    )
    studio = Studio(setup, live=live, tell=note)
    default = parse_scope(cassette) if cassette is not None else None
    if miss is not None:
        request = read_miss(miss)
        place, answer = asyncio.run(again(studio, request, deployed, default))
        typer.echo(f"{request.method} {request.url}: {answer}, recorded into {place}")
        raise typer.Exit(0 if answer < 400 else 1)
    app = build.app(
        proxy(studio, deployed, upstream=upstream, live=live, default=default),
        loaded,
        lambda: {"mode": "record", "output": str(output)},
    )
    status = 0
    if command:
        with serve.Background(app, loaded.server.host, loaded.server.port) as server:
            status = child(command, server.url)
    else:
        listener = serve.bind(loaded.server.host, loaded.server.port)
        serve.run(app, listener, lambda: listening("recording proxy", serve.url_of(listener), f"into {output}"))
    studio.close()
    raise typer.Exit(status)
