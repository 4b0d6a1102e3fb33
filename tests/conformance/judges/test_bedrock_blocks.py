"""The judges' model of Converse requests against AWS's own: what one accepts the other does."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.conformance.judges.registry import JUDGES
from setu.http import Exchange, Headers, Request
from tests.dialects.bedrock.oracle import request_problems

SPEC = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}
USE = {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"text": "x"}], "status": "success"}}
POINT = {"cachePoint": {"type": "default"}}
DOCUMENT = {"document": {"name": "plan", "format": "pdf", "source": {"bytes": "JVBERi0="}}}
GOOD: dict[str, Any] = {
    "messages": [
        {
            "role": "user",
            "content": [{"text": "Hi"}, DOCUMENT, {"image": {"format": "png", "source": {"bytes": "AA=="}}}],
        },
        {
            "role": "assistant",
            "content": [{"reasoningContent": {"reasoningText": {"text": "x", "signature": "s"}}}, USE],
        },
        {"role": "user", "content": [RESULT, POINT, {"text": "And?"}]},
    ],
    "system": [{"text": "Be brief."}, POINT],
    "inferenceConfig": {"maxTokens": 5, "temperature": 0.5, "topP": 1, "stopSequences": ["END"]},
    "toolConfig": {"tools": [SPEC, POINT], "toolChoice": {"auto": {}}},
    "additionalModelRequestFields": {"top_k": 3},
    "serviceTier": {"type": "flex"},
    "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}"}}}},
}


def _judged(body: dict[str, Any], check: str = "PRX-004") -> list[str]:
    path = "/model/us.amazon.nova-lite-v1%3A0/converse"
    upstream = Exchange(
        request=Request(method="POST", path=path, body=json.dumps(body).encode()),
        status=200,
        headers=Headers.of({"content-type": "application/json"}),
        body=b"{}",
    )
    client = Request(method="POST", path="/v1/chat/completions", body=b'{"model":"m","messages":[]}')
    found = JUDGES[check](Exchange(request=client, status=200, headers=Headers(), body=b"{}", upstream=(upstream,)))
    assert found is not None
    return [finding.message for finding in found]


def _with(place: str, value: Any) -> dict[str, Any]:
    """The good body with one member replaced, or removed by None."""
    body = copy.deepcopy(GOOD)
    *steps, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    holder: Any = body
    for step in steps:
        holder = holder[step]
    if value is None:
        del holder[last]
    else:
        holder[last] = value
    return body


def test_a_good_request_satisfies_both() -> None:
    assert request_problems(json.dumps(GOOD).encode()) == []
    assert _judged(GOOD) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("messages.0.role", "tool"),
        ("messages.0.content.0", {"text": "x", "cachePoint": {"type": "default"}}),
        ("messages.0.content.0", {"type": "text", "text": "x"}),
        ("messages.0.content.0", {"text": 3}),
        ("messages.0.content.0", {"text": ""}),
        ("messages.0.content", []),
        ("messages.0.content", [DOCUMENT]),
        ("messages.0.content.1.document.name", "John's.pdf"),
        ("messages.0.content.1.document.format", "exe"),
        ("messages.0.content.2.image.format", "bmp"),
        ("messages.1.content.1.toolUse.toolUseId", "a/b"),
        ("messages.1.content.1.toolUse.name", "a b"),
        ("messages.1.content.1.toolUse.name", None),
        ("messages.2.content.0.toolResult.content", []),
        ("messages.2.content.0.toolResult.status", "bad"),
        ("system.0", {"text": ""}),
        ("system.0", {"text": "x", "cachePoint": {"type": "default"}}),
        ("inferenceConfig.temperature", 1.5),
        ("inferenceConfig.maxTokens", "5"),
        ("inferenceConfig.topK", 5),
        ("toolConfig.tools", []),
        ("toolConfig.tools.0", {**SPEC, **POINT}),
        ("toolConfig.tools.0.toolSpec.description", ""),
        ("toolConfig.tools.0.toolSpec.inputSchema", None),
        ("toolConfig.toolChoice", {"none": {}}),
        ("serviceTier.type", "gold"),
        ("model", "m"),
        ("max_tokens", 5),
    ],
)
def test_what_aws_refuses_the_judge_refuses(place: str, value: Any) -> None:
    body = _with(place, value)

    assert request_problems(json.dumps(body).encode()) != []
    assert _judged(body) != []


@pytest.mark.parametrize(
    ("check", "place", "value"),
    [
        ("XLT-06", "messages.1", {"role": "user", "content": [{"text": "x"}]}),
        ("XLT-07", "messages.2.content", [{"text": "And?"}]),
        ("XLT-07", "messages.2.content", [{"text": "And?"}, RESULT]),
        ("XLT-07", "messages.2", None),
        ("XLT-13", "messages.2.content.0.toolResult.content", [{"text": "\n"}]),
        ("XLT-02", "toolConfig", None),
        ("XLT-02", "messages.2.content", [RESULT, DOCUMENT, {"text": "x"}]),
        ("XLT-03", "tool_choice", "auto"),
        ("XLT-03", "messages.0.content.0", {"image_url": {"url": "x"}}),
    ],
)
def test_rules_that_no_shape_holds(check: str, place: str, value: Any) -> None:
    body = copy.deepcopy(GOOD) if place == "tool_choice" else _with(place, value)
    if place == "tool_choice":
        body[place] = value

    assert _judged(body, check) != []


@given(st.data())
def test_whatever_is_taken_out_what_aws_refuses_the_judge_refuses(data: st.DataObject) -> None:
    body = copy.deepcopy(GOOD)
    holder: Any = body
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        inner = holder[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
            del holder[key]
            break
        holder = inner
    theirs = request_problems(json.dumps(body).encode()) if body.get("messages") else ["no messages"]

    ours = _judged(body) + _judged(body, "XLT-06")

    assert not theirs or ours
