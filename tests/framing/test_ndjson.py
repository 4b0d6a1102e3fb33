"""Newline-delimited JSON: lines however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.framing.frame import Frame
from setu.framing.ndjson import NdjsonDecoder, NdjsonEncoder
from tests.cuts import PLACES, cut
from tests.documents import DOCUMENTS, Document

STREAMS = st.lists(st.sampled_from([b'{"a":1}', b"[]", b"\n", b"\r\n", b"\n", b" ", b'"\\n"', b"\r", b"\xc3\xa9"])).map(
    b"".join
)


def decode(chunks: list[bytes]) -> list[Frame]:
    decoder = NdjsonDecoder()
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.close()


@given(STREAMS, PLACES)
def test_any_cutting_gives_the_same_frames_and_loses_no_byte(data: bytes, places: list[int]) -> None:
    whole = decode([data])

    assert decode(cut(data, places)) == whole
    assert decode([data[i : i + 1] for i in range(len(data))]) == whole
    assert b"".join(frame.raw for frame in whole) == data


@given(st.lists(DOCUMENTS.filter(lambda document: "\n" not in document.text)), st.sampled_from([b"\n", b"\r\n"]))
def test_each_line_is_a_frame(documents: list[Document], end: bytes) -> None:
    frames = decode([b"".join(document.data + end for document in documents)])

    assert [frame.data for frame in frames] == [document.data.strip(b" \t\r") for document in documents]
    assert all(frame.terminated for frame in frames)


@given(st.lists(DOCUMENTS.filter(lambda document: "\n" not in document.text)))
def test_what_is_encoded_is_decoded(documents: list[Document]) -> None:
    encoder = NdjsonEncoder()
    stream = b"".join(encoder.encode(Frame(data=document.data.strip())) for document in documents) + encoder.close()

    assert [frame.data for frame in decode([stream])] == [document.data.strip() for document in documents]


def test_a_tail_without_its_line_end_is_given_and_flagged() -> None:
    first, tail = decode([b'{"a":1}\n{"b":', b"2"])

    assert (first.terminated, tail) == (True, Frame(data=b'{"b":2', raw=b'{"b":2', terminated=False))


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b"  \n"])
def test_a_blank_line_is_a_frame_without_data(blank: bytes) -> None:
    assert decode([blank]) == [Frame(data=None, raw=blank)]


def test_a_frame_without_data_is_not_written() -> None:
    assert NdjsonEncoder().encode(Frame(comment=b"ping")) == b""


def test_a_line_comes_out_as_soon_as_it_is_whole() -> None:
    decoder = NdjsonDecoder()

    assert decoder.feed(b'{"a":') == []
    assert [frame.data for frame in decoder.feed(b'1}\n{"b"')] == [b'{"a":1}']
