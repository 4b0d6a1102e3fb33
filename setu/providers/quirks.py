"""What single hosts refuse or demand, as pure functions over a request's top-level members or a stream's frames.

Each takes any JSON a client may have sent and leaves what it does not understand alone: the host answers for that.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from setu import _json
from setu._json import Json
from setu.chat.ids import bounded
from setu.dialects.efforts import BUDGETS
from setu.dialects.record import Loss, pointer
from setu.framing.frame import Frame
from setu.providers.record import Edit, Members

Message = dict[str, Any]
Request = Callable[[Members], Edit]

_SHORT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def bare(url: str) -> str:
    """Return an address without the slash at its end, as portals like to show it."""
    return url.rstrip("/")


def without(*names: str) -> Request:
    """Take out top-level members that the host answers with an error; each is a loss."""

    def request(members: Members) -> Edit:
        found = [name for name in names if members.get(name, b"null") != b"null"]
        losses = tuple(_lost("this host refuses it", name) for name in found)
        return Edit(changes=dict.fromkeys(found), losses=losses)

    return request


def renamed(names: Mapping[str, str]) -> Request:
    """Give top-level members the host's own names; a client that already uses them is left alone."""

    def request(members: Members) -> Edit:
        changes: dict[str, Json | None] = {}
        for theirs, own in names.items():
            if theirs in members and own not in members:
                changes |= {theirs: None, own: members[theirs]}
        return Edit(changes=changes)

    return request


def with_members(fixed: Mapping[str, Json], *, instead_of: tuple[str, ...] = ()) -> Request:
    """Set members that the host demands, if the client has not, and take others out without a loss."""

    def request(members: Members) -> Edit:
        added: dict[str, Json | None] = {name: value for name, value in fixed.items() if name not in members}
        return Edit(changes=added | dict.fromkeys(name for name in instead_of if name in members))

    return request


def enable_thinking(members: Members) -> Edit:
    """Turn a thinking request into Alibaba's `enable_thinking` and `thinking_budget`, unless the client uses those."""
    switch = _object(members.get("thinking", b""))
    effort = members.get("reasoning_effort", b"null")
    if "enable_thinking" in members or (switch is None and effort == b"null"):
        return Edit()
    on = effort != b'"none"' if switch is None else switch.get("type") != "disabled"
    changes: dict[str, Json | None] = {"enable_thinking": b"true" if on else b"false"}
    budget = switch.get("budget_tokens") if switch is not None else BUDGETS.get(effort.strip(b'"').decode())
    if on and isinstance(budget, int):
        changes["thinking_budget"] = _json.encode(budget)
    return Edit(changes=changes | dict.fromkeys({"thinking", "reasoning_effort"} & members.keys()))


def short_ids(members: Members) -> Edit:
    """Give tool calls and their results ids of nine letters and digits, the same for both (B-TOOL-22)."""

    def change(message: Message, _: int, __: list[Loss]) -> Message:
        changed = dict(message)
        if isinstance(message.get("tool_call_id"), str):
            changed["tool_call_id"] = _short(message["tool_call_id"])
        calls = message.get("tool_calls")
        if isinstance(calls, list):
            changed["tool_calls"] = [
                {**call, "id": _short(call["id"])}
                if isinstance(call, dict) and isinstance(call.get("id"), str)
                else call
                for call in calls
            ]
        return changed

    return _each(members, change)


def _short(identity: str) -> str:
    return bounded(identity, prefix="", length=9, legal=_SHORT if len(identity) == 9 else frozenset())


def bridged_turns(members: Members) -> Edit:
    """Put an assistant's turn between a tool's result and a user's message, for hosts that demand one (B-MSG-15)."""
    messages = _messages(members)
    bridged: list[Json] = []
    losses: list[Loss] = []
    before = None
    for index, (raw, message) in enumerate(messages):
        role = message.get("role") if message is not None else None
        if role == "user" and before == "tool":
            bridged.append(_BRIDGE)
            losses.append(_lost("an assistant's turn was put before it", "messages", index, info=True))
        bridged.append(raw)
        before = role
    return Edit(changes={"messages": _array(bridged)}, losses=tuple(losses)) if losses else Edit()


_BRIDGE = b'{"role":"assistant","content":"OK."}'


def replayed_thinking(members: Members) -> Edit:
    """Give each assistant message with tool calls a `reasoning_content`, empty if there is none (B-THK-12)."""

    def change(message: Message, _: int, __: list[Loss]) -> Message:
        if message.get("role") != "assistant" or not message.get("tool_calls"):
            return message
        if isinstance(message.get("reasoning_content"), str):
            return message
        said = message.get("reasoning")
        return {**message, "reasoning_content": said if isinstance(said, str) else ""}

    return _each(members, change)


def only_message_members(*known: str) -> Request:
    """Take out message members that the host does not know; text parts become a string where it wants one."""

    def change(message: Message, index: int, losses: list[Loss]) -> Message:
        unknown = [name for name, value in message.items() if name not in known]
        losses += [
            _lost("this host refuses it", "messages", index, name, info=True)
            for name in unknown
            if message[name] is not None
        ]
        changed = {name: value for name, value in message.items() if name in known}
        content = message.get("content")
        if message.get("role") != "user" and isinstance(content, list):
            text = _joined(content)
            if text is not None:
                changed["content"] = text
        return changed

    return lambda members: _each(members, change)


def known_members(by_role: Mapping[str, frozenset[str]]) -> Request:
    """Take out message members that the host does not know of their role; a role that is not listed is left alone."""

    def change(message: Message, index: int, losses: list[Loss]) -> Message:
        known = by_role.get(str(message.get("role")), message.keys())
        unknown = [name for name in message if name not in known]
        losses += [
            _lost("this host refuses it", "messages", index, name, info=True)
            for name in unknown
            if message[name] is not None
        ]
        return {name: value for name, value in message.items() if name in known}

    return lambda members: _each(members, change)


def no_null_content(members: Members) -> Edit:
    """Leave out the `null` of an assistant that only calls: nothing is lost (B-MSG-16)."""

    def change(message: Message, _: int, __: list[Loss]) -> Message:
        if not message.get("tool_calls") or message.get("content", "") is not None:
            return message
        return {key: value for key, value in message.items() if key != "content"}

    return _each(members, change)


def _joined(content: list[Any]) -> str | None:
    """Return the text of a list of text parts; None if there is anything else in it."""
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    words = [text for text in texts if isinstance(text, str)]
    return "\n".join(words) if len(words) == len(content) else None


def plain_schemas(*rules: Callable[[Message, list[str]], Message]) -> Request:
    """Rewrite tool schemas that the host cannot compile; a schema no rule touches stays byte for byte (B-TOOL-25)."""

    def request(members: Members) -> Edit:
        tools = _items(members.get("tools", b""))
        losses: list[Loss] = []
        rewritten = [_tool(raw, index, rules, losses) for index, raw in enumerate(tools)]
        return Edit(changes={"tools": _array(rewritten)}, losses=tuple(losses)) if rewritten != tools else Edit()

    return request


def _tool(raw: Json, index: int, rules: Iterable[Callable[[Message, list[str]], Message]], losses: list[Loss]) -> Json:
    tool = _object(raw)
    function = tool.get("function") if tool is not None else None
    schema = function.get("parameters") if isinstance(function, dict) else None
    if tool is None or not isinstance(function, dict) or not isinstance(schema, dict):
        return raw
    said: list[str] = []
    rewritten = _walk(schema, tuple(rules), said)
    if rewritten == schema:
        return raw
    losses += [_lost(reason, "tools", index, "function", "parameters") for reason in dict.fromkeys(said)]
    return _json.encode({**tool, "function": {**function, "parameters": rewritten}})


def _walk(value: Any, rules: tuple[Callable[[Message, list[str]], Message], ...], said: list[str]) -> Any:
    if isinstance(value, list):
        return [_walk(item, rules, said) for item in value]
    if not isinstance(value, dict):
        return value
    for rule in rules:
        value = rule(value, said)
    return {key: inner if key in _VALUES else _walk(inner, rules, said) for key, inner in value.items()}


_VALUES = frozenset({"const", "default", "enum", "example", "examples", "required"})
"""Keywords whose values are data, not schemas."""

_UNSUPPORTED = re.compile(r"\(\?<?[=!]|\\0|\x00")


def no_lookaround(schema: Message, said: list[str]) -> Message:
    """Drop a `pattern` with lookaround or a NUL, which answers with an empty stream."""
    pattern = schema.get("pattern")
    if not isinstance(pattern, str) or not _UNSUPPORTED.search(pattern):
        return schema
    said.append("the pattern is one this host cannot compile")
    return {key: value for key, value in schema.items() if key != "pattern"}


def types_within_any_of(schema: Message, _: list[str]) -> Message:
    """Move `type` from beside `anyOf` into its branches, where Moonshot wants it; it means the same there."""
    branches = schema.get("anyOf")
    if "type" not in schema or not isinstance(branches, list):
        return schema
    moved = {"type": schema["type"]}
    inner = [moved | branch if isinstance(branch, dict) else branch for branch in branches]
    return {key: inner if key == "anyOf" else value for key, value in schema.items() if key != "type"}


def _each(members: Members, change: Callable[[Message, int, list[Loss]], Message]) -> Edit:
    """Change messages one by one; one that does not change keeps its bytes."""
    losses: list[Loss] = []
    messages = _messages(members)
    rewritten = []
    for index, (raw, message) in enumerate(messages):
        changed = change(message, index, losses) if message is not None else None
        rewritten.append(raw if changed == message else _json.encode(changed))
    if rewritten == [raw for raw, _ in messages]:
        return Edit()
    return Edit(changes={"messages": _array(rewritten)}, losses=tuple(losses))


def _messages(members: Members) -> list[tuple[Json, Message | None]]:
    return [(raw, _object(raw)) for raw in _items(members.get("messages", b""))]


def _object(raw: Json) -> Message | None:
    """Parse an object; None for anything else, a number that no float holds included."""
    try:
        value = _json.decode(raw)
    except _json.JsonError:
        return None
    return value if isinstance(value, dict) else None


def _items(raw: Json) -> list[Json]:
    return _json.items(raw, trusted=True) if _json.kind_of(raw) == "array" else []


def _array(items: Iterable[Json]) -> Json:
    return b"[" + b",".join(items) + b"]"


def _lost(reason: str, *steps: str | int, info: bool = False) -> Loss:
    return Loss(phase="request", pointer=pointer(*steps), reason=reason, severity="info" if info else "warn")


def azure_frames(frame: Frame) -> Frame | None:
    """Drop Azure's chunk of filter results for the prompt; give a choice without `delta` an empty one (B-STR-22)."""
    # By far most chunks have neither; their bytes say so without being parsed.
    if frame.data is None or (b'"prompt_filter_results"' not in frame.data and b'"delta"' in frame.data):
        return frame
    chunk = _chunk(frame.data)
    if chunk is None:
        return frame
    choices = chunk.get("choices")
    if "prompt_filter_results" in chunk and choices == [] and not chunk.get("id") and not chunk.get("error"):
        return None
    if not isinstance(choices, list) or all(not isinstance(choice, dict) or "delta" in choice for choice in choices):
        return frame
    whole = [{**choice, "delta": {}} if isinstance(choice, dict) else choice for choice in choices]
    return _written(frame, {**chunk, "choices": whole})


def perplexity_frames(frame: Frame) -> Frame:
    """Call a chunk a chunk, and take out the answer so far that Perplexity repeats in each (B-STR-28)."""
    chunk = _chunk(frame.data)
    if chunk is None or chunk.get("object") != "chat.completion":
        return frame
    choices = chunk.get("choices")
    if isinstance(choices, list):
        choices = [
            {name: value for name, value in choice.items() if name != "message"}
            if isinstance(choice, dict) and "delta" in choice
            else choice
            for choice in choices
        ]
    return _written(frame, {**chunk, "object": "chat.completion.chunk", "choices": choices})


def _chunk(data: bytes | None) -> dict[str, Any] | None:
    return _object(data) if data is not None and data.lstrip().startswith(b"{") else None


def _written(frame: Frame, chunk: dict[str, Any]) -> Frame:
    try:
        data = _json.encode(chunk)
    except _json.JsonError:
        return frame
    return msgspec.structs.replace(frame, data=data, raw=b"data: " + data + b"\n\n")
