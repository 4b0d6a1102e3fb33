"""The clients of the storm notice what must never be; else their silence would prove nothing."""

import json

import pytest

from tests.chaos.reading import read
from tests.chaos.upstream import said

WHOLE = "".join(said("n1"))
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


def delta(text: str, finish: str | None = None) -> bytes:
    choice = {"delta": {"content": text} if text else {}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


STOP, DONE = delta("", "stop"), b"data: [DONE]\n\n"
ERROR = b'data: {"error": {"message": "gone"}}\n\n'
WORDS = [delta(word) for word in said("n1")]
FULL = b"".join(WORDS)


@pytest.mark.parametrize(
    ("stream", "outcome"),
    [
        (FULL + STOP + DONE, "ok"),
        (WORDS[0] + ERROR, "broken"),
        (WORDS[0] + STOP + DONE, "lost"),
        (FULL + STOP, "lost"),
        (FULL + DONE, "lost"),
        (WORDS[0], "lost"),
        (WORDS[0] + FULL + STOP + DONE, "lost"),
        (FULL + FULL + STOP + DONE, "lost"),
        (WORDS[0] + delta("n2-1 ") + STOP + DONE, "lost"),
        (FULL + STOP + ERROR, "lost"),
        (WORDS[0] + ERROR + WORDS[1], "lost"),
        (FULL + STOP + DONE + STOP, "lost"),
    ],
    ids=[
        "right", "honest", "cut", "without [DONE]", "without finish", "just over", "said twice", "all of it twice",
        "another's", "an error too late", "on after an error", "on after the end",
    ],
)  # fmt: skip
def test_a_stream_is_right_or_honest_or_lost(stream: bytes, outcome: str) -> None:
    assert read(HEAD + stream, "n1", stream=True).outcome == outcome


def test_a_body_without_its_last_chunk_is_lost() -> None:
    body = FULL + STOP + DONE
    head = HEAD.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n")
    chunk = b"%x\r\n%s\r\n" % (len(body), body)

    assert read(head + chunk, "n1", stream=True).outcome == "lost"
    assert read(head + chunk + b"0\r\n\r\n", "n1", stream=True).outcome == "ok"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"", "lost"),
        (b"HTTP/1.1 200", "lost"),
        (b'HTTP/1.1 429 Slow\r\n\r\n{"error": {}}', "error"),
        (b"HTTP/1.1 500 Oh\r\n\r\n", "lost"),
        (b"HTTP/1.1 502 Bad\r\n\r\n<html>", "error"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"choices": [{"mess', "lost"),
    ],
)
def test_a_plain_answer_is_right_or_an_error_or_lost(answer: bytes, outcome: str) -> None:
    assert read(answer, "n1", stream=False, proxied={502}).outcome == outcome


def test_a_plain_answer_must_be_ones_own_and_whole() -> None:
    answers = [
        b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        for text in (WHOLE, WHOLE + WHOLE, WHOLE.replace("n1", "n2"), "")
    ]

    assert [read(answer, "n1", stream=False).outcome for answer in answers] == ["ok", "lost", "lost", "lost"]
