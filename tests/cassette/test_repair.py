import time

import pytest

from setu.cassette.repair import adopt, repair
from setu.cassette.serialize import HEADER, render_block
from setu.cassette.shelf import Rewriting, Shelf, read_cassette
from setu.errors import CassetteError
from tests.cassette.samples import ANTHROPIC_STREAM, interaction, talk


def key(found):
    return found.exchange.request.body.decode()


def test_a_whole_file_is_not_touched(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(HEADER + render_block(interaction()))
    before = path.stat().st_mtime_ns

    found = repair(path)

    assert (found.kept, found.aside) == (1, None)
    assert path.stat().st_mtime_ns == before


def test_wherever_a_recorder_was_killed_the_whole_interactions_are_kept(tmp_path) -> None:
    start = HEADER + render_block(interaction(b'{"n":1}')) + render_block(interaction("ü".encode()))
    last = render_block(interaction(ANTHROPIC_STREAM))
    path = tmp_path / "a.yaml"
    kept = set()

    for size in range(1, len(last.encode()), 7):
        path.write_bytes(start.encode() + last.encode()[:size])
        found = repair(path)
        kept.add(found.kept)
        assert path.read_bytes().startswith(start.encode())
        assert len(read_cassette(path)) == found.kept
        if found.aside is not None:
            assert path.read_bytes() + found.aside.read_bytes() == start.encode() + last.encode()[:size]

    assert kept == {2}


def test_what_is_set_aside_never_overwrites_an_earlier_piece(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    for _ in range(2):
        path.write_text(HEADER + render_block(interaction()) + "- request:\n    method: PO")
        repair(path)

    assert {file.name for file in tmp_path.iterdir()} == {"a.yaml", "a.yaml.broken", "a.yaml.broken.2"}


@pytest.mark.parametrize("text", ["", "hello", HEADER + "- request:\n    method: PO", "- request:\n"])
def test_a_file_without_a_whole_interaction_is_left_alone(tmp_path, text) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)

    with pytest.raises(CassetteError, match="cannot be repaired"):
        repair(path)
    assert path.read_text() == text


def test_a_killed_rewrite_is_finished(tmp_path) -> None:
    Shelf(tmp_path, lambda _: "a.yaml").append(interaction(asked=talk("old")))
    killed = Rewriting(tmp_path, key, lambda _: "a.yaml")
    killed.append(interaction(asked=talk("new")))
    [new] = tmp_path.glob("*.new")
    new.write_text(new.read_text() + "- request:\n    method: PO")

    [found] = adopt(tmp_path, key)

    assert (found.path.name, found.kept) == ("a.yaml", 1)
    assert [b"new" in each.exchange.request.body for each in read_cassette(tmp_path / "a.yaml")] == [True]
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix != ".broken") == ["a.yaml"]


def test_bytes_that_are_no_text_are_cut_off_where_they_stand(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    first, second = (render_block(interaction(asked=talk(text))).encode() for text in ("one", "two"))
    broken = second.replace(b"two", b"\xff\xfe\xfd")
    path.write_bytes(HEADER.encode() + first + broken + second[:40])

    found = repair(path)

    assert found.kept == 1
    assert found.aside is not None
    assert found.aside.read_bytes() == broken + second[:40]


@pytest.mark.timed
def test_damage_in_the_middle_of_a_large_file_is_found_in_few_steps(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    block = render_block(interaction(asked=talk("one")))
    path.write_text(HEADER + block * 400 + block.replace("method: POST", "method: [") + block * 400)
    started = time.perf_counter()

    assert repair(path).kept == 400
    assert time.perf_counter() - started < 3
