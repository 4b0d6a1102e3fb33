"""Acceptance of cassettes: what was recorded over real sockets is replayed over real sockets, byte for byte."""

import asyncio
import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from setu.cassette.redact_names import storable_response_header
from tests.e2e.acceptance import CHAT, Answer, Call, Client, Exact, Heard, asking, kept, said, through
from tests.e2e.answers import CASES, CHAT_EVENTS
from tests.processes import Serving
from tests.servers import SSE_HEAD, RawServer, chunked, read_request


class Sides(NamedTuple):
    """What a client heard of every case while it was recorded and when it was replayed."""

    live: dict[str, Heard]
    replayed: dict[str, Heard]
    directory: Path


def answer(call: Call) -> Answer:
    return CASES[said(call)].answer


def hear(url: str, upstream: str) -> dict[str, Heard]:
    with Client(url) as client:
        return {
            name: client.post(through(upstream, case.path), asking(name, stream=True), {"x-other": "1"})
            for name, case in CASES.items()
        }


def both(directory: Path, *options: str) -> Sides:
    with RawServer(Exact(answer)) as upstream:
        with Serving("record", "--port", "0", "-o", str(directory), *options) as proxy:
            live = hear(proxy.url, upstream.url)
        assert (proxy.status, proxy.errors) == (0, "")
    with Serving("replay", str(directory), "--no-delay", "--strict-unused", "--port", "0", cwd=directory) as server:
        replayed = hear(server.url, upstream.url)
    assert (server.status, server.errors) == (0, "")
    return Sides(live, replayed, directory)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    return both(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def with_chunks(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    return both(tmp_path_factory.mktemp("chunks"), "--keep-chunks")


def storable(heard: Heard) -> list[tuple[str, str]]:
    return sorted(field for field in heard.headers if storable_response_header(field[0]))


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_recorded_and_replayed_byte_for_byte(plain: Sides, name: str) -> None:
    sent, live, replayed = CASES[name].answer, plain.live[name], plain.replayed[name]

    assert (live.status, live.body) == (sent.status, sent.body)
    assert (replayed.status, replayed.body) == (sent.status, sent.body)


@pytest.mark.parametrize("name", CASES)
def test_the_header_fields_that_are_kept_are_replayed_as_they_were(plain: Sides, name: str) -> None:
    sent = CASES[name].answer
    expected = sorted([("content-type", sent.media_type), *sent.headers])

    assert storable(plain.live[name]) == expected
    assert storable(plain.replayed[name]) == expected


@pytest.mark.parametrize("name", CASES)
def test_with_chunks_kept_their_boundaries_are_the_same_too(with_chunks: Sides, name: str) -> None:
    sent = [chunk for chunk in CASES[name].answer.chunks if chunk]

    assert with_chunks.live[name].chunks == sent
    assert with_chunks.replayed[name].chunks == sent


def test_files_hold_what_vouches_for_the_bytes_and_no_note_of_doubt(plain: Sides) -> None:
    found = kept(plain.directory)

    assert len(found) == len(CASES)
    assert all(each.recording.wire.sha256 for each in found)
    assert [each.notes for each in found if each.notes] == []


class LockStep:
    """Sends a chunk only when its client has had the one before it."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.had = threading.Semaphore()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE_HEAD)
        for chunk in self._chunks:
            if not await asyncio.to_thread(self.had.acquire, timeout=5):
                return  # the proxy holds it back: the client sees a body without its end
            writer.write(chunked(chunk, end=False))
            await writer.drain()
        writer.write(chunked())
        await writer.drain()


def test_no_chunk_is_held_back_until_another_comes(tmp_path: Path) -> None:
    """An upstream that waits for its client would wait for ever; chunks are cut within events and characters."""
    body = b"".join(CHAT_EVENTS)
    chunks = [body[at : at + 9] for at in range(0, len(body), 9)]
    upstream = LockStep(*chunks)
    with (
        RawServer(upstream) as raw,
        Serving("record", "--port", "0", "-o", str(tmp_path)) as proxy,
        Client(proxy.url) as client,
    ):
        heard = client.post(through(raw.url, CHAT), asking("count"), on_chunk=upstream.had.release)

    assert heard.chunks == chunks
    assert [each.exchange.body for each in kept(tmp_path)] == [body]
