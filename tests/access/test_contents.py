"""What policies may ask of a body."""

from typing import Any

from setu import _json
from setu.access.contents import modalities_of, tools_of
from setu.chat.request import ChatRequest
from setu.dialects.record import Route
from setu.dialects.registry import DIALECTS

PICTURE = {"type": "image", "source": {"type": "url", "url": "https://pictures.test/a.png"}}


def parsed(dialect: str, body: dict[str, Any]) -> ChatRequest:
    route = Route(dialect=dialect, operation="chat")
    found = DIALECTS[dialect].client["chat"].parse_request(_json.encode({"model": "m", **body}), route)
    assert isinstance(found, ChatRequest)
    return found


def messages(*content: dict[str, Any], **members: Any) -> ChatRequest:
    turn = {"role": "user", "content": list(content) or "hello"}
    return parsed("anthropic", {"max_tokens": 9, "messages": [turn], **members})


def test_tools_go_by_their_names_and_hosted_ones_by_their_kind_too() -> None:
    functions = [{"name": "get_weather", "input_schema": {"type": "object"}}]
    hosted = [{"type": "web_search_20250305", "name": "web_search"}]

    assert tools_of(messages(tools=functions + hosted)) == {"get_weather", "web_search_20250305", "web_search"}


def test_a_conversation_without_tools_has_none() -> None:
    assert tools_of(messages()) == frozenset()


def test_text_alone() -> None:
    assert modalities_of(messages()) == {"text"}


def test_a_picture_counts_wherever_it_stands() -> None:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [PICTURE]}
    document = {"type": "document", "source": {"type": "content", "content": [PICTURE]}}

    assert modalities_of(messages(PICTURE)) == {"text", "image"}
    assert modalities_of(messages(result)) == {"text", "image"}
    assert modalities_of(messages(document)) == {"text", "image", "document"}


def test_what_an_answer_is_to_hold_counts_too() -> None:
    body = {"messages": [{"role": "user", "content": "sing"}], "modalities": ["text", "audio"], "audio": {"voice": "x"}}

    assert modalities_of(parsed("openai_chat", body)) == {"text", "audio"}
