"""A whole answer. Source: docs.cohere.com/reference/chat, read 2026-11-20."""

import msgspec

from setu import _json
from setu._json import Json, JsonError
from setu.chat.ids import Mint
from setu.chat.parts import AnyPart, Opaque, Reasoning, Text, ToolCall
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse
from setu.chat.seals import Cite
from setu.dialects.cohere.content import call_arguments, parse_cite, parse_logprob
from setu.dialects.cohere.errors import error_info, is_error
from setu.dialects.cohere.usage import parse_usage
from setu.dialects.cohere.words import NAME, finish_of
from setu.dialects.outward import entries_of
from setu.dialects.reader import Obj
from setu.errors import ProviderError, RemoteDialectError


def parse_response(body: bytes, mint: Mint) -> ChatResponse:
    """Read an answer.

    Raises:
        ProviderError: the body holds an error.
        RemoteDialectError: the body holds no answer.
    """
    try:
        return _parse(body, mint)
    except (JsonError, RecursionError) as error:
        raise RemoteDialectError(f"the upstream's answer cannot be read: {error}") from None


def _parse(body: bytes, mint: Mint) -> ChatResponse:
    obj = Obj(body, lenient=True)
    if is_error(obj):
        raise ProviderError(error_info(body))
    message = obj.obj("message")
    word = obj.text("finish_reason")
    if message is None and word is None:
        raise RemoteDialectError("the upstream's answer has no 'message'", param="message")
    parts = _parts(message, mint) if message is not None else []
    parts = _scored(parts, obj.objects("logprobs") or [])
    calls = any(isinstance(part, ToolCall) for part in parts)
    candidate = Candidate(
        messages=(Message(role="assistant", parts=tuple(parts)),), finish=finish_of(word, calls=calls)
    )
    return ChatResponse(id=obj.text("id"), candidates=(candidate,), usage=parse_usage(obj))


def _parts(message: Obj, mint: Mint) -> list[AnyPart]:
    """Return the parts in the order of a stream: plan, content, calls."""
    plan = message.text("tool_plan")
    parts: list[AnyPart] = [Reasoning(text=(plan,))] if plan else []
    raw = message.members.get("content", b"null")
    if _json.kind_of(raw) == "string":
        text = message.text("content")
        parts += [Text(text=text)] if text else []
    for item in message.array("content") or ():
        parts += _content(item)
    parts = _cited(parts, [cite for raw in message.array("citations") or () if (cite := parse_cite(raw)) is not None])
    seen: set[str] = set()
    for call in message.objects("tool_calls") or ():
        parts += _call(call, mint, seen)
    return parts


def _content(raw: Json) -> list[AnyPart]:
    if _json.kind_of(raw) != "object":
        return []
    obj = Obj(raw, lenient=True)
    kind = obj.text("type")
    thought, text = obj.text("thinking"), obj.text("text")
    if kind == "thinking" or (kind is None and thought):
        return [Reasoning(text=(thought,))] if thought else []
    if kind in ("text", None):
        return [Text(text=text)] if text else []
    return [Opaque(dialect=NAME, kind=kind or "", raw=raw)]


def _call(call: Obj, mint: Mint, seen: set[str]) -> list[AnyPart]:
    function = call.obj("function")
    if function is None:
        return []
    identity = call.text("id") or ""
    while not identity or identity in seen:
        identity = mint("call_")
    seen.add(identity)
    return [ToolCall(call_id=identity, name=function.text("name") or "", arguments=call_arguments(function))]


def _cited(parts: list[AnyPart], cites: list[Cite]) -> list[AnyPart]:
    """Give the citations to the one text that there is as a rule."""
    for index, part in enumerate(parts):
        if isinstance(part, Text) and cites:
            return [*parts[:index], msgspec.structs.replace(part, cites=tuple(cites)), *parts[index + 1 :]]
    return parts


def _scored(parts: list[AnyPart], entries: list[Obj]) -> list[AnyPart]:
    """Give the log probabilities to the last text: those before it are of thinking."""
    listed = [entry for obj in entries if (entry := parse_logprob(obj)) is not None]
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if isinstance(part, Text) and listed:
            scored = msgspec.structs.replace(part, logprobs=entries_of(listed, part.text))
            return [*parts[:index], scored, *parts[index + 1 :]]
    return parts
