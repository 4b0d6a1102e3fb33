"""After a crash: keep every whole interaction of a file, set aside what is not one."""

import contextlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from setu.cassette.model import Interaction
from setu.cassette.shelf import read_cassette, replace_with_new, text_of, whole
from setu.errors import CassetteDecodeError, CassetteError

_BLOCK = re.compile(r"^-", re.MULTILINE)  # all other lines of ours are indented
_NEW = re.compile(r"(?P<name>.+\.ya?ml)\.[0-9]+\.new")


class Repair(NamedTuple):
    """What was done to a file: how many interactions are whole, and where the rest is now, if there was any."""

    path: Path
    kept: int
    aside: Path | None = None


def repair(path: Path) -> Repair:
    """Cut a file back to its whole interactions; what is cut off goes to `<file>.broken`.

    A file that is whole is not touched.

    Raises:
        CassetteError: it cannot be read or written, or holds no whole interaction of Setu's.
    """
    try:
        return Repair(path, len(read_cassette(path)))
    except CassetteDecodeError as error:
        reason = error
    text = text_of(path, errors="surrogateescape")
    ends = [*(found.start() for found in _BLOCK.finditer(text)), len(text)][1:]
    # What is damaged stays so however much follows it.
    at = bisect_left(ends, 1, key=lambda end: not _loads(text[:end]))
    if not at:
        raise CassetteError(f"{path} cannot be repaired: no whole interaction in it; {reason}")
    data = path.read_bytes()
    cut = len(text[: ends[at - 1]].encode("utf-8", "surrogateescape"))
    aside = _free(path.with_name(path.name + ".broken"))
    try:
        aside.write_bytes(data[cut:])
        with path.open("r+b") as file:
            file.truncate(cut)
    except OSError as error:
        raise CassetteError(f"{path} cannot be repaired: {error.strerror or error}") from None
    return Repair(path, len(read_cassette(path)), aside)


def adopt(directory: Path, key_of: Callable[[Interaction], str]) -> Iterator[Repair]:
    """Finish what a killed `--mode rewrite` left beside its files: recordings that never took the old ones' place.

    Raises:
        CassetteError: a file cannot be read or written.
    """
    for new in sorted(directory.rglob("*.new")):
        found = _NEW.fullmatch(new.name)
        if found is None:
            continue
        repair(new)
        path = new.with_name(found["name"])
        replace_with_new(path, new, key_of)
        yield Repair(path, len(read_cassette(path)))


def _loads(text: str) -> bool:
    with contextlib.suppress(CassetteDecodeError, UnicodeEncodeError):
        whole(text, "")
        return True
    return False


def _free(path: Path) -> Path:
    """Return the path, with a number where there is such a file already."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free
