import msgspec
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.model import Timing
from setu.cassette.pieces import arrivals_of, framing_of, pieces_of, timing_of
from setu.http import Arrival, Headers
from tests.cassette.samples import ANTHROPIC_STREAM, JSON, SSE, interaction, request
from tests.cuts import PLACES, cut


def exchange(body, headers=SSE, arrivals=(), asked=None, status=200):
    return interaction(body, headers=headers, arrivals=arrivals, asked=asked, status=status).exchange


def test_a_stream_is_cut_at_its_events() -> None:
    pieces = pieces_of(exchange(ANTHROPIC_STREAM))

    assert len(pieces) == 5
    assert b"".join(pieces) == ANTHROPIC_STREAM


def test_a_document_is_one_piece() -> None:
    assert pieces_of(exchange(b'{"a":1}', JSON)) == [b'{"a":1}']
    assert pieces_of(exchange(b"", JSON)) == []


def test_gemini_without_sse_streams_an_array() -> None:
    asked = request({}, path="/v1beta/models/g:streamGenerateContent")
    array = b'[{"a": 1}\n,\r\n{"b": 2}]'

    assert pieces_of(exchange(array, JSON, asked=asked)) == [b'[{"a": 1}', b'\n,\r\n{"b": 2}', b"]"]
    assert framing_of(exchange(b"[{}]", JSON, asked=asked, status=400)) == "json"


def test_ndjson_is_cut_at_its_lines() -> None:
    assert pieces_of(exchange(b"{}\n{}", {"content-type": "application/x-ndjson"})) == [b"{}\n", b"{}"]


def test_an_event_has_come_with_the_chunk_that_completes_it() -> None:
    body = b"data: 1\n\ndata: 2\n\ndata: 3\n\n"
    found = exchange(body, arrivals=((103, 5), (148, 13), (300, 9)))

    assert timing_of(found, ttfb_ms=100) == Timing(ttfb_ms=100, events_ms=(50, 50, 200))
    assert timing_of(found) == Timing(ttfb_ms=105, events_ms=(45, 45, 195))


def test_arrivals_that_miss_a_part_of_the_body_tell_no_time() -> None:
    assert timing_of(exchange(b"data: 1\n\n", arrivals=((1, 5),)), ttfb_ms=1) is None
    assert timing_of(exchange(b"data: 1\n\n")) is None


def test_a_timing_for_other_events_is_refused() -> None:
    assert arrivals_of([b"a"], Timing(events_ms=(1, 2))) is None
    assert arrivals_of([b"a", b"bc"], Timing(ttfb_ms=5, events_ms=(0, 10))) == (Arrival(5, 1), Arrival(15, 2))


@given(PLACES, st.lists(st.integers(0, 10_000), min_size=13, max_size=13))
def test_any_chunks_give_one_rising_time_an_event(places, waits) -> None:
    chunks = cut(ANTHROPIC_STREAM, places)
    times = sorted(waits)[: len(chunks)]
    arrivals = tuple(zip(times, map(len, chunks), strict=True))

    timing = timing_of(exchange(ANTHROPIC_STREAM, arrivals=arrivals))

    assert timing is not None
    assert len(timing.events_ms) == 5
    assert list(timing.events_ms) == sorted(timing.events_ms)
    assert all(ms % 5 == 0 for ms in timing.events_ms)


def test_media_types_are_read_without_their_parameters() -> None:
    found = msgspec.structs.replace(
        exchange(b"data: 1\n\n"), headers=Headers.of({"content-type": "Text/Event-Stream;x=y"})
    )

    assert framing_of(found) == "sse"
