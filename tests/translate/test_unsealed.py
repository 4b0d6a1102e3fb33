"""Sealed thinking taken out of a request: nothing else is touched, and only what was refused for it is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.dialects.gemini.messages import UNSIGNED
from setu.errors import ErrorInfo, ErrorKind
from setu.translate.unsealed import seal_refused, without_seals

TOOL_LOOP = [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm.", "signature": "EqoB"}, {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "Sun"}]},
]  # fmt: skip


def refusal(message: str, status: int = 400, code: str | None = None) -> ErrorInfo:
    return ErrorInfo(kind=ErrorKind.INVALID_REQUEST, status=status, message=message, code=code)


@pytest.mark.parametrize(
    ("info", "is_one"),
    [
        (refusal("The encrypted content gAAA...DQ== could not be verified.", code="invalid_encrypted_content"), True),
        (refusal("whatever it says", code="invalid_encrypted_content"), True),
        (refusal("The encrypted content gAAA...wXBV could not be verified."), True),
        (refusal("messages.1.content.0: Invalid `signature` in `thinking` block"), True),
        (refusal("messages.7.content.2: Invalid signature in thinking block"), True),
        (refusal("messages.369.content.0.thinking.signature: Field required"), True),
        (refusal("Corrupted thought signature."), True),
        (refusal("Invalid thought signature."), True),
        (refusal("Unable to submit request because Thought signature is not valid."), True),
        (refusal("Corrupted thought signature.", status=500), False),
        (refusal("Function call is missing a thought_signature in functionCall parts."), False),
        (refusal("signature expired: 20261121T000000Z"), False),
        (refusal("thinking.budget_tokens: Input should be greater than or equal to 1024"), False),
    ],
)
def test_only_a_refused_seal_is_one(info: ErrorInfo, *, is_one: bool) -> None:
    assert seal_refused(info) is is_one


def stripped(dialect: str, body: Any) -> Any:
    found = without_seals(dialect, json.dumps(body).encode())
    return None if found is None else json.loads(found)


def test_responses_lose_reasoning_items_and_the_ids_of_what_followed_them() -> None:
    body: dict[str, Any] = {
        "model": "gpt-5",
        "input": [
            {"type": "message", "role": "user", "content": "Weather?"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "Sun"},
            {"type": "reasoning", "id": "rs_2", "summary": []},
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Sun."}],
            },
        ],
        "include": ["reasoning.encrypted_content"],
    }

    assert stripped("openai_responses", body) == {
        **body,
        "input": [
            {"type": "message", "role": "user", "content": "Weather?"},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "Sun"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Sun."}]},
        ],
    }


def test_messages_lose_thinking_blocks_and_turns_of_nothing_else() -> None:
    body: dict[str, Any] = {
        "model": "m",
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "b"}]},
            {"role": "user", "content": "c"},
        ],
    }  # fmt: skip

    assert stripped("anthropic", body) == {
        **body,
        "messages": [body["messages"][0], {"role": "assistant", "content": [{"type": "text", "text": "b"}]}, body["messages"][3]],
    }  # fmt: skip


def test_in_a_tool_loop_thinking_is_switched_off() -> None:
    found = stripped("anthropic", {"thinking": {"type": "adaptive"}, "messages": TOOL_LOOP})

    assert "thinking" not in found
    assert [block["type"] for block in found["messages"][1]["content"]] == ["tool_use"]


def test_a_finished_tool_loop_does_not_switch_thinking_off() -> None:
    after = [
        {"role": "assistant", "content": [{"type": "text", "text": "Sun."}]},
        {"role": "user", "content": "And now?"},
    ]

    assert stripped("anthropic", {"thinking": {"type": "adaptive"}, "messages": [*TOOL_LOOP, *after]})["thinking"]


def test_converse_loses_reasoning_content() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "t", "signature": "s"}}}
    body: dict[str, Any] = {
        "messages": [
            {"role": "user", "content": [{"text": "a"}]},
            {"role": "assistant", "content": [thought]},
            {"role": "assistant", "content": [thought, {"text": "b"}]},
        ]
    }

    assert stripped("bedrock", body) == {
        "messages": [body["messages"][0], {"role": "assistant", "content": [{"text": "b"}]}]
    }


def test_geminis_calls_get_the_documented_signature_and_other_parts_none() -> None:
    call = {"functionCall": {"name": "weather", "args": {}}}
    body: dict[str, Any] = {
        "contents": [
            {
                "role": "model",
                "parts": [{"text": "a", "thoughtSignature": "x"}, {**call, "thoughtSignature": "y"}, {"text": "b"}],
            }
        ]
    }

    assert stripped("gemini", body) == {
        "contents": [{"role": "model", "parts": [{"text": "a"}, {**call, "thoughtSignature": UNSIGNED}, {"text": "b"}]}]
    }


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openai_responses", {"input": "hi"}),
        ("openai_responses", {"input": [{"type": "message", "id": "msg_1", "role": "user", "content": "hi"}]}),
        ("openai_responses", {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}),
        ("anthropic", {"messages": [{"role": "user", "content": "hi"}]}),
        ("anthropic", {"messages": [{"role": "assistant", "content": [{"type": "thinking"}]}]}),
        ("bedrock", {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}),
        ("gemini", {"contents": [{"parts": [{"text": "hi"}]}]}),
        ("openai_chat", {"messages": []}),
    ],
)
def test_what_has_no_seal_or_nothing_else_is_not_tried_again(dialect: str, body: Any) -> None:
    assert stripped(dialect, body) is None


def test_what_is_kept_keeps_its_bytes() -> None:
    kept = b'{"role": "user",  "content":"\\u00e9 1e400"}'
    body = (
        b'{"n": 12345678901234567890, "messages": ['
        + kept
        + b', {"role":"assistant","content":[{"type":"thinking"}, {"type":"text" ,"text":"b"}]}], "x" : 1.0}'
    )

    found = without_seals("anthropic", body)

    assert (
        found
        == b'{"n": 12345678901234567890, "messages": ['
        + kept
        + b',{"role":"assistant","content":[{"type":"text" ,"text":"b"}]}], "x" : 1.0}'
    )


_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["type", "role", "content", "messages", "input", "contents", "parts", "thoughtSignature", "id", "reasoningContent"]),
        inner | st.sampled_from(["reasoning", "thinking", "assistant", "tool_use"]),
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(_json_values, st.sampled_from(["openai_responses", "anthropic", "bedrock", "gemini"]))
def test_any_json_is_taken_and_nothing_is_left_to_take_out(value: Any, dialect: str) -> None:
    found = without_seals(dialect, json.dumps(value).encode())

    if found is not None:
        json.loads(found)
        assert without_seals(dialect, found) is None or dialect == "gemini"
