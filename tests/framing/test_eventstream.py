import datetime as dt
import uuid
import zlib
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from setu.framing.eventstream import EventStreamDecoder, EventStreamEncoder
from setu.framing.frame import Frame, Header
from tests.cuts import PLACES, cut

_INTEGERS = {"byte": 8, "short": 16, "integer": 32, "long": 64}


def _values(kind: str) -> st.SearchStrategy[Any]:
    if kind in _INTEGERS:
        half = 2 ** (_INTEGERS[kind] - 1)
        return st.integers(-half, half - 1)
    return {
        "bool": st.booleans(),
        "bytes": st.binary(max_size=40),
        "string": st.text(max_size=20),
        "timestamp": st.integers(0, 2**41),
        "uuid": st.binary(min_size=16, max_size=16),
    }[kind]


_NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)
_KINDS = st.sampled_from(["bool", "byte", "short", "integer", "long", "bytes", "string", "timestamp", "uuid"])
_HEADERS = st.lists(
    _KINDS.flatmap(lambda kind: st.builds(Header, _NAMES, st.just(kind), _values(kind))),
    min_size=1,
    max_size=6,
    unique_by=lambda header: header.name,
)
_FRAMES = st.builds(Frame, data=st.binary(max_size=200), headers=_HEADERS.map(tuple))


def _encoded(*frames: Frame) -> bytes:
    return b"".join(EventStreamEncoder().encode(frame) for frame in frames)


def _decoded(*chunks: bytes) -> list[Frame]:
    decoder = EventStreamDecoder()
    return [frame for chunk in chunks for frame in decoder.feed(chunk)] + decoder.close()


def _oracle(data: bytes) -> list[Any]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


def test_an_event_is_read_with_its_type_and_payload() -> None:
    wire = _encoded(Frame(event="messageStart", data=b'{"role":"assistant"}'))

    (frame,) = _decoded(wire)

    assert (frame.event, frame.data, frame.raw) == ("messageStart", b'{"role":"assistant"}', wire)
    assert {h.name: h.value for h in frame.headers}[":message-type"] == "event"
    assert _oracle(wire)[0].headers == {h.name: h.value for h in frame.headers}


def test_an_exception_is_named_by_its_type() -> None:
    (frame,) = _decoded(_encoded(Frame(event="throttlingException", data=b"{}")))

    assert frame.event == "throttlingException"
    assert {h.name: h.value for h in frame.headers}[":message-type"] == "exception"


def test_an_error_message_is_named_by_its_code() -> None:
    headers = (Header(":message-type", "string", "error"), Header(":error-code", "string", "InternalError"))

    (frame,) = _decoded(_encoded(Frame(headers=headers)))

    assert (frame.event, frame.data) == ("InternalError", b"")


@given(st.lists(_FRAMES, max_size=4))
def test_what_is_encoded_is_what_botocore_reads(frames: list[Frame]) -> None:
    found = _oracle(_encoded(*frames))

    assert [event.payload for event in found] == [frame.data for frame in frames]
    assert [event.headers for event in found] == [{h.name: h.value for h in frame.headers} for frame in frames]


@given(st.lists(_FRAMES, max_size=4), PLACES)
def test_any_cutting_gives_the_same_frames(frames: list[Frame], places: list[int]) -> None:
    wire = _encoded(*frames)

    whole = _decoded(wire)

    assert _decoded(*cut(wire, places)) == whole
    assert [(frame.data, frame.headers) for frame in whole] == [(frame.data, frame.headers) for frame in frames]
    assert b"".join(frame.raw for frame in whole) == wire
    assert _encoded(*whole) == wire


@given(st.lists(_FRAMES, min_size=1, max_size=3), st.integers(0, 10_000), st.integers(1, 255), PLACES)
def test_a_changed_byte_is_flagged_and_never_read_as_sound(
    frames: list[Frame], place: int, change: int, places: list[int]
) -> None:
    wire = bytearray(_encoded(*frames))
    wire[place % len(wire)] ^= change

    found = _decoded(bytes(wire))

    assert any(frame.flaw is not None or not frame.terminated for frame in found)
    assert all(frame.data is None for frame in found if frame.flaw is not None)
    assert b"".join(frame.raw for frame in found) == bytes(wire)
    assert _decoded(*cut(bytes(wire), places)) == found


@given(st.binary(max_size=200), PLACES)
def test_any_bytes_give_frames_and_no_exception(wire: bytes, places: list[int]) -> None:
    found = _decoded(wire)

    assert b"".join(frame.raw for frame in found) == wire
    assert _decoded(*cut(wire, places)) == found


def test_a_wrong_message_checksum_costs_that_message_alone() -> None:
    good = Frame(event="metadata", data=b"{}")
    bad = bytearray(_encoded(good))
    bad[-1] ^= 1

    first, second = _decoded(bytes(bad) + _encoded(good))

    with pytest.raises(ChecksumMismatch):
        _oracle(bytes(bad))
    assert (first.flaw is not None, first.data, first.event) == (True, None, None)
    assert (second.event, second.flaw) == ("metadata", None)


def test_a_broken_prelude_ends_the_reading() -> None:
    wire = bytearray(_encoded(Frame(event="metadata", data=b"{}")) * 2)
    wire[9] ^= 1

    first, rest = _decoded(bytes(wire))

    assert (len(first.raw), first.flaw is not None) == (12, True)
    assert (rest.terminated, rest.flaw is not None) == (False, True)


def test_a_length_beyond_the_limit_is_a_flaw_at_once() -> None:
    decoder = EventStreamDecoder()
    lengths = (2**31).to_bytes(4, "big") + (0).to_bytes(4, "big")

    (frame,) = decoder.feed(lengths + zlib.crc32(lengths).to_bytes(4, "big"))

    assert frame.flaw is not None


def test_a_cut_message_is_an_unterminated_tail() -> None:
    wire = _encoded(Frame(event="metadata", data=b"{}"))

    (frame,) = _decoded(wire[:-3])

    assert (frame.terminated, frame.data, frame.flaw, frame.raw) == (False, None, None, wire[:-3])


def test_an_unknown_header_type_is_a_flaw() -> None:
    wire = _encoded(Frame(headers=(Header("x", "bool", True),), data=b""))

    altered = wire[:14] + bytes([77]) + wire[15:-4]

    (frame,) = _decoded(altered + zlib.crc32(altered).to_bytes(4, "big"))

    assert frame.flaw is not None


def test_headers_of_every_type_are_read_as_botocore_reads_them() -> None:
    moment = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    headers = (
        Header("true", "bool", True),
        Header("false", "bool", False),
        Header("byte", "byte", -128),
        Header("short", "short", -2),
        Header("integer", "integer", 2**31 - 1),
        Header("long", "long", -(2**63)),
        Header("bytes", "bytes", b"\0\xff"),
        Header("string", "string", "é"),
        Header("timestamp", "timestamp", int(moment.timestamp() * 1000)),
        Header("uuid", "uuid", uuid.UUID(int=7).bytes),
    )
    wire = _encoded(Frame(headers=headers, data=b""))

    (frame,) = _decoded(wire)

    assert frame.headers == headers
    assert _oracle(wire)[0].headers == {header.name: header.value for header in headers}


def test_a_frame_without_content_writes_nothing() -> None:
    assert EventStreamEncoder().encode(Frame(comment=b"ping")) == b""
    assert EventStreamEncoder().close() == b""
