"""Legacy completions, where a completion model answers and where chat does."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.events import Event
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.parts import Reasoning, Text, ToolCall
from setu.chat.request import ChatRequest, Message
from setu.chat.response import Candidate, ChatResponse, Finish
from setu.chat.unfold import unfold
from setu.dialects.openai_chat.complete import (
    CompletionDecoder,
    CompletionEncoder,
    parse_request,
    parse_response,
    render_request,
    render_response,
)
from setu.dialects.record import Reply, Route, Target
from setu.errors import LocalDialectError
from setu.framing.frame import Frame

ROUTE = Route(dialect="openai_chat", operation="complete")
REPLY = Reply(model="asked", id="cmpl-1", created=1, mint=counter(), stream_usage=True)
LOGPROBS: dict[str, Any] = {
    "tokens": ["He", "llo"],
    "token_logprobs": [-0.5, -0.25],
    "top_logprobs": [{"He": -0.5, "Hi": -1.0}, {"llo": -0.25}],
    "text_offset": [0, 2],
}
ANSWER: dict[str, Any] = {
    "id": "cmpl-9",
    "object": "text_completion",
    "created": 7,
    "model": "up",
    "choices": [{"text": "Hello", "index": 0, "logprobs": LOGPROBS, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4},
}


def read(**members: Any) -> ChatRequest:
    return parse_request(json.dumps({"model": "m", "prompt": "a", **members}).encode(), ROUTE)


@given(
    st.fixed_dictionaries(
        {"prompt": st.text(max_size=9)},
        optional={"max_tokens": st.integers(0, 9), "temperature": st.floats(0, 2), "stop": st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=4),
                  "logprobs": st.integers(0, 5), "n": st.integers(1, 4), "stream": st.just(True), "top_k": st.integers(1, 9),
                  "seed": st.integers(0, 9), "logit_bias": st.just({"50256": -100}), "min_p": st.floats(0, 1)},
    )
)  # fmt: skip
def test_a_request_survives_being_written(members: dict[str, Any]) -> None:
    request = read(**members)

    rendered = render_request(request, Target(model="m"))

    assert rendered.losses == ()
    assert parse_request(rendered.body, ROUTE) == request
    assert json.loads(rendered.body)["prompt"] == members["prompt"]


def test_log_probabilities_are_asked_for_by_a_number() -> None:
    options = read(logprobs=3).options

    assert (options.logprobs, options.top_logprobs) == (True, 3)


@pytest.mark.parametrize(
    "members", [{"suffix": ""}, {"echo": False}, {"best_of": 1}, {"best_of": None}, {"stop": None}, {"logit_bias": {}}]
)
def test_what_asks_for_nothing_is_no_hindrance(members: dict[str, Any]) -> None:
    assert read(**members) == read()


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1]}, "prompt"),
        ({"prompt": [[1]]}, "prompt"),
        ({"prompt": [None]}, "prompt"),
        ({"prompt": 1}, "prompt"),
        ({"suffix": "x"}, "suffix"),
        ({"echo": True}, "echo"),
        ({"best_of": 2}, "best_of"),
        ({"model": ""}, "model"),
        ({"max_tokens": "1"}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"logprobs": -1}, "logprobs"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        read(**members)

    assert caught.value.param == param


@given(st.binary(max_size=60))
def test_any_bytes_are_a_request_or_an_error(body: bytes) -> None:
    with suppress(LocalDialectError):
        assert parse_request(body, ROUTE).messages


def test_a_conversation_cannot_be_written_as_a_prompt() -> None:
    turn = Message(role="user", parts=(Text(text="a"),))

    with pytest.raises(LocalDialectError) as caught:
        render_request(ChatRequest(model="m", messages=(turn, turn)), Target(model="m"))

    assert caught.value.param == "messages"


def test_an_answer_with_log_probabilities_survives_both_ways() -> None:
    answer = parse_response(json.dumps(ANSWER).encode(), counter())

    assert json.loads(render_response(answer, REPLY).body) == ANSWER


def test_calls_and_thinking_are_lost_and_said_so() -> None:
    parts = (Reasoning(text=("hm",)), Text(text="Hi"), ToolCall(call_id="c", name="f", arguments="{}"))
    message = Message(role="assistant", parts=parts)
    response = ChatResponse(candidates=(Candidate(messages=(message,), finish=Finish(reason="tool_calls")),))

    rendered = render_response(response, REPLY)

    assert json.loads(rendered.body)["choices"] == [
        {"text": "Hi", "index": 0, "logprobs": None, "finish_reason": "stop"}
    ]
    assert {loss.pointer for loss in rendered.losses} == {"/choices/0/reasoning_content", "/choices/0/tool_calls"}


def decoded(frames: list[Frame]) -> list[Event]:
    decoder = CompletionDecoder(counter())
    return [*(event for frame in frames for event in decoder.feed(frame)), *decoder.close()]


def test_a_stream_says_what_the_whole_answer_says() -> None:
    answer = parse_response(json.dumps(ANSWER).encode(), counter())
    encoder = CompletionEncoder(REPLY)

    frames = [frame for event in unfold(answer) for frame in encoder.feed(event)]
    chunks = [json.loads(frame.data or b"") for frame in frames[:-1]]
    folded = fold(decoded(frames))

    assert frames[-1].data == b"[DONE]"
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert [list(choice) for choice in chunks[0]["choices"]] == [["text", "index", "logprobs", "finish_reason"]]
    assert chunks[-1]["usage"] == ANSWER["usage"]
    assert folded.complete
    assert json.loads(render_response(folded.response, REPLY).body)["choices"] == ANSWER["choices"]


def test_offsets_go_on_through_a_stream() -> None:
    answer = parse_response(json.dumps(ANSWER).encode(), counter())
    encoder = CompletionEncoder(REPLY)

    frames = [frame for event in (*unfold(answer),) for frame in encoder.feed(event)]
    logprobs = [
        choice["logprobs"]
        for frame in frames[:-1]
        for choice in json.loads(frame.data or b"")["choices"]
        if choice["logprobs"]
    ]

    assert [offset for one in logprobs for offset in one["text_offset"]] == [0, 2]


@given(
    st.lists(
        st.binary(max_size=30) | st.sampled_from([b'{"choices":[{"text":"a"}]}', b'{"text":1}', b"[DONE]", b'["text"]'])
    )
)
def test_no_frame_breaks_the_decoder(datas: list[bytes]) -> None:
    events = decoded([Frame(data=data) for data in datas])

    assert type(events[-1]).__name__ == "Ended"
