"""A whole answer, both ways.

Source: ai.google.dev/api/generate-content#GenerateContentResponse, read 2026-11-20.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from setu import _json
from setu._json import Json, JsonError, Raw
from setu.chat.fold import fold
from setu.chat.ids import Mint
from setu.chat.parts import AnyPart, Reasoning, Text
from setu.chat.response import Candidate, ChatResponse, Finish
from setu.dialects.gemini.decoder import Decoder
from setu.dialects.gemini.finish import render_finish
from setu.dialects.gemini.grounding import render_grounding, render_logprobs
from setu.dialects.gemini.parts import own_extra
from setu.dialects.gemini.proto import NAME
from setu.dialects.gemini.render import Scribe, Wire, lose_extra, render_part
from setu.dialects.gemini.usage import render_usage
from setu.dialects.record import Rendered, Reply, pointer
from setu.errors import DialectError, ProviderError, RemoteDialectError


def parse_response(body: bytes, mint: Mint) -> ChatResponse:
    """Read an answer: a stream of one chunk, or the array that a stream without `alt=sse` is.

    An answer without candidates that says anything else (tokens, an id) is one candidate that ended in an error.

    Raises:
        ProviderError: the body holds an error.
        RemoteDialectError: the body holds no answer.
    """
    decoder = Decoder(mint)
    try:
        events = decoder.read(body.strip())
    except (DialectError, JsonError, RecursionError) as error:
        raise RemoteDialectError(f"The upstream's answer cannot be read: {error}") from None
    folded = fold([*events, *decoder.close()])
    if folded.error is not None:
        raise ProviderError(folded.error)
    response = folded.response
    if response.candidates:
        return response
    if response.id is None and response.usage is None:
        raise RemoteDialectError("The upstream's answer holds no candidates")
    return msgspec.structs.replace(response, candidates=(Candidate(messages=(), finish=Finish(reason="error")),))


def render_response(response: ChatResponse, reply: Reply) -> Rendered:
    """Write a GenerateContentResponse."""
    scribe = Scribe(phase="response")
    members: dict[str, Any] = {}
    candidates = [
        _candidate(candidate, reply, scribe)
        for candidate in response.candidates
        if not (_empty(candidate) and blocked(candidate.finish, response.feedback))
    ]
    if candidates:
        members["candidates"] = candidates
    if response.feedback is not None:
        members["promptFeedback"] = Raw(response.feedback)
    if response.usage is not None:
        members["usageMetadata"] = render_usage(response.usage)
    members |= root(response.id, response.model, response.created, reply)
    if response.extra is not None and response.extra.dialect != NAME:
        lose_extra(response.extra, "", scribe)
    for key, value in own_extra(response.extra).items():
        members.setdefault(key, Raw(value))
    return Rendered(body=encode(members), losses=tuple(scribe.losses))


def root(identity: str | None, model: str | None, created: int | None, reply: Reply) -> dict[str, Any]:
    """Return the members that name an answer; `createTime` only where the source told the time."""
    members: dict[str, Any] = {"modelVersion": model or reply.model, "responseId": identity or reply.id}
    if created is not None and 0 <= created < 1 << 36:
        members["createTime"] = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return members


def blocked(finish: Finish | None, feedback: Json | None) -> bool:
    """Tell whether the prompt was blocked: then Gemini sends its feedback and no candidate."""
    return feedback is not None and finish is not None and finish.reason == "content_filter"


def encode(value: Any) -> bytes:
    """Serialise an answer; a lone surrogate, which JSON text cannot carry, becomes a question mark."""
    try:
        return _json.encode(value)
    except JsonError:
        return _json.encode(_sayable(value))


def _sayable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_sayable(key): _sayable(member) for key, member in value.items()}
        case list():
            return [_sayable(item) for item in value]
        case _:
            return value


def _empty(candidate: Candidate) -> bool:
    return not any(message.parts for message in candidate.messages)


def _candidate(candidate: Candidate, reply: Reply, scribe: Scribe) -> dict[str, Any]:
    where = pointer("candidates", candidate.index)
    parts = [part for message in candidate.messages for part in message.parts]
    content: dict[str, Any] = {"role": "model"}
    wires = _parts(parts, where, reply, scribe)
    if wires:
        content["parts"] = wires
    written: dict[str, Any] = {"content": content, "index": candidate.index}
    if candidate.finish is not None:
        written["finishReason"] = render_finish(candidate.finish)
    texts = [part for part in parts if isinstance(part, Text)]
    logprobs = render_logprobs(entry for text in texts for entry in text.logprobs or ())
    if logprobs is not None:
        written["logprobsResult"] = logprobs
    grounding = render_grounding((cite, text.text) for text in texts for cite in text.cites if cite.dialect != NAME)
    if grounding is not None:
        written["groundingMetadata"] = grounding
    if candidate.extra is not None and candidate.extra.dialect != NAME:
        lose_extra(candidate.extra, where, scribe)
    for key, value in own_extra(candidate.extra).items():
        written.setdefault(key, Raw(value))
    return written


def _parts(parts: Sequence[AnyPart], where: str, reply: Reply, scribe: Scribe) -> list[Wire]:
    return [
        wire
        for index, part in enumerate(parts)
        if reply.include_thoughts or not isinstance(part, Reasoning)
        for wire in render_part(part, f"{where}/content/{index}", scribe)
    ]
