"""What the commands about cassettes share: where recordings are, how tables and JSON are printed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from setu.cassette.model import Interaction

Paths = Annotated[list[Path], typer.Argument(help="Files, and directories with all below them.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Check = Annotated[bool, typer.Option("--check", help="Change nothing; exit with 1 where something would change.")]


def files(paths: Iterable[Path]) -> list[Path]:
    """Return the cassettes that the paths name, each once.

    Raises:
        CassetteNotFoundError: no such file or directory.
    """
    from setu.cassette.shelf import cassette_files

    return list(dict.fromkeys(cassette_files(paths)))


def own_secrets() -> tuple[str, ...]:
    """Return what no file may hold that is written: values of the environment that are named like secrets."""
    import os

    from setu.cassette.redact import known_secrets

    return known_secrets(os.environ)


def _found(path: Path) -> Path:
    """Return the path; `bundled`, where there is no such file, stands for the recordings that come with Setu."""
    if path != Path("bundled") or path.exists():
        return path
    from setu.bundled import data_dir

    return data_dir("cassettes")


def interactions(paths: Iterable[Path]) -> "Iterator[Interaction]":
    """Yield every recording; on a terminal, long work is seen to go on."""
    from setu.cassette.shelf import read_cassette

    for file in track(files(map(_found, paths)), "reading"):
        yield from read_cassette(file)


def chosen(place: str) -> "list[Interaction]":
    """Return the recordings that `FILE`, `DIRECTORY`, `FILE:LINE` or `FILE#NUMBER` (from 1) names.

    Raises:
        CassetteNotFoundError: there is none.
    """
    from setu.cassette.shelf import read_cassette
    from setu.errors import CassetteNotFoundError

    for mark in ("#", ":"):
        name, _, number = place.rpartition(mark)
        if not name or not number.isdecimal() or not Path(name).is_file():
            continue
        found = read_cassette(Path(name))
        if mark == "#":
            picked = found[int(number) - 1 : int(number)] if int(number) else []
        else:
            picked = [each for each in found if int(each.place.rpartition(":")[2]) <= int(number)][-1:]
        if not picked:
            raise CassetteNotFoundError(f"{name} has {len(found)} interactions, none at {mark}{number}")
        return picked
    return [each for file in files([_found(Path(place))]) for each in read_cassette(file)]


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], right: frozenset[str] = frozenset(), *, cut: bool = False
) -> None:
    """Print rows under their heads, each on a line of its own; `cut` ends it where the terminal does."""
    import sys

    cells = [["" if cell is None else printable(str(cell)).replace("\n", "\\n") for cell in row] for row in rows]
    lines = _aligned([list(columns), *cells], [column in right for column in columns])
    if not sys.stdout.isatty():
        for line in lines:
            typer.echo(line)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for number, line in enumerate(lines):
        text = Text(line, style="" if number else "bold")
        console.print(text, no_wrap=True, overflow="ellipsis", soft_wrap=not cut)


_WIDEST = 60
"""Characters up to which a column is padded; one long cell must not push all others away."""


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> Iterator[str]:
    widths = [min(max(map(len, column)), _WIDEST) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        yield "  ".join(padded).rstrip()


def printable(text: str) -> str:
    """Return a text without what would move the cursor or colour the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)


def say(text: str, *, err: bool = False) -> None:
    """Print a text that may hold what others wrote."""
    typer.echo(printable(text), err=err)


def print_json(value: Any) -> None:
    """Print JSON; what would move the cursor, and half a surrogate pair, only as their escapes."""
    import json

    text = json.dumps(value, indent=2, ensure_ascii=False)
    typer.echo("".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text))


def track(items: Sequence[Any], what: str) -> Iterator[Any]:
    """Yield the items; on a terminal a bar on stderr tells how far along it is."""
    import sys

    if len(items) < 20 or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track as bar

    yield from bar(items, description=what, console=Console(stderr=True), transient=True)


@contextmanager
def ticking(what: str, total: int | None = None) -> "Iterator[Callable[[], None]]":
    """Lend a function to call after each item; on a terminal a line on stderr counts them."""
    import sys

    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
