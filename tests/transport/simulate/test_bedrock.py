import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.framing.eventstream import EventStreamDecoder
from setu.framing.frame import Frame
from tests.dialects.bedrock.oracle import event_problems, response_problems
from tests.transport.simulate.mutated import mutations
from tests.transport.simulate.upstream import WEATHER, Answered, ask

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0"
TOOLS = [
    {"toolSpec": {"name": "weather", "inputSchema": {"json": WEATHER}}},
    {"toolSpec": {"name": "now", "inputSchema": {"json": {"type": "object"}}}},
]
THINKS = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}
USE = {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"text": "rain"}]}}


def said(*texts: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": [{"text": text} for text in texts]}


def converse(*, model: str = CLAUDE, stream: bool = False, key: str = "k", **body: Any) -> Answered:
    whole = {"messages": [said("Hello")], **body}
    path = f"/model/{model}/converse{'-stream' if stream else ''}"
    return ask(path, whole, authorization=f"Bearer {key}")


def frames(answered: Answered) -> list[Frame]:
    decoder = EventStreamDecoder()
    found = decoder.feed(answered.body) + decoder.close()
    assert all(frame.flaw is None and frame.terminated for frame in found)
    return found


def whole(**body: Any) -> dict[str, Any]:
    answered = converse(**body)
    assert answered.status == 200, answered.body
    assert response_problems(answered.body) == []
    document: dict[str, Any] = answered.json
    return document


def assembled(events: list[Frame]) -> dict[str, Any]:
    """What the events of a stream amount to, put together without any of Setu's decoders."""
    blocks: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {}
    for frame in events:
        value = json.loads(frame.data or b"")
        block = blocks.setdefault(value["contentBlockIndex"], {"text": ""}) if "contentBlockIndex" in value else {}
        block.update(value.get("start", {}))
        delta = value.get("delta", {})
        words = delta.get("reasoningContent", {})
        block["text"] = block.get("text", "") + delta.get("text", "") + delta.get("toolUse", {}).get("input", "")
        block["text"] += words.get("text", "")
        answer |= {key: value[key] for key in ("stopReason", "usage") if key in value}
    texts = [block["text"] for _, block in sorted(blocks.items())]
    return answer | {"texts": texts, "names": [b["toolUse"]["name"] for b in blocks.values() if "toolUse" in b]}


def plain(document: dict[str, Any]) -> dict[str, Any]:
    content = document["output"]["message"]["content"]
    texts = [
        block.get("text")
        or block.get("reasoningContent", {}).get("reasoningText", {}).get("text")
        or json.dumps(block["toolUse"]["input"], ensure_ascii=False)
        for block in content
    ]
    names = [block["toolUse"]["name"] for block in content if "toolUse" in block]
    return {"stopReason": document["stopReason"], "usage": document["usage"], "texts": texts, "names": names}


@pytest.mark.parametrize(
    "body",
    [
        {},
        THINKS,
        {"inferenceConfig": {"maxTokens": 2}},
        {"toolConfig": {"tools": TOOLS, "toolChoice": {"any": {}}}, "messages": [said("parallel:3")]},
        {"toolConfig": {"tools": TOOLS}, "messages": [said("call:weather now")]},
        {"inferenceConfig": {"stopSequences": ["HALT"]}, "messages": [said("HALT")]},
    ],
    ids=json.dumps,
)
def test_a_stream_says_the_same_as_a_document(body) -> None:
    document = whole(**body)
    events = frames(converse(**body, stream=True))

    assert [event_problems(frame.event or "", frame.data or b"") for frame in events] == [[]] * len(events)
    assert assembled(events) == plain(document)
    assert [frame.event for frame in events][-2:] == ["messageStop", "metadata"]


def test_a_stream_is_cut_at_its_messages() -> None:
    answered = converse(stream=True)

    assert answered.headers.get("content-type") == "application/vnd.amazon.eventstream"
    assert [frame.raw for frame in frames(answered)] == answered.chunks


def test_the_same_request_has_the_same_answer() -> None:
    assert converse(messages=[said("x")]).body == converse(messages=[said("x")]).body
    assert converse(messages=[said("x")]).body != converse(messages=[said("y")]).body


def test_a_forced_call_satisfies_the_schema() -> None:
    document = whole(toolConfig={"tools": TOOLS, "toolChoice": {"tool": {"name": "weather"}}})

    (block,) = document["output"]["message"]["content"]
    assert document["stopReason"] == "tool_use"
    assert jsonschema_rs.is_valid(WEATHER, block["toolUse"]["input"])


def test_structured_output_satisfies_the_schema() -> None:
    form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(WEATHER)}}}

    document = whole(outputConfig={"textFormat": form})

    assert jsonschema_rs.is_valid(WEATHER, json.loads(document["output"]["message"]["content"][0]["text"]))


def test_only_claude_signs_its_thinking() -> None:
    signed = whole(**THINKS)["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"]
    bare = whole(model="us.deepseek.r1-v1%3A0")["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"]

    assert signed.keys() == {"text", "signature"}
    assert bare.keys() == {"text"}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"messages": []}, "messages field is empty"),
        ({"model_id": 1}, "extraneous key"),
        ({"messages": [said("a"), said("b")]}, "must alternate"),
        ({"messages": [{"role": "user", "content": []}]}, "is empty"),
        ({"messages": [{"role": "tool", "content": [{"text": "x"}]}]}, "enum value set"),
        ({"messages": [said("")]}, "is blank"),
        ({"system": [{"text": ""}]}, "is blank"),
        ({"system": [{"text": "x", "cachePoint": {"type": "default"}}]}, "can only set one of the following keys"),
        ({"inferenceConfig": {"temperature": 2}}, "less than or equal to 1"),
        ({"inferenceConfig": {"maxTokens": 0}}, "greater than or equal to 1"),
        ({"inferenceConfig": {"top_k": 3}}, "extraneous key [top_k]"),
        ({"inferenceConfig": {"stopSequences": [""]}}, "length greater than or equal to 1"),
        ({"toolConfig": {"tools": []}}, "toolConfig.tools"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "a b"}}]}}, "regular expression"),
        ({"toolConfig": {"tools": [TOOLS[0], TOOLS[0]]}}, "same name"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": {}}}}]}}, "must be one of"),
        ({"toolConfig": {"tools": [{"toolSpec": {**TOOLS[1]["toolSpec"], "description": ""}}]}}, "description"),
        ({"toolConfig": {"tools": TOOLS, "toolChoice": {"tool": {"name": "x"}}}}, "not in the toolConfig"),
        ({"toolConfig": {"tools": TOOLS, "toolChoice": {"none": {}}}}, "unknown member none"),
        ({"messages": [said("a"), {"role": "assistant", "content": [USE]}]}, "Expected toolResult blocks"),
        ({"messages": [{"role": "user", "content": [RESULT]}]}, "exceeds the number of toolUse"),
        (
            {"messages": [said("a"), {"role": "assistant", "content": [USE]}, {"role": "user", "content": [RESULT]}]},
            "toolConfig field must be defined",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"document": {"name": "a.pdf", "format": "pdf", "source": {"bytes": "AA=="}}}],
                    }
                ]
            },
            "can only contain alphanumeric",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"document": {"name": "a", "format": "pdf", "source": {"bytes": "AA=="}}}],
                    }
                ]
            },
            "a document and no text",
        ),
        ({**THINKS, "inferenceConfig": {"maxTokens": 1024}}, "must be greater than"),
        ({**THINKS, "toolConfig": {"tools": TOOLS, "toolChoice": {"any": {}}}}, "forces tool use"),
    ],
)
def test_what_the_service_refuses_is_refused_in_its_envelope(body, word) -> None:
    answered = converse(**body)

    assert answered.status == 400
    assert answered.json.keys() == {"message"}
    assert word in answered.json["message"]
    assert (answered.headers.get("x-amzn-errortype") or "").startswith("ValidationException:http")


def test_a_wrong_key_and_a_wrong_model_are_refused() -> None:
    assert converse(key="invalid").status == 403
    assert converse(model="no-such-model").json == {"message": "The provided model identifier is invalid."}
    assert (
        ask(f"/model/{CLAUDE}/converse", b"{").headers.get("x-amzn-errortype", "").startswith("SerializationException")
    )


LEGAL = {
    "messages": [
        said("Hi"),
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [RESULT, {"text": "On."}]},
    ],
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
    "inferenceConfig": {"maxTokens": 50, "temperature": 0.5, "stopSequences": ["END"]},
    "toolConfig": {"tools": TOOLS, "toolChoice": {"auto": {}}},
}


@settings(max_examples=100)
@given(mutations(LEGAL), st.booleans())
def test_any_body_is_answered_or_refused(body, stream) -> None:
    answered = ask(f"/model/{CLAUDE}/converse{'-stream' if stream else ''}", body)

    assert answered.status in (200, 400)
