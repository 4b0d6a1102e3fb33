import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.gate import leaks, safe
from setu.cassette.model import Interaction, Recording
from setu.cassette.pieces import pieces_of
from setu.cassette.redact import parse_rules
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


@pytest.mark.parametrize(
    "saved",
    [
        interaction(asked=talk(KEY)),
        interaction(stream("it is ", *KEY), headers=SSE),
        interaction(b"\xff" + KEY.encode()),
        interaction(headers={"x-request-id": KEY}),
        msgspec.structs.replace(interaction(), reason=KEY),
        interaction(recording=Recording(twin=KEY, redacted=(f"request.query.{KEY}",))),
        interaction(asked=request(origin=f"https://{KEY}.example.com")),
        interaction(asked=request(path="/v1/known-value", origin="https://known-value")),
    ],
    ids=["request", "stream", "binary", "header", "reason", "recording", "host", "known"],
)
def test_whatever_is_found_is_masked_and_the_recording_is_kept(saved: Interaction) -> None:
    kept, block = safe(saved, render_block, ("known-value",))

    assert KEY not in block
    assert "known-value" not in block
    assert block == render_block(kept)
    assert leaks(kept, block, ("known-value",)) == []
    assert len(pieces_of(kept.exchange)) == len(pieces_of(saved.exchange))


def test_what_holds_nothing_is_not_touched() -> None:
    saved = interaction(ANTHROPIC_STREAM, asked=talk("hello"))

    assert safe(saved, render_block) == (saved, render_block(saved))


@pytest.mark.parametrize("headers", [SSE, JSON, {"content-type": "application/vnd.amazon.eventstream"}])
def test_a_body_that_cannot_be_cleaned_is_replaced_by_a_mark(headers: dict[str, str]) -> None:
    rules = parse_rules([], [], ["(?P<secret>)hello"])  # takes nothing out, so that the word is always found
    saved = interaction(b"hello", headers=headers, asked=talk("bye"))

    kept, block = safe(saved, render_block, rules)

    assert "hello" not in block
    assert "response.body (whole)" in kept.recording.redacted
    assert "bye" in block


def test_a_secret_that_is_a_word_of_the_format_loses_no_recording() -> None:
    _, block = safe(interaction(), render_block, ("interaction", "application/json", "complete"))

    assert block.startswith("- request:")
