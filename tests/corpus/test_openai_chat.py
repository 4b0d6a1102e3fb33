"""Real chat traffic through the dialect: requests there and back, answers and streams there and back."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import tomli
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from setu.chat.events import Event
from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.normal import normal_request, normal_response
from setu.chat.parts import AnyPart, Media, Reasoning, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest, Message, Options
from setu.chat.response import Candidate, ChatResponse, Finish
from setu.dialects.openai_chat.codec import DIALECT
from setu.dialects.openai_chat.words import CAPABILITIES, FINISH_OUT
from setu.dialects.record import Reply, Route, Target
from setu.errors import DialectError, LocalDialectError, ProviderError
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder, SseEncoder
from setu.http import Headers
from tests.corpus.reader import exchanges, needs_corpus

_API = "openai.chat"
_CLIENT = DIALECT.client["chat"]
_UPSTREAM = DIALECT.upstream["chat"]
_CHOSEN = frozenset(
    {"stream_usage", "reasoning", "thinking", "thinking_parts", "document_url", "max_completion_tokens"}
)
"""Capabilities that choose between two spellings: an exchange's own host takes the one it was sent."""


def _excused() -> dict[str, str]:
    rows = tomli.loads((Path(__file__).parent / "exceptions.toml").read_text()).get("exception", [])
    return {row["id"]: row["reason"] for row in rows if row["api"] == _API}


def _reply() -> Reply:
    return Reply(model="m", id="chatcmpl-1", created=1, mint=counter(), stream_usage=True)


def _target(request: ChatRequest, body: dict[str, Any]) -> Target:
    """Return a target that takes what the exchange's host was sent."""
    text = json.dumps(body.get("messages"))
    chosen = {name for name in ("reasoning", "max_completion_tokens") if body.get(name)}
    if isinstance(body.get("thinking"), dict):
        chosen.add("thinking")
    chosen |= {name for name, kind in (("thinking_parts", "thinking"), ("document_url", "document_url"))
               if f'"type": "{kind}"' in text}  # fmt: skip
    return Target(model=request.model, capabilities=(CAPABILITIES - _CHOSEN) | chosen)


class _Ids:
    """Call ids by order of first appearance: long ones are shortened on purpose, the same for call and result."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def __call__(self, identity: str) -> str:
        return self._seen.setdefault(identity, f"call {len(self._seen)}")


def _canonical(body: dict[str, Any]) -> dict[str, Any]:
    """Bring a request to the spelling that Setu writes; every rule is a synonym on this wire."""
    members: dict[str, Any] = _dropped({key: value for key, value in body.items() if key != "max_tokens"})
    cap = body.get("max_completion_tokens", body.get("max_tokens"))
    members.pop("max_completion_tokens", None)
    if cap is not None:
        members["max_tokens"] = cap
    if members.get("stream") is False:
        del members["stream"]
    if "functions" in members:  # the names of old
        members["tools"] = [{"type": "function", "function": tool} for tool in members.pop("functions")]
    if "function_call" in members:
        members["tool_choice"] = members.pop("function_call")
    if members.get("tool_choice") == "any":
        members["tool_choice"] = "required"
    elif isinstance(members.get("tool_choice"), dict):
        members["tool_choice"].setdefault("type", "function")
    for tool in members.get("tools", []):
        tool.setdefault("type", "function")
    if not members.get("tools"):  # a choice among no tools
        for key in ("tools", "tool_choice", "parallel_tool_calls"):
            members.pop(key, None)
    if isinstance(members.get("stop"), str):
        members["stop"] = [members["stop"]]
    form = members.get("response_format")
    if isinstance(form, dict) and form.get("type") == "json_schema" and "schema" in form:
        members["response_format"] = {"type": "json_schema", "json_schema": {"schema": form["schema"]}}
    ids = _Ids()
    members["messages"] = _joined([_message(message, ids) for message in members["messages"]])
    return members


def _dropped(value: Any) -> Any:
    """Null is absent (JSON Schemas and extras included, on both sides)."""
    if isinstance(value, dict):
        return {key: _dropped(item) for key, item in value.items() if item is not None}
    return [_dropped(item) for item in value] if isinstance(value, list) else value


def _message(message: dict[str, Any], ids: _Ids) -> dict[str, Any]:
    content = message.pop("content", None)
    parts: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    for part in parts:
        if isinstance(part.get("image_url"), str):
            part["image_url"] = {"url": part["image_url"]}
        if isinstance(part.get("input_audio"), dict) and part["input_audio"]["format"] == "mpeg":
            part["input_audio"]["format"] = "mp3"
        if isinstance(part.get("thinking"), list):
            part["thinking"] = "".join(piece["text"] for piece in part["thinking"])
    parts = [part for part in parts if part != {"type": "text", "text": ""}]
    mark = message.pop("cache_control", None)
    if mark is not None and parts and message["role"] != "tool":
        parts[-1].setdefault("cache_control", mark)
    elif mark is not None:
        message["cache_control"] = mark
    if parts:
        message["content"] = parts
    if "tool_call_id" in message:
        message["tool_call_id"] = ids(message["tool_call_id"])
    for key in ("tool_calls", "annotations"):
        if not message.get(key):
            message.pop(key, None)
    for call in message.get("tool_calls", []):
        call["id"] = ids(call["id"])
        call.pop("index", None)
    _reasoning(message)
    return message


def _reasoning(message: dict[str, Any]) -> None:
    """Details are the truth; the string beside them repeats their words. Details without either are none."""
    text = message.pop("reasoning", None)
    text = message.pop("reasoning_content", None) or text
    details = message.get("reasoning_details", [])
    if text and not any(detail.get("text") or detail.get("summary") for detail in details):
        message["reasoning_content"] = text
    for index, detail in enumerate(details):
        detail["index"] = index
        if detail.get("text") == "":
            del detail["text"]


def _joined(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join an assistant's calls to the empty message before them."""
    joined: list[dict[str, Any]] = []
    for message in messages:
        if joined and joined[-1] == {"role": "assistant"} and message["role"] == "assistant":
            joined.pop()
        joined.append(message)
    return joined


def _plain(request: ChatRequest) -> ChatRequest:
    """Leave out null options and the ids that are shortened on purpose."""
    ids = _Ids()
    options = {
        name: value
        for name in Options.__struct_fields__
        if (value := getattr(request.options, name)) not in (None, msgspec.UNSET)
    }
    messages = tuple(
        msgspec.structs.replace(message, parts=tuple(_renamed(part, ids) for part in message.parts))
        for message in normal_request(request).messages
    )
    return msgspec.structs.replace(request, options=Options(**options), messages=messages)


def _renamed(part: AnyPart, ids: _Ids) -> AnyPart:
    if isinstance(part, (ToolCall, ToolResult)):
        return msgspec.structs.replace(part, call_id=ids(part.call_id))
    return part


def _check_request(exchange: dict[str, Any]) -> str:
    body = exchange["request_body"]
    raw = json.dumps(body, ensure_ascii=False).encode() if not isinstance(body, str) else body.encode()
    route = Route(dialect="openai_chat", operation="chat", model=exchange["model"] or "in-the-path")
    try:
        request = _CLIENT.parse_request(raw, route)
    except LocalDialectError:
        if exchange["status"] < 400:
            raise
        return "refused"
    rendered = _UPSTREAM.render_request(request, _target(request, body))
    again = _CLIENT.parse_request(rendered.body, route)

    if exchange["status"] >= 400:  # what the host refused may come back mended
        return "read of refused"
    assert rendered.losses == ()
    assert _plain(again) == _plain(request)
    assert _canonical(json.loads(rendered.body)) == _canonical({"model": request.model} | _dropped(body))
    return "same"


def _essence(response: ChatResponse) -> ChatResponse:
    """Leave out what an answer of Setu says differently on purpose.

    The total adds up, a citation without an address has no place, thinking goes out as one string with its seals
    beside it, a call without arguments carries `{}`, and finish words are OpenAI's with the host's beside them.
    """
    usage = response.usage and msgspec.structs.replace(response.usage, raw=None, total=None)
    if usage and usage.reasoning is not None:  # a part of a count may not exceed the whole
        usage = msgspec.structs.replace(usage, reasoning=min(usage.reasoning, usage.output or 0))
    candidates = tuple(map(_essential, normal_response(response).candidates))
    return ChatResponse(candidates=candidates, usage=usage)


def _essential(candidate: Candidate) -> Candidate:
    calls = any(isinstance(part, ToolCall) for message in candidate.messages for part in message.parts)
    finish = candidate.finish
    if finish is not None:
        word = FINISH_OUT[finish.reason]
        finish = Finish(reason="stop" if word == "tool_calls" and not calls else word)  # type: ignore[arg-type]  # four of the reasons
    parts = [_plain_part(part) for message in candidate.messages for part in message.parts]
    thoughts = [part for part in parts if isinstance(part, Reasoning)]
    words = "".join("".join(part.text) for part in thoughts).replace("\n", "")
    seals = [part.seal for part in thoughts if part.seal is not None]
    rest = tuple(part for part in parts if not isinstance(part, Reasoning) and part != Text(text=""))
    message = Message(role="assistant", parts=rest)
    return Candidate(
        index=candidate.index,
        messages=(message,),
        finish=finish,
        logprobs=json.dumps([words, [seal.data for seal in seals]]).encode(),
    )


def _plain_part(part: AnyPart) -> AnyPart:
    match part:
        case Reasoning():
            return Reasoning(text=part.text or part.summary, seal=part.seal)
        case ToolCall(arguments=""):
            return msgspec.structs.replace(part, arguments="{}")
        case Text():
            cites = tuple(
                msgspec.structs.replace(cite, title=cite.title or cite.url) for cite in part.cites if cite.url
            )
            return msgspec.structs.replace(part, cites=cites, logprobs=None)
        case Media(kind="audio"):
            return msgspec.structs.replace(part, extra=None, transcript=part.transcript or "")
        case _:
            return msgspec.structs.replace(part, extra=None)


def _check_answer(exchange: dict[str, Any]) -> str:
    body = exchange["response_body"].encode("utf-8", "surrogatepass")
    try:
        response = _UPSTREAM.parse_response(body, counter())
    except ProviderError:
        assert '"error"' in exchange["response_body"]
        return "errors in answers"

    rendered = _CLIENT.render_response(response, _reply())

    ChatCompletion.model_validate_json(rendered.body, strict=True)
    again = _UPSTREAM.parse_response(rendered.body, counter())
    assert _essence(again) == _essence(response)
    return "answers"


def _decoded(chunks: list[bytes]) -> list[Event]:
    framing, decoder = SseDecoder(), _UPSTREAM.decoder(counter())
    events: list[Event] = []
    for frame in [frame for chunk in chunks for frame in framing.feed(chunk)] + framing.close():
        events += decoder.feed(frame)
    return events + decoder.close()


def _encoded(events: list[Event]) -> list[Frame]:
    encoder = _CLIENT.encoder(_reply())
    return [frame for event in events for frame in encoder.feed(event)]


def _cut(data: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.sample(range(len(data)), min(len(data), 40)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _check_stream(exchange: dict[str, Any]) -> str:
    body = exchange["response_body"].encode("utf-8", "surrogatepass")
    events = _decoded([body])
    folded = fold(events)
    assert _decoded(_cut(body, random.Random(exchange["id"]))) == events

    frames = _encoded(events)

    data = [frame.data for frame in frames if frame.data is not None]
    _check_end(folded, data)
    out = b"".join(SseEncoder().encode(frame) for frame in frames)
    again = fold(_decoded([out]))
    assert again.complete == folded.complete
    if folded.response.candidates and not folded.error and folded.complete:
        assert _essence(again.response) == _essence(folded.response)
    return "streams with errors" if folded.error else "streams" if folded.complete else "streams cut off"


def _check_end(folded: Folded, data: list[bytes]) -> None:
    """Every chunk is OpenAI's; a stream ends in [DONE] or in an error, never in both."""
    for chunk in data[:-1]:
        ChatCompletionChunk.model_validate_json(chunk, strict=True)
    if folded.complete:
        assert data[-1] == b"[DONE]"
    else:
        assert set(json.loads(data[-1])) == {"error"}


def _check_error(exchange: dict[str, Any]) -> str:
    body = (exchange["response_body"] or "").encode("utf-8", "surrogatepass")
    info = DIALECT.errors.parse(exchange["status"], Headers(), body)

    again = DIALECT.errors.parse(info.status, Headers(), DIALECT.errors.render(info))

    assert again.message == info.message
    assert info.status == exchange["status"] or exchange["status"] >= 500
    return "errors"


def _check(exchange: dict[str, Any]) -> list[str]:
    outcomes = []
    if exchange["request_body"] is not None:
        outcomes.append("requests " + _check_request(exchange))
    if exchange["status"] >= 400:
        outcomes.append(_check_error(exchange))
    elif exchange["framing"] == "sse":
        outcomes.append(_check_stream(exchange))
    else:
        outcomes.append(_check_answer(exchange))
    return outcomes


@needs_corpus
def test_real_traffic_goes_through_the_model_and_back() -> None:
    excused = _excused()
    counts: dict[str, int] = {}
    failed: dict[str, str] = {}
    for exchange in exchanges(_API):
        try:
            for outcome in _check(exchange):
                counts[outcome] = counts.get(outcome, 0) + 1
        except (AssertionError, DialectError, ValueError) as error:
            failed[exchange["id"]] = f"{type(error).__name__}: {error}"[:400]
    print(f"{_API}: {counts}, {len(failed)} excused")

    assert {key: failed[key] for key in failed.keys() - excused.keys()} == {}
    assert excused.keys() - failed.keys() == set(), "stale exceptions"
    assert counts["requests same"] >= 5900
    assert counts["answers"] >= 3780
    assert counts["streams"] >= 2090
