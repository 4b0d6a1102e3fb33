"""`setu cassettes fmt`, `lint`, `repair`, `retime` and `prune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli.cassettes.rooms import Check, Json, Paths, say

if TYPE_CHECKING:
    from setu.cassette.model import Interaction


def fmt(paths: Paths, check: Check = False) -> None:
    """Write cassettes in the one format: literal blocks, sorted headers, one line for small facts, keys of today.

    Files that plain vcrpy has saved become readable again. Comments are not kept;
    secrets that are still in there are masked.
    """
    from setu.cassette.serialize import HEADER
    from setu.cassette.shelf import read_cassette, text_of, write_blocks
    from setu.cli.cassettes.rooms import files, own_secrets, track

    changed = 0
    secrets = own_secrets()
    for file in track(files(paths), "formatting"):
        blocks = [_formatted(each, secrets) for each in read_cassette(file)]
        if HEADER + "".join(blocks) == text_of(file):
            continue
        changed += 1
        say(f"{'would format' if check else 'formatted'} {file}")
        if not check:
            write_blocks(file, blocks)
    if check and changed:
        raise typer.Exit(1)


def _formatted(interaction: "Interaction", secrets: tuple[str, ...]) -> str:
    from setu.cassette.gate import safe
    from setu.cassette.retime import rekeyed
    from setu.cassette.shelf import verified_block
    from setu.studio import key_of

    (keyed,) = rekeyed([interaction], key_of)
    kept, block = safe(keyed, verified_block, secrets)
    if kept is keyed:
        return block
    return verified_block(*rekeyed([kept], key_of))  # a request in which something was masked is another one


def lint(paths: Paths, as_json: Json = False) -> None:
    """Check that cassettes are whole, true to their checksums and keys, and hold nothing twice."""
    from setu.cassette.lint import findings_of
    from setu.cassette.shelf import read_cassette
    from setu.cli.cassettes.rooms import files, print_json, track
    from setu.errors import CassetteDecodeError
    from setu.studio import key_of

    found: list[str] = []
    for file in track(files(paths), "checking"):
        try:
            found += findings_of(read_cassette(file), key_of)
        except CassetteDecodeError as error:
            found.append(str(error))
    if as_json:
        print_json(found)
    else:
        for finding in found:
            say(finding)
    if found:
        raise typer.Exit(1)


def repair(paths: Paths) -> None:
    """After a crash: keep every whole interaction, set the rest aside, finish what a killed rewrite left."""
    from setu.cassette import repair as mend
    from setu.cli.cassettes.rooms import files
    from setu.studio import key_of

    for directory in (path for path in paths if path.is_dir()):
        for adopted in mend.adopt(directory, key_of):
            say(f"{adopted.path}: rewritten, {adopted.kept} interactions")
    for file in files(paths):
        mended = mend.repair(file)
        if mended.aside is not None:
            say(f"{file}: {mended.kept} interactions kept, the incomplete rest is in {mended.aside}")


def retime(
    paths: Paths,
    old: Annotated[Path | None, typer.Option("--from", help="Take the times of these recordings instead.")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Keep no times.")] = False,
) -> None:
    """Give recordings the times of older ones of the same calls, or none: a diff without noise."""
    from setu.cassette.retime import retimed, without_times
    from setu.cassette.shelf import read_cassette, write_cassette
    from setu.cli.cassettes.rooms import files, interactions, own_secrets
    from setu.errors import ConfigError
    from setu.studio import key_of

    if (old is None) == (not drop):
        raise ConfigError("retime needs either --from DIR or --drop")
    source = list(interactions([old])) if old is not None else []
    for file in files(paths):
        before = read_cassette(file)
        after = without_times(before) if drop else retimed(before, source, key_of)
        changed = sum(one.recording.timing != two.recording.timing for one, two in zip(before, after, strict=True))
        if changed:
            write_cassette(file, after, own_secrets())
            say(f"{file}: {changed} of {len(after)} recordings have other times now")


def prune(
    paths: Paths,
    misses: Annotated[
        Path | None, typer.Option("--unused", help="Take out what this list of places, one a line, names.")
    ] = None,
    duplicates: Annotated[bool, typer.Option("--duplicates", help="Of equal recordings keep the last one.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Take out recordings that nothing asks for, or that stand there twice."""
    from setu.cassette.retime import pruned
    from setu.cassette.shelf import read_cassette, write_cassette
    from setu.cli.cassettes.rooms import files, own_secrets
    from setu.errors import CassetteNotFoundError, ConfigError
    from setu.studio import key_of

    if misses is None and not duplicates:
        raise ConfigError("prune needs --unused FILE or --duplicates")
    places: set[str] = set()
    if misses is not None:
        try:
            places = set(misses.read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError):
            raise CassetteNotFoundError(f"no list of places at {misses}") from None
    for file in files(paths):
        before = read_cassette(file)
        after = pruned(before, places, key_of if duplicates else None)
        gone = [each.place for each in before if each not in after]
        for place in gone:
            say(f"{'would remove' if dry_run else 'removed'} {place}")
        if gone and not dry_run:
            if after:
                write_cassette(file, after, own_secrets())
            else:
                file.unlink()
