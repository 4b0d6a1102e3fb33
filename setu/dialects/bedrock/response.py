"""Answers in one piece: `ConverseResponse` to the model."""

from setu import _json
from setu._json import Json
from setu.chat.ids import Mint
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse
from setu.chat.seals import Extra
from setu.dialects.bedrock.blocks import is_call, read_blocks
from setu.dialects.bedrock.errors import masked
from setu.dialects.bedrock.usage import read_usage
from setu.dialects.bedrock.words import NAME, finish_of
from setu.dialects.reader import Obj, utf8
from setu.errors import ProviderError, RemoteDialectError


def parse_response(body: bytes, mint: Mint) -> ChatResponse:
    """Read an answer liberally. Its id and its model's name are in no body; both stay None.

    Raises:
        ProviderError: the body is an error, whatever the status was (B-ERR-08).
        RemoteDialectError: there is no answer in it.
    """
    try:
        return _parse(utf8(body), mint)
    except RecursionError:
        raise RemoteDialectError("the answer is nested too deeply") from None


def _parse(raw: bytes, mint: Mint) -> ChatResponse:
    answer = Obj(raw, lenient=True)
    output = answer.obj("output")
    message = output.obj("message") if output else None
    if message is None:
        error = masked(raw)
        if error is not None:
            raise ProviderError(error)
        raise RemoteDialectError("the answer has no output message", param="output.message")
    parts = read_blocks(message.array("content") or [], mint)
    word = answer.text("stopReason")
    calls = any(map(is_call, parts))
    finish = finish_of(word, calls=calls, stop_sequence=stop_sequence(answer)) if word is not None else None
    return ChatResponse(
        candidates=(Candidate(messages=(Message(role="assistant", parts=parts),), finish=finish),),
        usage=read_usage(answer.raw("usage")),
        service_tier=service_tier(answer),
        extra=said(answer),
    )


def stop_sequence(holder: Obj) -> str | None:
    """Return the stop sequence that ended the answer, where Claude was asked for it in the additional fields."""
    raw = holder.members.get("additionalModelResponseFields")
    if raw is None or _json.kind_of(raw) != "object":
        return None
    return Obj(raw, lenient=True).text("stop_sequence")


def service_tier(holder: Obj) -> str | None:
    """Take the tier that served the answer."""
    tier = holder.obj("serviceTier")
    return tier.text("type") if tier else None


_TRANSPORT = ("metrics", "p")
"""How long Bedrock took, and padding against traffic analysis: facts of the transport, no part of an answer."""


def said(holder: Obj) -> Extra | None:
    """Return the members nobody took that say something (the guardrail's trace, say)."""
    members: dict[str, Json] = {
        key: raw for key, raw in holder.members.items() if raw != b"null" and key not in _TRANSPORT
    }
    return Extra(dialect=NAME, members=members) if members else None
