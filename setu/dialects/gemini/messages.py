"""Conversations: `contents` and `systemInstruction`, both ways."""

from typing import Any

import msgspec

from setu import _json
from setu._json import Json, Raw
from setu.chat.parts import AnyPart, Media, Opaque, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest, Message, Role
from setu.chat.seals import Seal
from setu.dialects.gemini.pairing import name_calls
from setu.dialects.gemini.parts import own_extra, parse_part, wrap
from setu.dialects.gemini.proto import NAME, Fields
from setu.dialects.gemini.render import Scribe, Wire, lose_extra, refused, render_part, signed
from setu.dialects.record import Target, pointer
from setu.errors import LocalDialectError

_ROLES: dict[str, Role] = {"user": "user", "model": "assistant", "function": "user", "tool": "user"}
"""Gemini's roles. Results stand in user contents today; `function` is the older spelling of the same."""

UNSIGNED = "skip_thought_signature_validator"
"""What Google documents for a call that Gemini did not write or whose signature is lost (B-THK-01, B-THK-02).

Source: ai.google.dev/gemini-api/docs/thought-signatures, "FAQs", read 2026-11-20.
"""

_NOTHING: Wire = {"text": ""}
"""The part of a turn that says nothing. Gemini demands a content, and a user before a model that calls, but takes an
empty text (corpus: pydantic-ai-8287fcf47c, pydantic-ai-d214c81fc7), so a request that has only a system prompt gets
an empty user turn (B-MSG-04)."""

_BILLING = "x-anthropic-billing-header"
"""How Claude Code starts a system block that is for Anthropic's eyes only (B-MSG-19)."""


def parse_system(obj: Fields) -> tuple[AnyPart, ...]:
    """Take `systemInstruction`: a content, or just a string."""
    if _json.kind_of(obj.members.get("systemInstruction", b"")) == "string":
        return (Text(text=obj.need_text("systemInstruction")),)
    content = obj.obj("systemInstruction")
    return () if content is None else _parts(content)


def parse_contents(obj: Fields) -> tuple[Message, ...]:
    """Take `contents`.

    Raises:
        LocalDialectError: no contents, an unknown role, a malformed part.
    """
    return name_calls(tuple(_message(content) for content in obj.many("contents")))


def _message(content: Fields) -> Message:
    word = content.text("role") or "user"
    role = _ROLES.get(word)
    if role is None:
        where = content.at("role")
        raise LocalDialectError(f"'{where}' must be 'user' or 'model', not '{word}'", param=where)
    return Message(role=role, parts=_parts(content), extra=content.extra("gemini"))


def _parts(content: Fields) -> tuple[AnyPart, ...]:
    raws = content.array("parts") or []
    return tuple(parse_part(raw, f"{content.at('parts')}[{index}]") for index, raw in enumerate(raws))


class _Turn(msgspec.Struct, kw_only=True):
    """A content being written: one or more neighbouring messages of a role."""

    role: str
    parts: list[Wire]
    extra: dict[str, Json]


class Contents:
    """Writes the messages of one request."""

    def __init__(self, request: ChatRequest, target: Target, scribe: Scribe) -> None:
        self._request = request
        self._target = target
        self._scribe = scribe
        self._names: dict[str, str] = {}
        """The names of the calls so far; an id used again means the later call."""
        self._system: list[Wire] = []
        self._turns: list[_Turn] = []

    def render(self) -> dict[str, Any]:
        """Return the members `contents` and, if there is a system prompt, `systemInstruction`.

        Raises:
            LocalDialectError: nothing to say, a result nobody can name, media out of Gemini's reach.
        """
        for index, part in enumerate(self._request.system):
            self._add_system(part, pointer("system", index))
        for index, message in enumerate(self._request.messages):
            self._add(message, pointer("messages", index))
        if not self._turns or self._turns[0].role == "model":
            self._open()
        members: dict[str, Any] = {}
        if self._system:
            members["systemInstruction"] = {"parts": self._system}
        members["contents"] = [_content(turn) for turn in self._turns]
        return members

    def _open(self) -> None:
        """Put an empty user turn first."""
        if not self._request.messages and not self._system:
            raise LocalDialectError("'messages' must hold at least one message", param="messages")
        self._scribe.lose("/messages", "Gemini needs a user turn first: an empty one was added", "info")
        self._turns.insert(0, _Turn(role="user", parts=[_NOTHING], extra={}))

    def _add(self, message: Message, where: str) -> None:
        scribe = self._scribe
        if message.name is not None:
            scribe.lose(f"{where}/name", "Gemini has no names of participants", "info")
        if message.phase is not None:
            scribe.lose(f"{where}/phase", "Gemini's messages have no phase", "info")
        if message.extra is not None and message.extra.dialect != NAME:
            lose_extra(message.extra, where, scribe)
        if message.role in ("system", "developer"):
            if self._turns:
                scribe.lose(where, "Gemini has one system prompt: the message moved there", "info")
            for index, part in enumerate(message.parts):
                self._add_system(part, f"{where}/content/{index}")
            return
        role = "model" if message.role == "assistant" else "user"
        parts = self._model(message, where) if role == "model" else self._user(message, where)
        if all(isinstance(part, Text) for part in message.parts):
            parts = parts or [_NOTHING]
        if parts:
            self._append(role, parts, own_extra(message.extra))

    def _append(self, role: str, parts: list[Wire], extra: dict[str, Json]) -> None:
        """Add a turn, joined with the one before if that is of the same role (B-TOOL-04)."""
        last = self._turns[-1] if self._turns else None
        if last is not None and last.role == role and not extra and not last.extra:
            last.parts = [wire for wire in last.parts + parts if wire != _NOTHING] or [_NOTHING]
        else:
            self._turns.append(_Turn(role=role, parts=parts, extra=extra))
        if role == "user":
            self._sort_results()

    def _add_system(self, part: AnyPart, where: str) -> None:
        if isinstance(part, Text) and part.text.startswith(_BILLING):
            self._scribe.lose(where, "a billing header of Claude Code is for Anthropic only", "info")
            return
        self._system += render_part(part, where, self._scribe)

    def _model(self, message: Message, where: str) -> list[Wire]:
        parts: list[Wire] = []
        for index, part in enumerate(message.parts):
            at = f"{where}/content/{index}"
            if isinstance(part, ToolCall):
                parts.append(self._call(part, at, first=not any("functionCall" in wire for wire in parts)))
            else:
                parts += render_part(part, at, self._scribe)
        return parts

    def _call(self, part: ToolCall, where: str, *, first: bool) -> Wire:
        """Write a call with its signature: its own, the stored one, or (Gemini 3, first of a turn) the dummy."""
        self._names[part.call_id] = part.name
        seal = part.seal
        if seal is None or seal.issuer != NAME:
            seal = self._target.seals.get(part.call_id, seal)
        if seal is None and first and needs_signatures(self._target.model):
            self._scribe.lose(where, "the call's thought signature is unknown: sent without its proof", "info")
            seal = Seal(issuer=NAME, kind="signature", data=UNSIGNED)
        wires = render_part(msgspec.structs.replace(part, seal=seal), where, self._scribe)
        return wires[0]

    def _user(self, message: Message, where: str) -> list[Wire]:
        parts: list[Wire] = []
        after: list[Wire] = []
        for index, part in enumerate(message.parts):
            at = f"{where}/content/{index}"
            if isinstance(part, ToolResult):
                parts.append(self._result(part, at, after))
            else:
                parts += render_part(part, at, self._scribe)
        return parts + after

    def _result(self, part: ToolResult, where: str, after: list[Wire]) -> Wire:
        """Write a result under the name of the call it answers (B-TOOL-05).

        Media go inside for Gemini 3 (`functionResponse.parts`), behind the result for older models.
        """
        name = self._names.get(part.call_id) or part.name
        if not name:
            raise refused("answers a call that the conversation does not hold", where)
        texts: list[str] = []
        media: list[Wire] = []
        if part.cache is not None:
            self._scribe.lose(where, "Gemini has no cache marks", "info")
        for index, inner in enumerate(part.content):
            if isinstance(inner, Text):
                if inner.cache is not None:
                    self._scribe.lose(f"{where}/content/{index}", "Gemini has no cache marks", "info")
                texts.append(inner.text)
            elif isinstance(inner, (Media, Opaque)):
                media += render_part(inner, f"{where}/content/{index}", self._scribe)
            else:
                self._scribe.lose(f"{where}/content/{index}", "a tool result holds text and media only")
        response = wrap("\n".join(texts), failed=bool(part.is_error))
        wire: Wire = {"id": part.call_id, "name": name, "response": Raw(response)}
        if media and needs_signatures(self._target.model):
            wire["parts"] = media
        else:
            after += media
        return signed({"functionResponse": wire}, part, where, self._scribe)

    def _sort_results(self) -> None:
        """Put the results of the last turn into the order of the calls they answer; other parts keep their places."""
        if len(self._turns) < 2:
            return
        turn, before = self._turns[-1], self._turns[-2]
        order = {_id(wire, "functionCall"): n for n, wire in enumerate(before.parts)}
        places = [n for n, wire in enumerate(turn.parts) if _id(wire, "functionResponse")]
        results = sorted(
            (turn.parts[n] for n in places),
            key=lambda wire: order.get(_id(wire, "functionResponse"), len(before.parts)),
        )
        for place, result in zip(places, results, strict=True):
            turn.parts[place] = result


def _id(wire: Wire, kind: str) -> str | None:
    """Return the id of a call or result; None for any other part."""
    inner = wire.get(kind)
    return inner["id"] if isinstance(inner, dict) else None


def needs_signatures(model: str) -> bool:
    """Tell whether a model checks thought signatures: Gemini 3 and later do, and take media in results."""
    _, found, version = model.rpartition("/")[2].partition("gemini-")
    return bool(found) and version[:1].isdigit() and version[:2] not in ("1.", "2.", "1-", "2-")


def _content(turn: _Turn) -> dict[str, Any]:
    content: dict[str, Any] = {"role": turn.role, "parts": turn.parts}
    for key, value in turn.extra.items():
        content.setdefault(key, Raw(value))
    return content
