"""Answers in one piece: a `message` object to the model and back."""

from typing import Any

from setu import _json
from setu._json import Json, Raw
from setu.chat.ids import Mint
from setu.chat.parts import AnyPart, HostedCall, HostedResult, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse, Finish
from setu.dialects.anthropic.blocks import Known, read_content
from setu.dialects.anthropic.errors import info_of
from setu.dialects.anthropic.usage import read_usage, write_usage
from setu.dialects.anthropic.words import NAME, client_id, finish_of, word_of
from setu.dialects.anthropic.writing import (
    hosted_call,
    hosted_result,
    own_cites,
    own_extra,
    safe_json,
    signed_thinking,
)
from setu.dialects.claude import call_input, thinking_text
from setu.dialects.losses import Losses
from setu.dialects.reader import Obj, utf8
from setu.dialects.record import Rendered, Reply, pointer
from setu.errors import ProviderError, RemoteDialectError

Block = dict[str, Any]


def parse_response(body: bytes, mint: Mint) -> ChatResponse:
    """Read an answer liberally.

    Raises:
        ProviderError: the body is an error, whatever the status was (B-ERR-08).
        RemoteDialectError: there is no answer in it.
    """
    try:
        return _parse(utf8(body), mint)
    except RecursionError:
        raise RemoteDialectError("the answer is nested too deeply") from None


def _parse(raw: bytes, mint: Mint) -> ChatResponse:
    message = Obj(raw, lenient=True)
    if message.text("type") == "error" or (message.has("error") and not message.has("content")):
        raise ProviderError(info_of(200, raw))
    if not message.has("content"):
        raise RemoteDialectError("the answer has no content", param="content")
    parts = read_content(message, "content", Known(mint))
    usage = message.raw("usage")
    message.text("role")
    finish = read_finish(message, calls=has_calls(parts))
    tier = service_tier(usage)
    return ChatResponse(
        id=message.text("id"),
        model=message.text("model"),
        candidates=(Candidate(messages=(Message(role="assistant", parts=parts),), finish=finish),),
        usage=read_usage(usage) if usage is not None and _json.kind_of(usage) == "object" else None,
        service_tier=tier,
        extra=said(message).extra(NAME),
    )


def service_tier(usage: Json | None) -> str | None:
    """Return the tier that a usage object names."""
    if usage is None or _json.kind_of(usage) != "object":
        return None
    return Obj(usage, lenient=True).text("service_tier")


def has_calls(parts: tuple[AnyPart, ...]) -> bool:
    return any(isinstance(part, ToolCall) for part in parts)


def read_finish(holder: Obj, *, calls: bool) -> Finish | None:
    """Take the three members that say why an answer ended; None while it has not."""
    word = holder.text("stop_reason")
    stop_sequence = holder.text("stop_sequence")
    detail = holder.raw("stop_details")
    if word is None:
        return None
    return finish_of(word, calls=calls, stop_sequence=stop_sequence, detail=detail)


def said(obj: Obj) -> Obj:
    """Drop the members that are null: they say nothing."""
    obj.members = {key: raw for key, raw in obj.members.items() if raw != b"null"}
    return obj


def render_response(response: ChatResponse, reply: Reply) -> Rendered:
    """Write an answer; of several candidates Anthropic can say only the first."""
    losses = Losses("response")
    candidate = response.candidates[0] if response.candidates else Candidate(messages=())
    for other in response.candidates[1:]:
        losses.note(pointer("candidates", other.index), "Anthropic answers once")
    parts = tuple(part for message in candidate.messages for part in message.parts)
    blocks = write_parts(parts, reply, losses)
    members = message_members(response.id, reply, write_usage(response.usage, response.service_tier))
    members["content"] = blocks
    members |= write_finish(candidate.finish, calls=has_calls(parts))
    members |= own_extra(response.extra, "", losses) | own_extra(candidate.extra, "/candidates/0", losses)
    return Rendered(body=safe_json(members), losses=tuple(losses))


def message_members(message_id: str | None, reply: Reply, usage: dict[str, Any]) -> dict[str, Any]:
    """Return a message without content: what `message_start` carries too."""
    return {
        "id": message_id or reply.id,
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def write_finish(finish: Finish | None, *, calls: bool) -> dict[str, Any]:
    """Return `stop_reason` and its companions."""
    word = word_of(finish, calls=calls)
    members: dict[str, Any] = {
        "stop_reason": word,
        "stop_sequence": finish.stop_sequence if finish and word == "stop_sequence" else None,
    }
    detail = finish.detail if finish else None
    if detail is not None and _is_stop_details(detail):
        members["stop_details"] = Raw(detail)
    return members


def _is_stop_details(detail: Json) -> bool:
    """Tell Anthropic's own detail from another source's."""
    return _json.kind_of(detail) == "object" and Obj(detail, lenient=True).text("type") == "refusal"


def write_parts(parts: tuple[AnyPart, ...], reply: Reply, losses: Losses) -> list[Any]:
    """Return the blocks for an answer's parts; thinking only if the client wants to see it."""
    blocks: list[Any] = []
    for index, part in enumerate(parts):
        if isinstance(part, Reasoning) and not reply.include_thoughts:
            continue
        where = pointer("content", index)
        block = write_part(part, where, losses)
        if isinstance(block, dict):
            block |= own_extra(part.extra, where, losses)
        if block is not None:
            blocks.append(block)
    return blocks


def write_part(part: AnyPart, where: str, losses: Losses) -> Block | Raw | None:
    """Return the block for a part, None where Anthropic has none."""
    match part:
        case Text() | Refusal():
            return _text(part, where, losses)
        case Reasoning():
            return signed_thinking(part) or _unsigned(part)
        case ToolCall():
            return write_call(part, where, losses)
        case HostedCall() if part.dialect == NAME:
            return hosted_call(part)
        case HostedResult() if part.dialect == NAME:
            return hosted_result(part)
        case Opaque() if part.dialect == NAME:
            return Raw(part.raw)
        case Media() if part.transcript:
            losses.note(where, f"Anthropic answers with no {part.kind}; its transcript stays")
            return {"type": "text", "text": part.transcript}
        case _:
            losses.note(where, "Anthropic has no block for it")
            return None


def _text(part: Text | Refusal, where: str, losses: Losses) -> Block | None:
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text}
    if part.logprobs is not None:
        losses.note(where, "Anthropic gives no log probabilities", "info")
    cites = own_cites(part.cites, where, losses)
    if not part.text and not cites:
        return None
    return {"type": "text", "text": part.text} | ({"citations": cites} if cites else {})


def _unsigned(part: Reasoning) -> Block | None:
    """Show another model's thinking; the empty signature says that nobody vouches for it."""
    text = thinking_text(part)
    return {"type": "thinking", "thinking": text, "signature": ""} if text else None


def write_call(part: ToolCall, where: str, losses: Losses) -> Block:
    """Return a `tool_use`; arguments that are no object (cut short, say) cannot stand in one piece."""
    members = call_input(part, where, losses)
    caller = {"caller": Raw(part.caller)} if part.caller is not None else {}
    return {"type": "tool_use", "id": client_id(part.call_id), "name": part.name, "input": members} | caller
