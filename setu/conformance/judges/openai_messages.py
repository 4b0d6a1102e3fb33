"""Inside a chat completions request: tools, silent messages, and what another host than this one has added."""

from collections.abc import Iterator, Mapping
from typing import Any

from setu.conformance.judges.finding import Finding, flaw
from setu.conformance.judges.view import obj, objects, seq
from setu.conformance.wire import openai_request
from setu.conformance.wire.model import mismatch
from setu.conformance.wire.openai_hosts import INSIDE, PARTS, Additions

_MARKS = frozenset({"cache_control"})
"""Judged as members of another provider's request (XLT-03)."""


def misshapen(body: dict[str, Any], host: Additions) -> Iterator[Finding]:
    """Yield what the host would refuse."""
    yield from _tools(body)
    yield from _silent(body)
    unknown = INSIDE - host.inside - _MARKS
    for path, fields in _objects(body):
        kind = fields.get("type")
        if kind in PARTS - host.parts:
            yield flaw("the host has no such part", path=path, got=kind)
        for key in sorted(unknown & fields.keys()):
            yield flaw("the host has no such member", path=f"{path}.{key}", got=fields[key])


def _tools(body: dict[str, Any]) -> Iterator[Finding]:
    for place, tool in enumerate(seq(body.get("tools"))):
        kind = obj(tool).get("type")
        wrong = mismatch(tool, openai_request.FunctionTool) if kind == "function" else None
        if wrong:
            yield flaw(wrong.message, path=f"$.tools[{place}]{wrong.path[1:]}")
        elif not isinstance(kind, str):
            yield flaw("a tool has no type", path=f"$.tools[{place}].type", got=kind)


def _silent(body: dict[str, Any]) -> Iterator[Finding]:
    for place, message in enumerate(objects(body.get("messages"))):
        silent = not message.get("content") and not message.get("refusal") and not message.get("audio")
        if message.get("role") == "assistant" and silent and not _calls_of(message) and "content" not in message:
            yield flaw("an assistant message says nothing (B-MSG-17)", path=f"$.messages[{place}]")
        if message.get("tool_calls") == []:
            yield flaw("tool_calls is there and empty (B-TOOL-10)", path=f"$.messages[{place}].tool_calls")


def _calls_of(message: Mapping[str, Any]) -> bool:
    return bool(message.get("tool_calls") or message.get("function_call"))


def _objects(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield messages, their parts and calls, and tools, each with its place."""
    for place, message in enumerate(objects(body.get("messages"))):
        yield f"$.messages[{place}]", message
        for name in ("content", "tool_calls"):
            for number, inner in enumerate(objects(message.get(name))):
                yield f"$.messages[{place}].{name}[{number}]", inner
    for place, tool in enumerate(objects(body.get("tools"))):
        yield f"$.tools[{place}]", tool
