import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.framing.ndjson import NdjsonDecoder
from tests.shapes import check_ollama
from tests.transport.simulate.mutated import mutations
from tests.transport.simulate.upstream import WEATHER, Answered, ask, user

TOOL = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}
OTHER = {"type": "function", "function": {"name": "now"}}


def chat(**body: Any) -> Answered:
    return ask("/api/chat", {"model": "qwen3", "messages": [user("Hello")], "stream": False, **body})


def whole(**body: Any) -> dict[str, Any]:
    answered = chat(**body)
    assert answered.status == 200, answered.body
    check_ollama(answered.json)
    said: dict[str, Any] = answered.json
    return said


def lines(answered: Answered) -> list[Any]:
    decoder = NdjsonDecoder()
    return [json.loads(frame.data) for frame in decoder.feed(answered.body) + decoder.close() if frame.data]


def projection(streamed: list[Any]) -> list[Any]:
    messages = [line["message"] for line in streamed]
    counts = {name: value for name, value in streamed[-1].items() if name.endswith(("count", "reason", "duration"))}
    return [
        "".join(message["content"] for message in messages),
        "".join(message.get("thinking", "") for message in messages),
        [call for message in messages for call in message.get("tool_calls", [])],
        [entry for line in streamed for entry in line.get("logprobs", [])],
        counts,
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"think": True},
        {"think": "low", "options": {"num_predict": 9}},
        {"tools": [TOOL, OTHER], "messages": [user("parallel:3")]},
        {"tools": [TOOL], "messages": [user("call:weather")]},
        {"options": {"num_predict": 2}},
        {"format": WEATHER},
        {"format": "json"},
        {"options": {"stop": ["HALT"]}, "messages": [user("HALT")]},
        {"logprobs": True},
    ],
    ids=json.dumps,
)
def test_a_stream_says_the_same_as_a_document(body) -> None:
    streamed = chat(**body, stream=True)

    for line in lines(streamed):
        check_ollama(line)
    assert streamed.headers.get("content-type") == "application/x-ndjson"
    assert projection(lines(streamed)) == projection([whole(**body)])


def test_it_streams_unless_told_not_to() -> None:
    asked = ask("/api/chat", {"model": "qwen3", "messages": [user("Hello")]})

    assert asked.headers.get("content-type") == "application/x-ndjson"


def test_a_call_fits_its_schema_and_its_arguments_are_an_object() -> None:
    (call,) = whole(tools=[TOOL], messages=[user("call:weather")])["message"]["tool_calls"]

    jsonschema_rs.validate(WEATHER, call["function"]["arguments"])


def test_thinking_comes_only_where_it_is_asked_for() -> None:
    assert "thinking" in whole(think=True)["message"]
    assert "thinking" not in whole(think=False)["message"]
    assert "thinking" not in whole()["message"]


@given(st.integers(1, 60))
@settings(max_examples=20, deadline=None)
def test_the_cap_holds(cap) -> None:
    assert whole(options={"num_predict": cap}, think=True)["eval_count"] <= cap


def test_a_result_without_an_id_is_taken() -> None:
    call = {"function": {"name": "weather", "arguments": {"city": "Oslo"}}}
    history = [user("?"), {"role": "assistant", "content": "", "tool_calls": [call]}, {"role": "tool", "content": "x"}]

    assert "tool_calls" not in whole(messages=history, tools=[TOOL])["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "no-such-model"}, 404),
        ({"model": ""}, 400),
        ({"model": 3}, 400),
        ({"messages": "x"}, 400),
        ({"messages": ["x"]}, 400),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400),
        ({"messages": [user([{"type": "text", "text": "x"}])]}, 400),
        ({"messages": [{**user("x"), "images": ["https://example.com/a.png"]}]}, 400),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]}, 400),
        ({"options": {"temperature": "hot"}}, 400),
        ({"options": {"num_predict": 1.5}}, 400),
        ({"options": []}, 400),
        ({"think": "enormously"}, 400),
        ({"format": "xml"}, 400),
        ({"stream": "yes"}, 400),
        ({"tools": [{"type": "function"}]}, 400),
    ],
    ids=str,
)
def test_what_does_not_decode_is_refused(body, status) -> None:
    refused = chat(**body)

    assert refused.status == status
    assert refused.json.keys() == {"error"}


def test_what_it_does_not_know_it_passes_over() -> None:
    assert whole(nonsense=1)["done"] is True


@given(mutations({"model": "m", "messages": [user("x")], "tools": [TOOL], "options": {"stop": ["a"]}, "think": True}))
@settings(max_examples=100, deadline=None)
def test_any_body_gets_an_answer_or_a_refusal(body) -> None:
    assert ask("/api/chat", body).status in (200, 400, 404)
