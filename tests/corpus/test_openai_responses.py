"""Real Responses traffic through the dialect: requests there and back, answers, streams against their own twins."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomli
from pydantic import ValidationError

from setu import _json
from setu.chat.events import Event
from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.normal import normal_request, normal_response
from setu.chat.parts import AnyPart, Opaque, Text
from setu.chat.request import ChatRequest
from setu.chat.response import ChatResponse, Usage
from setu.dialects.openai_responses.codec import DIALECT
from setu.dialects.openai_responses.words import CAPABILITIES
from setu.dialects.record import Reply, Route, Target
from setu.errors import LocalDialectError, ProviderError
from setu.framing.sse import SseDecoder, SseEncoder
from setu.http import Headers
from tests.corpus.reader import exchanges, needs_corpus
from tests.dialects.openai_responses.oracle import need_events, need_order, need_response, request_problems

_CLIENT = DIALECT.client["chat"]
_UPSTREAM = DIALECT.upstream["chat"]
_TARGET = Target(model="m", capabilities=CAPABILITIES)
_ROUTE = Route(dialect="openai_responses", operation="chat")


def _excused(api: str) -> dict[str, str]:
    rows = tomli.loads((Path(__file__).parent / "exceptions.toml").read_text()).get("exception", [])
    return {row["id"]: row["reason"] for row in rows if row["api"] == api}


def _reply(asked: ChatRequest | None = None) -> Reply:
    return Reply(model="m", id="resp_1", created=1, mint=counter(), asked=asked)


def _canonical(body: dict[str, Any]) -> dict[str, Any]:
    """Bring a request to the spelling that Setu writes; every rule is a synonym or a default of the API."""
    members = {key: value for key, value in body.items() if value is not None and key not in {"model", "stream"}}
    if isinstance(members.get("input"), str):
        members["input"] = [{"role": "user", "content": members["input"]}]
    if "input" in members:
        members["input"] = [_item(item) for item in members["input"]]
    if members.get("tools"):
        members["tools"] = [_tool(tool) for tool in members["tools"]]
    for key in ("tools", "include", "text", "reasoning", "instructions"):
        if key in members and not members[key]:
            del members[key]
    if "include" in members:
        members["include"] = sorted(members["include"])
    if "reasoning" in members:
        members["reasoning"] = {key: value for key, value in members["reasoning"].items() if value is not None}
    return members


def _item(item: dict[str, Any]) -> dict[str, Any]:
    item = {key: value for key, value in item.items() if value is not None}
    if "role" in item and "type" not in item:
        item["type"] = "message"
    if item["type"] == "reasoning" and item.get("content") == []:
        del item["content"]
    for key in ("content", "output"):
        if isinstance(item.get(key), list) and item["type"] != "reasoning":
            item[key] = [_part(part) for part in item[key]]
            if not item[key]:
                item[key] = ""
        if isinstance(item.get(key), str) and item["type"] != "reasoning":
            kind = "output_text" if item.get("role") == "assistant" else "input_text"
            item[key] = [{"type": kind, "text": item[key]}] if item[key] else ""
    return item


def _part(part: dict[str, Any]) -> dict[str, Any]:
    part = {key: value for key, value in part.items() if value is not None and value != []}
    if part["type"] == "input_image":
        part.setdefault("detail", "auto")
    return part


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    tool = {key: value for key, value in tool.items() if value is not None}
    if tool["type"] == "namespace":
        tool["tools"] = [_tool(inner) for inner in tool["tools"]]
    if tool["type"] == "function" and not tool.get("strict"):
        tool.pop("strict", None)
    if tool["type"] == "function" and not tool.get("defer_loading"):
        tool.pop("defer_loading", None)
    return tool


def _check_request(exchange: dict[str, Any]) -> tuple[str, ChatRequest | None]:
    body = exchange["request_body"]
    try:
        request = _CLIENT.parse_request(json.dumps(body, ensure_ascii=False).encode(), _ROUTE)
    except LocalDialectError:
        if exchange["status"] < 400:
            raise
        return "refused", None
    rendered = _UPSTREAM.render_request(request, _TARGET)
    if rendered.losses:
        assert exchange["status"] >= 400, rendered.losses
        return "bent", request
    again = _CLIENT.parse_request(rendered.body, _ROUTE)

    if exchange["status"] >= 400 and _canonical(json.loads(rendered.body)) != _canonical(body):
        return "bent", request
    assert _canonical(json.loads(rendered.body)) == _canonical(body)
    assert _comparable(again) == _comparable(request)
    problems = request_problems(rendered.body) if exchange["status"] < 400 else []
    if problems:  # a host's own member, an item in a form that the SDK's types do not hold
        assert request_problems(_json.encode(body)) != [], problems
        return "same, beyond the SDK", request
    return "same", request


def _comparable(request: ChatRequest) -> ChatRequest:
    return msgspec.structs.replace(normal_request(request), model="m")


def _normal(response: ChatResponse) -> ChatResponse:
    """Leave out what an answer of Setu says differently on purpose: the full usage shape, what logprobs repeat."""
    usage = response.usage or Usage()
    usage = msgspec.structs.replace(
        usage,
        raw=None,
        cache_read=usage.cache_read or 0,
        cache_write=usage.cache_write or 0,
        reasoning=usage.reasoning or 0,
    )
    response = normal_response(response, anonymous=True)
    candidates = tuple(
        msgspec.structs.replace(
            candidate,
            messages=tuple(
                msgspec.structs.replace(message, parts=tuple(map(_worded, message.parts)))
                for message in candidate.messages
                if message.parts
            ),
        )
        for candidate in response.candidates
    )
    return msgspec.structs.replace(response, usage=usage, candidates=candidates)


def _worded(part: AnyPart) -> AnyPart:
    """Leave out what a stream says in another way than its twin: bytes and digits of token entries, proofs."""
    if isinstance(part, Opaque) and b'"encrypted_content"' in part.raw:
        return msgspec.structs.replace(part, raw=_json.encode(_json.decode(part.raw) | {"encrypted_content": ""}))
    if not isinstance(part, Text) or part.logprobs is None:
        return part
    tokens = tuple(_json.encode(_json.decode(entry)["token"]) for entry in part.logprobs)
    return msgspec.structs.replace(part, logprobs=tokens)


def _opaque_last(response: ChatResponse) -> ChatResponse:
    """Put opaque items last: they go out when they are whole, whatever their place was."""
    candidate = response.candidates[0]
    messages = [
        msgspec.structs.replace(
            message, parts=tuple(sorted(message.parts, key=lambda part: part.raw if isinstance(part, Opaque) else b""))
        )
        for message in candidate.messages
    ]
    return msgspec.structs.replace(response, candidates=(msgspec.structs.replace(candidate, messages=tuple(messages)),))


def _decoded(chunks: list[bytes]) -> list[Event]:
    framing, decoder = SseDecoder(), _UPSTREAM.decoder(counter())
    events: list[Event] = []
    for frame in [frame for chunk in chunks for frame in framing.feed(chunk)] + framing.close():
        events += decoder.feed(frame)
    return events + decoder.close()


def _encoded(events: list[Event], asked: ChatRequest | None) -> bytes:
    encoder, framing = _CLIENT.encoder(_reply(asked)), SseEncoder()
    out = b"".join(framing.encode(frame) for event in events for frame in encoder.feed(event))
    assert encoder.losses == []
    return out


def _cut(data: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.sample(range(len(data)), min(len(data), 40)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _twin(body: bytes) -> tuple[ChatResponse | None, str]:
    """Return the answer that the terminal event repeats, and the text of all deltas."""
    twin, text = None, ""
    for frame in SseDecoder().feed(body):
        if frame.data is None or frame.data == b"[DONE]":
            continue
        event = _json.decode(frame.data)
        if event["type"] in {"response.completed", "response.incomplete"}:
            twin = _UPSTREAM.parse_response(_json.encode(event["response"]), counter())
        if event["type"] == "response.output_text.delta":
            text += event["delta"]
    return twin, text


def _check_stream(exchange: dict[str, Any], asked: ChatRequest | None) -> Folded:
    body = exchange["response_body"].encode()
    events = _decoded([body])
    folded = fold(events)
    assert _decoded(_cut(body, random.Random(exchange["id"]))) == events
    twin, text = _twin(body + b"\n\n")
    if twin is None:
        assert folded.error is not None
        return folded
    assert folded.complete
    assert _normal(folded.response) == _normal(twin)
    assert text == _text(twin)

    out = _encoded(events, asked)

    again = fold(_decoded([out]))
    if _known(body):
        need_order(need_events(SseDecoder().feed(out)))
    assert again.complete
    assert _opaque_last(_normal(again.response)) == _opaque_last(_normal(folded.response))
    return folded


def _known(body: bytes) -> bool:
    """Tell whether the SDK's types hold what a stream tells; its newest event and kind of source they do not."""
    return b"response.rate_limits.updated" not in body and b'"type":"api"' not in body


def _text(response: ChatResponse) -> str:
    parts = [part for candidate in response.candidates for message in candidate.messages for part in message.parts]
    return "".join(part.text for part in parts if isinstance(part, Text))


def _check_answer(exchange: dict[str, Any], asked: ChatRequest | None) -> ChatResponse | None:
    body = exchange["response_body"].encode()
    try:
        response: ChatResponse = _UPSTREAM.parse_response(body, counter())
    except ProviderError:
        assert _json.decode(body)["status"] == "failed"
        return None

    rendered = _CLIENT.render_response(response, _reply(asked))

    assert rendered.losses == ()
    try:
        need_response(rendered.body)
    except ValidationError:
        with pytest.raises(ValidationError):  # the SDK does not take the host's own answer either
            need_response(body)
    if response.candidates[0].finish is not None:
        again = _UPSTREAM.parse_response(rendered.body, counter())
        assert _normal(_settled(again)) == _normal(_settled(response))
    return response


def _settled(response: ChatResponse) -> ChatResponse:
    """Read `complete`, a habit of one host, as `completed`."""
    candidate = response.candidates[0]
    assert candidate.finish is not None
    native = {"complete": "completed"}.get(candidate.finish.native or "", candidate.finish.native)
    finish = msgspec.structs.replace(candidate.finish, native=native)
    return msgspec.structs.replace(response, candidates=(msgspec.structs.replace(candidate, finish=finish),))


def _check_error(exchange: dict[str, Any]) -> None:
    info = DIALECT.errors.parse(exchange["status"], Headers(), exchange["response_body"].encode())

    again = DIALECT.errors.parse(exchange["status"], Headers(), DIALECT.errors.render(info))

    assert (info.status, again.kind, again.message) == (exchange["status"], info.kind, info.message)


def _check(exchange: dict[str, Any], counts: dict[str, int]) -> None:
    asked = None
    if isinstance(exchange["request_body"], dict):
        outcome, asked = _check_request(exchange)
        outcome = "requests " + outcome
        counts[outcome] = counts.get(outcome, 0) + 1
    if exchange["status"] >= 400:
        kind = "errors"
        _check_error(exchange)
    elif exchange["framing"] == "sse":
        kind = "streams"
        _check_stream(exchange, asked)
    else:
        kind = "answers"
        _check_answer(exchange, asked)
    counts[kind] = counts.get(kind, 0) + 1


@needs_corpus
def test_real_traffic_goes_through_the_model_and_back() -> None:
    excused = _excused("openai.responses")
    counts: dict[str, int] = {}
    failed: dict[str, str] = {}
    for exchange in exchanges("openai.responses"):
        try:
            _check(exchange, counts)
        except Exception as error:  # noqa: BLE001 - every failure is listed by its exchange
            failed[exchange["id"]] = f"{type(error).__name__}: {error}"[:400]
    print(f"openai.responses: {counts}, {len(failed)} excused")

    assert {key: failed[key] for key in failed.keys() - excused.keys()} == {}
    assert excused.keys() - failed.keys() == set(), "stale exceptions"
    assert counts["streams"] >= 310
    assert sum(counts.values()) >= 2000
