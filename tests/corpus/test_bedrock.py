"""Bedrock's real traffic to the model and on to an OpenAI client; every chat request as Converse."""

import base64
import json
import random
from pathlib import Path
from typing import Any

import tomli
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from setu import _json
from setu.chat.events import Event
from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.normal import normal_response
from setu.chat.request import ChatRequest
from setu.dialects.bedrock.codec import DIALECT
from setu.dialects.record import Reply, Route, Target
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError
from setu.framing.eventstream import EventStreamDecoder, EventStreamEncoder
from setu.http import Headers
from tests.corpus.reader import exchanges, needs_corpus
from tests.dialects.bedrock.oracle import request_problems
from tests.dialects.bedrock.reading import by_bytes, canonical, read_request

_UPSTREAM = DIALECT.upstream["chat"]
_CHAT = DIALECTS["openai_chat"].client["chat"]


def _excused(api: str) -> dict[str, str]:
    rows = tomli.loads((Path(__file__).parent / "exceptions.toml").read_text()).get("exception", [])
    return {row["id"]: row["reason"] for row in rows if row["api"] == api}


def _reply() -> Reply:
    return Reply(model="m", id="chatcmpl-1", created=1, mint=counter(), stream_usage=True)


def _check_request(exchange: dict[str, Any]) -> str:
    body = exchange["request_body"]
    if not isinstance(body, dict):
        return "unreadable"
    model = exchange["model"] or "m"
    request = read_request(json.dumps(body).encode(), model)

    target = _TARGETS[0] if "outputConfig" in body else model  # the one whose schemas are its own
    rendered = _UPSTREAM.render_request(request, Target(model=target))

    # One client sent a JPEG as a video of the format `video/mp4` (pydantic-ai-fd0033661b); no list of formats has that.
    assert canonical(json.loads(rendered.body)) == canonical(by_bytes(body))
    if exchange["status"] < 400:
        assert request_problems(rendered.body) == []
    return "same"


def _check_answer(exchange: dict[str, Any]) -> None:
    response = _UPSTREAM.parse_response(exchange["response_body"].encode(), counter())

    rendered = _CHAT.render_response(response, _reply())

    whole = ChatCompletion.model_validate_json(rendered.body, strict=True)
    usage = json.loads(exchange["response_body"])["usage"]
    assert whole.usage is not None
    assert whole.usage.total_tokens == usage["totalTokens"]
    assert whole.usage.completion_tokens == usage["outputTokens"]
    wire = json.loads(exchange["response_body"])["output"]["message"]["content"]
    calls = [
        block["toolUse"] for block in wire if "toolUse" in block and block["toolUse"].get("type") != "server_tool_use"
    ]
    assert len(whole.choices[0].message.tool_calls or ()) == len(calls)
    assert (whole.choices[0].message.content or "") == "".join(block.get("text", "") for block in wire)


def _decoded(chunks: list[bytes]) -> list[Event]:
    framing, decoder = EventStreamDecoder(), _UPSTREAM.decoder(counter())
    frames = [frame for chunk in chunks for frame in framing.feed(chunk)] + framing.close()
    return [event for frame in frames for event in decoder.feed(frame)] + decoder.close()


def _cut(data: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.sample(range(len(data)), min(len(data), 40)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _check_stream(exchange: dict[str, Any]) -> Folded:
    body = base64.b64decode(exchange["response_body"])
    framing = EventStreamDecoder()
    frames = framing.feed(body) + framing.close()
    encoder = EventStreamEncoder()
    assert b"".join(encoder.encode(frame) for frame in frames) == body

    events = _decoded([body])

    folded = fold(events)
    assert folded.complete
    assert _decoded(_cut(body, random.Random(exchange["id"]))) == events
    normal_response(folded.response)
    text = "".join(json.loads(f.data or b"")["delta"].get("text", "") for f in frames if f.event == "contentBlockDelta")
    shown = ""
    chat = _CHAT.encoder(_reply())
    for frame in [frame for event in events for frame in chat.feed(event)]:
        if frame.data is not None and frame.data != b"[DONE]":
            chunk = ChatCompletionChunk.model_validate_json(frame.data, strict=True)
            shown += "".join(choice.delta.content or "" for choice in chunk.choices)
    assert shown == text
    return folded


def _check_error(exchange: dict[str, Any]) -> None:
    headers = Headers.of([(name, str(value)) for name, value in exchange["response_headers"].items()])

    info = DIALECT.errors.parse(exchange["status"], headers, exchange["response_body"].encode())

    assert info.status == exchange["status"]
    assert info.message in json.loads(exchange["response_body"])["message"]
    again = DIALECT.errors.parse(exchange["status"], Headers(), DIALECT.errors.render(info))
    assert (again.message, again.kind) == (info.message, info.kind)


def _check(exchange: dict[str, Any], counts: dict[str, int]) -> None:
    outcomes = [] if exchange["request_body"] is None else ["requests " + _check_request(exchange)]
    if exchange["status"] >= 400:
        _check_error(exchange)
        outcomes.append("errors")
    elif exchange["framing"] == "aws-eventstream":
        _check_stream(exchange)
        outcomes.append("streams")
    else:
        _check_answer(exchange)
        outcomes.append("answers")
    for outcome in outcomes:
        counts[outcome] = counts.get(outcome, 0) + 1


@needs_corpus
def test_real_converse_traffic_goes_through_the_model_to_an_openai_client() -> None:
    for api, least in (("bedrock.converse", 590), ("bedrock.converse_stream", 70)):
        excused = _excused(api)
        counts: dict[Any, Any] = {}
        failed: dict[Any, Any] = {}
        for exchange in exchanges(api):
            try:
                _check(exchange, counts)
            except Exception as error:  # noqa: BLE001 - every failure is listed by its exchange
                failed[exchange["id"]] = f"{type(error).__name__}: {error}"[:600]
        print(f"{api}: {counts}, {len(failed)} excused")

        assert {key: failed[key] for key in failed.keys() - excused.keys()} == {}
        assert excused.keys() - failed.keys() == set(), "stale exceptions"
        assert sum(counts.values()) >= least


_SOURCES = (
    ("openai.chat", "openai_chat", 6000),
    ("anthropic.messages", "anthropic", 780),
    ("gemini.generate", "gemini", 700),
)
_TARGETS = (
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.amazon.nova-lite-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
)


@needs_corpus
def test_requests_of_every_client_dialect_are_legal_converse_requests() -> None:
    for api, dialect, least in _SOURCES:
        counts, failed = {"rendered": 0, "refused": 0}, {}
        for number, exchange in enumerate(exchanges(api)):
            if not isinstance(exchange["request_body"], dict):
                continue
            request = _parsed(exchange, dialect)
            if request is None:
                continue
            model = _TARGETS[number % len(_TARGETS)]
            try:
                rendered = _UPSTREAM.render_request(request, Target(model=model))
            except LocalDialectError as refusal:
                counts["refused"] += 1
                if refusal.param is None:
                    failed[exchange["id"]] = [str(refusal)]
                continue
            counts["rendered"] += 1
            problems = request_problems(rendered.body)
            if problems:
                failed[exchange["id"]] = problems[:2]
        print(f"{api} as Converse: {counts}")

        assert failed == {}
        assert counts["rendered"] >= least


def _parsed(exchange: dict[str, Any], dialect: str) -> ChatRequest | None:
    path_model = exchange["model"] or "m"
    raw = json.dumps(exchange["request_body"], ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        _json.decode(raw)
        route = Route(dialect=dialect, operation="chat", model=path_model, stream=False)
        request: ChatRequest = DIALECTS[dialect].client["chat"].parse_request(raw, route)
    except (LocalDialectError, _json.JsonError, UnicodeDecodeError):
        return None
    return request
