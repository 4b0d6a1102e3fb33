"""Input items to canonical messages: one message for each item, in order."""

from collections.abc import Callable
from typing import Any

import msgspec

from setu import _json
from setu._json import Json, Raw, kind_of
from setu.chat.parts import HostedCall, Inline, Media, Opaque, Reasoning, Text, ToolCall, ToolResult
from setu.chat.request import Message, Role
from setu.chat.seals import Extra, Seal
from setu.dialects.openai_responses.content import parse_content
from setu.dialects.openai_responses.words import CALLS, HOSTED, NAME, RESULTS
from setu.dialects.reader import Obj

_ROLES: dict[str, Role] = {"system": "system", "developer": "developer", "user": "user", "assistant": "assistant"}


class History:
    """The calls made so far; `whole` is False where the host holds earlier turns that this request does not show."""

    def __init__(self, *, whole: bool) -> None:
        self.calls: dict[str, ToolCall] = {}
        self.others: set[str] = set()
        """Calls of tools that are no function (tool search, a shell), which may be answered all the same."""
        self.whole = whole

    def knows(self, call_id: str) -> bool:
        return not self.whole or call_id in self.calls or call_id in self.others


def parse_input(obj: Obj, *, whole: bool) -> tuple[Message, ...]:
    """Take `input`: a string, a list of items, or nothing where the host holds the conversation."""
    kind = kind_of(obj.members.get("input", b"null"))
    if kind == "string":
        text = obj.need_text("input")
        return (Message(role="user", parts=(Text(text=text),) if text else ()),)
    raws = obj.array("input")
    if raws is None:
        if whole:
            raise obj.missing("input")
        return ()
    history = History(whole=whole)
    return tuple(parse_item(raw, f"input[{index}]", history) for index, raw in enumerate(raws))


def parse_item(raw: Json, where: str, history: History) -> Message:
    """Read one item; a kind this version does not know stays opaque (B-RSP-06)."""
    obj = Obj(raw, where)
    kind = obj.text("type")
    if kind is None and not obj.has("role"):
        if obj.has("id"):
            return _opaque("item_reference", raw, obj)
        raise obj.missing("type")
    if kind in {None, "message"}:  # an untyped message is one too (B-MSG-18)
        return _message(obj)
    if kind in CALLS:
        call, status = parse_call(obj, kind or "", None)
        history.calls[call.call_id] = call
        return Message(role="assistant", parts=(call,), status=status)
    if kind in RESULTS:
        return _result(obj, kind or "", history)
    if kind == "reasoning":
        thought = parse_reasoning(obj)
        return Message(role="assistant", parts=(thought,), id=thought.id)
    if kind is not None and kind.endswith("_call"):
        history.others.add(obj.members.get("call_id", b"").decode("utf-8", "replace").strip('"'))
    if kind in HOSTED:
        return Message(role="assistant", parts=(parse_hosted(obj, kind or ""),))
    return _opaque(kind or "", raw, obj)


def _opaque(kind: str, raw: Json, obj: Obj) -> Message:
    said = obj.members.get("role", b"")
    role = _ROLES.get(said.strip(b'"').decode("ascii", "replace"), "assistant")
    return Message(role=role, parts=(Opaque(dialect=NAME, kind=kind, raw=raw),))


def _message(obj: Obj) -> Message:
    said = obj.need_text("role")
    role = _ROLES.get(said)
    if role is None:
        roles = ", ".join(_ROLES)
        raise obj.error(f"'{obj.at('role')}' must be one of {roles}", param=obj.at("role"))
    return Message(
        role=role,
        parts=parse_content(obj, "content"),
        id=obj.text("id"),
        phase=obj.text("phase"),
        status=obj.text("status"),
        extra=obj.extra(NAME),
    )


def parse_call(obj: Obj, kind: str, minted: Callable[[], str] | None) -> tuple[ToolCall, str | None]:
    """Read a call and its status; `minted` gives the id that an upstream left out (a client must give one)."""
    identity = obj.text("call_id") or None
    if identity is None:
        if minted is None:
            raise obj.missing("call_id")
        identity = minted()
    key = CALLS[kind]
    status = obj.text("status")
    call = ToolCall(
        id=obj.text("id"),
        call_id=identity,
        name=obj.text("name") or "" if obj.lenient else obj.need_text("name"),
        arguments=_arguments(obj, key),
        kind="custom" if kind == "custom_tool_call" else "function",
        namespace=obj.text("namespace"),
        caller=obj.raw("caller"),
        extra=obj.extra(NAME),
    )
    return call, status


def _arguments(obj: Obj, key: str) -> str:
    raw = obj.members.get(key, b"null")
    if obj.lenient and kind_of(raw) not in ("string", "null"):  # an object instead of its text (B-STR-12)
        return (obj.raw(key) or b"").decode("utf-8", "replace")
    return obj.text(key) or ""


def _result(obj: Obj, kind: str, history: History) -> Message:
    identity = obj.need_text("call_id")
    call = history.calls.get(identity)
    if not history.knows(identity):  # B-RSP-07
        where = obj.at("call_id")
        raise obj.error(f"'{where}': no call with this id stands before its output", param=where)
    content = parse_content(obj, "output")
    status = obj.text("status")
    result = ToolResult(
        id=obj.text("id"),
        call_id=identity,
        name=call.name if call is not None else None,
        content=content,
        kind="custom" if kind == "custom_tool_call_output" else "function",
    )
    return Message(role="tool", parts=(result,), status=status, extra=obj.extra(NAME))


def parse_reasoning(obj: Obj) -> Reasoning:
    """Read a reasoning item; its proof is OpenAI's own and valid nowhere else."""
    identity, encrypted = obj.text("id"), obj.text("encrypted_content")
    text, summary = _sections(obj, "content", "reasoning_text"), _sections(obj, "summary", "summary_text")
    obj.text("status")
    obj.text("format")  # OpenRouter's name of the proof's issuer, in a stream only of the last form
    seal = Seal(issuer=NAME, kind="encrypted", data=encrypted) if encrypted else None
    return Reasoning(id=identity, text=text, summary=summary, seal=seal, extra=obj.extra(NAME))


def _sections(obj: Obj, key: str, kind: str) -> tuple[str, ...]:
    """Take a list of texts; what is not one stays in the extra."""
    texts: list[str] = []
    strange: list[Raw] = []
    for section in obj.objects(key) or ():
        raw = _json.encode({name: Raw(value) for name, value in section.members.items()})
        said, text = section.text("type"), section.text("text")
        if said in {kind, None, "text"} and text is not None and not section.members:
            texts.append(text)
        else:
            strange.append(Raw(raw))
    if strange:
        obj.members[key] = _json.encode(strange)
    return tuple(texts)


def parse_hosted(obj: Obj, kind: str) -> HostedCall:
    """Read a run of a hosted tool; its payload is the item without what every item has."""
    identity = obj.text("id")
    call_id = obj.text("call_id")
    status, name, server = obj.text("status"), obj.text("name"), obj.text("server_label")
    payload: dict[str, Any] = {key: Raw(raw) for key, raw in obj.members.items()}
    return HostedCall(
        id=identity,
        call_id=call_id or identity or kind,
        tool=kind,
        dialect=NAME,
        name=name,
        arguments=_json.encode(payload),
        status=status,
        server=server,
        extra=None if call_id is None else Extra(dialect=NAME, members={"call_id": _json.encode(call_id)}),
    )


def hosted_item(call: HostedCall) -> dict[str, Any]:
    """Return the item that a hosted call was read from."""
    item: dict[str, Any] = {"type": call.tool}
    said = {"id": call.id, "status": call.status, "name": call.name, "server_label": call.server}
    item |= {key: value for key, value in said.items() if value is not None}
    if call.extra is not None and "call_id" in call.extra.members:
        item["call_id"] = call.call_id
    for key, raw in _json.split(call.arguments or b"{}", trusted=True).items():
        item.setdefault(key, Raw(raw))
    return item


def parse_image(obj: Obj) -> Media | None:
    """Read a generated picture; None for one that is not there yet."""
    result = obj.text("result")
    if not result:
        return None
    form = obj.text("output_format")
    identity = obj.text("id")
    obj.text("status")
    media = Media(kind="image", source=Inline(b64=result, mime=f"image/{form or 'png'}"), id=identity)
    if form is not None:
        obj.members["output_format"] = _json.encode(form)
    extra = obj.extra(NAME)
    return media if extra is None else msgspec.structs.replace(media, extra=extra)
