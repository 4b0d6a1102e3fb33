import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Model

from setu.cassette.fault_steps import cut, half_chunk, inject, reset, stall
from setu.cassette.script import Bytes, End, HalfChunk, Head, Wait, script
from setu.errors import NoMatchError, TruncatedError
from setu.http import Ending, Headers
from setu.transport.play import Playlist, play
from tests.cassette.samples import request, talk
from tests.transport.virtual import VirtualClock, hear, read_timed

HEAD = Head(200, Headers.of({"content-type": "text/event-stream"}))
STREAM = (HEAD, Bytes(b"one"), Bytes(b"two"), Bytes(b"three"), End())


async def read(steps):
    """Return what a reader gets, and how it ended."""
    return await hear(await play(steps, VirtualClock()))


def test_the_head_and_chunks_are_played() -> None:
    async def scenario():
        response = await play(STREAM, VirtualClock())
        return response.status, response.headers, [chunk async for chunk in response.chunks()]

    assert asyncio.run(scenario()) == (200, HEAD.headers, [b"one", b"two", b"three"])


def test_a_whole_body_is_bytes() -> None:
    response = asyncio.run(play(script(201, Headers(), b"{}"), VirtualClock()))

    assert (response.status, response.body) == (201, b"{}")
    assert asyncio.run(play(script(204, Headers()), VirtualClock())).body == b""


def test_waits_are_kept_before_the_head_too() -> None:
    async def scenario():
        clock = VirtualClock()
        steps = (Wait(0.4), HEAD, Bytes(b"a"), Wait(0.1), Bytes(b"b"), Wait(0.2), End())
        response = await play(steps, clock)
        return clock.time, await read_timed(response, clock), clock.time

    assert asyncio.run(scenario()) == (1000.4, [(0.4, b"a"), (0.5, b"b")], pytest.approx(1000.7))


def test_a_slow_reader_does_not_shift_the_schedule() -> None:
    async def scenario():
        clock = VirtualClock()
        response = await play(
            (HEAD, Wait(1.0), Bytes(b"a"), Wait(1.0), Bytes(b"b"), Wait(1.0), Bytes(b"c"), End()), clock
        )
        times = []
        async for _ in response.chunks():
            times.append(clock.time - 1000)
            if len(times) == 1:
                clock.time += 1.5
        return times

    assert asyncio.run(scenario()) == [1.0, 2.5, 3.0]


@given(st.lists(st.floats(0.001, 10), min_size=1, max_size=20), st.floats(0, 0.001))
def test_the_schedule_does_not_drift(waits, slowness) -> None:
    async def scenario():
        clock = VirtualClock()
        steps = [HEAD]
        for wait in waits:
            steps += (Wait(wait), Bytes(b"x"))
        response = await play((*steps, End()), clock)
        async for _ in response.chunks():
            clock.time += slowness
        return clock.time - 1000

    assert asyncio.run(scenario()) == pytest.approx(sum(waits) + slowness, abs=1e-6)


@pytest.mark.parametrize(
    ("fault", "chunks", "reset_", "promised"),
    [
        (cut(after_event=2), [b"one", b"two"], False, None),
        (cut(after_bytes=5), [b"one", b"tw"], False, None),
        (reset(1), [b"one"], True, None),
        (half_chunk(2), [b"one", b"two", b"th"], False, (b"", 3)),
    ],
)
def test_a_bad_end_raises_after_what_came(fault, chunks, reset_, promised) -> None:
    got, error = asyncio.run(read(fault(STREAM)))

    assert got == chunks
    assert error is not None
    assert (error.reset, error.promised) == (reset_, promised)


@pytest.mark.parametrize("kind", [Ending.TRUNCATED, Ending.CLOSED_BY_CLIENT, Ending.ERROR])
def test_every_interrupted_recording_is_cut_short(kind) -> None:
    _, error = asyncio.run(read(script(200, Headers(), b"a", end=kind)))

    assert error is not None
    assert not error.reset


@pytest.mark.parametrize(
    ("steps", "reset_"), [((), False), ((Wait(1.0), End(Ending.RESET)), True), ((End(Ending.TRUNCATED),), False)]
)
def test_an_end_before_the_head_is_raised_at_once(steps, reset_) -> None:
    with pytest.raises(TruncatedError, match="before a response") as caught:
        asyncio.run(play(steps, VirtualClock()))
    assert caught.value.reset is reset_


def test_an_empty_half_chunk_promises_at_least_a_byte() -> None:
    _, error = asyncio.run(read((HEAD, HalfChunk(b"a", 1), End(Ending.RESET))))

    assert error is not None
    assert (error.reset, error.promised) == (True, (b"", 1))


def test_nothing_comes_after_the_end() -> None:
    async def scenario():
        response = await play(cut(after_event=1)(STREAM), VirtualClock())
        stream = aiter(response.body)
        assert await anext(stream) == b"one"
        with pytest.raises(TruncatedError):
            await anext(stream)
        return [chunk async for chunk in stream]

    assert asyncio.run(scenario()) == []


def test_a_closed_response_is_at_its_end() -> None:
    async def scenario():
        response = await play(STREAM, VirtualClock())
        stream = aiter(response.body)
        await anext(stream)
        await response.aclose()
        await response.aclose()
        return [chunk async for chunk in stream]

    assert asyncio.run(scenario()) == []


def test_faults_play() -> None:
    async def scenario():
        clock = VirtualClock()
        response = await play(stall(1, 5.0)(inject(0, b": hi\n\n")(STREAM)), clock)
        return await read_timed(response, clock)

    assert asyncio.run(scenario()) == [(0, b": hi\n\n"), (5.0, b"one"), (5.0, b"two"), (5.0, b"three")]


# Playlists


def answer(text):
    return script(200, Headers(), text)


def test_a_playlist_answers_in_order_and_keeps_the_requests() -> None:
    async def scenario():
        playlist = Playlist([answer(b"1"), answer(b"2")], VirtualClock())
        asked = [talk("a"), talk("b")]
        bodies = [await (await playlist.send(each)).read() for each in asked]
        assert playlist.received == asked
        await playlist.aclose()
        return bodies, playlist.remaining

    assert asyncio.run(scenario()) == ([b"1", b"2"], 0)


def test_a_used_up_playlist_says_so() -> None:
    with pytest.raises(NoMatchError, match="no answer left for POST /v1/messages"):
        asyncio.run(Playlist([], VirtualClock()).send(request()))


def test_a_playlist_may_answer_by_model() -> None:
    async def scenario():
        playlist = Playlist([answer(b"any")], VirtualClock(), by_model={"a": [answer(b"a1")], "g": [answer(b"g1")]})
        gemini = request({}, path="/v1beta/models/g:generateContent")
        asked = [request({"model": "a"}), gemini, request({"model": "other"})]
        return [await (await playlist.send(each)).read() for each in asked]

    assert asyncio.run(scenario()) == [b"a1", b"g1", b"any"]


def test_a_playlist_lists_its_models_without_using_an_answer() -> None:
    async def scenario():
        playlist = Playlist([], VirtualClock(), by_model={"a": [answer(b"a")]}, models=("b",))
        response = await playlist.send(request(b"", path="/v1/models", method="GET"))
        return json.loads(await response.read()), playlist.remaining

    listed, remaining = asyncio.run(scenario())

    assert [Model.model_validate(row).id for row in listed["data"]] == ["b", "a"]
    assert [row["name"] for row in listed["models"]] == ["models/b", "models/a"]
    assert remaining == 1


def test_a_body_that_is_no_json_is_answered_in_order() -> None:
    async def scenario():
        return await (await Playlist([answer(b"1")], VirtualClock()).send(request(b"not json"))).read()

    assert asyncio.run(scenario()) == b"1"
