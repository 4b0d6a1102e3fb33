"""What Anthropic refuses about messages, their blocks and the order of turns."""

import re
from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.anthropic_wording import KEYS, TOOL_NAME, Json, a_list, a_string, an_object, closed
from setu.transport.simulate.refused import RefusedError

_OTHER_BLOCKS = frozenset(
    {
        "container_upload",
        "mcp_tool_use",
        "mcp_tool_result",
        "compaction",
        "tool_addition",
        "tool_removal",
        "tool_reference",
    }
)
_NEEDED: Mapping[str, str] = {
    "text": "text",
    "image": "source",
    "document": "source",
    "thinking": "thinking signature",
    "redacted_thinking": "data",
    "tool_use": "id name input",
    "tool_result": "tool_use_id",
    "server_tool_use": "id name input",
}
_STRINGS = frozenset({"text", "thinking", "signature", "data", "id", "name", "tool_use_id"})
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_BLOCKS = frozenset(KEYS) - {"", "message", "tool", "metadata", "output_config"}
_SOURCES: Mapping[str, str] = {
    "base64": "media_type data",
    "url": "url",
    "text": "media_type data",
    "file": "file_id",
    "content": "content",
}


def turns(messages: list[Json]) -> list[tuple[str, list[Json]]]:
    """Return the turns as roles with blocks; consecutive messages of a role are one turn."""
    merged: list[tuple[str, list[Json]]] = []
    for message in messages:
        role, content = message["role"], message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if role == "system":
            continue  # an instruction between turns ends none of them
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(blocks)
        else:
            merged.append((role, list(blocks)))
    return merged


def check_system(system: Any) -> None:
    if system is None or isinstance(system, str):
        return
    for index, block in enumerate(a_list(system, "system")):
        if an_object(block, f"system.{index}").get("type") != "text":
            raise RefusedError(f"system.{index}.type: Input should be 'text'")
        _block(block, f"system.{index}")


def check_messages(messages: Any) -> None:
    if not a_list(messages, "messages"):
        raise RefusedError("messages: at least one message is required")
    for index, message in enumerate(messages):
        path = f"messages.{index}"
        closed(an_object(message, path), "message", path)
        for name in ("role", "content"):
            if name not in message:
                raise RefusedError(f"{path}.{name}: Field required")
        if message["role"] not in ("user", "assistant", "system"):
            raise RefusedError(
                f'messages: Unexpected role "{message["role"]}". Allowed roles are "user" or "assistant"'
            )
        _content(message, path, last=index == len(messages) - 1)
    _results(turns(messages))
    _prefill(messages[-1])


def _content(message: Json, path: str, *, last: bool) -> None:
    content = message["content"]
    if not content and not (last and message["role"] == "assistant"):
        raise RefusedError(
            f"{path}: all messages must have non-empty content except for the optional final assistant message"
        )
    if isinstance(content, str):
        return
    for index, block in enumerate(a_list(content, f"{path}.content")):
        where = f"{path}.content.{index}"
        _block(an_object(block, where), where)
    # Beside other kinds of blocks a blank text passes; a turn of nothing else does not.
    if all(block["type"] == "text" and not block["text"].strip() for block in content) and content:
        raise RefusedError("messages: text content blocks must contain non-whitespace text")


def _block(block: Json, path: str) -> None:
    kind = block.get("type")
    if kind is None:
        raise RefusedError(f"{path}.type: Field required")
    if not isinstance(kind, str):
        raise RefusedError(f"{path}.type: Input should be a valid string")
    if kind in _OTHER_BLOCKS or kind.endswith("_tool_result"):
        return
    if kind not in _BLOCKS:
        raise RefusedError(f"{path}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    where = f"{path}.{kind}"
    closed(block, kind, where)
    for name in _NEEDED.get(kind, "").split():
        if name not in block:
            raise RefusedError(f"{where}.{name}: Field required")
        if name in _STRINGS:
            a_string(block[name], f"{where}.{name}")
    _block_values(block, kind, where)


def _block_values(block: Json, kind: str, path: str) -> None:
    match kind:
        case "text" if not block["text"]:
            raise RefusedError("messages: text content blocks must be non-empty")
        case "image" | "document":
            _source(an_object(block["source"], f"{path}.source"), f"{path}.source")
        case "tool_use":
            an_object(block["input"], f"{path}.input")
            if not _ID.fullmatch(block["id"]):
                raise RefusedError(f"{path}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
            if not TOOL_NAME.fullmatch(block["name"]):
                raise RefusedError(f"{path}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        case "tool_result" if isinstance(block.get("content"), list):
            for index, inner in enumerate(block["content"]):
                _block(an_object(inner, f"{path}.content.{index}"), f"{path}.content.{index}")
        case _:
            pass


def _source(source: Json, path: str) -> None:
    kind = str(source.get("type"))
    if kind not in _SOURCES:
        raise RefusedError(f"{path}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    for name in _SOURCES[kind].split():
        if name not in source:
            raise RefusedError(f"{path}.{kind}.{name}: Field required")


def _results(merged: list[tuple[str, list[Json]]]) -> None:
    """The turn after a tool_use begins with the results of all its calls, and nothing answers no call."""
    for index, (role, blocks) in enumerate(merged):
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"] if role == "assistant" else []
        if len(set(calls)) < len(calls):
            raise RefusedError("messages: `tool_use` ids must be unique")
        following = merged[index + 1][1] if index + 1 < len(merged) else []
        given = _leading_results(following)
        missing = [call for call in calls if call not in given]
        if missing:
            raise RefusedError(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        before = [block["id"] for block in merged[index - 1][1] if block["type"] == "tool_use"] if index else []
        for block in blocks:
            if block["type"] == "tool_result" and (role != "user" or block["tool_use_id"] not in before):
                raise RefusedError(
                    f"messages.{index}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block['tool_use_id']}. Each `tool_result` block must have a corresponding `tool_use` block in "
                    "the previous message."
                )


def _leading_results(blocks: list[Json]) -> list[str]:
    given: list[str] = []
    for block in blocks:
        if block["type"] != "tool_result":
            break
        given.append(block["tool_use_id"])
    return given


def _prefill(last: Json) -> None:
    content = last["content"]
    if isinstance(content, list):
        content = content[-1].get("text") if content else None
    if last["role"] == "assistant" and isinstance(content, str) and content != content.rstrip():
        raise RefusedError("messages: final assistant content cannot end with trailing whitespace")
