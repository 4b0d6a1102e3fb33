"""Real traffic across dialects: Responses requests for the others' upstreams, the others' for a Responses upstream."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from setu.chat.events import Event
from setu.chat.ids import counter
from setu.chat.request import ChatRequest
from setu.chat.response import ChatResponse
from setu.dialects.record import Dialect, Facts, Reply, Route, Target
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder
from setu.translate.state import without_state
from tests.corpus.across import excused
from tests.corpus.reader import exchanges, needs_corpus
from tests.dialects.anthropic.oracle import need_events as need_anthropic_events
from tests.dialects.anthropic.oracle import need_message
from tests.dialects.anthropic.oracle import request_problems as anthropic_problems
from tests.dialects.gemini.oracle import check_request, check_response
from tests.dialects.openai_chat.oracle import request_problems as chat_problems
from tests.dialects.openai_responses.oracle import need_events, need_order, need_response, request_problems

_OWN = DIALECTS["openai_responses"]
_OTHERS = ("openai_chat", "anthropic", "gemini")
_APIS = {"openai_chat": "openai.chat", "anthropic": "anthropic.messages", "gemini": "gemini.generate"}


def _chat_problems(body: bytes) -> list[str]:
    return chat_problems(json.dumps(json.loads(body) | {"stream": False}).encode())


def _gemini_problems(body: bytes) -> list[str]:
    check_request(body)
    return []


def _problems_of() -> dict[str, Callable[[bytes], list[str]]]:
    return {"openai_chat": _chat_problems, "anthropic": anthropic_problems, "gemini": _gemini_problems}


def _parsed(dialect: Dialect, exchange: dict[str, Any]) -> ChatRequest | None:
    """Return a request that its own host took; None for the others."""
    body = exchange["request_body"]
    if exchange["status"] >= 400 or not isinstance(body, dict):
        return None
    route = Route(dialect=dialect.name, operation="chat", model="model", stream=exchange["is_stream"])
    try:
        request: ChatRequest = dialect.client["chat"].parse_request(json.dumps(body).encode(), route)
    except LocalDialectError:
        return None
    return request


def _frames(exchange: dict[str, Any]) -> list[Frame]:
    decoder = SseDecoder()
    return [*decoder.feed(exchange["response_body"].encode()), *decoder.close()]


def _events(dialect: Dialect, exchange: dict[str, Any]) -> list[Event]:
    decoder = dialect.upstream["chat"].decoder(counter())
    return [event for frame in _frames(exchange) for event in decoder.feed(frame)] + decoder.close()


def _answer(dialect: Dialect, exchange: dict[str, Any]) -> ChatResponse | None:
    try:
        response: ChatResponse = dialect.upstream["chat"].parse_response(exchange["response_body"].encode(), counter())
    except (ProviderError, RemoteDialectError):
        return None
    return response


def _reply(asked: ChatRequest | None) -> Reply:
    return Reply(model="model", id="resp_1", created=1, mint=counter(), stream_usage=True, asked=asked)


def _encoded(dialect: Dialect, events: list[Event], asked: ChatRequest | None) -> list[Frame]:
    encoder = dialect.client["chat"].encoder(_reply(asked))
    return [frame for event in events for frame in encoder.feed(event)]


def _need_answer(name: str, body: bytes) -> None:
    match name:
        case "openai_chat":
            ChatCompletion.model_validate_json(body, strict=True)
        case "anthropic":
            need_message(body)
        case "gemini":
            check_response(body)
        case _:
            need_response(body)


def _need_stream(name: str, frames: list[Frame]) -> None:
    match name:
        case "openai_chat":
            for frame in frames:
                if frame.data not in {None, b"[DONE]"} and not (frame.data or b"").startswith(b'{"error"'):
                    ChatCompletionChunk.model_validate_json(frame.data or b"", strict=True)
        case "anthropic":
            need_anthropic_events(frames)
        case "gemini":
            for frame in frames:
                if frame.data is not None and not frame.data.startswith(b'{"error"'):
                    check_response(frame.data)
        case _:
            need_order(need_events(frames))


def _is_answer(exchange: dict[str, Any]) -> bool:
    return exchange["status"] < 400 and isinstance(exchange["response_body"], str)


def _check_onward(exchange: dict[str, Any], problems: dict[str, Callable[[bytes], list[str]]]) -> int:
    """Render a Responses request for every other upstream, and its answer for every other client."""
    request = _stateless(_parsed(_OWN, exchange))
    done = 0
    for name in _OTHERS:
        dialect = DIALECTS[name]
        body = _rendered(dialect, request)
        if body is not None:
            assert problems[name](body) == [], name
            done += 1
        if _is_answer(exchange):
            _check_answer(_OWN, dialect, exchange, None)
            done += 1
    return done


def _stateless(request: ChatRequest | None) -> ChatRequest | None:
    try:
        return without_state(request)[0] if request is not None else None
    except LocalDialectError:
        return None


def _rendered(dialect: Dialect, request: ChatRequest | None) -> bytes | None:
    """Return the request in another dialect; None where there is nothing to ask it with, and it said so."""
    if request is None:
        return None
    try:
        target = Target(model="model", facts=Facts(max_output=64_000))
        return dialect.upstream["chat"].render_request(request, target).body
    except LocalDialectError:
        return None


def _check_answer(source: Dialect, client: Dialect, exchange: dict[str, Any], asked: ChatRequest | None) -> None:
    if exchange["framing"] == "sse":
        _need_stream(client.name, _encoded(client, _events(source, exchange), asked))
    elif exchange["framing"] is None and (response := _answer(source, exchange)) is not None:
        _need_answer(client.name, client.client["chat"].render_response(response, _reply(asked)).body)


def _check_back(name: str, exchange: dict[str, Any]) -> int:
    """Render another dialect's request for a Responses upstream, and its answer for a Responses client."""
    dialect = DIALECTS[name]
    body = _rendered(_OWN, _parsed(dialect, exchange))
    done = 0
    if body is not None:
        assert request_problems(body) == []
        done += 1
    if _is_answer(exchange):
        _check_answer(dialect, _OWN, exchange, None)
        done += 1
    return done


def _run(api: str, check: Callable[[dict[str, Any]], int]) -> tuple[int, dict[str, str]]:
    count, failed = 0, {}
    for exchange in exchanges(api):
        try:
            count += check(exchange)
        except Exception as error:  # noqa: BLE001 - every failure is listed by its exchange
            failed[exchange["id"]] = f"{type(error).__name__}: {error}"[:400]
    return count, failed


@needs_corpus
def test_responses_traffic_reaches_every_other_dialect() -> None:
    problems = _problems_of()

    count, failed = _run("openai.responses", lambda exchange: _check_onward(exchange, problems))

    print(f"openai.responses onward: {count} renderings")
    assert failed == {}
    assert count >= 5000


@needs_corpus
def test_other_traffic_reaches_responses_upstreams_and_clients() -> None:
    for name, api in _APIS.items():
        count, failed = _run(api, partial(_check_back, name))

        print(f"{api} to responses: {count} renderings")
        assert failed.keys() == excused(api, "openai_responses").keys(), failed
        assert count >= 300
