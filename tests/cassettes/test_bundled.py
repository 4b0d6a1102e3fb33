import asyncio
import json
import re
import struct
from datetime import UTC, date, datetime

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from google.genai import types
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from setu.cassette.library import Library
from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of
from setu.cassette.redact import find_secrets, redact_request, redact_response
from setu.cassette.serialize import HEADER, render_block
from setu.framing.sse import SseDecoder
from setu.http import Response
from setu.studio import key_of
from setu.transport.simulate.simulator import Simulator
from tests.cassettes.bundled import FILES, ROOT, bundled, documents, files_of, interaction, name_of
from tests.cassettes.habits import HOSTS, answers
from tests.dialects.bedrock.oracle import exchange_problems
from tests.dialects.openai_responses import oracle
from tests.shapes import check_cohere, check_ollama
from tests.transport.simulate.upstream import FixedClock

PROVIDERS = ("openai", "openai_responses", "anthropic", "gemini", "openrouter", "cohere", "ollama", "bedrock", *HOSTS)
SCENARIOS = (
    *("text", "text-stream", "tool-call", "parallel-tools-stream", "tool-result", "reasoning", "structured-output"),
    *("refusal", "length", "cached-usage", "midstream-error"),
    *("error-400", "error-401", "error-404", "error-429", "error-5xx"),
)
EVENT: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)
ABSENT = {
    "mistral": {"refusal", "midstream-error"},
    "groq": {"refusal"},
    "deepseek": {"refusal", "midstream-error"},
    "xai": {"refusal", "midstream-error"},
    "cohere": {"refusal"},
    "ollama": {"refusal", "cached-usage", "error-401", "error-429"},
}
"""Scenarios that a provider has no form for; cassettes/README.md says why."""
each_file = pytest.mark.parametrize("path", FILES, ids=name_of)
each_provider = pytest.mark.parametrize("provider", PROVIDERS)


@each_provider
def test_every_provider_has_every_scenario(provider) -> None:
    missing = {name for name in SCENARIOS if not files_of(provider, name)}

    assert missing == ABSENT.get(provider, set())


@each_file
def test_it_loads_without_reservations(path) -> None:
    found = interaction(path)

    assert found.notes == ()
    assert found.recording.provenance == "reconstructed"
    assert found.recording.dialect == path.parent.name
    assert found.recording.key == key_of(found)
    assert found.recording.wire.sha256
    assert len(found.exchange.arrivals) > 0


@each_file
def test_it_is_written_as_setu_writes(path) -> None:
    assert path.read_text() == HEADER + render_block(interaction(path))


@each_file
def test_plain_vcrpy_gives_the_same_answer(path) -> None:
    from vcr.cassette import Cassette
    from vcr.request import Request

    exchange = interaction(path).exchange
    cassette = Cassette.load(path=str(path))
    played = cassette.play_response(Request(exchange.request.method, exchange.request.url, b"", {}))

    assert played["status"]["code"] == exchange.status
    text = played["body"]["string"]
    text = text if isinstance(text, bytes) else text.encode()
    if interaction(path).recording.wire.json_resp:
        assert json.loads(text) == json.loads(exchange.body)
    else:
        assert text == exchange.body.replace(b"\r\n", b"\n" if b"\r\n" not in text else b"\r\n")


@each_file
def test_it_holds_no_secret(path) -> None:
    exchange = interaction(path).exchange

    assert not find_secrets(path.read_text())
    assert redact_request(exchange.request)[1] == ()
    assert redact_response(Response(exchange.status, exchange.headers, exchange.body))[1] == ()


def test_the_readme_names_exactly_the_files() -> None:
    named = re.findall(r"^\| `([^`]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert sorted(named) == sorted(map(name_of, FILES))


def test_no_two_files_answer_the_same_request() -> None:
    library = Library.load(ROOT)

    assert len(library) == len(FILES) >= 64
    for found in library.interactions:
        assert library.take(found.exchange.request).interaction is found


@each_file
def test_its_body_has_the_sdk_s_types(path) -> None:
    found = interaction(path)
    provider = path.parts[len(ROOT.parts)]
    if found.recording.op == "bedrock.embed":  # a model's own body, which AWS has no shape for: see below
        return
    if provider == "bedrock":  # AWS's own shapes, by event type
        assert exchange_problems(found.exchange) == []
        return
    if found.recording.dialect == "openai_responses" and found.exchange.status < 400:
        _check_responses(found)
        return
    if provider in HOSTS and found.exchange.status >= 400:
        return  # test_hosts.py
    for payload in answers(provider, documents(found)):
        if provider in SHAPES and (found.exchange.status >= 400 or "error" in payload):
            assert payload.keys() == ({"error"} if provider == "ollama" else {"id", "message"})
        elif "error" in payload and "choices" not in payload:
            _check_error(provider, payload, found.exchange.status)
        else:
            _check_payload(found.recording.dialect, payload, error="error" in payload)


@pytest.mark.parametrize(("scenario", "vectors"), [("embedding-titan", 1), ("embedding-cohere", 2)])
def test_embeddings_have_the_size_that_was_asked_for_and_count_their_tokens(scenario: str, vectors: int) -> None:
    exchange = bundled("bedrock", scenario).exchange
    asked, answer = json.loads(exchange.request.body), json.loads(exchange.body)
    rows = [answer["embedding"]] if "embedding" in answer else answer["embeddings"]["float"]

    assert [len(row) for row in rows] == [asked.get("dimensions") or asked["output_dimension"]] * vectors
    assert all(struct.unpack("<f", struct.pack("<f", number)) == (number,) for row in rows for number in row)
    assert int(exchange.headers.get("x-amzn-bedrock-input-token-count") or 0) > 0


def _check_responses(found: Interaction) -> None:
    """Check question and answer by the package's own types; of a stream also the order of its events."""
    assert oracle.request_problems(found.exchange.request.body) == []
    if framing_of(found.exchange) == "json":
        oracle.need_response(found.exchange.body)
        return
    frames = SseDecoder().feed(found.exchange.body)
    # The package types `error` flat; the service nests it, as it does in a body.
    events = [json.loads(frame.data) if frame.event == "error" else None for frame in frames]
    for number, event in enumerate(events):
        assert event is None or (event["sequence_number"] == number and event["error"].keys() >= {"code", "message"})
    if not any(events):
        oracle.need_order(oracle.need_events(frames))


SHAPES = {"cohere": check_cohere, "ollama": check_ollama}


def _check_payload(dialect: str, payload, *, error: bool) -> None:
    text = json.dumps(payload)
    if dialect in SHAPES:
        SHAPES[dialect](payload)
    elif dialect == "gemini":
        types.GenerateContentResponse.model_validate(payload)
    elif dialect == "anthropic" and payload["type"] == "message":
        Message.model_validate_json(text, strict=True)
    elif dialect == "anthropic":
        assert payload["type"] == "ping" or EVENT.validate_json(text, strict=True)
    elif payload["object"] == "chat.completion":
        ChatCompletion.model_validate_json(text, strict=True)
    elif not error:  # OpenRouter's chunk with an error has a reason of its own
        ChatCompletionChunk.model_validate_json(text, strict=True)


def _check_error(provider: str, payload, status: int) -> None:
    error = payload["error"]
    assert isinstance(error["message"], str)
    match provider:
        case "openai":
            assert {"type", "param", "code"} <= error.keys()
        case "anthropic":
            assert payload["type"] == "error"
            assert payload["request_id"].startswith("req_")
        case "gemini":
            assert error["code"] == status or status == 200
            assert re.fullmatch("[A-Z_]+", error["status"])
        case "openrouter":
            assert error["code"] == status


@each_file
def test_the_simulator_agrees_on_what_is_legal(path) -> None:
    found = interaction(path)

    simulated = asyncio.run(Simulator(FixedClock()).send(found.exchange.request)).status

    asks_for_the_impossible = path.stem == "error-400"
    assert simulated == (400 if asks_for_the_impossible else 200)


def _text(provider: str, payloads) -> str:
    match provider:
        case "openai_responses":
            answer = payloads[-1].get("response", payloads[-1])
            parts = [part for item in answer["output"] if item["type"] == "message" for part in item["content"]]
            deltas = [payload["delta"] for payload in payloads if payload.get("type") == "response.output_text.delta"]
            return "".join(deltas or (part["text"] for part in parts))
        case "anthropic":
            blocks = [block for payload in payloads for block in payload.get("content", [])]
            deltas = [payload["delta"] for payload in payloads if payload["type"] == "content_block_delta"]
            return "".join(part.get("text", "") for part in [*blocks, *deltas])
        case "gemini":
            parts = [part for payload in payloads for part in payload["candidates"][0]["content"]["parts"]]
            return "".join(part["text"] for part in parts if not part.get("thought"))
        case "cohere":
            whole = [block for payload in payloads for block in payload.get("message", {}).get("content", [])]
            deltas = [payload["delta"]["message"] for payload in payloads if payload.get("type") == "content-delta"]
            return "".join(block.get("text", "") for block in [*whole, *(delta["content"] for delta in deltas)])
        case "bedrock":
            outputs = (payload["output"]["message"] for payload in payloads if "output" in payload)
            whole = [block for message in outputs for block in message["content"]]
            deltas = [payload["delta"] for payload in payloads if "delta" in payload]
            return "".join(block.get("text", "") for block in [*whole, *deltas])
        case "ollama":
            return "".join(payload["message"]["content"] for payload in payloads)
        case _:
            choices = [choice for payload in answers(provider, payloads) for choice in payload["choices"]]
            return "".join((choice.get("message") or choice["delta"]).get("content") or "" for choice in choices)


@each_provider
@pytest.mark.parametrize("pair", [("text", "text-stream"), ("reasoning", "reasoning-stream")])
def test_a_stream_says_the_same_as_its_document(provider, pair) -> None:
    if provider == "azure" and pair[0] == "reasoning":
        pair = ("text", "text-stream")  # as OpenAI's, and it always sends usage
    if provider == "openai" and pair[0] == "reasoning":
        pair = ("text", "text-stream-no-usage")  # chat completions do not show reasoning
    document, stream = (_text(provider, documents(bundled(provider, name))) for name in pair)

    assert document
    assert document == stream


@each_provider
def test_the_result_turn_answers_the_recorded_call(provider) -> None:
    call = bundled(provider, "tool-call").exchange.body.decode()
    turn = bundled(provider, "tool-result").exchange.request.body.decode()
    ids = re.findall(r'"(call_(?!id")\w+|toolu_\w+|tooluse_\w+|get_weather_\w+)"|"id": ?"(\w{8,9})"', call)
    (identity,) = {first or second for first, second in ids}

    assert turn.count(f'"{identity}"') == 2


@each_file
def test_usage_adds_up_where_it_has_a_total(path) -> None:
    for payload in documents(interaction(path)):
        usage = payload.get("usage") or (payload.get("response") or {}).get("usage") or {}
        if "input_tokens_details" in usage:
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
            assert usage["input_tokens_details"]["cached_tokens"] <= usage["input_tokens"]
            assert usage["output_tokens_details"]["reasoning_tokens"] <= usage["output_tokens"]
        elif "total_tokens" in usage:
            thought = usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
            beside = thought if path.is_relative_to(ROOT / "xai") else 0  # xAI's completion leaves thinking out
            assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + beside
            assert usage.get("prompt_tokens_details", {}).get("cached_tokens", 0) <= usage["prompt_tokens"]
            assert beside or thought <= usage["completion_tokens"]
        meta = payload.get("usageMetadata")
        if meta:
            parts = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
            assert meta["totalTokenCount"] == sum(meta.get(part, 0) for part in parts)


@pytest.mark.parametrize("provider", ["openai", "openrouter"])
def test_created_is_the_day_of_the_recording_in_seconds(provider) -> None:
    found = bundled(provider, "text")
    (payload,) = documents(found)

    assert datetime.fromtimestamp(payload["created"], UTC).date() == date.fromisoformat(found.recording.recorded)


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if "midstream-error" not in ABSENT.get(name, ())])
def test_an_error_in_mid_stream_is_the_last_thing_said(provider) -> None:
    found = bundled(provider, "midstream-error")
    payloads = documents(found)
    # Responses says it twice: as an event, and as the state of the answer.
    last = 2 if provider == "openai_responses" else 1

    assert found.exchange.status == 200
    assert [_says_error(payload) for payload in payloads] == [*([False] * (len(payloads) - last)), *([True] * last)]
    # Cohere ends every stream with its mark, a failed one too.
    assert (b"[DONE]" in found.exchange.body) == (provider == "cohere")


def _says_error(payload) -> bool:
    if payload.get("type") == "response.failed":
        return payload["response"]["error"] is not None
    return "error" in payload or "error" in payload.get("delta", ()) or "originalStatusCode" in payload
