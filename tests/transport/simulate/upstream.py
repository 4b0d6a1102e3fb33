"""The simulator as a test asks it: JSON in, status, headers and body out."""

import asyncio
import json
from typing import Any, NamedTuple

from setu.framing.jsonarray import JsonArrayDecoder
from setu.framing.sse import SseDecoder
from setu.http import Headers, Request
from setu.transport.simulate.simulator import Simulator

Json = dict[str, Any]


class FixedClock:
    def now(self) -> float:
        return 1_780_000_000.5

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the simulator never sleeps")


class Answered(NamedTuple):
    status: int
    headers: Headers
    body: bytes
    chunks: list[bytes]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(path: str, body: Any = None, *, method: str = "POST", query: str = "", **headers: str) -> Answered:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    fields = Headers.of({name.replace("_", "-"): value for name, value in headers.items()})
    request = Request(method=method, path=path, query=query, headers=fields, body=raw)
    return asyncio.run(_send(request))


async def _send(request: Request) -> Answered:
    simulator = Simulator(FixedClock())
    response = await simulator.send(request)
    chunks = [chunk async for chunk in response.chunks()]
    await response.aclose()
    await simulator.aclose()
    return Answered(response.status, response.headers, b"".join(chunks), chunks)


def chat(**body: Any) -> Answered:
    return ask("/v1/chat/completions", {"model": "gpt-x", "messages": [user("Hello")], **body})


def message(**body: Any) -> Answered:
    whole = {"model": "claude-x", "max_tokens": 200, "messages": [user("Hello")], **body}
    return ask("/v1/messages", whole, anthropic_version="2023-06-01")


def generate(*, model: str = "gemini-2.5-flash", stream: str = "", **body: Any) -> Answered:
    whole = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], **body}
    method = "streamGenerateContent" if stream else "generateContent"
    return ask(f"/v1beta/models/{model}:{method}", whole, query="alt=sse" if stream == "sse" else "")


def user(content: Any) -> Json:
    return {"role": "user", "content": content}


def events(answered: Answered) -> list[Any]:
    """The JSON payloads of an SSE body, `[DONE]` left out."""
    decoder = SseDecoder()
    frames = decoder.feed(answered.body) + decoder.close()
    assert all(frame.terminated for frame in frames)
    return [json.loads(frame.data) for frame in frames if frame.data not in (None, b"[DONE]")]


def elements(answered: Answered) -> list[Any]:
    decoder = JsonArrayDecoder()
    return [json.loads(frame.data) for frame in decoder.feed(answered.body) + decoder.close() if frame.data]


WEATHER: Json = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"enum": ["c", "f"]},
        "days": {"type": "array", "items": {"$ref": "#/$defs/Day"}, "minItems": 1},
    },
    "required": ["city", "unit", "days"],
    "additionalProperties": False,
    "$defs": {
        "Day": {
            "type": "object",
            "properties": {"date": {"type": "string", "format": "date"}, "hours": {"type": "integer", "minimum": 1}},
            "required": ["date", "hours"],
            "additionalProperties": False,
        }
    },
}
