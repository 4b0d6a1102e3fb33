"""What a prompt is estimated at."""

import pytest

from setu.chat.count import TOKENS_A_MEDIUM, TOKENS_A_MESSAGE, estimate
from setu.chat.parts import (
    AnyPart,
    Blocks,
    HostedCall,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Plain,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, HostedTool, Message, Tool

PICTURE = Media(kind="image", source=Inline(b64="x" * 10_000, mime="image/png"))


def asked(*parts: AnyPart, system: tuple[AnyPart, ...] = (), tools: tuple[Tool, ...] = ()) -> int:
    request = ChatRequest(model="m", messages=(Message(role="user", parts=parts),), system=system, tools=tools)
    return estimate(request).total


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (Text(text="four"), 1),
        (Text(text="fives"), 2),
        (Text(text="日本"), 2),
        (Text(text=""), 0),
        (Text(text="\ud800"), 1),
        (Refusal(text="four"), 1),
        (Reasoning(text=("four", "more")), 2),
        (Reasoning(summary=("four",)), 1),
        (ToolCall(call_id="c", name="look", arguments="{}{}"), 2),
        (ToolResult(call_id="c", content=(Text(text="four"), PICTURE)), 1 + TOKENS_A_MEDIUM),
        (PICTURE, TOKENS_A_MEDIUM),
        (Media(kind="document", source=Plain(text="four")), 1),
        (Media(kind="document", source=Blocks(parts=(Text(text="four"),))), 1),
        (HostedCall(call_id="c", tool="t", dialect="d", arguments=b"{}{}"), 1),
        (HostedCall(call_id="c", tool="t", dialect="d"), 0),
        (HostedResult(call_id="c", tool="t", dialect="d", content=b"[1,2]"), 2),
        (Opaque(dialect="d", kind="k", raw=b"1234"), 1),
    ],
)
def test_bytes_and_media_make_tokens(part: AnyPart, tokens: int) -> None:
    assert asked(part) == tokens + TOKENS_A_MESSAGE


@pytest.mark.parametrize(
    "tool",
    [
        FunctionTool(name="look", schema=b"{}{}"),
        FunctionTool(name="lo", description="ok", schema=b"{}{}"),
        CustomTool(name="look", grammar=b"{}{}"),
        HostedTool(kind="search", dialect="d", config=b"12345678"),
    ],
)
def test_system_prompt_and_tools_count_too(tool: Tool) -> None:
    assert asked(Text(text="four"), system=(Text(text="four"),), tools=(tool,)) == 1 + 1 + 2 + 3 * TOKENS_A_MESSAGE
