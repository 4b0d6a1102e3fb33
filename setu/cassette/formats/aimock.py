"""aimock's fixtures (npm `@copilotkit/aimock`, before 1.7 `llmock`), read as the exchanges that they stand for.

A fixture is what a test's last user text must contain and what the model is to say; ids, usage, headers, event
boundaries and the rest of the conversation are not in it. Each becomes two OpenAI chat exchanges, one plain and one
streamed, `reconstructed`, with a note of what aimock had lost. Read 2026-11-20: aimock's src/types.ts and
docs/fixtures.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from setu.cassette.formats import aimock_answers as answers
from setu.cassette.formats.intake import DEFAULT, Data, Found, Intake, Skipped, each, request_of
from setu.cassette.formats.pull import entries
from setu.cassette.model import Interaction, Recording
from setu.cassette.pieces import arrivals_of
from setu.errors import CassetteDecodeError
from setu.http import Ending, Exchange, Headers, Request

SUFFIXES = (".json",)

_CHAT = "https://api.openai.com/v1/chat/completions"
_EMBEDDINGS = "https://api.openai.com/v1/embeddings"
_JSON = {"content-type": "application/json"}
_SSE = {"content-type": "text/event-stream; charset=utf-8"}
# What aimock's own recorder drops, whatever a fixture says.
_ALWAYS_LOST = ("event boundaries", "response headers", "the rest of the conversation")
_MATCHED_LOOSELY = ("toolResultContains", "turnIndex", "hasToolResult", "context")
_UNSAID = ("reasoningSignature", "redactedThinking", "webSearches")
_FAULTS = ("chaos", "disconnectAfterMs")


def sniff(head: bytes) -> bool:
    return re.match(rb'(?:\xef\xbb\xbf)?\s*\{\s*(?:"\$schema"\s*:\s*"[^"]*",\s*)?"fixtures"\s*:\s*\[', head) is not None


def read(data: Data, name: str, intake: Intake = DEFAULT) -> Iterator[Found]:
    """Read the fixtures in their order; those of images, audio and the like are skipped.

    Raises:
        CassetteDecodeError: not JSON, or no fixtures.
    """
    return each(entries(data, name, "aimock fixtures", "fixtures"), _fixture, intake)


class _Call(NamedTuple):
    """A request that a fixture answers: where to, and the body without its `stream`."""

    url: str
    body: dict[str, Any]


def _fixture(fixture: Any, place: str) -> Iterator[Found]:
    try:
        match, response = fixture["match"], fixture["response"]
        call = _call(match, response)
        reason = _unusable(match, response)
        if reason or call is None:
            yield Skipped(place, reason or "a catch-all answers no request in particular")
        else:
            yield from list(_exchanges(fixture, call, place))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CassetteDecodeError(f"a member is missing or of the wrong kind: {error}") from None


def _unusable(match: Mapping[str, Any], response: Mapping[str, Any]) -> str:
    endpoint = match.get("endpoint", "chat")
    if endpoint not in ("chat", "embedding"):
        return f"a fixture of {endpoint}"
    if not answers.is_known(response):
        return "an answer that is neither text, tool calls, an embedding nor an error"
    return ""


def _call(match: Mapping[str, Any], response: Mapping[str, Any]) -> _Call | None:
    """Return the smallest request that the fixture matches; None where it would match any."""
    model = match.get("model") or response.get("model") or "unknown"
    if "embedding" in response or match.get("endpoint") == "embedding":
        asked = match.get("inputText") or match.get("userMessage")
        return _Call(_EMBEDDINGS, {"model": model, "input": asked}) if asked else None
    messages = _messages(match)
    if not any(message["role"] != "system" for message in messages):
        return None
    body: dict[str, Any] = {"model": model, "messages": messages}
    if match.get("toolName"):
        body["tools"] = [{"type": "function", "function": {"name": match["toolName"], "parameters": {}}}]
    if match.get("responseFormat"):
        body["response_format"] = {"type": match["responseFormat"]}
    return _Call(_CHAT, body)


def _messages(match: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    system = match.get("systemMessage")
    if system:
        text = "\n".join(system) if isinstance(system, list) else system
        messages.append({"role": "system", "content": text})
    if match.get("userMessage"):
        messages.append({"role": "user", "content": match["userMessage"]})
    call_id = match.get("toolCallId")
    if call_id:
        called = {"id": call_id, "type": "function", "function": {"name": "unknown", "arguments": "{}"}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [called]})
        result = match.get("toolResultContains", "")
        messages.append({"role": "tool", "tool_call_id": call_id, "content": result})
    return messages


def _exchanges(fixture: Mapping[str, Any], call: _Call, place: str) -> Iterator[Interaction]:
    response = fixture["response"]
    notes = (f"{place}: reconstructed from an aimock fixture, which had lost {_lost(fixture)}",)
    if "embedding" in response:
        yield _interaction(call, answers.embedding(response, call.body["model"]), place, notes)
        return
    for streamed in (False, True):
        asked = _Call(call.url, {**call.body, "stream": True} if streamed else call.body)
        if "error" in response:
            yield _interaction(asked, answers.error(response), place, notes)
        elif streamed:
            yield _stream(fixture, asked, place, notes)
        else:
            yield _interaction(asked, answers.completion(response, asked.body["model"]), place, notes)


def _interaction(call: _Call, answer: answers.Answer, place: str, notes: tuple[str, ...]) -> Interaction:
    headers = Headers.of([*_JSON.items(), *answer.headers])
    exchange = Exchange(request=_request(call), status=answer.status, headers=headers, body=answer.body)
    return Interaction(exchange=exchange, recording=Recording(provenance="reconstructed"), place=place, notes=notes)


def _stream(fixture: Mapping[str, Any], call: _Call, place: str, notes: tuple[str, ...]) -> Interaction:
    pieces = answers.chunks(fixture["response"], call.body["model"], int(fixture.get("chunkSize") or 20))
    kept = pieces[: fixture.get("truncateAfterChunks") or len(pieces)]
    timing = answers.pace(fixture, len(kept))
    exchange = Exchange(
        request=_request(call),
        status=200,
        headers=Headers.of(_SSE),
        body=b"".join(kept),
        end=Ending.COMPLETE if len(kept) == len(pieces) else Ending.TRUNCATED,
        arrivals=(arrivals_of(kept, timing) or ()) if timing else (),
    )
    recording = Recording(provenance="reconstructed", timing=timing)
    return Interaction(exchange=exchange, recording=recording, place=place, notes=notes)


def _request(call: _Call) -> Request:
    body = json.dumps(call.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return request_of("POST", call.url, Headers.of(_JSON), body)


def _lost(fixture: Mapping[str, Any]) -> str:
    """List what the fixture does not say of the exchange, and what of it no exchange can say."""
    match, response = fixture["match"], fixture["response"]
    lost = list(_ALWAYS_LOST)
    lost += ["the request's id"] * ("id" not in response) + ["usage"] * ("usage" not in response)
    lost += ["the model"] * ("model" not in match and "model" not in response)
    lost += ["timing"] * ("recordedTimings" not in fixture)
    # Said by the fixture, but not by an exchange: matching that is not by content, faults, other providers' parts.
    dropped = [name for name in _MATCHED_LOOSELY if name in match]
    dropped += [name for name in _UNSAID if name in response] + [name for name in _FAULTS if name in fixture]
    return ", ".join(lost) + (f"; left out: {', '.join(dropped)}" if dropped else "")
