"""`setu audit`: what was written down of refusals and changes, and whether it is whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli import access

if TYPE_CHECKING:
    from setu.access.audit import Entry

app = typer.Typer(
    name="audit",
    help="Check and show the audit log.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

File = Annotated[
    Path | None, typer.Argument(help="The log [default: audit.file, else that of the user's data folder].")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file [default: setu.toml, then XDG].")]


@app.command("verify")
def verify(
    file: File = None,
    anchor: Annotated[
        str | None, typer.Option(help="A hash that was noted before: the log must still hold it.", metavar="HASH")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Check that no line was changed, dropped, added or moved; exit with 1 where one was."""
    from setu.access.audit import GENESIS, walk
    from setu.store.audit import lines

    path = _file(file, config)
    hashes: set[str] = set()
    verdict = walk(lines(path), hashes.add)
    if verdict.broken is not None:
        typer.echo(f"{path}:{verdict.broken.line}: {verdict.broken.why}")
        raise typer.Exit(1)
    if anchor is not None and anchor not in hashes | {GENESIS}:
        typer.echo(f"{path}: no line has the hash {anchor}: the log was cut, or written anew")
        raise typer.Exit(1)
    typer.echo(f"{path}: {verdict.head.seq} line(s), none broken; head {verdict.head.hash}")


@app.command("show")
def show(
    file: File = None,
    last: Annotated[int, typer.Option(min=1, help="How many of the last lines.")] = 50,
    event: Annotated[str | None, typer.Option(help="Only events of this name: a pattern.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lines as they are.")] = False,
    config: ConfigFile = None,
) -> None:
    """Show the last lines; broken ones are said to be so."""
    from collections import deque
    from fnmatch import fnmatchcase

    from setu.access.audit import read
    from setu.store.audit import lines

    shown: deque[str] = deque(maxlen=last)
    for number, line in enumerate(lines(_file(file, config)), 1):
        try:
            found = read(line.rstrip(b"\n"))
        except ValueError as error:
            shown.append(f"line {number}: {error}")
            continue
        if event is None or fnmatchcase(found.event, event):
            shown.append(line.decode("utf-8", "replace").rstrip("\n") if as_json else _said(found))
    for text in shown:
        typer.echo(text)


def _said(found: "Entry") -> str:
    details = " ".join(f"{name}={value}" for name, value in found.details.items())
    return f"{found.ts}  {found.event}  {found.actor or '-'}  {details}".rstrip()


def _file(file: Path | None, config: Path | None) -> Path:
    from setu.config.access import audit_file
    from setu.errors import ConfigError

    found = file or audit_file(access.read(config).audit)
    if found is None:
        raise ConfigError("audit.enabled is false: name the log to look at")
    return found
