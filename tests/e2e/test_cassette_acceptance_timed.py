"""Acceptance of cassettes in real time: ten streams side by side, a thousand interactions."""

import asyncio
import json
import resource
import time
from collections.abc import Iterable
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


def used() -> float:
    """Return the seconds of a core that this process and those it has waited for have used."""
    own, waited = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + waited.ru_utime + waited.ru_stime


def served(path: Path, asked: Iterable[bytes]) -> tuple[list[bytes], float, float]:
    """Start a replay, make calls one after the other, stop it; return the bodies, the seconds, and those of a core."""
    began, before = time.monotonic(), used()
    with Serving("replay", str(path), "--no-delay", "--strict-unused", "--port", "0", cwd=path.parent) as server:
        with Client(server.url) as client:
            heard = [client.post(CHAT, body).body for body in asked]
        spent = time.monotonic() - began
    assert (server.status, server.errors) == (0, "")
    return heard, spent, used() - before


@pytest.mark.timed
def test_a_thousand_interactions_are_loaded_and_served_within_two_seconds(tmp_path: Path) -> None:
    """Without what any command takes to start. Seconds of a core, the client's included: calls follow each other, so
    on a machine that does nothing else they are those of the clock.
    """
    answers = a_thousand(tmp_path / "many.yaml")
    one = request(asking("one"), path=CHAT, origin="https://api.openai.com")
    write_cassette(tmp_path / "one.yaml", [interaction(b"{}", asked=one, headers=JSON)])
    seconds, cores = list[float](), list[float]()
    for _ in range(3):
        _, start, start_core = served(tmp_path / "one.yaml", [asking("one")])
        heard, whole, core = served(tmp_path / "many.yaml", answers)
        seconds.append(whole - start)
        cores.append(core - start_core)
        assert heard == list(answers.values())
        if cores[-1] <= 2:
            break

    size = (tmp_path / "many.yaml").stat().st_size / 1e6
    print(f"{MANY} interactions, {size:.1f} MB: {min(seconds):.2f} s, {min(cores):.2f} s of a core with the client")
    assert min(cores) <= 2
