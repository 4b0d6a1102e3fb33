"""What is played: ten exchanges of several APIs, and one long stream for speed and pace."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from setu.cassette.model import Interaction, Recording, Timing
from setu.cassette.pieces import arrivals_of
from setu.cassette.shelf import read_cassette, write_cassette
from setu.http import Exchange, Headers, Request

BUNDLED = Path(__file__).parents[3] / "cassettes"
EVENTS = 200
FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "date"})
"""Header fields that belong to a connection, not to an answer."""


class Played(NamedTuple):
    """An exchange by what it shows, in the file that every tool is given."""

    name: str
    file: Path

    @property
    def interaction(self) -> Interaction:
        return read_cassette(self.file)[0]


_CASSETTES = {
    "OpenAI chat, JSON": "openai/openai_chat/text",
    "OpenAI chat, stream with usage": "openai/openai_chat/text-stream",
    "OpenAI chat, stream of two tool calls": "openai/openai_chat/parallel-tools-stream",
    "OpenAI chat, 429 with retry-after": "openai/openai_chat/error-429",
    "OpenAI Responses, stream with reasoning": "openai/openai_responses/reasoning-stream",
    "Anthropic, stream with ping and thinking": "anthropic/anthropic/reasoning-stream",
    "Gemini, stream with CRLF": "gemini/gemini/text-stream",
    "Bedrock, event stream": "bedrock/bedrock/text-stream",
    "Ollama, NDJSON": "ollama/ollama/text-stream",
}


def ten(room: Path) -> list[Played]:
    """Return nine recordings that come with Setu, and embeddings as OpenAI has them, which aimock has, too."""
    return [*bundled(), _written("OpenAI embeddings", room, _embedding())]


def bundled() -> list[Played]:
    return [Played(name, BUNDLED / f"{path}.yaml") for name, path in _CASSETTES.items()]


def plain() -> Played:
    return bundled()[0]


def stream(room: Path) -> Played:
    return _written(f"OpenAI chat, stream of {EVENTS} events", room, _long_stream())


def _written(name: str, room: Path, interaction: Interaction) -> Played:
    file = room / f"{interaction.recording.op}.yaml"
    write_cassette(file, [interaction])
    return Played(name, file)


def target_of(request: Request) -> str:
    """Return what a request line says: the path and the query without the origin."""
    return request.target.removeprefix(request.origin)


def fields(headers: Headers) -> dict[str, str]:
    """Return the header fields of an answer that replaying it has to repeat."""
    found = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers.raw)
    return {name: value for name, value in found if name not in FRAMING}


def _long_stream() -> Interaction:
    """Return a chat stream paced as models are: a start, a pause in the middle, bursts of four."""
    chunk = {"id": "chatcmpl-9", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": f" word {number:04d} of twenty"} for number in range(EVENTS - 3)]
    rows = [chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    rows.append(chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    pieces = [b"data: %b\n\n" % json.dumps(row).encode() for row in rows] + [b"data: [DONE]\n\n"]
    times = tuple(20 * (number // 4) + (500 if number >= EVENTS // 2 else 0) for number in range(EVENTS))
    asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Count words."}], "stream": True}
    timing = Timing(ttfb_ms=200, events_ms=times)
    return _interaction("chat/completions", asked, "openai_chat.chat.stream", "text/event-stream", pieces, timing)


def _embedding() -> Interaction:
    vector = [round((number * 7919 % 2001 - 1000) / 20000, 6) for number in range(256)]
    answer = {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }
    asked = {"model": "text-embedding-3-small", "input": "the sea at night", "dimensions": 256}
    timing = Timing(ttfb_ms=150, events_ms=(0,))
    body = [json.dumps(answer, indent=2).encode()]
    return _interaction("embeddings", asked, "openai_chat.embed", "application/json", body, timing)


def _interaction(
    path: str, asked: dict[str, Any], op: str, media_type: str, pieces: list[bytes], timing: Timing
) -> Interaction:
    exchange = Exchange(
        request=Request(
            method="POST",
            origin="https://api.openai.com",
            path=f"/v1/{path}",
            headers=Headers.of({"content-type": "application/json"}),
            body=json.dumps(asked).encode(),
        ),
        status=200,
        headers=Headers.of({"content-type": media_type, "x-request-id": "req_9"}),
        body=b"".join(pieces),
        arrivals=arrivals_of(pieces, timing) or (),
    )
    return Interaction(exchange=exchange, recording=Recording(dialect="openai_chat", op=op, timing=timing), reason="OK")
