"""`setu cassettes html`."""

from pathlib import Path
from typing import Annotated

import typer

from setu.cli.cassettes.rooms import Paths


def html(
    paths: Paths,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("cassettes.html"),
    title: Annotated[str | None, typer.Option(help="The page's title [default: the paths].")] = None,
) -> None:
    """Write one page to browse recordings: conversations, the raw wire, timing, search. It needs no server."""
    from setu.cli.cassettes.rooms import interactions
    from setu.errors import ConfigError
    from setu.web.page import page

    found = list(interactions(paths))
    text = page(found, title or ", ".join(map(str, paths)))
    try:
        output.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error.strerror or error}") from None
    typer.echo(f"{len(found)} recordings in {output}, {output.stat().st_size // 1024} KiB")
