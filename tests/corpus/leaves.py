"""What a request says, leaf by leaf: every member of the canonical model that is set, with its place.

Nothing is chosen by hand: the walk goes through the fields of the structs, so a new field is a new leaf. That the
model holds all of a body is what the round trips of the dialects prove on the same exchanges.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from setu import _json
from setu.chat.parts import Reasoning, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest, FunctionTool, Message, Output, ToolChoice
from setu.chat.seals import CacheMark, Cite, Extra, Seal

Place = tuple[str | int, ...]

SAID_ELSEWHERE = frozenset(
    {
        # The target's own model, and streaming by its path or the gateway's choice.
        "ChatRequest.model",
        "ChatRequest.stream",
        # Names of items, meant for the host that gave them; who answers whom is checked by order.
        "Message.id",
        "Message.status",
        "Part.id",
        # Who speaks is where a word is looked for.
        "Message.role",
        # What the bytes are, their label says in every dialect.
        "Media.kind",
        "Reasoning.redacted",
        "Ref.issuer",
        # The gateway itself honours it, whatever the upstream does.
        "Options.stream_usage",
        # Only the Responses API is asked for proofs; the others send theirs unasked.
        "Thinking.sealed",
        # Bytes are labelled as what they are (B-MED-01); a source without bytes has no label.
        "Inline.mime",
        "Url.mime",
        "Ref.mime",
        "Plain.mime",
        # Whose word it is, not a word.
        "HostedTool.dialect",
        "HostedTool.kind",
        "HostedTool.name",
        "HostedCall.dialect",
        "HostedResult.dialect",
        "Opaque.dialect",
        "Opaque.kind",
        # A twin in the source's own flavour; `schema` is what others read.
        "FunctionTool.native",
        # Gemini finds a call by name; the call itself has it.
        "ToolResult.name",
    }
)
"""Members that are no words to the model or are said twice, each with its reason."""


class Leaf(NamedTuple):
    """One thing said: `place` is its canonical pointer, `kind` the struct and field, `role` whose message it is in."""

    place: Place
    kind: str
    value: Any
    role: str = ""


def leaves(request: ChatRequest) -> Iterator[Leaf]:
    """Yield everything that a request says."""
    for name in ("system", "messages", "tools"):
        for index, item in enumerate(getattr(request, name)):
            role = item.role if isinstance(item, Message) else "system"
            yield from _walk(item, (name, index), role)
    yield from _members(request, (), "", skip=frozenset({"system", "messages", "tools"}))


def _walk(value: Any, place: Place, role: str) -> Iterator[Leaf]:
    match value:
        case Message():
            for index, part in enumerate(value.parts):
                yield from _walk(part, (*place, index), role)
            yield from _members(value, place, role, skip=frozenset({"parts"}))
        case Reasoning():
            for section in value.text or value.summary:
                yield Leaf(place, "Reasoning.text", section, role)
            yield from _members(value, place, role, skip=frozenset({"text", "summary"}))
        case ToolCall():
            yield Leaf(place, "call", value, role)
            yield from _members(value, place, role, skip=frozenset({"call_id", "name", "arguments", "kind"}))
        case ToolResult():
            yield Leaf(place, "result", value, role)
            for index, part in enumerate(value.content):
                yield from _result_part(part, (*place, index), role)
            yield from _members(value, place, role, skip=frozenset({"call_id", "content", "kind"}))
        case FunctionTool():
            yield Leaf(place, "tool", value)
            skip = frozenset({"name", "description", "schema"})
            yield from _members(value, place, role, skip=skip)
        case Cite() | Seal() | CacheMark() | Output() | ToolChoice():
            yield Leaf(place, type(value).__name__, value, role)
            if isinstance(value, Output) and value.description is not None:
                yield Leaf((*place, "description"), "Output.description", value.description)
        case Extra():
            for key, raw in value.members.items():
                yield Leaf((*place, key), "Extra", _json.decode(raw), role)
        case _:
            yield from _members(value, place, role)


def _result_part(part: Any, place: Place, role: str) -> Iterator[Leaf]:
    """The words of a result are checked with it, everything else by itself."""
    if isinstance(part, Text):
        yield from _members(part, place, role, skip=frozenset({"text"}))
    else:
        yield from _walk(part, place, role)


_BESIDE = frozenset({"extra", "cache", "seal", "source", "options", "state"})
"""Fields whose members stand at the place of what they belong to, or have a name of their own in the body."""


def _members(value: Any, place: Place, role: str, skip: frozenset[str] = frozenset()) -> Iterator[Leaf]:
    for name in value.__struct_fields__:
        field = getattr(value, name)
        if name in skip or field is None or field is UNSET or field == () or field is False:
            continue
        kind = f"{_owner(value, name)}.{name}"
        beside = place if name in _BESIDE else (*place, name)
        match field:
            case msgspec.Struct():
                yield from _walk(field, beside, role)
            case tuple() if isinstance(field[0], msgspec.Struct):
                for index, item in enumerate(field):
                    yield from _walk(item, (*beside, index), role)
            case _ if kind in SAID_ELSEWHERE:
                pass
            case bytes():
                yield Leaf((*place, name), kind, _json.decode(field), role)
            case _:
                yield Leaf((*place, name), kind, list(field) if isinstance(field, tuple) else field, role)


def _owner(value: Any, name: str) -> str:
    return "Part" if name == "id" and not isinstance(value, Message) else type(value).__name__
