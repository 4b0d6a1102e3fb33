"""Every recorded embedding, legacy completion and token count: read, written, read again, and shown to other dialects."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from setu.chat.count import TokenCount, estimate
from setu.chat.embed import EmbedRequest, EmbedResponse, Vector, answering, base64_of, floats, numbers
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.normal import normal_response
from setu.dialects.record import Operation, Reply, Route, Target
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError, SetuError
from setu.framing.sse import SseDecoder, SseEncoder
from setu.http import Headers
from tests.corpus.reader import exchanges, needs_corpus

pytestmark = needs_corpus

APIS: dict[str, tuple[str, Operation]] = {
    "openai.embeddings": ("openai_chat", "embed"),
    "gemini.embed": ("gemini", "embed"),
    "cohere.embed": ("cohere", "embed"),
    "ollama.embed": ("ollama", "embed"),
    "openai.completions": ("openai_chat", "complete"),
    "anthropic.count_tokens": ("anthropic", "count_tokens"),
    "gemini.count_tokens": ("gemini", "count_tokens"),
}
BOTH_WAYS = [api for api, (dialect, operation) in APIS.items() if operation in DIALECTS[dialect].client]
UNTRANSLATED = ("prompt", "suffix", "echo", "best_of")
"""Members of a completion that only a completion model can honour; identity passes them."""
REPLY = Reply(model="m", id="id", created=1_790_000_000, mint=counter())


def test_every_request_is_read_and_written_back_to_the_same_meaning() -> None:
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for api in BOTH_WAYS:
        for exchange in _with_request(api):
            problem = _request_problem(api, exchange, counts)
            if problem:
                failures.append(f"{exchange['id']}: {problem}")

    print(f"requests: {dict(counts)}")
    assert failures == []
    assert counts["openai.embeddings"] > 150


def _request_problem(api: str, exchange: dict[str, Any], counts: Counter[str]) -> str | None:
    dialect, operation = APIS[api]
    body = json.dumps(exchange["request_body"], ensure_ascii=False).encode()
    route = Route(dialect=dialect, operation=operation, model=_path_model(exchange))
    client, upstream = DIALECTS[dialect].client[operation], DIALECTS[dialect].upstream[operation]
    try:
        request = client.parse_request(body, route)
    except LocalDialectError as error:
        expected = exchange["status"] >= 400 or (operation == "complete" and error.param in UNTRANSLATED)
        counts[f"{api} refused"] += 1
        return None if expected else f"refused: {error} ({error.param})"
    counts[api] += 1
    rendered = upstream.render_request(request, Target(model=request.model))
    again = client.parse_request(rendered.body, route)
    if again != request:
        return f"changed: {request} {again}"
    before, after = _canonical(exchange["request_body"]), _canonical(json.loads(rendered.body))
    return None if before == after or rendered.losses else f"rewritten:\n  {before}\n  {after}"


def _canonical(value: Any) -> Any:
    """Forget what means nothing: nulls and empties, a list of one, the model (the path's), the envelope."""
    if not isinstance(value, dict):
        return value
    value = value.get("generateContentRequest", value)
    kept = {key: item for key, item in value.items() if item not in (None, {}, [], False)}
    made = {key: _plain(key, item) for key, item in kept.items() if key not in ("model", "generationConfig")}
    return {
        key: list(map(_canonical, item)) if isinstance(item, list) else _canonical(item) for key, item in made.items()
    }


def _plain(key: str, item: Any) -> Any:
    """Write a member in the longer of the two forms that mean the same."""
    if key in ("input", "prompt") and isinstance(item, list) and len(item) == 1 and not isinstance(item[0], int):
        return item[0]
    if key == "stop" and isinstance(item, str):
        return [item]
    if key in ("content", "systemInstruction") and isinstance(item, dict):
        return {name: inner for name, inner in item.items() if name != "role"}
    if key in ("content", "system") and isinstance(item, str):
        return [{"type": "text", "text": item}]
    return item


def test_every_answer_is_read_or_is_an_error() -> None:
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for api, (dialect, operation) in APIS.items():
        codec = DIALECTS[dialect].upstream[operation]
        for exchange in exchanges(api):
            body = (exchange["response_body"] or "").encode("utf-8", "surrogatepass")
            if exchange["status"] >= 400:
                info = DIALECTS[dialect].errors.parse(exchange["status"], Headers(), body)
                counts[f"{api} errors"] += 1
                failures += [] if info.message and info.status >= 400 else [f"{exchange['id']}: error lost"]
                continue
            if exchange["is_stream"] or (exchange["path"] == "/v1/embed" and b"int8" in body):
                continue  # streams have a test of their own; nobody asks Cohere for int8 through Setu
            counts[api] += 1
            problem = _answer_problem(codec.parse_response, body)
            failures += [f"{exchange['id']}: {problem}"] if problem else []

    print(f"answers: {dict(counts)}")
    assert failures == []


def _answer_problem(parse: Any, body: bytes) -> str | None:
    try:
        answer = parse(body, counter())
    except SetuError as error:
        return f"not read: {error}"
    match answer:
        case EmbedResponse():
            return _vectors_problem(answer)
        case TokenCount():
            return None if answer.total >= 0 else "no count"
    return None if answer.candidates else "no candidates"


def _vectors_problem(answer: EmbedResponse) -> str | None:
    """Say what is lost by writing each vector in the other encoding and back."""
    for vector in answer.vectors:
        sizes = {len(numbers(vector)), len(numbers(Vector(base64=base64_of(vector))))}
        if len(sizes) != 1 or not min(sizes):
            return f"sizes {sizes}"
        once = base64_of(vector)
        if base64_of(Vector(floats=floats(Vector(base64=once)))) != once:
            return "float32 numbers changed on their way"
    asked = EmbedRequest(model="m", inputs=("x",) * len(answer.vectors), encoding="base64")
    for name in ("openai_chat", "gemini"):
        codec = DIALECTS[name]
        written = codec.client["embed"].render_response(answering(asked, answer), REPLY)
        again = codec.upstream["embed"].parse_response(written.body, counter())
        if list(map(base64_of, again.vectors)) != list(map(base64_of, answer.vectors)):
            return f"vectors changed by way of {name}"
    return None


def test_every_completion_stream_is_read_and_encoded_to_a_stream_of_the_same_meaning() -> None:
    codec, client = DIALECTS["openai_chat"].upstream["complete"], DIALECTS["openai_chat"].client["complete"]
    rng, streams, failures = random.Random(20261120), 0, []
    for exchange in exchanges("openai.completions"):
        body = (exchange["response_body"] or "").encode("utf-8", "surrogatepass")
        if not exchange["is_stream"] or exchange["status"] >= 400 or exchange["provider"] == "writer":
            continue  # Writer's stream is its own: {"value": …} (openllmetry-f77d6d3395)
        events = _events(codec, [body])
        before = fold(events)
        cut = rng.randrange(1, len(body))
        encoder, sse = client.encoder(REPLY), SseEncoder()
        written = b"".join(sse.encode(frame) for event in events for frame in encoder.feed(event))
        after = fold(_events(codec, [written]))
        streams += 1
        if not before.complete or before.error or not _text(before.response):
            failures.append(f"{exchange['id']}: incomplete")
        if fold(_events(codec, [body[:cut], body[cut:]])) != before:
            failures.append(f"{exchange['id']}: changes when cut at {cut}")
        if _text(after.response) != _text(before.response) or not after.complete:
            failures.append(f"{exchange['id']}: changed when encoded")
        if b'"object":"text_completion"' not in written or not written.endswith(b"data: [DONE]\n\n"):
            failures.append(f"{exchange['id']}: not a completion stream")

    print(f"completion streams: {streams}")
    assert failures == []
    assert streams > 25


def _events(codec: Any, pieces: list[bytes]) -> list[Any]:
    decoder, stream = SseDecoder(), codec.decoder(counter())
    frames = [frame for piece in pieces for frame in decoder.feed(piece)] + decoder.close()
    return [*(event for frame in frames for event in stream.feed(frame)), *stream.close()]


def _text(response: Any) -> Any:
    normal = normal_response(response)
    return [
        (candidate.index, [getattr(part, "text", "") for message in candidate.messages for part in message.parts])
        for candidate in normal.candidates
    ]


@pytest.mark.parametrize("api", ["openai.embeddings", "gemini.embed"])
def test_every_embedding_request_is_shown_to_every_upstream(api: str) -> None:
    shown: Counter[str] = Counter()
    for exchange in _with_request(api):
        request = _parsed(api, exchange)
        if request is None:
            continue
        for name, dialect in DIALECTS.items():
            if "embed" not in dialect.upstream:
                continue
            shown[f"{name} refused" if _refused(dialect.upstream["embed"], request) else name] += 1

    print(f"{api}: {dict(shown)}")
    assert shown["openai_chat"] == shown["gemini"] + shown["gemini refused"]
    assert shown["openai_chat"] == shown["cohere"] + shown["cohere refused"]
    assert shown["openai_chat"] == shown["ollama"] + shown["ollama refused"]


def test_every_count_is_asked_of_the_other_and_estimated_within_a_factor_of_three() -> None:
    ratios = []
    for api, other in (("anthropic.count_tokens", "gemini"), ("gemini.count_tokens", "anthropic")):
        dialect, operation = APIS[api]
        for exchange in _with_request(api):
            request = _parsed(api, exchange)
            if request is None:
                continue
            _refused(DIALECTS[other].upstream[operation], request)
            if exchange["status"] == 200:
                told = (
                    DIALECTS[dialect].upstream[operation].parse_response(exchange["response_body"].encode(), counter())
                )
                ratios.append(estimate(request).total / told.total)

    ratios.sort()
    print(f"estimate / count: {ratios[0]:.2f} … {ratios[len(ratios) // 2]:.2f} … {ratios[-1]:.2f}")
    assert 1 / 3 < ratios[len(ratios) // 2] < 3


def _refused(codec: Any, request: Any) -> bool:
    """Render for an upstream; tell whether it refused, which must name a member."""
    try:
        json.loads(codec.render_request(request, Target(model="m")).body)
    except LocalDialectError as error:
        if not error.param:
            raise
        return True
    return False


def _with_request(api: str) -> Iterator[dict[str, Any]]:
    return (exchange for exchange in exchanges(api) if isinstance(exchange["request_body"], dict))


def _parsed(api: str, exchange: dict[str, Any]) -> Any:
    dialect, operation = APIS[api]
    body = json.dumps(exchange["request_body"], ensure_ascii=False).encode()
    try:
        return (
            DIALECTS[dialect]
            .client[operation]
            .parse_request(body, Route(dialect=dialect, operation=operation, model=_path_model(exchange)))
        )
    except LocalDialectError:
        return None


def _path_model(exchange: dict[str, Any]) -> str | None:
    named = isinstance(exchange["request_body"].get("model"), str) and "requests" not in exchange["request_body"]
    return None if named else exchange["model"] or "m"
