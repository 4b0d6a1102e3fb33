"""Our strict models against the `openai` SDK's in strict JSON mode: they accept and refuse the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import chat
from pydantic import BaseModel, ValidationError

from setu import _json
from setu.conformance.wire.model import mismatch
from setu.conformance.wire.openai_chat import Chunk, Completion
from tests.conformance.build import CALL, CALL_CHUNKS, CALLING, CHUNKS, COMPLETION, USAGE_CHUNK, but, chunk

_CALL = "choices.0.message.tool_calls.0"
_FRAGMENT = "choices.0.delta.tool_calls.0"
_FIRST = CALL_CHUNKS[1]

RESPONSES: dict[str, Any] = {
    "valid": COMPLETION,
    "valid with calls": CALLING,
    "no id": but(COMPLETION, "id"),
    "no created": but(COMPLETION, "created"),
    "no choices": but(COMPLETION, "choices"),
    "no index": but(COMPLETION, "choices.0.index"),
    "wrong object": but(COMPLETION, "object", "chat_completion"),
    "finish eos": but(COMPLETION, "choices.0.finish_reason", "eos"),
    "finish empty": but(COMPLETION, "choices.0.finish_reason", ""),
    "finish end_turn": but(COMPLETION, "choices.0.finish_reason", "end_turn"),
    "finish null": but(COMPLETION, "choices.0.finish_reason", None),
    "created text": but(COMPLETION, "created", "1"),
    "created 1.0": but(COMPLETION, "created", 1.0),
    "created 1.5": but(COMPLETION, "created", 1.5),
    "created in ms": but(COMPLETION, "created", 1_790_000_000_000),
    "usage sum wrong": but(COMPLETION, "usage.total_tokens", 99),
    "usage negative": but(COMPLETION, "usage.prompt_tokens", -1),
    "choices empty": but(COMPLETION, "choices", []),
    "usage missing": but(COMPLETION, "usage"),
    "usage null": but(COMPLETION, "usage", None),
    "arguments object": but(CALLING, f"{_CALL}.function.arguments", {}),
    "call without id": but(CALLING, f"{_CALL}.id"),
    "call without type": but(CALLING, f"{_CALL}.type"),
    "call type tool": but(CALLING, f"{_CALL}.type", "tool"),
    "custom call": but(CALLING, _CALL, {"id": "c", "type": "custom", "custom": {"name": "n", "input": "i"}}),
    "content list": but(COMPLETION, "choices.0.message.content", []),
    "role model": but(COMPLETION, "choices.0.message.role", "model"),
    "arguments invalid JSON": but(CALLING, f"{_CALL}.function.arguments", "{"),
    "calls empty": but(CALLING, "choices.0.message.tool_calls", []),
    "calls null": but(CALLING, "choices.0.message.tool_calls", None),
    "extra members": but(COMPLETION, "choices.0.brand_new", {"a": [1]}),
    "no refusal": but(COMPLETION, "choices.0.message.refusal"),
    "no logprobs": but(COMPLETION, "choices.0.logprobs"),
    "no content": but(COMPLETION, "choices.0.message.content"),
    "fingerprint null": but(COMPLETION, "system_fingerprint", None),
    "not an object": [],
    "service tier new": but(COMPLETION, "service_tier", "brand_new"),
}
CHUNK_MUTATIONS: dict[str, Any] = {
    "valid": CHUNKS[0],
    "usage": USAGE_CHUNK,
    "usage null": CHUNKS[1],
    "logprobs null": but(CHUNKS[1], "choices.0.logprobs", None),
    "delta empty": CHUNKS[3],
    "no index": but(CHUNKS[1], "choices.0.index"),
    "no delta": but(CHUNKS[1], "choices.0.delta"),
    "no choices": but(CHUNKS[1], "choices"),
    "delta null": but(CHUNKS[1], "choices.0.delta", None),
    "message instead of delta": but(but(CHUNKS[1], "choices.0.delta"), "choices.0.message", {"role": "assistant"}),
    "role empty": but(CHUNKS[0], "choices.0.delta.role", ""),
    "fragment without index": but(_FIRST, f"{_FRAGMENT}.index"),
    "fragment with object": but(_FIRST, f"{_FRAGMENT}.function.arguments", {}),
    "fragment without id": but(_FIRST, f"{_FRAGMENT}.id"),
    "error member": but(CHUNKS[1], "error", {"message": "x"}),
    "no finish key": but(CHUNKS[1], "choices.0.finish_reason"),
    "finish eos": but(CHUNKS[3], "choices.0.finish_reason", "eos"),
    "service tier new": but(CHUNKS[1], "service_tier", "brand_new"),
}
DIFFERENCES = {
    "service tier new": "OpenAI adds tiers without notice; the SDK's literal refuses them until its next release",
}
"""Where we decide otherwise than the SDK, and why."""


def sdk_accepts(document: Any, model: type[BaseModel]) -> bool:
    try:
        model.model_validate_json(json.dumps(document), strict=True)
    except ValidationError:
        return False
    return True


def we_accept(document: Any, model: Any) -> bool:
    return mismatch(_json.decode(json.dumps(document)), model) is None


@pytest.mark.parametrize("name", RESPONSES)
def test_responses_are_judged_as_the_sdk_does(name: str) -> None:
    agree = we_accept(RESPONSES[name], Completion) == sdk_accepts(RESPONSES[name], chat.ChatCompletion)

    assert agree is (name not in DIFFERENCES)


@pytest.mark.parametrize("name", CHUNK_MUTATIONS)
def test_chunks_are_judged_as_the_sdk_does(name: str) -> None:
    ours = we_accept(CHUNK_MUTATIONS[name], Chunk)
    agree = ours == sdk_accepts(CHUNK_MUTATIONS[name], chat.ChatCompletionChunk)

    assert agree is (name not in DIFFERENCES)


def places(document: Any, path: str = "") -> list[str]:
    """Return the dotted path of every member of a document."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [place for key, value in items for place in (f"{path}{key}", *places(value, f"{path}{key}."))]


LOGPROB = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "a", "logprob": -1, "bytes": None}]}
RICH = but(CALLING, "choices.0.logprobs", {"content": [LOGPROB], "refusal": None})
RICH_CHUNK = chunk(
    _FIRST["choices"][0]["delta"] | {"content": "x", "refusal": None}, "stop", usage=USAGE_CHUNK["usage"]
)
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.0, 1.5, 2**70, "", "x", "stop", "function", "assistant", [], {}, [{}], CALL]
)


@st.composite
def mutations(draw: st.DrawFn, document: dict[str, Any]) -> Any:
    """Remove or replace one or two members of a valid document."""
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(sorted(places(document)) or ["id"]))
        value = draw(VALUES | st.just(...))
        document = but(document, path, value)
    return document


@settings(max_examples=100, deadline=None)
@given(mutations(RICH))
def test_mutated_responses_are_judged_as_the_sdk_does(document: Any) -> None:
    assert we_accept(document, Completion) == sdk_accepts(document, chat.ChatCompletion)


@settings(max_examples=100, deadline=None)
@given(mutations(RICH_CHUNK))
def test_mutated_chunks_are_judged_as_the_sdk_does(document: Any) -> None:
    assert we_accept(document, Chunk) == sdk_accepts(document, chat.ChatCompletionChunk)


def test_a_mismatch_says_what_and_where() -> None:
    found = mismatch(but(COMPLETION, "choices.0.index", "0"), Completion)

    assert found == ("Expected `int`, got `str`", "$.choices[0].index")
