"""Answers of upstreams, read liberally: one candidate with one message for each output item."""

import msgspec

from setu import _json
from setu._json import Json, kind_of
from setu.chat.ids import Mint
from setu.chat.parts import Media, Opaque, ToolCall
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse, Finish
from setu.chat.seals import Extra
from setu.dialects.openai_errors import error_of
from setu.dialects.openai_responses.content import parse_content
from setu.dialects.openai_responses.errors import answer_error
from setu.dialects.openai_responses.items import parse_call, parse_hosted, parse_image, parse_reasoning
from setu.dialects.openai_responses.usage import parse_usage
from setu.dialects.openai_responses.words import CALLS, HOSTED, NAME, PENDING, finish_of
from setu.dialects.reader import Obj
from setu.errors import ProviderError, RemoteDialectError

ECHOED = frozenset(
    {
        "background",
        "frequency_penalty",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "object",
        "output_text",
        "parallel_tool_calls",
        "presence_penalty",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "store",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
        "completed_at",
        "error",
    }
)
"""Members that repeat the request, or that say what the model says elsewhere."""


def parse_response(body: bytes, mint: Mint) -> ChatResponse:
    """Read an answer.

    Raises:
        ProviderError: the body holds an error instead, or the answer failed.
        RemoteDialectError: there is no answer in it.
    """
    try:
        return _parse(body.strip(), mint)
    except _json.JsonError as error:
        raise RemoteDialectError(f"the upstream's answer is not valid JSON: {error}") from None


def _parse(body: bytes, mint: Mint) -> ChatResponse:
    obj = Obj(body, lenient=True)
    if not obj.has("output") or obj.is_null("output"):
        _refuse(body)
    if obj.members.get("status") == b'"failed"':
        raise ProviderError(msgspec.structs.replace(answer_error(obj.raw("error")), raw=body))
    return read_answer(obj, mint)


def _refuse(body: bytes) -> None:
    """Raise what an answer without output says instead."""
    decoded = _json.decode(body)
    if any(key in decoded for key in ("error", "message", "detail", "errors")):
        raise ProviderError(msgspec.structs.replace(error_of(decoded), raw=body))
    raise RemoteDialectError("the upstream's answer has no 'output'", param="output")


def read_answer(obj: Obj, mint: Mint) -> ChatResponse:
    """Read a response object, whatever its status."""
    items = obj.array("output") or []
    messages = tuple(parse_output_item(item, f"output[{index}]", mint) for index, item in enumerate(items))
    created = obj.number("created_at")
    status = _json.decode(obj.members.get("status", b"null"))
    return ChatResponse(
        id=obj.text("id") or None,
        model=obj.text("model") or None,
        created=int(created) if created else None,
        candidates=(Candidate(messages=messages, finish=read_finish(obj, messages)),),
        usage=parse_usage(obj.raw("usage")),
        service_tier=obj.text("service_tier"),
        pending=status if status in PENDING else None,
        extra=head_extra(obj),
    )


def read_finish(obj: Obj, messages: tuple[Message, ...]) -> Finish | None:
    """Take why an answer ended; None for one that has not (a background run)."""
    status = obj.text("status")
    details = obj.obj("incomplete_details")
    reason = details.text("reason") if details is not None else None
    if status in PENDING:
        return None
    calls = any(isinstance(part, ToolCall) for message in messages for part in message.parts)
    return Finish(reason=finish_of(status, reason, calls=calls), native=reason or status)


def head_extra(obj: Obj) -> Extra | None:
    """Keep what says something and is neither read elsewhere nor the request again."""
    members = {key: raw for key, raw in obj.members.items() if key not in ECHOED and raw not in (b"null", b"[]", b"{}")}
    return Extra(dialect=NAME, members=members) if members else None


def parse_output_item(raw: Json, where: str, mint: Mint) -> Message:
    """Read one output item; a kind this version does not know stays opaque."""
    if kind_of(raw) != "object":
        return Message(role="assistant", parts=(Opaque(dialect=NAME, kind="", raw=raw),))
    obj = Obj(raw, where, lenient=True)
    kind = obj.text("type") or ""
    match kind:
        case "message":
            return _message(obj)
        case "reasoning":
            return Message(role="assistant", parts=(parse_reasoning(obj),))
        case "image_generation_call" if (image := _image(raw, where)) is not None:
            return Message(role="assistant", parts=(image,))
        case _ if kind in CALLS:
            call, _ = parse_call(obj, kind, lambda: mint("call_"))
            return Message(role="assistant", parts=(call,))
        case _ if kind in HOSTED:
            return Message(role="assistant", parts=(parse_hosted(obj, kind),))
        case _:
            return Message(role="assistant", parts=(Opaque(dialect=NAME, kind=kind, raw=raw),))


def _message(obj: Obj) -> Message:
    obj.text("role")
    obj.text("status")
    identity, phase = obj.text("id"), obj.text("phase")
    parts = parse_content(obj, "content")
    return Message(role="assistant", parts=parts, id=identity, phase=phase, extra=obj.extra(NAME))


def _image(raw: Json, where: str) -> Media | None:
    obj = Obj(raw, where, lenient=True)
    obj.text("type")
    return parse_image(obj)
