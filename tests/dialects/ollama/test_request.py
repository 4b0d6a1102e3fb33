import json

import msgspec
import pytest
from hypothesis import given, settings

from setu.chat.parts import Inline, Media, Text, Url
from setu.chat.request import ChatRequest, Message
from setu.conformance.wire import ollama_request
from setu.dialects.ollama.codec import DIALECT
from setu.dialects.record import Facts, Target
from setu.errors import LocalDialectError
from tests.dialects.chats import (
    PNG,
    WEATHER,
    called,
    histories,
    pointers,
    renders,
    result,
    settings_of_a_request,
    user,
)

render = renders(DIALECT, "llama3.2")
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}


def body(*messages, **members):
    return json.loads(render(*messages, **members).body)


def test_a_question_says_that_it_wants_no_stream() -> None:
    assert body(user("Hi.")) == {
        "model": "llama3.2",
        "stream": False,
        "messages": [{"role": "user", "content": "Hi."}],
    }


def test_settings_stand_below_options_and_log_probabilities_beside() -> None:
    sent = body(temperature=2, max_tokens=5, stop="END", seed=3, top_p=0, logprobs=True, top_logprobs=2)

    assert sent["options"] == {"temperature": 2, "num_predict": 5, "stop": ["END"], "seed": 3, "top_p": 0}
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 2)


def test_a_setting_without_a_place_is_a_loss() -> None:
    assert pointers(render(logit_bias={"1": 2}, user="u").losses) == ["/logit_bias", "/user"]


def test_several_answers_are_refused_by_name() -> None:
    with pytest.raises(LocalDialectError) as refused:
        render(n=2)

    assert refused.value.param == "n"


def test_tools_stand_at_the_top_and_keep_their_schema() -> None:
    """B-TOOL-30."""
    rendered = render(tools=[WEATHER])

    assert json.loads(rendered.body)["tools"] == [WEATHER]
    assert json.dumps(WEATHER["function"]["parameters"]).encode() in rendered.body


def test_calls_have_an_object_and_results_name_their_tool() -> None:
    """B-TOOL-30."""
    sent = body(user("?"), called("call_a"), result("call_a"), tools=[WEATHER])

    assert sent["messages"][1] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "call_a", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
    }
    assert sent["messages"][2] == {
        "role": "tool",
        "content": "rain",
        "tool_name": "weather",
        "tool_call_id": "call_a",
    }


def test_arguments_keep_their_exact_text() -> None:
    sent = render(user("?"), called("a", arguments='{"n": 1.10, "big": 12345678901234567890}'), result("a")).body

    assert b'"arguments":{"n": 1.10, "big": 12345678901234567890}' in sent


@pytest.mark.parametrize("broken", ["", "no json", "[1]"])
def test_arguments_are_always_an_object(broken) -> None:
    sent = body(user("?"), called("call_a", arguments=broken), result("call_a"))

    assert sent["messages"][1]["tool_calls"][0]["function"]["arguments"] == {}


def test_a_choice_that_forces_is_a_loss_and_none_hides_the_tools() -> None:
    forced, none = render(tools=[WEATHER], tool_choice="required"), render(tools=[WEATHER], tool_choice="none")

    assert pointers(forced.losses) == ["/tool_choice"]
    assert none.losses == ()
    assert b"tools" not in none.body


def test_a_named_choice_offers_that_tool_alone() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    sent = body(tools=[other, WEATHER], tool_choice={"type": "function", "function": {"name": "weather"}})

    assert [tool["function"]["name"] for tool in sent["tools"]] == ["weather"]


def test_parts_are_one_text_and_images_are_bare_base64() -> None:
    sent = body(user([{"type": "text", "text": "One"}, IMAGE, {"type": "text", "text": "two"}]))

    assert sent["messages"] == [{"role": "user", "content": "One\ntwo", "images": [PNG]}]


def test_images_of_results_follow_in_a_user_message() -> None:
    sent = body(user("?"), called("call_a"), result("call_a", [{"type": "text", "text": "Radar"}, IMAGE]), user("So?"))

    assert sent["messages"][2]["content"] == "Radar"
    assert sent["messages"][3] == {"role": "user", "content": "So?", "images": [PNG]}


def test_an_image_by_address_is_refused_unless_its_bytes_were_fetched() -> None:
    part = Media(kind="image", source=Url(url="https://example.com/a.png"))
    request = ChatRequest(model="m", messages=(Message(role="user", parts=(Text(text="?"), part)),))
    fetched = Target(model="m", media={"https://example.com/a.png": Inline(b64=PNG, mime="image/png")})
    write = DIALECT.upstream["chat"].render_request

    assert json.loads(write(request, fetched).body)["messages"][0]["images"] == [PNG]
    with pytest.raises(LocalDialectError) as refused:
        write(request, Target(model="m"))
    assert refused.value.param == "messages[0].content[1]"


def test_earlier_thinking_goes_back_beside_the_content() -> None:
    before = {"role": "assistant", "content": "42", "reasoning_content": "Six sevens."}

    assert body(user("?"), before, user("Sure?"))["messages"][1]["thinking"] == "Six sevens."


@pytest.mark.parametrize(
    ("facts", "asked", "think", "lost"),
    [
        (None, {"reasoning_effort": "high"}, True, ["/thinking"]),
        (None, {"reasoning_effort": "none"}, False, []),
        ("budget", {"thinking": {"type": "enabled"}}, True, []),
        ("effort", {"reasoning_effort": "high"}, "high", []),
        ("effort", {"reasoning_effort": "max"}, "high", ["/thinking"]),
        ("effort", {"thinking": {"type": "enabled", "budget_tokens": 9000}}, "medium", ["/thinking"]),
        ("effort", {"reasoning_effort": "none"}, "low", ["/thinking/mode"]),
        ("none", {"reasoning_effort": "high"}, None, ["/thinking/effort"]),
        ("none", {"reasoning_effort": "none"}, None, []),
    ],
    ids=str,
)
def test_thinking_is_a_flag_or_a_level(facts, asked, think, lost) -> None:
    rendered = render(user("?"), facts=Facts(thinking=facts), **asked)

    assert json.loads(rendered.body).get("think") == think
    assert pointers(rendered.losses) == lost


def test_a_schema_is_the_format() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    assert body(response_format=form)["format"] == schema
    assert body(response_format={"type": "json_object"})["format"] == "json"
    assert "format" not in body(response_format={"type": "text"})


def test_members_that_only_ollama_has_are_given_on_and_options_merge() -> None:
    rendered = render(temperature=1, keep_alive="5m", options={"num_ctx": 8192, "temperature": 0}, x_other=1)
    sent = json.loads(rendered.body)

    assert sent["keep_alive"] == "5m"
    assert sent["options"] == {"num_ctx": 8192, "temperature": 1}
    assert pointers(rendered.losses) == ["/x_other"]


@given(histories(), settings_of_a_request())
@settings(max_examples=60, deadline=None)
def test_every_legal_request_becomes_a_legal_one(messages, members) -> None:
    rendered = render(*messages, **members)
    sent = json.loads(rendered.body)

    msgspec.convert(sent, ollama_request.Request)
    assert sent.keys() <= ollama_request.TOP_LEVEL
    assert render(*messages, **members) == rendered


def test_results_stay_together_and_their_images_come_after_all_of_them() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    sent = body(user("?"), called("a", "b"), result("a", [image]), result("b"))

    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "tool", "tool", "user"]


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"seed": 2**53}, "seed"),
        ({"tools": [{"type": "function", "function": {"name": "\U0001f680 go"}}]}, "tools[0].name"),
    ],
    ids=str,
)
def test_what_would_be_taken_and_not_understood_is_refused_by_name(members, param) -> None:
    with pytest.raises(LocalDialectError) as refused:
        render(**members)

    assert refused.value.param == param
