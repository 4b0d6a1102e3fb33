"""Answers in every framing that a provider has, with the chunks in which they travel; all of them made up."""

import json
from itertools import pairwise
from typing import NamedTuple

from setu.framing.eventstream import EventStreamEncoder
from setu.framing.frame import Frame, Header
from tests.e2e.acceptance import CHAT, Answer

SSE = "text/event-stream; charset=utf-8"
MESSAGES, RESPONSES = "/v1/messages", "/v1/responses"
GEMINI = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"


def cut(body: bytes, *places: int) -> tuple[bytes, ...]:
    edges = [0, *places, len(body)]
    return tuple(body[start:end] for start, end in pairwise(edges))


def every(body: bytes, size: int) -> tuple[bytes, ...]:
    return cut(body, *range(size, len(body), size))


def binary(*payloads: bytes) -> bytes:
    kind = (Header(":message-type", "string", "event"), Header(":event-type", "string", "contentBlockDelta"))
    return b"".join(EventStreamEncoder().encode(Frame(data=payload, headers=kind)) for payload in payloads)


CHAT_EVENTS = (
    *(
        f'data: {{"id":"c","choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}\n\n'.encode()
        for text in ("Grüße", "日本語", "🙂 ok", "")
    ),
    b"data: [DONE]\n\n",
)
ANTHROPIC_EVENTS = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3}}}\n\n',
    b'event: ping\ndata: {"type": "ping"}\n\n',
    b": keep-alive\n\n",
    b'event: something_of_tomorrow\ndata: {"type":"something_of_tomorrow","n":1.0}\n\n',
    b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"a\\nb"}}\n\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
)
GEMINI_EVENTS = tuple(
    f'data: {{"candidates": [{{"content": {{"parts": [{{"text": "{text}"}}]}}}}]}}\r\n\r\n'.encode()
    for text in ("één", "twee", "日本")
)
RESPONSES_EVENTS = tuple(
    f'event: {kind}\ndata: {{"type":"{kind}","sequence_number":{n}}}\n\n'.encode()
    for n, kind in enumerate(("response.created", "response.output_text.delta", "response.completed"))
)
NDJSON_LINES = tuple(f'{{"model":"m","message":{{"content":"{text}"}},"done":false}}\n'.encode() for text in "aé日")
ARRAY = (
    b'[{"candidates": [{"index": 0}]}\n,\r\n{"candidates": [{"index": 1, "text": "\xc3\xa9"}]}\n,\r\n{"usage": 1}]\n'
)
FRAMES = (binary(b'{"delta":{"text":"a"}}'), binary(b'{"delta":{"text":"\xc3\xa9"}}'), binary(b'{"stop":1}'))
PRETTY = json.dumps({"id": "msg_1", "content": [{"type": "text", "text": "é"}], "usage": {"n": 1.0}}, indent=2)
LIMITS = (("retry-after", "7"), ("request-id", "req_1"), ("anthropic-ratelimit-requests-remaining", "0"))
RATE_LIMITS = (("x-ratelimit-limit-requests", "10"), ("x-ratelimit-limit-requests", "20"), ("x-request-id", "r-1"))


class Case(NamedTuple):
    path: str
    answer: Answer


def stream(path: str, *chunks: bytes, media_type: str = SSE) -> Case:
    return Case(path, Answer(chunks, media_type))


CASES = {
    "anthropic: LF, ping, comment, unknown event": stream(MESSAGES, *ANTHROPIC_EVENTS),
    "anthropic: all events in two chunks": stream(MESSAGES, *cut(b"".join(ANTHROPIC_EVENTS), 150)),
    "anthropic: CRLF": stream(MESSAGES, *(each.replace(b"\n", b"\r\n") for each in ANTHROPIC_EVENTS)),
    "openai: DONE": stream(CHAT, *CHAT_EVENTS),
    "openai: UTF-8 split over chunks": stream(CHAT, *every(b"".join(CHAT_EVENTS), 7)),
    "openai: byte by byte": stream(CHAT, *every(CHAT_EVENTS[1] + CHAT_EVENTS[-1], 1)),
    "openai: no space after the colon, fields of SSE": stream(
        CHAT, b'id: 7\nretry: 100\ndata:{"a":1}\n\n', b"data\n\n", b"\n", b"data: [DONE]\n\n"
    ),
    "openai: a BOM, CR alone, mixed ends": stream(
        CHAT, b'\xef\xbb\xbfdata: {"a":1}\r\r', b'data: {"b":2}\n\r\n', b"data: [DONE]\r\n\n"
    ),
    "openai: no end of the last line": stream(CHAT, *CHAT_EVENTS[:2], b"data: [DONE]"),
    "openai: trailing blanks, tabs, a vertical tab": stream(
        CHAT, b'data: {"a":"x\x0b"} \t \n\n', b":  \n\n", b"data: [DONE]  \n\n"
    ),
    "responses: named events": stream(RESPONSES, *RESPONSES_EVENTS),
    "gemini: CRLF": stream(f"{GEMINI}?alt=sse", *GEMINI_EVENTS),
    "gemini: cut between CR and LF": stream(f"{GEMINI}?alt=sse", *cut(b"".join(GEMINI_EVENTS), 73, 75, 140)),
    "gemini: JSON array": stream(GEMINI, *every(ARRAY, 20), media_type="application/json; charset=UTF-8"),
    "bedrock: event stream": stream(
        "/model/m/converse-stream", *FRAMES, media_type="application/vnd.amazon.eventstream"
    ),
    "bedrock: frames cut anywhere": stream(
        "/model/n/converse-stream", *every(b"".join(FRAMES), 11), media_type="application/vnd.amazon.eventstream"
    ),
    "ollama: NDJSON": stream("/api/chat", *NDJSON_LINES, media_type="application/x-ndjson"),
    "ollama: NDJSON cut anywhere, CRLF": stream(
        "/api/chat", *every(b"\r\n".join(NDJSON_LINES), 13), media_type="application/x-ndjson"
    ),
    "JSON: compact": Case(CHAT, Answer((b'{"id":"c","n":1,"t":"\xc3\xa9"}',))),
    "JSON: pretty": Case(MESSAGES, Answer((PRETTY.encode(),))),
    "JSON: numbers and keys no parser keeps": Case(CHAT, Answer((b'{"n": 1e0, "m":0.10, "n": -0.0,"t":"\\u00e9"}\r\n',))),
    "JSON: in two chunks": Case(CHAT, Answer((b'{"id":"c",', b'"n":1}'))),
    "an error with its header fields": Case(MESSAGES, Answer((b'{"type":"error"}',), status=429, headers=LIMITS)),
    "a header field twice": Case(CHAT, Answer((b"{}",), headers=RATE_LIMITS)),
    "an error page": Case(CHAT, Answer((b"<html>\r\n\t<h1>502 \x85 caf\xe9</h1>\n</html>",), "text/html", 502)),
    "speech": Case("/v1/audio/speech", Answer((bytes(range(256)), bytes(300)), "audio/mpeg")),
    "nothing": Case(CHAT, Answer((b"",))),
}  # fmt: skip
