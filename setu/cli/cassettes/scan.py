"""`setu cassettes scan`: is there a secret in files that are about to be shared?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli.cassettes.rooms import Json

if TYPE_CHECKING:
    from setu.cassette.model import Interaction

_SUFFIXES = frozenset({".yaml", ".yml", ".setu", ".json", ".jsonl", ".har", ".txt"})


def scan(
    paths: Annotated[
        list[Path], typer.Argument(help="Files of any kind, and directories with the recordings below them.")
    ],
    as_json: Json = False,
    no_entropy: Annotated[
        bool, typer.Option("--no-entropy", help="Report only what is sure: no guesses from names and randomness.")
    ] = False,
) -> None:
    """Search cassettes and other files for secrets; exit with 1 where there are any.

    Says file and line, which header or JSON pointer, and what kind of secret, never the secret itself.
    """
    import os

    from setu.cassette.edits import Rules
    from setu.cassette.redact import known_secrets
    from setu.cassette.scan import listed
    from setu.cassette.scan import scan as search
    from setu.cassette.shelf import text_of
    from setu.cli.cassettes.rooms import print_json, track

    rules = Rules(known=known_secrets(os.environ))
    hits = []
    for file in track(_files(paths), "scanning"):
        text = text_of(file, "replace")
        hits += search(text, str(file), rules, _recordings(text, file), guess=not no_entropy)
    if as_json:
        print_json([hit._asdict() for hit in hits])
    else:
        for line in listed(hits):
            typer.echo(line)
    if hits:
        raise typer.Exit(1)


def _files(paths: list[Path]) -> list[Path]:
    """Return the files that are named, whatever they are, and of directories those that may hold recordings."""
    from setu.errors import CassetteNotFoundError

    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
        elif path.is_file():
            found.append(path)
        else:
            raise CassetteNotFoundError(f"no file at {path}")
    return list(dict.fromkeys(found))


def _recordings(text: str, file: Path) -> "list[Interaction]":
    """Return the recordings of a cassette; none of any other file, nor of one that is damaged."""
    from setu.cassette.shelf import whole
    from setu.errors import CassetteError

    if "interactions" not in text[:4096]:
        return []
    try:
        return whole(text, str(file))
    except CassetteError:
        return []
