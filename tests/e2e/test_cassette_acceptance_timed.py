"""Acceptance of cassettes in real time: ten streams side by side, a thousand interactions."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest

from setu.cassette.shelf import write_cassette
from tests.cassette.samples import JSON, SSE, interaction, request
from tests.e2e.acceptance import CHAT, Client, Heard, asking, post, through
from tests.processes import Serving
from tests.servers import SSE_HEAD, RawServer, chunked, read_request

STREAMS, EVENTS, GAP = 10, 20, 0.05
MANY = 1000


def event(value: object) -> bytes:
    return (
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": "x"}}], "sent": value}).encode() + b"\n\n"
    )


async def stamped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Stream events a fixed time apart, each with the moment at which it was sent."""
    await read_request(reader)
    writer.write(SSE_HEAD)
    start = time.monotonic()
    for index in range(EVENTS):
        await asyncio.sleep(max(0.0, start + index * GAP - time.monotonic()))
        writer.write(chunked(event(time.monotonic()), end=False))
        await writer.drain()
    writer.write(chunked(b"data: [DONE]\n\n"))
    await writer.drain()


def sent(heard: Heard) -> list[float]:
    return [json.loads(chunk.removeprefix(b"data: "))["sent"] for chunk in heard.chunks[:EVENTS]]


def side_by_side(url: str, path: str) -> list[Heard]:
    def one(number: int) -> Heard:
        return post(url, path, asking(f"stream {number}", stream=True))

    with ThreadPoolExecutor(STREAMS) as threads:
        return list(threads.map(one, range(STREAMS)))


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95) - 1]


def delays(heard: Heard) -> list[float]:
    """Return by how much each event came after it was sent, in milliseconds."""
    return [(at - then) * 1000 for at, then in zip(heard.times, sent(heard), strict=False)]


def errors(heard: Heard) -> list[float]:
    """Return by how much the spacing of events differs from that in which they were sent, in milliseconds."""
    shifts = delays(heard)
    return [abs(shift - shifts[0]) for shift in shifts]


@pytest.mark.timed
def test_ten_streams_side_by_side_are_not_delayed_and_are_replayed_in_their_time(tmp_path: Path) -> None:
    recording, replaying = list[float](), list[float]()
    for attempt in range(3):
        directory = tmp_path / str(attempt)
        with RawServer(stamped) as upstream:
            path = through(upstream.url, CHAT)
            with Serving("record", "--port", "0", "-o", str(directory)) as proxy:
                live = side_by_side(proxy.url, path)
        with Serving("replay", str(directory), "--port", "0", cwd=directory) as server:
            replayed = side_by_side(server.url, path)
        recording.append(p95([*chain.from_iterable(map(delays, live))]))
        replaying.append(p95([*chain.from_iterable(map(errors, replayed))]))

        assert [heard.body for heard in replayed] == [heard.body for heard in live]
        if recording[-1] <= 20 and replaying[-1] <= 20:
            break

    print(f"{STREAMS} streams: delay p95 {min(recording):.1f} ms, replay spacing error p95 {min(replaying):.1f} ms")
    assert min(recording) <= 20
    assert min(replaying) <= 20


def text_of(number: int) -> bytes:
    return b"".join(event(f"{number} {index}") for index in range(20)) + b"data: [DONE]\n\n"


def a_thousand(path: Path) -> dict[bytes, bytes]:
    """Write a cassette of 4 MB, half of it streams; return what is answered to what."""
    answers = {
        asking(f"question {number} " + "with words " * 80, stream=bool(number % 2)): text_of(number)
        if number % 2
        else json.dumps({"id": f"c-{number}", "choices": [{"message": {"content": "words " * 250}}]}).encode()
        for number in range(MANY)
    }
    asked = {body: request(body, path=CHAT, origin="https://api.openai.com") for body in answers}
    write_cassette(
        path,
        (
            interaction(answer, asked=asked[body], headers=SSE if answer.startswith(b"data") else JSON)
            for body, answer in answers.items()
        ),
    )
    return answers


def bare(directory: Path) -> float:
    """Return the seconds that a replay of one recording takes to start: Python and its imports."""
    directory.mkdir()
    write_cassette(directory / "one.yaml", [interaction(b"{}", headers=JSON)])
    start = time.monotonic()
    with Serving("replay", str(directory), "--port", "0", cwd=directory):
        return time.monotonic() - start


@pytest.mark.timed
def test_a_thousand_interactions_are_loaded_and_served_within_two_seconds(tmp_path: Path) -> None:
    """To the last byte of the last answer, one call after the other, apart from what any command takes to start."""
    path = tmp_path / "many" / "many.yaml"
    answers = a_thousand(path)
    whole, start = list[float](), list[float]()
    for attempt in range(3):
        start.append(bare(tmp_path / str(attempt)))
        began = time.monotonic()
        with Serving("replay", str(path), "--no-delay", "--strict-unused", "--port", "0", cwd=tmp_path) as server:
            with Client(server.url) as client:
                heard = [client.post(CHAT, body).body for body in answers]
            whole.append(time.monotonic() - began)
        assert heard == list(answers.values())
        assert (server.status, server.errors) == (0, "")
        if whole[-1] - start[-1] <= 2:
            break

    spent = min(whole) - min(start)
    size = path.stat().st_size / 1e6
    print(f"{MANY} interactions, {size:.1f} MB: {min(whole):.2f} s to the last answer, {spent:.2f} s without the start")
    assert spent <= 2
