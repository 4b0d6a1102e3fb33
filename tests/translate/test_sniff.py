"""Usage of answers that pass unread."""

import pytest

from setu.chat.response import Usage
from setu.dialects.registry import DIALECTS
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder
from setu.translate.sniff import Sniffer, usage_in
from tests.gateway.wire import AN_STREAM, CHUNKS, GE_STREAM, HOME, OA_STREAM, PLAIN, USAGE_CHUNK
from tests.live import sse


def sniffed(dialect: str, stream: bytes) -> Usage | None:
    decoder = SseDecoder()
    sniffer = Sniffer(DIALECTS[dialect].upstream["chat"])
    for frame in (*decoder.feed(stream), *decoder.close()):
        sniffer.see(frame)
    return sniffer.usage


@pytest.mark.parametrize(
    ("dialect", "stream"),
    [("openai_chat", sse(*CHUNKS, USAGE_CHUNK, "[DONE]")), ("anthropic", AN_STREAM), ("gemini", GE_STREAM)],
)
def test_a_streams_usage_is_found(dialect: str, stream: bytes) -> None:
    usage = sniffed(dialect, stream)

    assert usage is not None
    assert (usage.input, usage.output) == (3, 1)


def test_a_stream_without_usage_has_none_and_a_text_about_it_is_no_usage() -> None:
    assert sniffed("openai_chat", OA_STREAM) is None
    assert (
        sniffed("openai_chat", sse({"choices": [{"index": 0, "delta": {"content": '"usage": {"prompt_tokens": 9}'}}]}))
        is None
    )


def test_broken_frames_are_not_ours_to_mind() -> None:
    sniffer = Sniffer(DIALECTS["anthropic"].upstream["chat"])
    sniffer.see(Frame(data=b'{"usage":'))

    assert sniffer.usage is None


@pytest.mark.parametrize("provider", PLAIN)
def test_a_plain_answers_usage_is_found(provider: str) -> None:
    usage = usage_in(PLAIN[provider], DIALECTS[HOME[provider]].upstream["chat"])

    assert usage is not None
    assert (usage.input, usage.output) == (3, 1)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"usage":', b'{"usage":5}'])
def test_an_answer_without_usage_has_none(body: bytes) -> None:
    assert usage_in(body, DIALECTS["openai_chat"].upstream["chat"]) is None
