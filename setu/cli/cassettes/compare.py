"""`setu cassettes diff`: what became of recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli.cassettes.rooms import Json, say

if TYPE_CHECKING:
    from setu.cassette.pairing import Change

Side = Annotated[Path, typer.Argument(help="A file, or a directory with all below it.")]


def diff(
    old: Side,
    new: Side,
    lines: Annotated[int, typer.Option(min=0, help="Lines shown of a recording that changed; 0 shows all.")] = 40,
    as_json: Json = False,
) -> None:
    """Compare recordings call by call: which were added, removed or changed, and how. Exits with 1 on a difference.

    Dates, times, call ids and rate limits left are no difference.
    """
    import msgspec

    from setu.cassette.pairing import changes_of, pairs_of
    from setu.cli.cassettes.rooms import interactions, print_json
    from setu.studio import key_of

    pairs = pairs_of(interactions([old]), interactions([new]), key_of)
    found = list(changes_of(pairs, lines))
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        for change in found:
            _print(change)
        counts = ", ".join(f"{sum(each.kind == kind for each in found)} {kind}" for kind in _SIGNS)
        typer.echo(f"{len(pairs) - len(found)} unchanged, {counts}")
    if found:
        raise typer.Exit(1)


_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def _print(change: "Change") -> None:
    place = change.old if change.old == change.new or not change.new else f"{change.old} {change.new}".strip()
    say(f"{_SIGNS[change.kind]} {place}  {change.call}")
    for line in change.diff:
        say(f"    {line}")
