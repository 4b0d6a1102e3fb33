"""Recordings as fixtures for aimock 1.43: what was asked last, and what the model said.

A fixture has no place for bytes, event boundaries, response headers or the conversation before the last user text;
`LOSES` says so to whoever exports. Read 2026-11-21: aimock's src/types.ts, src/router.ts, src/fixture-loader.ts and
what src/recorder.ts itself stamps on a fixture.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any, NamedTuple

from setu import _json
from setu.cassette.match import model_of, route_of
from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of
from setu.chat.fold import fold
from setu.chat.parts import AnyPart, Reasoning, Refusal, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest
from setu.chat.response import ChatResponse, Usage
from setu.dialects.record import Dialect, Route
from setu.dialects.registry import DIALECTS
from setu.errors import SetuError
from setu.framing.kinds import DECODERS
from setu.http import Ending, Exchange

LOSES = (
    "lost to aimock's fixtures: bytes, event boundaries, response headers, whose host it was, "
    "and of each conversation all but the last user text, the model and its turn"
)

_Fixture = dict[str, Any]

_FINISH = {"length": "length", "content_filter": "content_filter", "refusal": "content_filter"}
"""aimock's words for ends that are not the usual ones of a text or a call."""

_COUNTS: Mapping[str, tuple[str, str, str]] = {
    "anthropic": ("input_tokens", "output_tokens", ""),
    "openai_responses": ("input_tokens", "output_tokens", "total_tokens"),
    "gemini": ("promptTokenCount", "candidatesTokenCount", "totalTokenCount"),
}
_OPENAI_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
"""Names of the counts, which aimock takes in those of the API that is to be answered."""


class _UnfitError(Exception):
    """No fixture says what this recording says; the text is why."""


def unfit(interaction: Interaction) -> str:
    """Return why no fixture can be made of a recording; empty when one can."""
    try:
        _fixture(interaction)
    except _UnfitError as error:
        return str(error)
    return ""


def write(interactions: Iterable[Interaction]) -> str:
    """Return the fixtures of all recordings of which one can be made.

    A plain and a streamed recording in which the model says the same to the same are one fixture, which answers both;
    of other recordings of one request each answers once, in their order.
    """
    kept: dict[str, list[_Kept]] = {}
    for interaction in interactions:
        try:
            fixture = _fixture(interaction)
        except _UnfitError:
            continue
        one = _Kept(fixture, framing_of(interaction.exchange) == "json")
        same = kept.setdefault(json.dumps(fixture["match"], sort_keys=True), [])
        twin = next((at for at, other in enumerate(same) if _twins(other, one)), None)
        if twin is None:
            same.append(one)
        else:
            same[twin] = _joined(same[twin], one)
    found = [fixture for same in kept.values() for fixture in _numbered([each.fixture for each in same])]
    # What a text must contain is compared in the file's order: a longer one may contain a shorter one.
    found.sort(key=lambda fixture: -len(fixture["match"].get("userMessage", "")))
    return json.dumps({"fixtures": found}, ensure_ascii=False, indent=2) + "\n"


class _Kept(NamedTuple):
    """A fixture, and whether its recording was whole or streamed; None: there was one of each."""

    fixture: _Fixture
    whole: bool | None


def _twins(one: _Kept, two: _Kept) -> bool:
    return one.whole is not None and one.whole is not two.whole and _alike(one.fixture, two.fixture)


def _joined(one: _Kept, two: _Kept) -> _Kept:
    """Return one fixture for both: what the whole answer says, which counts tokens, when the stream's events came."""
    whole, streamed = (one, two) if one.whole else (two, one)
    return _Kept(streamed.fixture | {"response": whole.fixture["response"]}, None)


def _alike(one: _Fixture, two: _Fixture) -> bool:
    return all(
        one["response"].get(name) == two["response"].get(name) for name in ("content", "reasoning", "error")
    ) and [(call["name"], call["arguments"]) for call in _calls(one)] == [
        (call["name"], call["arguments"]) for call in _calls(two)
    ]


def _calls(fixture: _Fixture) -> list[dict[str, str]]:
    calls: list[dict[str, str]] = fixture["response"].get("toolCalls", [])
    return calls


def _numbered(same: list[_Fixture]) -> list[_Fixture]:
    if len(same) == 1:
        return same
    return [each | {"match": each["match"] | {"sequenceIndex": at}} for at, each in enumerate(same)]


def _fixture(interaction: Interaction) -> _Fixture:
    exchange = interaction.exchange
    route = route_of(exchange.request)
    dialect = DIALECTS.get(route.dialect) if route is not None else None
    if route is None or dialect is None or route.operation not in ("chat", "embed"):
        return _no("neither a chat nor an embedding")
    if exchange.end is not Ending.COMPLETE:
        return _no("it broke off, which a fixture counts in chunks that aimock makes itself")
    match = _embedded(interaction) if route.operation == "embed" else _asked(dialect, interaction, route)
    if exchange.status >= 400:
        return {"match": match, "response": _error(dialect, exchange)}
    if route.operation == "embed":
        return {"match": match, "response": _embedding(exchange)}
    return {"match": match, "response": _response(dialect, exchange), **_timings(interaction)}


def _no(reason: str) -> _Fixture:
    raise _UnfitError(reason)


class _Turn(NamedTuple):
    """A message of the conversation: who said it, its text, whether it brings a tool's result."""

    role: str
    text: str
    result: bool


def _asked(dialect: Dialect, interaction: Interaction, route: Route) -> dict[str, Any]:
    """Return what aimock's own recorder would compare: the last user text, the model, the turn."""
    request = interaction.exchange.request
    assert isinstance(request.body, bytes)
    turns = _turns(dialect, request.body, route)
    text = ""
    answered = False
    for turn in turns:
        if turn.role == "user" and turn.text:
            text, answered = turn.text, False
        answered = answered or turn.result
    if not text:
        return _no("a request without a user's text")
    spoken = sum(turn.role == "assistant" for turn in turns)
    match: dict[str, Any] = {"userMessage": text, "turnIndex": spoken, "hasToolResult": answered}
    model = model_of(request)
    return match | ({"model": model} if model else {})


def _turns(dialect: Dialect, body: bytes, route: Route) -> list[_Turn]:
    codec = dialect.client.get("chat")
    if codec is None:
        return [*map(_plain_turn, _document(body).get("messages") or ())]
    try:
        asked: ChatRequest = codec.parse_request(body, route)
    except SetuError as error:
        raise _UnfitError(f"the request cannot be read: {error}") from None
    return [
        _Turn(
            message.role,
            "".join(part.text for part in message.parts if isinstance(part, Text)),
            any(isinstance(part, ToolResult) for part in message.parts),
        )
        for message in asked.messages
    ]


def _plain_turn(message: Any) -> _Turn:
    """Read a message of an API that Setu speaks to hosts alone: Cohere's, Ollama's, or Bedrock's."""
    if not isinstance(message, dict):
        raise _UnfitError("a message that is not an object")
    role, content = str(message.get("role")), message.get("content")
    if isinstance(content, str):
        return _Turn(role, content, role == "tool")
    blocks = [block for block in content or () if isinstance(block, dict)]
    text = "".join(str(block.get("text", "")) for block in blocks)
    return _Turn(role, text, role == "tool" or any("toolResult" in block for block in blocks))


def _embedded(interaction: Interaction) -> dict[str, Any]:
    request = interaction.exchange.request
    body = _document(request.body)
    asked = body.get("input")
    if isinstance(asked, list) and len(asked) == 1:
        asked = asked[0]
    if not isinstance(asked, str):
        return _no("an embedding of something else than one text")
    return {"endpoint": "embedding", "inputText": asked, "model": model_of(request) or ""}


def _embedding(exchange: Exchange) -> dict[str, Any]:
    rows = _document(exchange.body).get("data")
    vector = rows[0].get("embedding") if isinstance(rows, list) and rows and isinstance(rows[0], dict) else None
    return {"embedding": vector} if isinstance(vector, list) and vector else _no("an embedding that is not numbers")


def _document(data: Any) -> dict[str, Any]:
    try:
        value = _json.decode(data)
    except _json.JsonError:
        value = None
    return value if isinstance(value, dict) else _no("a body that is not a JSON object")


def _error(dialect: Dialect, exchange: Exchange) -> dict[str, Any]:
    info = dialect.errors.parse(exchange.status, exchange.headers, exchange.body)
    said = {"message": info.message or f"status {exchange.status}", "type": info.type, "code": info.code}
    response = {"error": {name: value for name, value in said.items() if value is not None}, "status": exchange.status}
    return response | ({"retryAfter": info.retry_after} if info.retry_after is not None else {})


def _response(dialect: Dialect, exchange: Exchange) -> dict[str, Any]:
    answer = _heard(dialect, exchange)
    if not answer.candidates:
        return _no("an answer without a candidate")
    candidate = answer.candidates[0]
    parts = [part for message in candidate.messages for part in message.parts]
    said: dict[str, Any] = _said(parts)
    if not said.get("content") and "toolCalls" not in said:
        return _no("an answer without text or tool call")
    thought = "".join("".join(part.text or part.summary) for part in parts if isinstance(part, Reasoning))
    finish = _FINISH.get(candidate.finish.reason) if candidate.finish is not None else None
    known = {
        "reasoning": thought or None,
        "finishReason": finish,
        "id": answer.id,
        "model": answer.model,
        "created": answer.created,
        "usage": _usage(answer.usage, _COUNTS.get(dialect.name, _OPENAI_COUNTS)),
    }
    return said | {name: value for name, value in known.items() if value is not None}


def _heard(dialect: Dialect, exchange: Exchange) -> ChatResponse:
    codec = dialect.upstream.get("chat")
    if codec is None:
        raise _UnfitError("an answer in a dialect that Setu does not parse")
    framing = framing_of(exchange)
    mint = _minter()
    try:
        if framing == "json":
            whole: ChatResponse = codec.parse_response(exchange.body, mint)
            return whole
        frames, decoder = DECODERS[framing](), codec.decoder(mint)
        heard = [event for frame in (*frames.feed(exchange.body), *frames.close()) for event in decoder.feed(frame)]
        folded = fold([*heard, *decoder.close()])
    except SetuError as error:
        raise _UnfitError(f"the answer cannot be read: {error}") from None
    if folded.error is not None:
        raise _UnfitError("an error within a stream")
    return folded.response


def _minter() -> Callable[[str], str]:
    numbers = count(1)
    return lambda prefix: f"{prefix}{next(numbers)}"


def _said(parts: Iterable[AnyPart]) -> dict[str, Any]:
    """Return text and tool calls, as blocks too where a call comes before a text."""
    blocks: list[dict[str, str]] = []
    for part in parts:
        if isinstance(part, (Text, Refusal)) and part.text:
            blocks.append({"type": "text", "text": part.text})
        elif isinstance(part, ToolCall):
            called = {"name": part.name, "arguments": _arguments(part.arguments), "id": part.call_id}
            blocks.append({"type": "toolCall"} | called)
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    calls = [{name: value for name, value in block.items() if name != "type"} for block in blocks if "name" in block]
    kinds = [block["type"] for block in blocks]
    said: dict[str, Any] = {"content": text} if text else {}
    if calls:
        said["toolCalls"] = calls
    return said | ({"blocks": blocks} if kinds != sorted(kinds, key="text toolCall".index) else {})


def _arguments(text: str) -> str:
    try:
        _json.decode(text.encode("utf-8", "surrogatepass"))
    except _json.JsonError:
        if text.strip():
            raise _UnfitError("a tool call whose arguments are not JSON") from None
        return "{}"
    return text


def _usage(usage: Usage | None, names: tuple[str, str, str]) -> dict[str, int] | None:
    if usage is None:
        return None
    counts = zip(names, (usage.input, usage.output, usage.total), strict=True)
    return {name: value for name, value in counts if name and value is not None} or None


def _timings(interaction: Interaction) -> dict[str, Any]:
    """Return when the events came; aimock spreads them over the chunks that it makes."""
    timing = interaction.recording.timing
    if timing is None or len(timing.events_ms) < 2:
        return {}
    gaps = [max(after - before, 0) for before, after in zip(timing.events_ms, timing.events_ms[1:], strict=False)]
    first = timing.ttfb_ms + timing.events_ms[0]
    return {"recordedTimings": {"ttftMs": first, "interChunkDelaysMs": gaps, "totalDurationMs": first + sum(gaps)}}


__all__ = ["LOSES", "unfit", "write"]
