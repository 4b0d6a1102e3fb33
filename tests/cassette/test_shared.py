import os
from pathlib import Path

import pytest

from setu.cassette.serialize import HEADER, render_block
from setu.cassette.shared import Shared
from setu.errors import CassetteError
from tests.cassette.samples import interaction


def saved(path: Path, *bodies: bytes) -> Path:
    path.write_text(HEADER + "".join(render_block(interaction(body)) for body in bodies))
    return path


def test_a_file_is_read_once(tmp_path: Path) -> None:
    shared = Shared()
    path = saved(tmp_path / "a.yaml", b"1")

    assert shared.read(path) is shared.read(path)


@pytest.mark.parametrize("how", ["longer", "replaced", "touched"])
def test_a_file_that_was_written_since_is_read_again(tmp_path: Path, how: str) -> None:
    shared = Shared()
    path = saved(tmp_path / "a.yaml", b"1")
    before = path.stat()
    shared.read(path)

    if how == "longer":
        saved(path, b"2", b"3")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == "replaced":
        beside = saved(tmp_path / "b", b"2")
        os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
        beside.replace(path)
    else:
        saved(path, b"2")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))

    assert shared.read(path)[0].exchange.body == b"2"


def test_of_more_than_the_budget_the_file_read_longest_ago_is_let_go(tmp_path: Path) -> None:
    one, two, three = (saved(tmp_path / f"{name}.yaml", b"1") for name in "abc")
    shared = Shared(budget=2 * one.stat().st_size)

    first, second = shared.read(one), shared.read(two)
    shared.read(one)
    shared.read(three)

    assert shared.read(one) is first
    assert shared.read(two) is not second


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="cannot be read"):
        Shared().read(tmp_path / "none.yaml")
