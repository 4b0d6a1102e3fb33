"""`setu record`: a recording proxy, for live providers and for one command."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli import redaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from setu.cli.rooms import Ended
    from setu.config.model import Config
    from setu.server.app import App
    from setu.studio import Setup, Studio

Command = Annotated[
    list[str] | None, typer.Argument(help="A command to run; its SDKs are pointed at the proxy by their variables.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Directory for cassettes.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")]
Port = Annotated[int | None, typer.Option(help="Port to listen on [default: 3742; any free one with a command].")]
ConfigFile = Annotated[Path | None, typer.Option(help="Configuration file [default: setu.toml, then XDG].")]
Upstream = Annotated[str, typer.Option(help="Where unprefixed OpenAI paths go: a provider's name, or a base URL.")]
Mode = Annotated[
    str,
    typer.Option(
        "--mode",
        "-m",
        help="all; new_episodes: what no recording answers; once: where there is no cassette yet; rewrite: anew, "
        "unchanged recordings untouched; verify: replay, and see what the provider answers now; none: replay only.",
    ),
]
Named = Annotated[str | None, typer.Option(help="Record what names no cassette into NAME.yaml of the directory.")]
MaxAge = Annotated[
    str | None, typer.Option(help="In mode once: record a cassette anew that has older recordings: 30d, 8w, 1y.")
]
Miss = Annotated[
    str | None, typer.Option(help="Record just the call of a replay's miss: FILE:LINE of setu-misses.jsonl.")
]
ScrubIds = Annotated[
    bool, typer.Option("--scrub-ids", help="Rename the providers' random ids, so that a diff shows meaning only.")
]
NoTiming = Annotated[bool, typer.Option("--no-timing", help="Keep no times.")]
KeepChunks = Annotated[
    bool, typer.Option("--keep-chunks", help="Keep the transport's chunk boundaries where they are not the events'.")
]
StripMedia = Annotated[bool, typer.Option("--strip-media", help="Keep only a digest of base64 media over 64 KiB.")]
Blobs = Annotated[
    bool, typer.Option("--blobs", help="Keep base64 media over 64 KiB as files in .blobs, not in the cassette.")
]


def record(
    command: Command = None,
    output: Output = Path("cassettes"),
    host: Host = None,
    port: Port = None,
    config: ConfigFile = None,
    upstream: Upstream = "openai",
    mode: Mode = "all",
    cassette: Named = None,
    max_age: MaxAge = None,
    miss: Miss = None,
    scrub_ids: ScrubIds = False,
    no_timing: NoTiming = False,
    keep_chunks: KeepChunks = False,
    strip_media: StripMedia = False,
    blobs: Blobs = False,
    redact_header: redaction.Headers = None,
    redact_pointer: redaction.Pointers = None,
    redact_pattern: redaction.Patterns = None,
) -> None:
    """Record real traffic: point a client at this proxy; its calls go on unchanged and land in cassettes.

    /v1/chat/completions goes to OpenAI, /v1/messages to Anthropic, /v1beta/… to Gemini, /openrouter/v1/… and the like
    to the provider named, /proxy/https/HOST/… to any host. Secrets are removed before anything is written.
    """
    from setu.cassette.age import Expiry, parse_age
    from setu.cassette.redact import parse_rules
    from setu.errors import ConfigError
    from setu.studio import Setup
    from setu.transport.modes import parse_mode

    if strip_media and blobs:
        raise ConfigError("--strip-media and --blobs exclude each other")
    if max_age is not None and parse_mode(mode) != "once":
        raise ConfigError("--max-age needs --mode once")
    if miss is not None and command:
        raise ConfigError("--miss records one call, without a command")
    setup = Setup(
        directory=output,
        mode=parse_mode(mode),
        expiry=Expiry(parse_age(max_age), "rerecord") if max_age is not None else None,
        timing=not no_timing,
        chunks=keep_chunks,
        rename=scrub_ids,
        media="strip" if strip_media else "blobs" if blobs else "inline",
        redact=parse_rules(redact_header or (), redact_pointer or (), redact_pattern or ()),
    )
    port = 0 if command and port is None else port
    raise typer.Exit(_record(setup, command or [], host, port, config, upstream, cassette, miss))


def _record(
    setup: "Setup",
    command: list[str],
    host: str | None,
    port: int | None,
    config: Path | None,
    upstream: str,
    cassette: str | None,
    miss: str | None,
) -> int:
    """Record until a signal, until the command has ended, or the one call of a miss; return the exit status."""
    import asyncio
    import os

    from setu import build
    from setu.cassette.misslog import read_miss
    from setu.cassette.scope import parse_scope
    from setu.cli.rooms import note, settings, unanswered
    from setu.cli.verify import Report
    from setu.live import again
    from setu.project import with_upstream
    from setu.studio import Studio, proxy
    from setu.transport.httpx_ import HttpxTransport

    loaded = settings(config, host, port)
    deployed = build.deployments(loaded, os.environ, offline_key="")
    deployed, upstream = with_upstream(deployed, upstream, "--upstream")
    live = HttpxTransport(read_timeouts=build.timeouts(deployed))
    report = Report()
    studio = Studio(setup, live=live, tell=note, compare=report.add)
    default = parse_scope(cassette) if cassette is not None else None
    if miss is not None:
        request = read_miss(miss)
        place, answer = asyncio.run(again(studio, request, deployed, default))
        typer.echo(f"{request.method} {request.url}: {answer}, recorded into {place}")
        return 0 if answer < 400 else 1
    transport = proxy(studio, deployed, upstream=upstream, live=live, default=default)
    app = build.app(transport, loaded, lambda: {"mode": "record", "output": str(setup.directory)})
    status = _kept(studio, setup, lambda: _served(app, loaded, command, setup.directory))
    if setup.mode == "verify":
        report.print(as_json=False)
    return status or int(unanswered(studio.misses)) or report.status(strict=False)


def _kept(studio: "Studio", setup: "Setup", serve: "Callable[[], Ended]") -> int:
    """Serve, and put what was recorded in place, unless it was cut short; return the exit status."""
    from setu.cli.rooms import note

    try:
        ended = serve()
    except BaseException:
        studio.discard()
        raise
    if ended.stopped and ended.status:  # a server that is told to stop ends well, and has done its work
        studio.discard()
        if setup.mode == "rewrite":
            note("interrupted: what was to be rewritten is as it was")
    else:
        studio.close()
    return ended.status


def _served(app: "App", config: "Config", command: list[str], directory: Path) -> "Ended":
    """Serve while a command runs, or until a signal."""
    from setu.cli.rooms import Ended, child, listening
    from setu.server import serve

    host, port = config.server.host, config.server.port
    if command:
        with serve.Background(app, host, port) as server:
            return child(command, server.url)
    listener = serve.bind(host, port)
    serve.run(app, listener, lambda: listening("recording proxy", serve.url_of(listener), f"into {directory}"))
    return Ended(0)
