"""A file's format is told from its content; its name is asked only where that says nothing."""

import contextlib
import gzip
import json

import pytest

from setu.cassette.formats.files import import_files
from setu.cassette.formats.intake import Intake, Skipped
from setu.cassette.formats.registry import FORMATS, format_of
from setu.cassette.formats.vcr import write
from setu.errors import CassetteDecodeError, CassetteError, CassetteNotFoundError
from tests.cassette.formats import test_aimock, test_corpus, test_har, test_mitm, test_pydantic_ai, test_vcr
from tests.cassette.formats.reading import found_in
from tests.cassette.samples import interaction, request

SAMPLES = {
    "aimock": test_aimock.fixtures(test_aimock.HELLO).encode(),
    "corpus": test_corpus.line().encode(),
    "har": test_har.har(test_har.entry()).encode(),
    "mitmproxy": test_mitm.flows(test_mitm.flow()),
    "pydantic-ai": test_pydantic_ai.CASSETTE.encode(),
    "vcr": test_vcr.cassette().encode(),
}


def test_every_format_has_a_sample():
    assert SAMPLES.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_content_tells_a_format_from_all_others(name):
    assert format_of(SAMPLES[name], "whatever").name == name
    # A parsed_body is looked for in cassettes alone, so a cassette that has one is both.
    others = {form.name for form in FORMATS.values() if form.sniff(SAMPLES[name])} - {name}
    assert others == ({"vcr"} if name == "pydantic-ai" else set())


@pytest.mark.parametrize(("file", "name"), [("a.har", "har"), ("a.jsonl.gz", "corpus"), ("a.mitm", "mitmproxy")])
def test_a_name_decides_where_the_content_does_not(file, name):
    assert format_of(b"", file).name == name


@pytest.mark.parametrize("file", ["a.png", "a.json"])
def test_an_unknown_format_is_an_error_that_lists_the_known_ones(file):
    with pytest.raises(CassetteDecodeError, match=f"{file}: in no format that Setu reads .har, aimock"):
        format_of(b"{}", file)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_rest_of_a_file_is_not_needed_to_read_on(name):
    """Whatever a file holds, reading ends in interactions, in words, or in a CassetteDecodeError."""
    for cut in range(0, len(SAMPLES[name]), 7):
        found = []
        with contextlib.suppress(CassetteDecodeError):
            found = found_in(SAMPLES[name][:cut], name)

        assert all(each.place.startswith("a") for each in found)


@pytest.mark.parametrize("name", SAMPLES)
def test_files_are_imported_packed_or_not(tmp_path, name):
    (tmp_path / "plain").write_bytes(SAMPLES[name])
    (tmp_path / "packed").write_bytes(gzip.compress(SAMPLES[name]))

    plain = list(import_files(tmp_path / "plain"))
    packed = list(import_files([tmp_path / "packed"], name))

    assert plain
    assert [each.exchange for each in plain] == [each.exchange for each in packed]
    assert all(each.place.startswith(f"{tmp_path}/plain") for each in plain)


def test_a_directory_stands_for_the_files_with_known_suffixes(tmp_path):
    for file, name in [("b.har", "har"), ("a/x.jsonl.gz", "corpus"), ("notes.txt", "vcr")]:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(SAMPLES[name])

    found = list(import_files(tmp_path))

    assert [each.place for each in found] == [f"{tmp_path}/a/x.jsonl.gz:1", f"{tmp_path}/b.har#1"]


def test_a_stranger_in_a_directory_is_skipped_and_by_name_an_error(tmp_path):
    (tmp_path / "package.json").write_text('{"name": "x"}')

    [found] = import_files(tmp_path)

    assert found.place == f"{tmp_path}/package.json"
    assert found.reason.startswith("in no format that Setu reads")
    with pytest.raises(CassetteDecodeError, match=r"package\.json: in no format"):
        list(import_files(tmp_path / "package.json"))


def test_known_secrets_are_taken_out_and_what_is_volatile_does_not_count(tmp_path):
    body = {"model": "m", "user": "me", "messages": [{"role": "user", "content": "the word is swordfish-7"}]}
    asked = [request({**body, "user": user}, path="/v1/chat/completions") for user in ("me", "you")]
    (tmp_path / "a.yaml").write_text(write(interaction(asked=each) for each in asked))
    intake = Intake(secrets=("swordfish-7",), volatile={"openai_chat": ("/user",)})

    one, other = import_files(tmp_path, intake=intake)

    assert b"swordfish" not in one.exchange.request.body
    assert one.recording.key == other.recording.key


def test_reading_is_lazy(tmp_path):
    lines = test_corpus.line().encode() * 3
    (tmp_path / "a.jsonl").write_bytes(lines + b"x" * 10)

    found = import_files(tmp_path)

    assert not isinstance(next(found), Skipped)
    assert isinstance(list(found)[-1], Skipped)


def test_errors_name_the_file_or_the_format(tmp_path):
    (tmp_path / "cut.har").write_bytes(gzip.compress(SAMPLES["har"])[:-9])

    with pytest.raises(CassetteNotFoundError, match="no file or directory at"):
        list(import_files(tmp_path / "none"))
    with pytest.raises(CassetteError, match="unknown format 'x'; known are har"):
        list(import_files(tmp_path, "x"))
    with pytest.raises(CassetteError, match=r"cut.har cannot be read: "):
        list(import_files(tmp_path / "cut.har"))


def test_a_cassette_that_is_written_is_imported_again(tmp_path):
    (tmp_path / "a.har").write_text(FORMATS["har"].write([interaction()]))  # type: ignore[misc]  # it is there

    [found] = import_files(tmp_path)

    assert json.loads(found.exchange.body) == {"ok": True}
