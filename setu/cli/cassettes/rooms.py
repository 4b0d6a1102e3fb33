"""What the commands about cassettes share: where recordings are, how tables and JSON are printed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from setu.cassette.model import Interaction

_T = TypeVar("_T")

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


def interactions(paths: Iterable[Path]) -> "Iterator[Interaction]":
    """Yield every recording; on a terminal, long work is seen to go on."""
    from setu.cassette.shelf import read_cassette

    for file in track(files(paths), "reading"):
        yield from read_cassette(file)


def chosen(place: str) -> "list[Interaction]":
    """Return the recordings that `FILE`, `DIRECTORY`, `FILE:LINE` or `FILE#NUMBER` (from 1) names.

    Raises:
        CassetteNotFoundError: there is none.
    """
    from setu.cassette.shelf import cassette_files, read_cassette
    from setu.errors import CassetteNotFoundError

    for mark in ("#", ":"):
        name, _, number = place.rpartition(mark)
        if not name or not number.isdigit() or not Path(name).is_file():
            continue
        found = read_cassette(Path(name))
        if mark == "#":
            picked = found[int(number) - 1 : int(number)] if int(number) else []
        else:
            picked = [each for each in found if int(each.place.rpartition(":")[2]) <= int(number)][-1:]
        if not picked:
            raise CassetteNotFoundError(f"{name} has {len(found)} interactions, none at {mark}{number}")
        return picked
    return [each for file in cassette_files(Path(place)) for each in read_cassette(file)]


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: frozenset[str] = frozenset()) -> None:
    """Print rows under their heads, as wide as the terminal; in a pipe every line is whole."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(soft_wrap=True)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, justify="right" if column in right else "left", no_wrap=not console.is_terminal)
    for row in rows:
        grid.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in row))
    if not console.is_terminal:
        console.width = 10_000
    console.print(grid)


def printable(text: str) -> str:
    """Return a text without what would move the cursor or colour the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)


def print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


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
def counting(what: str) -> "Iterator[Callable[[Iterable[_T]], Iterable[_T]]]":
    """Lend a function that passes items on; on a terminal a line on stderr counts them, however many there will be."""
    import sys

    if not sys.stderr.isatty():
        yield lambda items: items
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield lambda items: bar.track(items, total=None, description=what)
