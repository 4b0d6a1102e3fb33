"""`setu cassettes import` of whole corpus files: all that can be kept is kept, and compares equal to itself."""

import json
import os
from pathlib import Path

import pytest

from setu.cassette.drift import compare
from setu.cassette.formats.files import import_files
from setu.cassette.formats.intake import Intake, Skipped
from setu.cassette.shelf import cassette_files, read_cassette
from setu.cassette.tables import events_of, row_of
from setu.studio import volatile
from tests.cli.test_cassettes import run
from tests.corpus.reader import needs_corpus

FILES = ("ollama.chat", "anthropic.messages", "bedrock.converse_stream", "cohere.v2")


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("name", FILES)
def test_a_corpus_file_is_imported_whole(name: str, tmp_path: Path) -> None:
    source = Path(os.environ["SETU_CORPUS"]) / f"{name}.jsonl.gz"
    found = list(import_files(source, None, Intake((), volatile())))
    usable = [each for each in found if not isinstance(each, Skipped)]

    told = json.loads(run("import", source, "-o", tmp_path, "--json").out)

    kept = [each for file in cassette_files(tmp_path) for each in read_cassette(file)]
    print(f"{name}: {told['imported']} in {told['seconds']} s")
    assert (told["imported"], sum(map(len, told["skipped"].values()))) == (len(usable), len(found) - len(usable))
    assert sorted(each.exchange.body for each in kept) == sorted(each.exchange.body for each in usable)
    assert [each.place for each in kept if compare(each, each)] == []
    assert [each.place for each in kept if row_of(each).events != len(events_of(each))] == []
    assert run("fmt", tmp_path, "--check").status == 0
