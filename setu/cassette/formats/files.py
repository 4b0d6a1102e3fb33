"""Files of other tools as interactions: found, unpacked and read one entry at a time."""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from setu.cassette.formats.intake import DEFAULT, Found, Intake, Skipped
from setu.cassette.formats.registry import FORMATS, HEAD, Format, format_of
from setu.errors import CassetteDecodeError, CassetteError, CassetteNotFoundError

_GZIP = b"\x1f\x8b"


def import_files(
    paths: str | Path | Iterable[str | Path], format_name: str | None = None, intake: Intake = DEFAULT
) -> Iterator[Found]:
    """Yield the interactions of files, and what is skipped in them, each as it is read.

    A directory stands for the files below it that have a known suffix, gzipped ones too; one of them that turns out
    to be something else is skipped. Without a name each file's format is told from its content.

    Raises:
        CassetteNotFoundError: no such file or directory.
        CassetteDecodeError: a file that was named itself is in no known format, or not in the one that was named.
        CassetteError: an unknown format's name, or a file that cannot be read.
    """
    if format_name is not None and format_name not in FORMATS:
        raise CassetteError(f"unknown format {format_name!r}; known are {', '.join(FORMATS)}")
    form = FORMATS[format_name] if format_name else None
    for path in map(Path, [paths] if isinstance(paths, (str, Path)) else paths):
        if path.is_dir():
            for file in _below(path, form):
                yield from _what_can_be_read(file, form, intake)
        elif path.is_file():
            yield from _file(path, form, intake)
        else:
            raise CassetteNotFoundError(f"no file or directory at {path}")


def _what_can_be_read(path: Path, form: Format | None, intake: Intake) -> Iterator[Found]:
    try:
        yield from _file(path, form, intake)
    except CassetteDecodeError as error:
        yield Skipped(str(path), str(error).removeprefix(f"{path}: "))


def _file(path: Path, form: Format | None, intake: Intake) -> Iterator[Found]:
    try:
        with path.open("rb") as file:
            yield from _read(unpacked(file), str(path), form, intake)
    except (OSError, EOFError, zlib.error) as error:
        raise CassetteError(f"{path} cannot be read: {error}") from None


def _read(file: IO[bytes], name: str, form: Format | None, intake: Intake) -> Iterator[Found]:
    head = file.read(HEAD)
    file.seek(0)
    return (form or format_of(head, name)).read(file, name, intake)


def unpacked(file: IO[bytes]) -> IO[bytes]:
    """Return the content of a gzipped file, known by its first bytes, or the file."""
    packed = file.read(2) == _GZIP
    file.seek(0)
    return io.BufferedReader(gzip.GzipFile(fileobj=file)) if packed else file


def _below(folder: Path, form: Format | None) -> list[Path]:
    suffixes = form.suffixes if form else tuple({suffix for each in FORMATS.values() for suffix in each.suffixes})
    found = (path for path in folder.rglob("*") if path.name.removesuffix(".gz").endswith(suffixes))
    return sorted(path for path in found if path.is_file())
