"""The upstream bodies of the bundled scenarios are what the providers document: their own SDKs read them.

The scenarios whose upstream is odd on purpose are listed; one that is no longer odd must leave the list.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pydantic
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from google.genai.types import GenerateContentResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from setu import _json
from setu.bundled import data_dir
from setu.cassette.script import Bytes
from setu.conformance.scenario import Scenario, Upstream, load, script
from setu.framing.sse import SseDecoder

BUNDLED = load(data_dir("conformance") / "scenarios")
EVENT: pydantic.TypeAdapter[RawMessageStreamEvent] = pydantic.TypeAdapter(RawMessageStreamEvent)

ODD = {
    "anthropic-client-finish-error": "OpenRouter's finish reason error is not OpenAI's",
    "anthropic-unknown-event": "events of the future",
    "chat-sse-oddities": "data that is no JSON",
    "azure-first-chunk": "Azure's first chunk names no object",
    "identity-anthropic": "an event that nobody knows",
    "identity-gemini": "members that nobody knows, which this SDK forbids",
    "sse-comments": "data that is no JSON",
    "usage-in-every-chunk": "a usage chunk without choices",
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
    "anthropic": (lambda body: Message.model_validate_json(body, strict=True), _event),
    "gemini": (GenerateContentResponse.model_validate_json, GenerateContentResponse.model_validate_json),
}


def _unreadable(upstream: Upstream, dialect: str) -> Iterator[str]:
    """Yield why the SDK cannot read a body; errors and what is not JSON on purpose are not read."""
    whole, piece = READERS[dialect]
    if isinstance(upstream.plain, dict) and "error" not in upstream.plain:
        yield from _problems(whole, _json.encode(upstream.plain))
    if upstream.stream is not None:
        for data in _data(upstream):
            if data != b"[DONE]" and b'"error":{' not in data:
                yield from _problems(piece, data)


def _data(upstream: Upstream) -> list[bytes]:
    sound = Upstream(stream=upstream.stream, eol=upstream.eol, tail=upstream.tail)
    decoder = SseDecoder()
    body = b"".join(step.data for step in script(sound, "stream") if isinstance(step, Bytes))
    return [frame.data for frame in (*decoder.feed(body), *decoder.close()) if frame.data]


def _problems(read: Read, body: bytes) -> Iterator[str]:
    try:
        read(body)
    except pydantic.ValidationError as error:
        yield f"{body[:120]!r}: {error}"


def _all(scenario: Scenario) -> list[str]:
    return [
        problem
        for name, upstream in scenario.upstream.items()
        if upstream.status < 400
        for problem in _unreadable(upstream, name if name in READERS else "openai_chat")
    ]


@pytest.mark.parametrize("scenario", [one for one in BUNDLED if one.id not in ODD], ids=lambda one: one.id)
def test_an_upstream_says_what_its_providers_sdk_reads(scenario: Scenario) -> None:
    assert _all(scenario) == []


@pytest.mark.parametrize("name", ODD)
def test_an_upstream_that_is_odd_on_purpose_is_odd(name: str) -> None:
    odd = next(scenario for scenario in BUNDLED if scenario.id == name)

    assert _all(odd) != []
