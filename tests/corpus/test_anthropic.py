"""Anthropic's real traffic through the dialect: requests there and back, answers and streams there and back."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import tomli

from setu import _json
from setu.chat.events import Event
from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.normal import normal_request, normal_response
from setu.chat.response import ChatResponse, Usage
from setu.dialects.anthropic.codec import DIALECT
from setu.dialects.record import Facts, Reply, Route, Target
from setu.errors import LocalDialectError
from setu.framing.sse import SseDecoder, SseEncoder
from setu.http import Headers
from tests.corpus.reader import exchanges, needs_corpus
from tests.dialects.anthropic.oracle import need_message, need_order, request_problems

APIS = ("anthropic.messages", "anthropic.vertex")
_BETA = (
    "tool_addition",
    "mcp_",
    "compaction",
    "advisor",
    "context_management",
    "mcp_servers",
    "task_budget",
    "computer_20",
)
"""What the SDK's stable types do not hold: a body that names one of these is not judged by them."""

_CLIENT = DIALECT.client["chat"]
_UPSTREAM = DIALECT.upstream["chat"]
_FACTS = Facts(sampling="both", system_turns=True)


def _excused(api: str) -> dict[str, str]:
    rows = tomli.loads((Path(__file__).parent / "exceptions.toml").read_text()).get("exception", [])
    return {row["id"]: row["reason"] for row in rows if row["api"] == api}


def _reply() -> Reply:
    return Reply(model="claude", id="msg_1", created=1, mint=counter())


def _canonical(body: dict[str, Any]) -> dict[str, Any]:
    """Bring a request to the spelling that Setu writes; every rule is a synonym of the API or an empty text."""
    members = {key: value for key, value in body.items() if value is not None}
    if "output_format" in members:  # the beta's name for output_config.format
        members["output_config"] = members.get("output_config", {}) | {"format": members.pop("output_format")}
    if members.get("stream") is False:
        del members["stream"]
    if "system" in members:
        members["system"] = _blocks(members["system"])
    merged: list[dict[str, Any]] = []
    for message in members["messages"]:
        content = _blocks(message["content"])
        if merged and merged[-1]["role"] == message["role"]:  # the API combines consecutive turns of a role
            content = merged.pop()["content"] + content
        merged.append({**message, "content": content})
    members["messages"] = merged
    for tool in members.get("tools", []):
        if tool.get("type") == "custom":  # the default
            del tool["type"]
    if not members.get("tools"):
        members.pop("tools", None)
        members.pop("tool_choice", None)
    return members


def _blocks(content: Any) -> list[Any]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    kept = [{key: value for key, value in block.items() if value is not None} for block in blocks]
    for block in kept:
        if block["type"] == "tool_result" and "content" in block:
            block["content"] = _blocks(block["content"])
    return [block for block in kept if block["type"] != "text" or block["text"].strip()]


def _check_request(exchange: dict[str, Any]) -> str:
    body = exchange["request_body"]
    raw = json.dumps(body, ensure_ascii=False).encode()
    path_model = None if isinstance(body, dict) and "model" in body else "claude-in-the-path"
    try:
        request = _CLIENT.parse_request(raw, Route(dialect="anthropic", operation="chat", model=path_model))
    except LocalDialectError:
        assert exchange["status"] >= 400
        return "refused"
    rendered = _UPSTREAM.render_request(request, Target(model=request.model, facts=_FACTS))
    if rendered.losses:
        assert exchange["status"] >= 400, rendered.losses
        return "bent"
    again = _CLIENT.parse_request(rendered.body, Route(dialect="anthropic", operation="chat"))

    assert _canonical(json.loads(rendered.body)) == _canonical({"model": request.model} | body)
    assert _plain(normal_request(again)) == _plain(normal_request(request))
    if exchange["status"] < 400 and "model" in body and not any(word in raw.decode() for word in _BETA):
        assert request_problems(rendered.body) == []
    return "same"


def _plain(request: Any) -> Any:
    """Drop texts of nothing but space, which Anthropic refuses today and Setu leaves out."""
    messages = tuple(
        msgspec.structs.replace(
            message, parts=tuple(part for part in message.parts if getattr(part, "text", "x") != " ")
        )
        for message in request.messages
    )
    return msgspec.structs.replace(request, messages=messages)


def _normal(response: ChatResponse) -> ChatResponse:
    """Leave out what an answer of Setu says differently on purpose: the client's model name, the full usage shape."""
    usage = response.usage or Usage()
    usage = msgspec.structs.replace(
        usage,
        raw=None,
        cache_read=usage.cache_read or 0,
        cache_write=usage.cache_write or 0,
        cache_write_1h=usage.cache_write_1h or 0,
    )
    response = normal_response(response)
    candidates = tuple(
        msgspec.structs.replace(candidate, messages=tuple(m for m in candidate.messages if m.parts))
        for candidate in response.candidates
    )
    return msgspec.structs.replace(response, model=None, usage=usage, candidates=candidates)


def _decoded(chunks: list[bytes]) -> list[Event]:
    framing, decoder = SseDecoder(), _UPSTREAM.decoder(counter())
    events: list[Event] = []
    for frame in [frame for chunk in chunks for frame in framing.feed(chunk)] + framing.close():
        events += decoder.feed(frame)
    return events + decoder.close()


def _encoded(events: list[Event]) -> bytes:
    encoder, framing = _CLIENT.encoder(_reply()), SseEncoder()
    out = b"".join(framing.encode(frame) for event in events for frame in encoder.feed(event))
    assert encoder.losses == []
    return out


def _cut(data: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.sample(range(len(data)), min(len(data), 40)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _check_stream(exchange: dict[str, Any]) -> Folded:
    body = exchange["response_body"].encode()
    events = _decoded([body])
    folded = fold(events)
    assert folded.complete
    assert _decoded(_cut(body, random.Random(exchange["id"]))) == events

    out = _encoded(events)

    again = fold(_decoded([out]))
    need_order([_json.decode(frame.data or b"null") for frame in SseDecoder().feed(out)])
    assert again.complete
    assert _normal(again.response) == _normal(folded.response)
    return folded


def _check_answer(exchange: dict[str, Any]) -> ChatResponse:
    body = exchange["response_body"].encode()
    response: ChatResponse = _UPSTREAM.parse_response(body, counter())

    rendered = _CLIENT.render_response(response, _reply())

    assert rendered.losses == ()
    assert _normal(_UPSTREAM.parse_response(rendered.body, counter())) == _normal(response)
    if not any(word in exchange["response_body"] for word in _BETA):
        need_message(rendered.body)
    return response


def _check_error(exchange: dict[str, Any]) -> None:
    info = DIALECT.errors.parse(exchange["status"], Headers(), exchange["response_body"].encode())

    again = DIALECT.errors.parse(exchange["status"], Headers(), DIALECT.errors.render(info))

    assert (info.status, again.type, again.message) == (exchange["status"], info.type, info.message)


def _check(exchange: dict[str, Any], counts: dict[str, int]) -> None:
    if exchange["request_body"] is not None:
        outcome = "requests " + _check_request(exchange)
        counts[outcome] = counts.get(outcome, 0) + 1
    if exchange["framing"] == "sse":
        _check_stream(exchange)
        counts["streams"] = counts.get("streams", 0) + 1
    elif exchange["status"] < 400:
        _check_answer(exchange)
        counts["answers"] = counts.get("answers", 0) + 1
    else:
        _check_error(exchange)
        counts["errors"] = counts.get("errors", 0) + 1


@needs_corpus
def test_real_traffic_goes_through_the_model_and_back() -> None:
    for api in APIS:
        excused = _excused(api)
        counts: dict[Any, Any] = {}
        failed: dict[Any, Any] = {}
        for exchange in exchanges(api):
            try:
                _check(exchange, counts)
            except Exception as error:  # noqa: BLE001 - every failure is listed by its exchange
                failed[exchange["id"]] = f"{type(error).__name__}: {error}"[:400]
        print(f"{api}: {counts}, {len(failed)} excused")

        assert {key: failed[key] for key in failed.keys() - excused.keys()} == {}
        assert excused.keys() - failed.keys() == set(), "stale exceptions"
        assert sum(counts.values()) >= {"anthropic.messages": 1900, "anthropic.vertex": 48}[api]
