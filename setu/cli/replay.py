"""`setu replay`: an offline mock of the providers, at wire level."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Exhausted(StrEnum):
    """What follows the last recording of a request."""

    ERROR = "error"
    LAST = "last"
    CYCLE = "cycle"


def replay(
    directory: Annotated[
        Path, typer.Argument(help="Directory (or file) of cassettes; without it, those that come with Setu.")
    ] = Path("bundled"),
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for any [default: 3742].")] = None,
    speed: Annotated[
        float, typer.Option(min=0.0, help="Pace of streams: 1 as recorded, 10 ten times as fast, 0 without pauses.")
    ] = 1.0,
    on_exhausted: Annotated[
        Exhausted, typer.Option(help="What a request gets whose recordings have all been served.")
    ] = Exhausted.ERROR,
    fault: Annotated[
        list[str] | None, typer.Option(help="Break answers on purpose, such as close@event=4, rst@event=2, stall=5s.")
    ] = None,
) -> None:
    """Serve recorded answers to any SDK: original bytes, event boundaries and timing. Needs no key and no network."""
    import os

    from setu import build
    from setu.cassette.faults import parse_rule
    from setu.cli.rooms import listening, note, settings
    from setu.config.model import Config
    from setu.server import serve
    from setu.studio import Setup, Studio, proxy

    loaded = settings(None, host, port)
    rules = tuple(parse_rule(text) for text in fault or ())
    studio = Studio(Setup(directory=directory, speed=speed, faults=rules, on_exhausted=on_exhausted.value), tell=note)
    count = studio.load()
    deployed = build.deployments(Config(), os.environ, offline_key=build.OFFLINE_KEY)
    app = build.app(
        proxy(studio, deployed), loaded, lambda: {"mode": "replay", "interactions": count, "misses": studio.misses}
    )
    listener = serve.bind(loaded.server.host, loaded.server.port)
    serve.run(app, listener, lambda: listening("replay", serve.url_of(listener), f"{count} recorded interactions"))
    if studio.misses:
        typer.echo(f"{studio.misses} request(s) had no recording", err=True)
        raise typer.Exit(1)
