import json

import msgspec
import pytest
from hypothesis import given, settings

from setu.chat.parts import Media, Plain, Text
from setu.chat.request import ChatRequest, HostedTool, Message
from setu.conformance.wire import cohere_request
from setu.dialects.cohere.codec import DIALECT
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

render = renders(DIALECT, "command-a-03-2025")
THINKS = Facts(thinking="budget")


def body(*messages, **members):
    return json.loads(render(*messages, **members).body)


def test_a_question_travels_with_its_role_and_words() -> None:
    assert body(user("Hi.")) == {
        "model": "command-a-03-2025",
        "stream": False,
        "messages": [{"role": "user", "content": "Hi."}],
    }


def test_system_and_developer_are_both_the_system() -> None:
    sent = body({"role": "system", "content": "A"}, {"role": "developer", "content": "B"}, user("C"))

    assert [message["role"] for message in sent["messages"]] == ["system", "system", "user"]


def test_options_have_cohere_s_names_and_ranges() -> None:
    rendered = render(temperature=1.5, top_p=1, max_tokens=5, stop=["END"], seed=3, logprobs=True, presence_penalty=-1)
    sent = json.loads(rendered.body)

    assert {"temperature": 1, "p": 0.99, "max_tokens": 5, "stop_sequences": ["END"], "seed": 3}.items() <= sent.items()
    assert sent["logprobs"] is True
    assert sent["presence_penalty"] == 0
    assert pointers(rendered.losses) == ["/temperature", "/top_p", "/presence_penalty"]


def test_a_setting_without_a_place_is_a_loss() -> None:
    rendered = render(logit_bias={"1": 2}, user="u")

    assert pointers(rendered.losses) == ["/logit_bias", "/user"]
    assert json.loads(rendered.body).keys() == {"model", "stream", "messages"}


def test_several_answers_are_refused_by_name() -> None:
    with pytest.raises(LocalDialectError) as refused:
        render(n=2)

    assert refused.value.param == "n"


def test_tools_keep_their_schema_byte_for_byte() -> None:
    sent = render(tools=[WEATHER]).body

    assert json.dumps(WEATHER["function"]["parameters"]).encode() in sent


@pytest.mark.parametrize(
    ("choice", "word", "offered"),
    [
        ("auto", None, ["weather", "other"]),
        ("none", "NONE", ["weather", "other"]),
        ("required", "REQUIRED", ["weather", "other"]),
        ({"type": "function", "function": {"name": "weather"}}, "REQUIRED", ["weather"]),
    ],
    ids=str,
)
def test_a_choice_is_a_word_and_a_named_one_offers_one_tool(choice, word, offered) -> None:
    other = {"type": "function", "function": {"name": "other"}}
    sent = body(user("Hi."), tools=[WEATHER, other], tool_choice=choice)

    assert sent.get("tool_choice") == word
    assert [tool["function"]["name"] for tool in sent["tools"]] == offered


@pytest.mark.parametrize(("flags", "strict"), [((True, True), True), ((True, False), None)])
def test_strictness_is_of_all_tools_or_of_none(flags, strict) -> None:
    tools = [{"type": "function", "function": {"name": f"t{i}", "strict": flag}} for i, flag in enumerate(flags)]
    rendered = render(tools=tools)

    assert json.loads(rendered.body).get("strict_tools") is strict
    assert pointers(rendered.losses) == ([] if strict else ["/tools"])


def test_calls_and_results_keep_their_ids_and_order() -> None:
    sent = body(user("?"), called("call_a", "call_b"), result("call_b"), result("call_a", "sun"), tools=[WEATHER])

    assert [call["id"] for call in sent["messages"][1]["tool_calls"]] == ["call_a", "call_b"]
    assert sent["messages"][2:] == [
        {"role": "tool", "tool_call_id": "call_b", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_a", "content": "sun"},
    ]


def test_an_id_too_long_is_shortened_alike_for_call_and_result() -> None:
    sent = body(user("?"), called("x" * 99), result("x" * 99), tools=[WEATHER])
    identity = sent["messages"][1]["tool_calls"][0]["id"]

    assert len(identity) <= 40
    assert sent["messages"][2]["tool_call_id"] == identity


@pytest.mark.parametrize("broken", ["", "no json", "[1]"])
def test_arguments_are_always_an_object_s_text(broken) -> None:
    sent = body(user("?"), called("call_a", arguments=broken), result("call_a"), tools=[WEATHER])

    assert sent["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_the_thinking_before_calls_goes_back_as_their_plan() -> None:
    turn = called("call_a", reasoning_content="I will look.")
    sent = body(user("?"), turn, result("call_a"), tools=[WEATHER])

    assert sent["messages"][1]["tool_plan"] == "I will look."


def test_a_model_that_thinks_gets_its_thinking_back_as_content() -> None:
    before = {"role": "assistant", "content": "42", "reasoning_content": "Six sevens."}
    sent = body(user("?"), before, user("Sure?"), facts=THINKS)

    assert sent["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Six sevens."},
        {"type": "text", "text": "42"},
    ]


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"reasoning_effort": "high"}, {"type": "enabled", "token_budget": 16384}),
        ({"reasoning_effort": "none"}, {"type": "disabled"}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {"type": "enabled", "token_budget": 2000}),
        ({}, None),
    ],
    ids=str,
)
def test_thinking_is_a_budget(asked, sent) -> None:
    assert body(user("?"), facts=THINKS, **asked).get("thinking") == sent


def test_thinking_of_a_model_that_does_not_is_a_loss() -> None:
    rendered = render(user("?"), facts=Facts(thinking="none"), reasoning_effort="high")

    assert b"thinking" not in rendered.body
    assert pointers(rendered.losses) == ["/thinking/effort"]


def test_a_schema_is_a_json_object_with_a_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    assert body(user("?"), response_format=form)["response_format"] == {"type": "json_object", "json_schema": schema}
    assert body(user("?"), response_format={"type": "json_object"})["response_format"] == {"type": "json_object"}


def test_a_response_format_beside_tools_is_a_loss() -> None:
    rendered = render(tools=[WEATHER], response_format={"type": "json_object"})

    assert b"response_format" not in rendered.body
    assert pointers(rendered.losses) == ["/output"]


def test_images_travel_by_address_and_inline() -> None:
    content = [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
    ]
    sent = body(user(content))

    assert sent["messages"][0]["content"] == content


def test_images_of_results_follow_in_a_user_message() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    sent = body(user("?"), called("call_a"), result("call_a", [{"type": "text", "text": "Radar"}, image]))

    assert sent["messages"][2]["content"] == "Radar"
    assert sent["messages"][3] == {"role": "user", "content": [image]}


def test_a_text_document_stands_beside_the_messages() -> None:
    document = Media(kind="document", source=Plain(text="The sky is green."), name="sky.txt")
    request = ChatRequest(model="m", messages=(Message(role="user", parts=(document, Text(text="Colour?"))),))
    sent = json.loads(DIALECT.upstream["chat"].render_request(request, Target(model="c")).body)

    assert sent["documents"] == [{"data": {"text": "The sky is green.", "title": "sky.txt"}}]
    assert sent["messages"] == [{"role": "user", "content": "Colour?"}]


def test_a_binary_document_is_refused_with_its_place() -> None:
    file = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}}

    with pytest.raises(LocalDialectError) as refused:
        render(user([file]))

    assert (refused.value.param, refused.value.code) == ("messages[0].content[0]", "unsupported_media")


def test_members_that_only_cohere_has_are_given_on_and_others_are_losses() -> None:
    rendered = render(documents=["The sky is green."], safety_mode="STRICT", x_other=1)
    sent = json.loads(rendered.body)

    assert sent["documents"] == ["The sky is green."]
    assert sent["safety_mode"] == "STRICT"
    assert pointers(rendered.losses) == ["/x_other"]


def test_a_hosted_tool_is_refused() -> None:
    hosted = HostedTool(kind="web_search", dialect="anthropic", config=b"{}")
    request = ChatRequest(model="m", messages=(Message(role="user", parts=(Text(text="?"),)),), tools=(hosted,))

    with pytest.raises(LocalDialectError, match="web_search"):
        DIALECT.upstream["chat"].render_request(request, Target(model="c"))


def test_an_assistant_that_says_nothing_is_left_out() -> None:
    sent = body(user("Hi."), {"role": "assistant", "content": ""}, user("?"))

    assert [message["role"] for message in sent["messages"]] == ["user", "user"]


@given(histories(), settings_of_a_request())
@settings(max_examples=60, deadline=None)
def test_every_legal_request_becomes_a_legal_one(messages, members) -> None:
    rendered = render(*messages, **members)
    sent = json.loads(rendered.body)

    msgspec.convert(sent, cohere_request.Request)
    assert sent.keys() <= cohere_request.TOP_LEVEL
    assert render(*messages, **members) == rendered


def test_results_stay_together_and_their_images_come_after_all_of_them() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    sent = body(user("?"), called("a", "b"), result("a", [image]), result("b"))

    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "tool", "tool", "user"]
