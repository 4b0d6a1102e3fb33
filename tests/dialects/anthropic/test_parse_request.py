"""Reading what clients of Anthropic send."""

import pytest
from msgspec import UNSET

from setu.chat.parts import (
    Blocks,
    HostedCall,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Plain,
    Reasoning,
    Ref,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from setu.chat.request import FunctionTool, HostedTool, Message, Output, Thinking, ToolChoice
from setu.chat.seals import CacheMark, Extra, Seal
from setu.dialects.record import Route
from setu.errors import LocalDialectError
from tests.dialects.anthropic.wire import CLIENT, HELLO, parse, parts_of


def test_a_string_and_a_text_block_are_the_same_content() -> None:
    assert parts_of("Hello") == parts_of([{"type": "text", "text": "Hello"}]) == (Text(text="Hello"),)


def test_the_system_prompt_is_a_string_or_blocks_with_cache_marks() -> None:
    marked = {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}

    assert parse(system="Be brief.").system == (Text(text="Be brief."),)
    assert parse(system=[marked]).system == (Text(text="Be brief.", cache=CacheMark(ttl="1h")),)


def test_a_system_message_in_the_middle_stays_where_it_stood():  # B-MSG-02
    request = parse([HELLO, {"role": "system", "content": "Now in French."}])

    assert request.messages[1] == Message(role="system", parts=(Text(text="Now in French."),))


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
            Media(kind="image", source=Inline(b64="QUJD", mime="image/png")),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x/y"}},
            Media(kind="image", source=Url(url="https://x/y")),
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "f1"}},
            Media(kind="image", source=Ref(issuer="anthropic", id="f1")),
        ),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
                "title": "T",
                "context": "C",
                "citations": {"enabled": True},
            },
            Media(kind="document", source=Plain(text="words"), name="T", context="C", cited=True),
        ),
        (
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}},
            Media(kind="document", source=Blocks(parts=(Text(text="a"),))),
        ),
        (
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            Reasoning(text=("hm",), seal=Seal(issuer="anthropic", kind="signature", data="sig")),
        ),
        (
            {"type": "redacted_thinking", "data": "xx"},
            Reasoning(redacted=True, seal=Seal(issuer="anthropic", kind="redacted", data="xx")),
        ),
        (
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": 1}},
            HostedCall(
                call_id="s1", tool="server_tool_use", dialect="anthropic", name="web_search", arguments=b'{"q": 1}'
            ),
        ),
        (
            {"type": "mcp_tool_use", "id": "m1", "name": "ask", "server_name": "wiki", "input": {}},
            HostedCall(
                call_id="m1", tool="mcp_tool_use", dialect="anthropic", name="ask", server="wiki", arguments=b"{}"
            ),
        ),
        (
            {"type": "code_execution_tool_result", "tool_use_id": "s1", "content": {"stdout": ""}},
            HostedResult(
                call_id="s1", tool="code_execution_tool_result", dialect="anthropic", content=b'{"stdout": ""}'
            ),
        ),
        (
            {"type": "compaction", "content": "so far"},
            Opaque(dialect="anthropic", kind="compaction", raw=b'{"type": "compaction", "content": "so far"}'),
        ),
        (
            {"type": "image", "source": {"type": "of_tomorrow"}},
            Opaque(dialect="anthropic", kind="image", raw=b'{"type": "image", "source": {"type": "of_tomorrow"}}'),
        ),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_every_block_has_its_part(content, part) -> None:
    assert parts_of([content]) == (part,)


def test_a_call_keeps_its_arguments_to_the_letter():  # P11, P12
    body = b'{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"n": 1.10,"big":123456789012345678901}}]}]}'

    request = CLIENT.parse_request(body, Route(dialect="anthropic", operation="chat"))

    assert request.messages[0].parts == (
        ToolCall(call_id="t1", name="f", arguments='{"n": 1.10,"big":123456789012345678901}'),
    )


def test_a_result_knows_the_name_of_its_call() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "look_up", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "42", "is_error": True}

    request = parse([{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}])

    assert request.messages[1].parts == (
        ToolResult(call_id="t1", name="look_up", content=(Text(text="42"),), is_error=True),
    )


def test_tools_are_functions_or_run_at_anthropic():  # B-TOOL-14
    function = {"name": "f", "input_schema": {"type": "object"}, "strict": True, "input_examples": []}
    hosted = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}

    request = parse(tools=[function, function | {"type": "custom"}, hosted])

    read = FunctionTool(
        name="f",
        schema=b'{"type": "object"}',
        strict=True,
        extra=Extra(dialect="anthropic", members={"input_examples": b"[]"}),
    )
    assert request.tools[:2] == (read, read)
    assert isinstance(request.tools[2], HostedTool)
    assert (request.tools[2].kind, request.tools[2].name) == ("web_search_20250305", "web_search")


@pytest.mark.parametrize(
    ("choice", "read", "parallel"),
    [
        ({"type": "auto"}, ToolChoice(mode="auto"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice(mode="required"), False),
        ({"type": "tool", "name": "f"}, ToolChoice(mode="named", names=("f",)), None),
        ({"type": "none"}, ToolChoice(mode="none"), None),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_the_tool_choice_and_parallelism_are_two_things(choice, read, parallel):  # B-TOOL-16
    request = parse(tool_choice=choice)

    assert (request.tool_choice, request.parallel) == (read, parallel)


@pytest.mark.parametrize(
    ("members", "read"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Thinking(mode="on", budget=2048)),
        ({"thinking": {"type": "disabled"}}, Thinking(mode="off")),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Thinking(mode="adaptive", show="none")),
        ({"output_config": {"effort": "xhigh"}}, Thinking(effort="xhigh")),
        ({"thinking": {"type": "of_tomorrow"}}, None),
        ({}, None),
    ],
    ids=str,
)
def test_thinking_is_read_in_every_form(members, read) -> None:
    assert parse(**members).thinking == read


def test_a_thinking_mode_of_tomorrow_is_kept_for_anthropic() -> None:
    request = parse(thinking={"type": "between_tools"})

    assert request.extra == Extra(dialect="anthropic", members={"thinking": b'{"type": "between_tools"}'})


@pytest.mark.parametrize(
    "members",
    [
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        {"output_format": {"type": "json_schema", "schema": {"type": "object"}}},
    ],
    ids=["output_config", "the beta's output_format"],
)
def test_a_schema_for_the_answer_is_read_in_both_spellings(members) -> None:
    request = parse(**members)

    assert request.output == Output(kind="schema", schema=b'{"type": "object"}', dialect="anthropic")
    assert request.extra is None


def test_settings_and_what_only_anthropic_knows() -> None:
    request = parse(
        temperature=0, top_p=0, top_k=5, stop_sequences=["END"], metadata={"user_id": "u1", "more": 1}, container="c1"
    )

    options = request.options
    assert (options.temperature, options.top_p, options.top_k) == (0, 0, 5)  # B-PRM-01
    assert (options.stop, options.user, options.seed) == (("END",), "u1", UNSET)
    assert request.extra == Extra(dialect="anthropic", members={"metadata": b'{"more":1}', "container": b'"c1"'})


def test_the_path_may_name_the_model() -> None:
    route = Route(dialect="anthropic", operation="chat", model="claude-in-the-path")

    request = CLIENT.parse_request(b'{"max_tokens":1,"messages":[{"role":"user","content":"x"}]}', route)

    assert request.model == "claude-in-the-path"


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": ...}, "model"),
        ({"max_tokens": ...}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"messages": ...}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "model", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages[0].content[0].source"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]}]},
            "messages[0].content[0].source.url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "x"}]}]},
            "messages[0].content[0].tool_use_id",
        ),
        (
            {
                "messages": [
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": "{}"}]}
                ]
            },
            "messages[0].content[0].input",
        ),
        ({"system": [{"type": "image", "source": {"type": "url", "url": "https://x"}}]}, "system[0]"),
        ({"temperature": 1.5}, "temperature"),
        ({"stop_sequences": [1]}, "stop_sequences[0]"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"tools": [{"name": "f", "input_schema": []}]}, "tools[0].input_schema"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {"type": "required"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10}}, "thinking.budget_tokens"),
        ({"output_config": {"format": {"type": "text"}}}, "output_config.format.type"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"stream": "yes"}, "stream"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]},
            "messages[0].content[0].source.type",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named(members, param) -> None:
    with pytest.raises(LocalDialectError) as caught:
        parse(**members)

    assert caught.value.param == param


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"model":"\xff"}'], ids=["empty", "cut", "array", "not UTF-8"])
def test_what_is_no_json_object_is_the_clients_error(body):  # B-ERR-10
    with pytest.raises(LocalDialectError):
        CLIENT.parse_request(body, Route(dialect="anthropic", operation="chat"))


@pytest.mark.parametrize(
    "mark", [{"type": "of_tomorrow"}, {"type": "ephemeral", "scope": "all"}], ids=["type", "member"]
)
def test_a_cache_mark_of_tomorrow_is_kept_for_anthropic(mark) -> None:
    (text,) = parts_of([{"type": "text", "text": "x", "cache_control": mark}])

    assert text.cache is None
    assert text.extra.members.keys() == {"cache_control"}


def test_citations_of_a_form_of_tomorrow_keep_the_document_whole() -> None:
    document = {
        "type": "document",
        "source": {"type": "url", "url": "https://x"},
        "citations": {"enabled": True, "mode": 1},
    }

    (part,) = parts_of([document])

    assert isinstance(part, Opaque)
