"""The upstream bodies of the bundled scenarios are what the providers document: their own SDKs read them.

The scenarios whose upstream is odd on purpose are listed; one that is no longer odd must leave the list.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pydantic
import pytest
from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent
from google.genai.types import CountTokensResponse, EmbedContentResponse, GenerateContentResponse
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from setu import _json
from setu.bundled import data_dir
from setu.cassette.script import Bytes
from setu.conformance.scenario import Scenario, Sent, Upstream, load, script
from setu.framing.kinds import DECODERS
from setu.providers import lookup
from tests.dialects.bedrock.oracle import event_problems, response_problems
from tests.dialects.openai_responses.oracle import need_event, need_response
from tests.shapes import check_cohere, check_ollama

BUNDLED = load(data_dir("conformance") / "scenarios")
EVENT: pydantic.TypeAdapter[RawMessageStreamEvent] = pydantic.TypeAdapter(RawMessageStreamEvent)

ODD = {
    "B-EMB-02": "base64 that nobody asked for",
    "B-FIN-06": "OpenRouter's finish reason error is not OpenAI's",
    "B-ANT-08": "events of the future",
    "chat-sse-oddities": "data that is no JSON",
    "B-STR-22": "Azure's first chunk names no object",
    "identity-anthropic": "an event that nobody knows",
    "identity-gemini": "members that nobody knows, which this SDK forbids",
    "B-STR-19-read": "a usage chunk without choices, and one with null for them",
    "B-SSE-01": "data that is no JSON",
    "B-USG-08": "a usage chunk without choices",
}

Read = Callable[[bytes], Any]


def _chat(body: bytes) -> Any:
    return ChatCompletion.model_validate_json(body, strict=True)


def _chunk(body: bytes) -> Any:
    return ChatCompletionChunk.model_validate_json(body, strict=True)


def _event(body: bytes) -> Any:
    return None if body == b'{"type":"ping"}' else EVENT.validate_json(body)


READERS: dict[str, tuple[Read, Read]] = {
    "openai_chat": (_chat, _chunk),
    "openai_responses": (need_response, need_event),
    "anthropic": (lambda body: Message.model_validate_json(body, strict=True), _event),
    "gemini": (GenerateContentResponse.model_validate_json, GenerateContentResponse.model_validate_json),
    "cohere": (lambda body: check_cohere(_json.decode(body)), lambda body: check_cohere(_json.decode(body))),
    "ollama": (lambda body: check_ollama(_json.decode(body)), lambda body: check_ollama(_json.decode(body))),
}


def _vectors(body: bytes) -> Any:
    """Read Cohere's and Ollama's embeddings, which have no SDK here."""
    return msgspec.json.decode(body, type=_Vectors)


class _Vectors(msgspec.Struct):
    embeddings: list[list[float]] | dict[str, list[list[float]]]


OPERATIONS: dict[str, dict[str, Read]] = {
    "/embeddings": {
        "openai_chat": lambda body: CreateEmbeddingResponse.model_validate_json(body, strict=True),
        "gemini": EmbedContentResponse.model_validate_json,
        "cohere": _vectors,
        "ollama": _vectors,
    },
    ":embedContent": {
        "openai_chat": lambda body: CreateEmbeddingResponse.model_validate_json(body, strict=True),
        "cohere": _vectors,
        "ollama": _vectors,
    },
    "/count_tokens": {
        "anthropic": lambda body: MessageTokensCount.model_validate_json(body, strict=True),
        "gemini": CountTokensResponse.model_validate_json,
    },
    # What passes to a named provider as it is: no dialect reads it.
    "/rerank": {},
    "/compact": {},
    "/v1/completions": {"openai_chat": lambda body: Completion.model_validate_json(body, strict=True)},
}
"""What upstreams answer at the endpoints beside chat; where a dialect is missing, its chat answers or it is not asked."""


def _unreadable(upstream: Upstream, dialect: str) -> Iterator[str]:
    """Yield why the SDK cannot read a body; errors and what is not JSON on purpose are not read."""
    if dialect == "bedrock":
        yield from _unlike_aws(upstream)
        return
    whole, piece = READERS[dialect]
    if isinstance(upstream.plain, dict) and "error" not in upstream.plain:
        yield from _problems(whole, _json.encode(upstream.plain))
    if upstream.stream is not None:
        for data in _data(upstream):
            if data != b"[DONE]" and b'"error":{' not in data and not data.startswith(b'{"error":'):
                yield from _problems(piece, data)


def _unlike_aws(upstream: Upstream) -> Iterator[str]:
    if isinstance(upstream.plain, dict):
        yield from response_problems(_json.encode(upstream.plain))
    for sent in upstream.stream or ():
        if isinstance(sent, Sent) and isinstance(sent.data, dict):
            yield from event_problems(sent.event, _json.encode(sent.data))


def _data(upstream: Upstream) -> list[bytes]:
    sound = Upstream(stream=upstream.stream, framing=upstream.framing, eol=upstream.eol, tail=upstream.tail)
    decoder = DECODERS[upstream.framing]()
    body = b"".join(step.data for step in script(sound, "stream") if isinstance(step, Bytes))
    return [frame.data for frame in (*decoder.feed(body), *decoder.close()) if frame.data]


def _problems(read: Read, body: bytes) -> Iterator[str]:
    try:
        read(body)
    except (pydantic.ValidationError, msgspec.ValidationError) as error:
        yield f"{body[:120]!r}: {error}"


def _unreadable_at(path: str, upstream: Upstream, name: str) -> Iterator[str]:
    dialect = name if name in {*READERS, "bedrock"} else lookup.find(name).dialects[0]
    readers = next((found for suffix, found in OPERATIONS.items() if path.endswith(suffix)), None)
    if readers is None or (path == "/v1/completions" and dialect not in readers):
        yield from _unreadable(upstream, dialect)
    elif dialect in readers and upstream.plain is not None:
        yield from _problems(readers[dialect], _json.encode(upstream.plain))


def _all(scenario: Scenario) -> list[str]:
    return [
        problem
        for name, upstream in scenario.upstream.items()
        if upstream.status < 400
        for problem in _unreadable_at(scenario.client.path or "", upstream, name)
    ]


@pytest.mark.parametrize("scenario", [one for one in BUNDLED if one.id not in ODD], ids=lambda one: one.id)
def test_an_upstream_says_what_its_providers_sdk_reads(scenario: Scenario) -> None:
    assert _all(scenario) == []


@pytest.mark.parametrize("name", ODD)
def test_an_upstream_that_is_odd_on_purpose_is_odd(name: str) -> None:
    odd = next(scenario for scenario in BUNDLED if scenario.id == name)

    assert _all(odd) != []
