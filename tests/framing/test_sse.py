"""SSE by the WHATWG rules, whatever the cutting of the bytes."""

import httpx
import httpx_sse
from hypothesis import given
from hypothesis import strategies as st

from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder, SseEncoder
from tests.cuts import cut

LINES = st.sampled_from(
    ["data: a", "data:b", "data", "data:  two", ": comment", ":", "event: ping", "event:", "id: 7", "id", "retry: 10",
     "retry: x", "unknown: 1", "data: é\u2028\u0085\U0001f600", "data: [DONE]", "data: : keepalive"]
)  # fmt: skip
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
STREAMS = st.lists(st.tuples(st.one_of(LINES, st.just("")), ENDS), max_size=14).map(
    lambda lines: "".join(line + end for line, end in lines).encode()
)


def decode(chunks: list[bytes]) -> list[Frame]:
    decoder = SseDecoder()
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.close()


@given(STREAMS, st.booleans(), st.lists(st.integers(0, 400), max_size=12))
def test_any_cutting_gives_the_same_frames_and_loses_no_byte(data: bytes, bom: bool, places: list[int]) -> None:
    data = (b"\xef\xbb\xbf" if bom else b"") + data

    whole = decode([data])

    assert decode(cut(data, places)) == whole
    assert decode([data[i : i + 1] for i in range(len(data))]) == whole
    assert b"".join(frame.raw for frame in whole) == data


@given(STREAMS)
def test_events_are_those_of_the_oracle(data: bytes) -> None:
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=data)
    expected = [(e.event, e.data) for e in httpx_sse.EventSource(response).iter_sse() if e.data]

    frames = [f for f in decode([data]) if f.data and f.terminated]

    ours = [(frame.event or "message", frame.data.decode()) for frame in frames if frame.data]
    assert ours == expected


@given(st.lists(st.tuples(st.binary(min_size=1).filter(lambda b: b"\r" not in b and b"\0" not in b)), max_size=5))
def test_what_is_encoded_is_decoded(payloads: list[tuple[bytes]]) -> None:
    encoder = SseEncoder()
    stream = b"".join(encoder.encode(Frame(data=payload, event="e")) for (payload,) in payloads)

    assert [frame.data for frame in decode([stream])] == [payload for (payload,) in payloads]


def test_a_tail_without_a_blank_line_is_given_and_flagged() -> None:
    (frame,) = decode([b"data: tail\n"])

    assert (frame.data, frame.terminated) == (b"tail", False)
