from pathlib import Path

import pytest

from setu.cassette.parcels import Parcels
from setu.cassette.shelf import read_cassette
from setu.errors import CassetteError
from setu.studio import key_of
from tests.cassette.samples import CHAT_STREAM, interaction, request, talk


def kept(directory: Path) -> dict[str, int]:
    return {str(path.relative_to(directory)): len(read_cassette(path)) for path in sorted(directory.rglob("*.yaml"))}


def fill(directory: Path, *texts: str, size: int = 2) -> list[str | None]:
    parcels = Parcels(directory, key_of, size=size)
    reasons = [parcels.add(interaction(CHAT_STREAM, asked=talk(text))) for text in texts]
    parcels.close()
    return reasons


def test_a_file_holds_so_many_recordings_and_the_next_one_has_a_number(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b", "c", "d", "e")

    assert kept(tmp_path) == {
        "api.anthropic.com/raw-2.yaml": 2, "api.anthropic.com/raw-3.yaml": 1, "api.anthropic.com/raw.yaml": 2,
    }  # fmt: skip


def test_each_host_has_a_directory(tmp_path: Path) -> None:
    parcels = Parcels(tmp_path, key_of)
    for origin in ("https://a.example:8443", "https://b.example", ""):
        parcels.add(interaction(asked=request(origin=origin)))
    parcels.close()

    assert list(kept(tmp_path)) == ["a.example_8443/raw.yaml", "b.example/raw.yaml", "local/raw.yaml"]
    assert sorted(parcels.written) == sorted(tmp_path.rglob("*.yaml"))


def test_what_is_there_already_is_not_written_again_and_no_file_is_touched(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    before = (tmp_path / "api.anthropic.com" / "raw.yaml").read_bytes()

    assert fill(tmp_path, "b", "c") == ["it is there already", None]
    assert kept(tmp_path) == {"api.anthropic.com/raw-2.yaml": 1, "api.anthropic.com/raw.yaml": 2}
    assert (tmp_path / "api.anthropic.com" / "raw.yaml").read_bytes() == before


def test_equal_recordings_of_one_run_are_a_sequence(tmp_path: Path) -> None:
    assert fill(tmp_path, "a", "a") == [None, None]


def test_a_secret_is_never_written_and_the_recording_is(tmp_path: Path) -> None:
    parcels = Parcels(tmp_path, key_of, secrets=("correct-horse-battery",))

    reason = parcels.add(interaction(b'{"echo":"correct-horse-battery","n":1}'))
    parcels.close()

    assert reason is None
    [path] = parcels.written
    assert "correct-horse-battery" not in path.read_text()
    assert len(read_cassette(path)) == 1


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "api.anthropic.com").touch()

    with pytest.raises(CassetteError, match="cannot be written"):
        fill(tmp_path, "a")
