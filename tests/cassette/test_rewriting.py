import pytest

from setu.cassette.model import Recording
from setu.cassette.serialize import HEADER
from setu.cassette.shelf import Rewriting, Shelf, read_cassette, verified_block, write_blocks, write_cassette
from setu.errors import CassetteError
from tests.cassette.samples import ANTHROPIC_STREAM, interaction, talk

OLD = Recording(recorded="2026-01-01")
NEW = Recording(recorded="2026-11-20")


def key(found):
    return found.exchange.request.body.decode()


def rewriting(directory):
    return Rewriting(directory, key, lambda _: "a.yaml")


def recorded(directory, *interactions):
    shelf = Shelf(directory, lambda _: "a.yaml")
    for each in interactions:
        shelf.append(each)
    return directory / "a.yaml"


def one(text, body=ANTHROPIC_STREAM, recording=OLD):
    return interaction(body, asked=talk(text), recording=recording)


def test_an_unchanged_upstream_leaves_the_file_as_it_was(tmp_path) -> None:
    path = recorded(tmp_path, one("a"), one("b"), one("a", b'{"ok":false}'))
    before = path.read_bytes()

    again = rewriting(tmp_path)
    for text, body in (("b", ANTHROPIC_STREAM), ("a", ANTHROPIC_STREAM), ("a", b'{"ok":false}')):
        again.append(one(text, body, NEW))
    again.close()

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.yaml"]


def test_a_changed_answer_is_the_only_change(tmp_path) -> None:
    path = recorded(tmp_path, one("a"), one("b"))

    again = rewriting(tmp_path)
    again.append(one("a", recording=NEW))
    again.append(one("b", b'{"new":1}', NEW))
    again.close()

    found = read_cassette(path)
    assert [each.exchange.body for each in found] == [ANTHROPIC_STREAM, b'{"new":1}']
    assert [each.recording.recorded for each in found] == ["2026-01-01", "2026-11-20"]


def test_until_it_is_closed_the_old_file_stands(tmp_path) -> None:
    path = recorded(tmp_path, one("a"))
    before = path.read_bytes()

    rewriting(tmp_path).append(one("z", recording=NEW))

    assert path.read_bytes() == before
    assert [file.suffix for file in tmp_path.iterdir() if file != path] == [".new"]


def test_a_file_into_which_nothing_was_recorded_stays(tmp_path) -> None:
    path = recorded(tmp_path, one("a"))
    before = path.read_bytes()

    rewriting(tmp_path).close()

    assert path.read_bytes() == before


def test_an_unreadable_old_file_is_replaced(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text("interactions: [")

    again = rewriting(tmp_path)
    again.append(one("a", recording=NEW))
    again.close()

    assert len(read_cassette(tmp_path / "a.yaml")) == 1


def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    path.mkdir()

    with pytest.raises(CassetteError, match=r"a\.yaml cannot be written"):
        write_cassette(path, [one("a")])
    assert [file.name for file in tmp_path.iterdir()] == ["a.yaml"]


KEY = "sk-ant-api03-Abc_123-Def456Ghi789"


def test_a_file_that_is_written_anew_holds_no_secret_and_the_rest_byte_for_byte(tmp_path) -> None:
    secret = one("c", b'{"text":"known-value and %s"}' % KEY.encode())

    write_cassette(tmp_path / "a.yaml", [one("a"), secret, one("b")], ("known-value",))

    text = (tmp_path / "a.yaml").read_text()
    assert KEY not in text
    assert "known-value" not in text
    assert text.startswith(HEADER + verified_block(one("a")))
    assert text.endswith(verified_block(one("b")))
    assert read_cassette(tmp_path / "a.yaml")[1].exchange.body == b'{"text":"REDACTED and REDACTED"}'


def test_old_words_that_stay_are_looked_at_again(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    write_blocks(path, [verified_block(one("a", b'{"text":"%s"}' % KEY.encode()))])

    again = Rewriting(tmp_path, key, lambda _: "a.yaml", ("other-value",))
    again.append(one("a", b'{"text":"other-value"}', NEW))
    again.close()

    assert "other-value" not in path.read_text()
    assert KEY not in path.read_text()
