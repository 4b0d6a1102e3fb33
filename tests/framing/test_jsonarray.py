"""A stream as one JSON array: elements however the bytes are cut, whatever their strings hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.framing.frame import Frame
from setu.framing.jsonarray import JsonArrayDecoder, JsonArrayEncoder
from tests.cuts import PLACES, cut
from tests.documents import DOCUMENTS, SPACE, Document

ELEMENTS = st.lists(st.tuples(SPACE, DOCUMENTS, SPACE), max_size=5)
# Not only arrays: whatever an upstream sends, no byte may be lost and no cutting may matter.
JUNK = st.lists(
    st.sampled_from(
        [b"[", b"]", b"{", b"}", b",", b'"', b"\\", b'"\\""', b"1", b" ", b"\n", b'{"a":"]}"}', b"\xc3\xa9"]
    ),
    max_size=16,
).map(b"".join)


def decode(chunks: list[bytes]) -> list[Frame]:
    decoder = JsonArrayDecoder()
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.close()


def array(elements: list[tuple[str, Document, str]]) -> bytes:
    return ("[" + ",".join(before + element.text + after for before, element, after in elements) + "]").encode()


@given(st.one_of(JUNK, ELEMENTS.map(array)), PLACES)
def test_any_cutting_gives_the_same_frames_and_loses_no_byte(data: bytes, places: list[int]) -> None:
    whole = decode([data])

    assert decode(cut(data, places)) == whole
    assert decode([data[i : i + 1] for i in range(len(data))]) == whole
    assert b"".join(frame.raw for frame in whole) == data


@given(ELEMENTS, SPACE)
def test_each_element_is_a_frame_and_the_bracket_the_last(elements: list[tuple[str, Document, str]], tail: str) -> None:
    frames = decode([array(elements) + tail.encode()])

    found = [frame.data for frame in frames if frame.data is not None]
    assert found == [element.data.strip() for _, element, _ in elements]
    assert all(frame.terminated for frame in frames)


@given(ELEMENTS, st.integers(0, 200))
def test_an_array_cut_short_is_flagged(elements: list[tuple[str, Document, str]], place: int) -> None:
    data = array(elements)
    data = data[: place % len(data)]

    frames = decode([data])

    assert [frame.terminated for frame in frames] == [True] * (len(frames) - 1) + [False] if data else frames == []


@given(st.lists(DOCUMENTS))
def test_what_is_encoded_is_decoded(documents: list[Document]) -> None:
    encoder = JsonArrayEncoder()
    stream = b"".join(encoder.encode(Frame(data=document.data)) for document in documents) + encoder.close()

    frames = decode([stream])

    assert [frame.data for frame in frames] == [*(document.data.strip() for document in documents), None]


def test_an_object_comes_out_at_its_closing_brace() -> None:
    decoder = JsonArrayDecoder()

    (frame,) = decoder.feed(b'[{"a":"}]\\"{"}')

    assert frame == Frame(data=b'{"a":"}]\\"{"}', raw=b'[{"a":"}]\\"{"}')


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"[]", [None]),
        (b"[ \n ]\n", [None, None]),
        (b'[{"a":[1,{"b":2}]}\n,\r\n{"c":3}]', [b'{"a":[1,{"b":2}]}', b'{"c":3}', None]),
        (b'[1, "a,]" ,null,[[2]]]', [b"1", b'"a,]"', b"null", b"[[2]]", None]),
        (b'{"error":{"code":400}}\n', [b'{"error":{"code":400}}', None]),
        (b"", []),
    ],
)
def test_streams_that_end_well(stream: bytes, data: list[bytes | None]) -> None:
    frames = decode([stream])

    assert [frame.data for frame in frames] == data
    assert all(frame.terminated for frame in frames)


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b'[{"a":1}', [b'{"a":1}', None]),
        (b'[{"a":1},\n', [b'{"a":1}', None]),
        (b'[{"a":1},{"b":"x', [b'{"a":1}', b'{"b":"x']),
        (b"[", [None]),
        (b"upstream error", [b"upstream error"]),
    ],
)
def test_streams_that_stop_early_are_flagged_at_their_end(stream: bytes, data: list[bytes | None]) -> None:
    frames = decode([stream])

    assert [frame.data for frame in frames] == data
    assert [frame.terminated for frame in frames] == [True] * (len(data) - 1) + [False]


def test_no_frames_at_all_are_an_empty_array() -> None:
    assert JsonArrayEncoder().close() == b"[]"


def test_a_frame_without_data_is_not_written() -> None:
    encoder = JsonArrayEncoder()

    assert [encoder.encode(Frame(comment=b"x")), encoder.encode(Frame(data=b"1")), encoder.close()] == [
        b"",
        b"[1",
        b"\n]",
    ]


def test_elements_are_apart_as_google_writes_them() -> None:
    encoder = JsonArrayEncoder()

    written = [encoder.encode(Frame(data=b'{"a":1}')), encoder.encode(Frame(data=b'{"b":2}')), encoder.close()]

    assert b"".join(written) == b'[{"a":1}\n,\r\n{"b":2}\n]'
