"""Every recorded `generateContent` and `streamGenerateContent` exchange, read, written and read again."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.normal import normal_request, normal_response
from setu.chat.request import ChatRequest
from setu.dialects.gemini.codec import DIALECT
from setu.dialects.record import Reply, Route, Target
from setu.errors import LocalDialectError, ProviderError
from setu.framing.frame import Frame, FrameDecoder
from setu.framing.jsonarray import JsonArrayDecoder
from setu.framing.sse import SseDecoder, SseEncoder
from setu.http import Headers
from tests.corpus.reader import exchanges, needs_corpus

pytestmark = needs_corpus

CLIENT = DIALECT.client["chat"]
UPSTREAM = DIALECT.upstream["chat"]
APIS = ("gemini.generate", "gemini.stream")
SEED = 20261120


@pytest.mark.parametrize("api", APIS)
def test_every_request_is_read_and_written_back_to_the_same_meaning(api: str) -> None:
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for exchange in exchanges(api):
        if not isinstance(exchange["request_body"], dict):
            counts["without a request"] += 1
            continue
        problem = _request_problem(exchange, counts)
        if problem:
            failures.append(f"{exchange['id']}: {problem}")

    print(f"{api}: {dict(counts)}")
    assert failures == []


@pytest.mark.parametrize("api", APIS)
def test_every_answer_is_read_or_is_an_error_and_survives_writing(api: str) -> None:
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for exchange in exchanges(api):
        problem = _answer_problem(exchange, counts)
        if problem:
            failures.append(f"{exchange['id']}: {problem}")

    print(f"{api}: {dict(counts)}")
    assert failures == []


def _request_problem(exchange: dict[str, Any], counts: Counter[str]) -> str | None:
    body = json.dumps(exchange["request_body"], ensure_ascii=False).encode()
    route = _route(exchange)
    try:
        request = CLIENT.parse_request(body, route)
    except LocalDialectError as error:
        counts["refused"] += 1
        return None if exchange["status"] >= 400 else f"refused: {error} ({error.param})"
    counts["requests"] += 1
    rendered = UPSTREAM.render_request(request, Target(model=request.model))
    again = CLIENT.parse_request(rendered.body, route)
    if _signless(normal_request(again)) != normal_request(request):
        return f"changed: {normal_request(request)} {normal_request(again)}"
    before, after = canonical(exchange["request_body"]), canonical(json.loads(rendered.body))
    return None if before == after else f"rewritten:\n  {before}\n  {after}"


def _signless(request: ChatRequest) -> ChatRequest:
    """Take the documented dummy signature away again."""

    def bare(part: Any) -> Any:
        dummy = part.seal is not None and part.seal.data == "skip_thought_signature_validator"
        return msgspec.structs.replace(part, seal=None) if dummy else part

    messages = tuple(
        msgspec.structs.replace(message, parts=tuple(bare(part) for part in message.parts))
        for message in request.messages
    )
    return msgspec.structs.replace(request, messages=messages)


def _answer_problem(exchange: dict[str, Any], counts: Counter[str]) -> str | None:
    body = (exchange["response_body"] or "").encode("utf-8", "surrogatepass")
    if exchange["status"] >= 400:
        info = DIALECT.errors.parse(exchange["status"], Headers(), body)
        counts[f"errors {info.kind}"] += 1
        return None if info.status >= 400 and info.message else f"error lost: {info}"
    if not exchange["framing"]:
        return _document_problem(body, counts)
    rng = random.Random(f"{SEED}{exchange['id']}")
    whole = _decode(exchange["framing"], [body])
    pieces = [body[start:end] for start, end in _edges(rng, len(body))]
    if _decode(exchange["framing"], pieces) != whole:
        return "changes when cut elsewhere"
    counts["streams complete" if whole.complete else "streams cut"] += 1
    if whole.error is not None:
        counts["streams failed"] += 1
        return None
    if not whole.complete:
        return "incomplete"
    return _stream_problem(whole)


def _document_problem(body: bytes, counts: Counter[str]) -> str | None:
    try:
        response = UPSTREAM.parse_response(body, counter())
    except ProviderError:
        counts["errors in a 200"] += 1
        return None
    counts["answers"] += 1
    written = CLIENT.render_response(response, _reply())
    again = UPSTREAM.parse_response(written.body, counter())
    if written.losses:
        return f"losses: {written.losses}"
    return None if _normal(again) == _normal(response) else f"changed: {_normal(response)} {_normal(again)}"


def _stream_problem(whole: Folded) -> str | None:
    response = whole.response
    written = CLIENT.render_response(response, _reply())
    again = UPSTREAM.parse_response(written.body, counter())
    return None if _normal(again) == _normal(response) else f"changed: {_normal(response)} {_normal(again)}"


@pytest.mark.parametrize("api", APIS)
def test_every_stream_is_encoded_to_a_stream_of_the_same_meaning(api: str) -> None:
    streams = 0
    for exchange in exchanges(api):
        if exchange["status"] >= 400:
            continue
        body = (exchange["response_body"] or "").encode("utf-8", "surrogatepass")
        decoder = _decoder(exchange["framing"], body)
        events = [event for frame in decoder for event in frame]
        before = fold(events)
        if before.error is not None:
            continue
        encoder, sse = CLIENT.encoder(_reply()), SseEncoder()
        wire = b"".join(sse.encode(frame) for event in events for frame in encoder.feed(event))

        after = _decode("sse", [wire])

        streams += 1
        assert after.complete == before.complete, exchange["id"]
        assert _normal(after.response) == _normal(before.response), exchange["id"]
    print(f"{api}: {streams} streams encoded again")


def _decoder(framing: str | None, body: bytes) -> Iterator[list[Any]]:
    decoder = UPSTREAM.decoder(counter())
    if not framing:
        yield decoder.feed(Frame(data=body))
    else:
        cutter: FrameDecoder = SseDecoder() if framing == "sse" else JsonArrayDecoder()
        for frame in [*cutter.feed(body), *cutter.close()]:
            yield decoder.feed(frame)
    yield decoder.close()


def _decode(framing: str, pieces: list[bytes]) -> Folded:
    cutter: FrameDecoder = SseDecoder() if framing == "sse" else JsonArrayDecoder()
    decoder = UPSTREAM.decoder(counter())
    events = [event for piece in pieces for frame in cutter.feed(piece) for event in decoder.feed(frame)]
    events += [event for frame in cutter.close() for event in decoder.feed(frame)]
    return fold([*events, *decoder.close()])


def _normal(response: Any) -> Any:
    """Return the normal form, with what a written answer always has filled in."""
    response = msgspec.structs.replace(response, id=response.id or "answer", model=response.model or "gemini")
    return normal_response(response)


def _edges(rng: random.Random, length: int) -> list[tuple[int, int]]:
    places = sorted(rng.randrange(length + 1) for _ in range(min(40, length)))
    return list(zip([0, *places], [*places, length], strict=True))


def _reply() -> Reply:
    return Reply(model="gemini", id="answer", created=0, mint=counter(1000))


def _route(exchange: dict[str, Any]) -> Route:
    found = re.search(r"models/([^:/]+)", exchange["path"])
    model = found[1] if found else exchange["model"] or "gemini"
    return Route(dialect="gemini", operation="chat", model=model, stream=exchange["is_stream"])


_FREE = frozenset({"args", "response", "parametersJsonSchema", "responseJsonSchema", "parameters", "responseSchema"})


def canonical(body: dict[str, Any]) -> dict[str, Any]:
    """Return a request with every spelling, grouping and default that Gemini takes as the same made one."""
    body = _camel(body)
    body.pop("model", None)
    if isinstance(body.get("systemInstruction"), str):
        body["systemInstruction"] = {"parts": [{"text": body["systemInstruction"]}]}
    if "systemInstruction" in body:
        body["systemInstruction"].pop("role", None)
    contents: list[dict[str, Any]] = []
    for content in body.get("contents", []):
        parts = [_part(part) for part in content.get("parts", [])]
        parts = [part for part in parts if part != {"text": ""}] or parts
        role = {"function": "user"}.get(content.get("role"), content.get("role", "user"))
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})
    body["contents"] = contents
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if not calling.get("allowedFunctionNames", True):
        del calling["allowedFunctionNames"]
    if isinstance(body.get("tools"), dict):
        body["tools"] = [body["tools"]]
    declarations = [one for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])]
    hosted = [{key: value} for tool in body.get("tools", []) for key, value in tool.items()]
    body["tools"] = [declarations, [tool for tool in hosted if "functionDeclarations" not in tool]]
    if not body.get("generationConfig", True):
        del body["generationConfig"]
    return body


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """Drop minted ids and the dummy signature, fill in empty arguments, take the standard base64 alphabet."""
    part = dict(part)
    for kind in ("functionCall", "functionResponse"):
        if kind in part:
            inner = {key: value for key, value in part[kind].items() if not str(value).startswith("gemini_call_")}
            part[kind] = ({"args": {}} if kind == "functionCall" else {}) | inner
    for media in [part, *part.get("functionResponse", {}).get("parts", [])]:
        if "inlineData" in media:
            media["inlineData"]["data"] = media["inlineData"]["data"].translate(str.maketrans("-_", "+/"))
    if part.get("thoughtSignature") == "skip_thought_signature_validator":
        del part["thoughtSignature"]
    return part


def _camel(value: Any) -> Any:
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    camel: dict[str, Any] = {}
    for key, member in value.items():
        name = re.sub(r"_+([a-zA-Z0-9])", lambda found: found[1].upper(), key)
        if member is not None:
            camel[name] = member if name in _FREE else _camel(member)
    return camel
