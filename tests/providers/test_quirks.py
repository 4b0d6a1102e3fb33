"""Quirks by themselves: pure, total, and the identity on what they do not concern."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder
from setu.providers import lookup, quirks
from setu.providers.record import Edit

QUIRKS = [quirk for name in lookup.BUILT_IN for quirk in lookup.find(name).quirks]
REQUESTS = [quirk.request for quirk in QUIRKS if quirk.request is not None]
FRAMES = [quirk.frame for quirk in QUIRKS if quirk.frame is not None]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "tool_calls", "id", "tool_call_id", "function", "parameters", "anyOf", "type"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
members = st.dictionaries(
    st.sampled_from(["messages", "tools", "seed", "thinking", "reasoning_effort", "model", "logprobs"]),
    values.map(lambda value: json.dumps(value).encode()),
    max_size=5,
)


def edit(request, **body) -> dict[str, Any]:
    """The body as it would be sent, parsed, without the members the edit takes out."""
    raw = {name: json.dumps(value).encode() for name, value in body.items()}
    changes = request(raw).changes
    whole = raw | {name: value for name, value in changes.items() if value is not None}
    return {name: json.loads(value) for name, value in whole.items() if changes.get(name, b"") is not None}


@given(st.sampled_from(REQUESTS), members)
def test_a_request_quirk_takes_anything_and_settles_at_once(request, given) -> None:
    first = request(given)
    after = {name: value for name, value in (dict(given) | dict(first.changes)).items() if value is not None}

    assert all(value is None or _json.kind_of(value) for value in first.changes.values())
    assert {name: value for name, value in request(after).changes.items() if after.get(name) != value} == {}


@given(st.sampled_from(FRAMES), st.binary(max_size=40) | values.map(lambda value: json.dumps(value).encode()))
def test_a_frame_quirk_takes_anything(quirk, data) -> None:
    seen = quirk(Frame(data=data, raw=b"data: " + data + b"\n\n"))

    assert seen is None or isinstance(seen, Frame)


def test_mistral_s_ids_are_nine_letters_and_digits_alike_for_call_and_result() -> None:
    """B-TOOL-22."""
    messages = [
        {"role": "assistant", "tool_calls": [{"id": "call_abc", "function": {"name": "f", "arguments": "{}"}}, {"id": "D681PevKs"}]},
        {"role": "tool", "tool_call_id": "call_abc", "content": "1"},
        {"role": "tool", "tool_call_id": "ab", "content": "2"},
    ]  # fmt: skip

    (turn, first, second) = edit(quirks.short_ids, messages=messages)["messages"]

    assert turn["tool_calls"][0]["id"] == first["tool_call_id"]
    assert [len(turn["tool_calls"][0]["id"]), len(second["tool_call_id"])] == [9, 9]
    assert turn["tool_calls"][1]["id"] == "D681PevKs"


def test_a_user_after_a_tool_is_bridged_and_said_so() -> None:
    """B-MSG-15."""
    messages = [{"role": "tool", "content": "1"}, {"role": "user", "content": "And?"}]
    raw = {"messages": json.dumps(messages).encode()}

    found = quirks.bridged_turns(raw)

    assert [message["role"] for message in json.loads(found.changes["messages"])] == ["tool", "assistant", "user"]
    assert [loss.pointer for loss in found.losses] == ["/messages/1"]
    assert quirks.bridged_turns({"messages": found.changes["messages"] or b""}) == Edit()


def test_the_null_of_an_assistant_that_only_calls_is_left_out():
    """B-MSG-16."""
    call = {"id": "a", "function": {"name": "f", "arguments": "{}"}}
    kept = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "assistant", "content": "words", "tool_calls": [call]},
        {"role": "assistant", "content": None},
    ]
    messages = [{"role": "assistant", "content": None, "tool_calls": [call]}, *kept]

    found = edit(quirks.no_null_content, messages=messages)["messages"]

    assert found == [{"role": "assistant", "tool_calls": [call]}, *kept]


def test_members_that_a_role_does_not_have_are_losses_and_other_roles_are_left_alone():
    """B-MSG-10."""
    messages = [
        {"role": "user", "content": "x", "name": "ada"},
        {"role": "assistant", "content": "y", "refusal": None, "reasoning_content": "hm"},
        {"role": "developer", "content": "z", "name": "kept"},
    ]
    mistral = quirks.known_members(
        {"user": frozenset({"role", "content"}), "assistant": frozenset({"role", "content"})}
    )

    found = mistral({"messages": json.dumps(messages).encode()})

    assert json.loads(found.changes["messages"]) == [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": "y"},
        messages[2],
    ]
    assert [loss.pointer for loss in found.losses] == ["/messages/0/name", "/messages/1/reasoning_content"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"role": "assistant", "tool_calls": [{}]}, ""),
        ({"role": "assistant", "tool_calls": [{}], "reasoning": "so"}, "so"),
        ({"role": "assistant", "tool_calls": [{}], "reasoning_content": "kept"}, "kept"),
        ({"role": "assistant", "content": "no call"}, None),
    ],
)
def test_a_turn_with_calls_brings_its_thinking_back(message, said) -> None:
    """B-THK-12."""
    (found,) = edit(quirks.replayed_thinking, messages=[message])["messages"]

    assert found.get("reasoning_content") == said


def test_members_that_groq_does_not_know_are_losses_and_text_lists_become_strings() -> None:
    groq = quirks.only_message_members("role", "content", "tool_calls")
    message = {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "refusal": None, "audio": {"id": "x"}}  # fmt: skip

    found = groq({"messages": json.dumps([message]).encode()})

    assert json.loads(found.changes["messages"]) == [{"role": "assistant", "content": "a\nb"}]
    assert [loss.pointer for loss in found.losses] == ["/messages/0/audio"]


def test_a_user_s_parts_stay_parts() -> None:
    groq = quirks.only_message_members("role", "content")
    parts = [{"role": "user", "content": [{"type": "text", "text": "a"}]}]

    assert groq({"messages": json.dumps(parts).encode()}) == Edit()


def test_top_level_members_are_taken_out_with_a_loss_but_null_is_nothing() -> None:
    found = quirks.without("logprobs", "seed")({"logprobs": b"true", "seed": b"null", "n": b"1"})

    assert found.changes == {"logprobs": None}
    assert [loss.pointer for loss in found.losses] == ["/logprobs"]


def test_a_member_goes_by_the_host_s_name_unless_the_client_knew_it() -> None:
    rename = quirks.renamed({"seed": "random_seed"})

    assert rename({"seed": b"7"}).changes == {"seed": None, "random_seed": b"7"}
    assert rename({"seed": b"7", "random_seed": b"8"}) == Edit()


@pytest.mark.parametrize("pattern", ["^(?=x).*$", "(?<!a)b", "a\x00", r"\0"])
def test_patterns_that_cannot_be_compiled_go_and_nothing_else_changes(pattern) -> None:
    """B-TOOL-25."""
    bad = {"type": "object", "properties": {"pattern": {"type": "string", "pattern": pattern, "enum": ["a"]}}}
    good = b'{"type":"function","function":{"name":"g","parameters":{"b":1.0,"a":{"pattern":"^x$"}}}}'
    raw = (
        b"["
        + json.dumps({"type": "function", "function": {"name": "f", "parameters": bad}}).encode()
        + b","
        + good
        + b"]"
    )

    found = quirks.plain_schemas(quirks.no_lookaround)({"tools": raw})

    rewritten = found.changes["tools"]
    assert rewritten.endswith(good + b"]")
    assert json.loads(rewritten)[0]["function"]["parameters"]["properties"] == {
        "pattern": {"type": "string", "enum": ["a"]}
    }
    assert [loss.pointer for loss in found.losses] == ["/tools/0/function/parameters"]


def test_moonshot_wants_types_inside_any_of() -> None:
    schema = {"type": "object", "anyOf": [{"required": ["a"]}, {"type": "string"}]}
    tool = {"function": {"name": "f", "parameters": schema}}

    (found,) = edit(quirks.plain_schemas(quirks.types_within_any_of), tools=[tool])["tools"]

    assert found["function"]["parameters"] == {"anyOf": [{"type": "object", "required": ["a"]}, {"type": "string"}]}


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"reasoning_effort": "high"}, {"enable_thinking": True, "thinking_budget": 16384}),
        ({"reasoning_effort": "none"}, {"enable_thinking": False}),
        ({"thinking": {"type": "enabled", "budget_tokens": 900}}, {"enable_thinking": True, "thinking_budget": 900}),
        ({"thinking": {"type": "disabled"}}, {"enable_thinking": False}),
        ({"enable_thinking": True, "reasoning_effort": "low"}, {"enable_thinking": True, "reasoning_effort": "low"}),
        ({}, {}),
    ],
)
def test_alibaba_s_switch_of_thinking(asked, sent) -> None:
    assert edit(quirks.enable_thinking, **asked) == sent


def frame_of(chunk) -> Frame:
    (frame,) = SseDecoder().feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    return frame


def test_azure_s_first_chunk_goes_and_a_choice_without_delta_gets_one() -> None:
    """B-STR-22."""
    first = frame_of({"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": []})
    usage = frame_of({"id": "c", "choices": [], "usage": {"total_tokens": 1}})
    error = frame_of({"error": {"message": "no", "code": 429}, "choices": []})
    bare = quirks.azure_frames(frame_of({"id": "c", "choices": [{"index": 0, "finish_reason": None}]}))

    assert quirks.azure_frames(first) is None
    assert quirks.azure_frames(usage) is usage
    assert quirks.azure_frames(error) is error
    assert json.loads(bare.data)["choices"][0]["delta"] == {}
    assert SseDecoder().feed(bare.raw)[0].data == bare.data


def test_perplexity_s_chunk_is_a_chunk_without_the_answer_so_far() -> None:
    """B-STR-28."""
    choice = {"index": 0, "delta": {"content": "lo"}, "message": {"content": "Hello"}, "finish_reason": None}
    seen = quirks.perplexity_frames(frame_of({"id": "c", "object": "chat.completion", "choices": [choice]}))

    assert json.loads(seen.data)["object"] == "chat.completion.chunk"
    assert json.loads(seen.data)["choices"] == [{"index": 0, "delta": {"content": "lo"}, "finish_reason": None}]
