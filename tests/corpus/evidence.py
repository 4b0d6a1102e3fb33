"""What a rendered body says, read from its JSON alone: no code of the dialect that wrote it is asked."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

_CONVERSATION = ("messages", "contents", "input")
_SYSTEM = ("system", "systemInstruction", "instructions")
_MODEL = frozenset({"assistant", "model"})
_MODEL_ITEMS = frozenset({"function_call", "custom_tool_call", "reasoning"})
_STRUCTURE = frozenset({"type", "role", "tool_call_id", "tool_use_id", "toolUseId", "call_id", "id", "signature"})


class Call(NamedTuple):
    """A call as the body has it; `arguments` is the parsed object, or the text of one that is none."""

    id: str
    name: str
    arguments: Any


class Result(NamedTuple):
    """A result as the body has it; hosts that have no ids name the tool (Ollama)."""

    id: str
    name: str
    content: Any
    failed: bool = False


class Evidence:
    """A body taken apart.

    `by` is what the model said, `to` what it is told; `calls`, `results` and `tools` in order, `settings` the body
    without the conversation, `strings` every string of the body.
    """

    def __init__(self, body: bytes) -> None:
        value: dict[str, Any] = json.loads(body)
        self.calls: list[Call] = []
        self.results: list[Result] = []
        by: list[str] = []
        to: list[str] = []
        for name in _SYSTEM:
            to += texts(value.get(name))
        for name in _CONVERSATION:
            entries = value.get(name) or []
            for entry in [{"role": "user", "content": entries}] if isinstance(entries, str) else entries:
                (by if _is_models(entry) else to).extend(texts(entry))
                self.calls += _calls(entry)
                self.results += _results(entry)
        self.by, self.to = "\n".join(by), "\n".join(to)
        self.settings = {key: item for key, item in value.items() if key not in (*_CONVERSATION, *_SYSTEM, "model")}
        self.tools = list(_tools(value.get("tools") or value.get("toolConfig") or []))
        self.strings = {bare(text) for text in _strings(value)}
        self.whole = value


def _is_models(entry: dict[str, Any]) -> bool:
    return entry.get("role") in _MODEL or entry.get("type") in _MODEL_ITEMS


def texts(value: Any) -> list[str]:
    """Return every string but those that only name a kind or an id, in order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    if isinstance(value, dict):
        return [text for key, item in value.items() if key not in _STRUCTURE for text in texts(item)]
    return []


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def bare(text: str) -> str:
    """Return base64 without the URL around it, in the standard alphabet without padding; other strings as they are."""
    return blob(text.partition(",")[2]) if text.startswith("data:") else blob(text) if len(text) > 64 else text


def blob(text: str) -> str:
    """Return base64 as all spell it."""
    return text.translate(str.maketrans("-_", "+/", "\r\n =")) if " " not in text[:200] else text


def parsed(text: Any) -> Any:
    """Return the value of JSON text, a text that is none as it is."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _calls(value: Any) -> Iterator[Call]:
    if isinstance(value, list):
        for item in value:
            yield from _calls(item)
    elif isinstance(value, dict):
        match value:
            case {"function": {"name": name, "arguments": arguments}}:
                yield Call(value.get("id", ""), name, parsed(arguments or "{}"))
            case {"type": "custom", "custom": {"name": name, "input": given}}:
                yield Call(value.get("id", ""), name, given)
            case {"type": "tool_use", "id": identity, "name": name, "input": given}:
                yield Call(identity, name, given)
            case {"functionCall": {"name": name}}:
                made = value["functionCall"]
                yield Call(made.get("id", ""), name, made.get("args", {}))
            case {"toolUse": {"toolUseId": identity, "name": name, "input": given}}:
                yield Call(identity, name, given)
            case {"type": "function_call", "call_id": identity, "name": name, "arguments": arguments}:
                yield Call(identity, name, parsed(arguments or "{}"))
            case {"type": "custom_tool_call", "call_id": identity, "name": name, "input": given}:
                yield Call(identity, name, given)
            case _:
                for item in value.values():
                    yield from _calls(item)


def _results(value: Any) -> Iterator[Result]:
    if isinstance(value, list):
        for item in value:
            yield from _results(item)
    elif isinstance(value, dict):
        match value:
            case {"role": "tool"}:
                yield Result(value.get("tool_call_id", ""), value.get("tool_name", ""), value.get("content"))
            case {"type": "tool_result", "tool_use_id": identity}:
                yield Result(identity, "", value.get("content"), value.get("is_error") is True)
            case {"functionResponse": {"name": name}}:
                said = value["functionResponse"]
                response = said.get("response") or {}
                yield Result(said.get("id", ""), name, [response, said.get("parts")], "error" in response)
            case {"toolResult": {"toolUseId": identity, "content": content, **rest}}:
                yield Result(identity, "", content, rest.get("status") == "error")
            case {"type": "function_call_output" | "custom_tool_call_output", "call_id": identity, "output": output}:
                yield Result(identity, "", output)
            case _:
                for item in value.values():
                    yield from _results(item)


_SCHEMAS = ("parameters", "parametersJsonSchema", "input_schema", "inputSchema", "schema")


def _tools(value: Any) -> Iterator[dict[str, Any]]:
    """Yield {name, description, schema} of every declared function."""
    if isinstance(value, list):
        for item in value:
            yield from _tools(item)
    elif isinstance(value, dict):
        if isinstance(value.get("name"), str):
            found: dict[str, Any] = next((value[key] for key in _SCHEMAS if isinstance(value.get(key), dict)), {})
            yield {"name": value["name"], "description": value.get("description"), "schema": found.get("json", found)}
        else:
            for item in value.values():
                yield from _tools(item)
