import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.gate import leaks
from setu.cassette.serialize import render_block
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, JSON, SSE, interaction, request, talk
from tests.cassette.test_redact import SHAPED
from tests.cuts import PLACES, cut

KEY = SHAPED["anthropic"]


def found_in(saved, known=()):
    return {finding.what for finding in leaks(saved, render_block(saved), known)}


def stream(*texts):
    events = (json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}) for text in texts)
    return "".join(f"data: {event}\n\n" for event in events).encode()


@pytest.mark.parametrize("body", [ANTHROPIC_STREAM, CHAT_STREAM, b"\xff", b"{}", stream("a", "b")])
def test_nothing_is_found_where_nothing_is(body) -> None:
    assert found_in(interaction(body, asked=talk("hello"))) == set()


@pytest.mark.parametrize(
    "saved",
    [
        interaction(asked=talk(KEY)),
        interaction(b"\xff" + KEY.encode()),
        interaction(asked=request(b"\x00" + KEY.encode())),
        interaction(headers={"x-request-id": KEY}),
        interaction(json.dumps({"a": KEY}).replace("sk-", "sk\\u002d").encode()),
    ],
    ids=["text", "binary answer", "binary request", "header", "escaped"],
)
def test_a_key_is_found_wherever_it_stands(saved) -> None:
    assert "sk- key" in found_in(saved)


def test_a_known_secret_is_found_in_a_binary_body() -> None:
    assert found_in(interaction("\x00pässwörd".encode(), headers=JSON), ("pässwörd",)) == {"a known secret"}


@given(PLACES)
def test_a_key_spelt_over_several_events_is_found(places) -> None:
    assert "sk- key" in found_in(interaction(stream("it is ", *cut(KEY, places), " indeed"), headers=SSE))


def test_a_private_key_spelt_over_several_events_is_found() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"

    assert found_in(interaction(stream(*key), headers=SSE)) == {"private key"}


def test_a_known_secret_in_pieces_of_an_array_stream_is_found() -> None:
    asked = request({}, path="/v1beta/models/g:streamGenerateContent")
    array = b'[{"text": "known-"}\n,{"text": "value"}]'

    assert found_in(interaction(array, asked=asked, headers=JSON), ("known-value",)) == {"a known secret"}


@given(st.binary(max_size=60))
def test_any_stream_can_be_searched(body) -> None:
    assert isinstance(found_in(interaction(body, headers=SSE)), set)
