"""`setu cassettes import` and `export`: to and from the formats of other tools."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli.cassettes.rooms import Json, Paths, say

if TYPE_CHECKING:
    from setu.cassette.formats.intake import Found
    from setu.cassette.parcels import Parcels

Foreign = Annotated[list[Path], typer.Argument(help="Files of other tools, and directories with all below them.")]
Format = Annotated[
    str | None, typer.Option("--format", help="har, aimock, mitmproxy, corpus, pydantic-ai or vcr [default: told].")
]


def import_(
    paths: Foreign,
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for cassettes.")],
    format_: Format = None,
    split: Annotated[int, typer.Option(min=1, help="How many recordings a file may hold.")] = 250,
    as_json: Json = False,
) -> None:
    """Take over recordings of other tools, redacted: <host>/<operation>.yaml below the directory.

    Files that are there stay as they are; what they hold already is not taken over again.
    """
    import os
    import time

    from setu.cassette.formats.files import import_files
    from setu.cassette.formats.intake import Intake
    from setu.cassette.parcels import Parcels
    from setu.cassette.redact import known_secrets
    from setu.cli.cassettes.rooms import print_json, ticking
    from setu.studio import key_of, volatile

    started = time.monotonic()
    secrets = known_secrets(os.environ)
    parcels = Parcels(output, key_of, size=split, secrets=secrets)
    found = import_files(paths, format_, Intake(secrets, volatile()))
    with ticking("recordings") as tick:
        taken, skipped = _all_of(found, parcels, tick)
        parcels.close()
    seconds = time.monotonic() - started
    if as_json:
        files = [str(path) for path in parcels.written]
        print_json({"imported": taken, "files": files, "skipped": skipped, "seconds": round(seconds, 2)})
        return
    for reason, places in skipped.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        say(f"skipped {places[0]}{more}: {reason}")
    say(f"{taken} imported into {len(parcels.written)} files below {output}, "
               f"{sum(map(len, skipped.values()))} skipped, {seconds:.1f} s")  # fmt: skip


def export(
    paths: Paths,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="har, aimock, or vcr for plain vcrpy [default: by the name of the file]."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write [default: standard output].")
    ] = None,
) -> None:
    """Write recordings in the format of another tool: an HTTP archive, aimock's fixtures, or plain vcrpy's cassette.

    What the format has no place for is named on standard error.
    """
    from setu.cassette.formats.registry import FORMATS
    from setu.cli.cassettes.rooms import interactions
    from setu.errors import CassetteError, ConfigError

    writable = {name: form for name, form in FORMATS.items() if form.write is not None}
    name = format_ or ("har" if output is not None and output.suffix == ".har" else "vcr")
    if name not in writable:
        raise ConfigError(f"--format {name}: cannot be written; there are {', '.join(writable)}")
    form = writable[name]
    assert form.write is not None
    chosen = list(interactions(paths))
    text = form.write(chosen)
    for each in chosen:
        if reason := form.unfit(each):
            say(f"left out {each.place}: {reason}", err=True)
    if form.loses:
        say(form.loses, err=True)
    if output is None:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    try:
        output.write_bytes(text.encode())
    except OSError as error:
        raise CassetteError(f"{output} cannot be written: {error.strerror or error}") from None


def _all_of(found: "Iterable[Found]", parcels: "Parcels", tick: Callable[[], None]) -> tuple[int, dict[str, list[str]]]:
    """Hand everything on; return how many were taken and, by reason, the places of those that were not."""
    from setu.cassette.formats.intake import Skipped

    taken = 0
    skipped: dict[str, list[str]] = {}
    for each in found:
        reason = each.reason if isinstance(each, Skipped) else parcels.add(each)
        if reason is None:
            taken += 1
        else:
            skipped.setdefault(reason, []).append(each.place)
        tick()
    return taken, skipped
