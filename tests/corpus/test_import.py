"""The whole corpus is imported, file by file, and every answer is replayed byte for byte."""

import asyncio
import base64
import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from setu.cassette.edits import REDACTED
from setu.cassette.formats.corpus import UNUSABLE
from setu.cassette.formats.files import import_files
from setu.cassette.formats.intake import Skipped
from setu.cassette.library import Library
from setu.cassette.model import Interaction
from setu.cassette.serialize import HEADER, from_document, render_block
from setu.cassette.shelf import Shelf
from setu.cassette.yamlfile import parse_cassette
from setu.http import Request
from setu.transport.replay import Replay
from tests.clocks import RealClock
from tests.corpus.reader import NOT_AS_SENT, needs_corpus

pytestmark = [pytest.mark.corpus, needs_corpus]

FILES = sorted(path.name for path in Path(os.environ.get("SETU_CORPUS") or "/nowhere").glob("*.jsonl.gz"))
# Batches bound the memory of one test; equal requests of two batches do not meet.
BATCH = 250


class Line(NamedTuple):
    """What a line of the corpus says that its import must keep."""

    id: str
    status: int
    body: bytes
    exact: bool


def lines(name: str) -> Iterator[Line]:
    """Yield the lines that can be replayed; read here anew, so that the importer is not its own judge."""
    with gzip.open(Path(os.environ["SETU_CORPUS"]) / name, "rb") as file:
        for raw in file:
            entry: dict[str, Any] = json.loads(raw.decode("utf-8", "surrogatepass"))
            if UNUSABLE.keys().isdisjoint(entry["flags"]):
                yield Line(entry["id"], entry["status"], body_of(entry), NOT_AS_SENT.isdisjoint(entry["flags"]))


def body_of(entry: dict[str, Any]) -> bytes:
    text: str = entry["response_body"] or ""
    packed = entry.get("response_body_encoding") == "base64"
    return base64.b64decode(text) if packed else text.encode("utf-8", "surrogatepass")


def imported(name: str) -> Iterator[Interaction]:
    for found in import_files(Path(os.environ["SETU_CORPUS"]) / name):
        assert not isinstance(found, Skipped) or found.reason in UNUSABLE.values(), found
        if not isinstance(found, Skipped):
            yield found


def on_file(interactions: list[Interaction]) -> list[Interaction]:
    """Return what a cassette file gives back."""
    text = HEADER + "".join(map(render_block, interactions))
    return [from_document(document, str(line)) for line, document in parse_cassette(text, "a.yaml")]


def batches(name: str) -> Iterator[list[tuple[Line, Interaction]]]:
    batch: list[tuple[Line, Interaction]] = []
    for pair in zip(lines(name), imported(name), strict=True):
        batch.append(pair)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


async def replayed(kept: list[Interaction], asked: list[Request]) -> list[tuple[int, bytes]]:
    """Ask a replay of the recordings, each once; nothing may be missed or left."""
    replay = Replay(Library(kept), RealClock(), render_error=lambda dialect, info: b"no recording")
    answers = [await replay.send(request) for request in asked]
    assert (replay.misses, replay.unused) == (0, 0)
    return [(answer.status, await answer.read()) for answer in answers]


@pytest.mark.parametrize("name", FILES)
def test_every_answer_that_is_imported_replays_byte_for_byte(name: str) -> None:
    counts: Counter[str] = Counter()
    for batch in batches(name):
        kept = on_file([interaction for _, interaction in batch])
        answers = asyncio.run(replayed(kept, [interaction.exchange.request for _, interaction in batch]))
        for (line, interaction), loaded, (status, body) in zip(batch, kept, answers, strict=True):
            redacted = "response.body" in interaction.recording.redacted
            assert loaded.notes == (), line.id
            assert status == line.status, line.id
            # A body with a secret in it is the one thing that an import changes, and it says where.
            assert (body == line.body) is not redacted, line.id
            assert not redacted or REDACTED.encode() in body, line.id
            counts.update(replayed=1, exact=line.exact and not redacted, redacted=redacted)
    print(f"{name}: {dict(counts)}")


MEASURED = """
import sys, time
from setu.cassette.formats.files import import_files
started = time.perf_counter()
count = sum(1 for _ in import_files(sys.argv[1]))
seconds = time.perf_counter() - started
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(count, round(seconds, 1), int(peak) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux: peak memory is read from /proc")
def test_the_import_of_the_whole_corpus_holds_one_exchange_at_a_time() -> None:
    command = [sys.executable, "-c", MEASURED, os.environ["SETU_CORPUS"]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    count, seconds, peak = done.stdout.split()

    print(f"{count} exchanges imported in {seconds} s, peak memory {peak} MiB")
    assert int(count) == sum(1 for name in FILES for _ in lines(name))
    assert int(peak) < 80


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(("anthropic", "ollama", "bedrock"))])
def test_imported_exchanges_are_written_and_loaded_as_files(tmp_path: Path, name: str) -> None:
    """Through the disk with all its checks, for a sample: a sync of every append makes it slow."""
    shelf = Shelf(tmp_path)
    batch = next(batches(name))[:40]
    for _, interaction in batch:
        shelf.append(interaction)

    library = Library.load(tmp_path)

    assert len(library) == len(batch)
    assert sorted(kept.exchange.body for kept in library.interactions) == sorted(
        interaction.exchange.body for _, interaction in batch
    )
