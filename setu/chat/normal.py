"""The normal form of an answer: two that mean the same become equal.

Adjacent messages of one role merge, adjacent plain texts join, reasoning without words has no sections, and an
empty sealed text folds its seal into the text before it (Gemini closes a text with `text: ""` and a signature). Ids,
`created` and seal bytes are dropped on request: providers mint them anew for a twin.
"""

import msgspec

from setu.chat.parts import AnyPart, HostedCall, HostedResult, Reasoning, Refusal, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest, Message
from setu.chat.response import Candidate, ChatResponse
from setu.chat.seals import Seal


def normal_response(response: ChatResponse, *, anonymous: bool = False) -> ChatResponse:
    """Return the normal form; `anonymous` also drops ids, time and seal bytes."""
    candidates = tuple(_candidate(candidate, anonymous=anonymous) for candidate in response.candidates)
    changes: dict[str, object] = {"candidates": candidates}
    if anonymous:
        changes |= {"id": None, "created": None}
    return msgspec.structs.replace(response, **changes)


def normal_request(request: ChatRequest) -> ChatRequest:
    """Return the request with its messages in normal form."""
    system = normal_parts(request.system)
    return msgspec.structs.replace(request, system=system, messages=normal_messages(request.messages))


def normal_messages(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Merge neighbours of the same role and normalise their parts."""
    merged: list[Message] = []
    for message in messages:
        last = merged[-1] if merged else None
        if last is not None and _alike(last, message):
            merged[-1] = msgspec.structs.replace(last, parts=last.parts + message.parts)
        else:
            merged.append(message)
    return tuple(msgspec.structs.replace(message, parts=normal_parts(message.parts)) for message in merged)


def normal_parts(parts: tuple[AnyPart, ...]) -> tuple[AnyPart, ...]:
    """Join neighbouring plain texts, drop empty ones, fold an empty sealed text into the text before it."""
    joined: list[AnyPart] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Reasoning):
            joined.append(_without_blank_sections(part))
        elif not isinstance(part, Text):
            joined.append(part)
        elif isinstance(last, Text) and _continues(last, part):
            joined[-1] = _join(last, part)
        elif part.text or part.seal or part.cites or part.cache or part.extra:
            joined.append(part)
    return tuple(joined)


def _without_blank_sections(part: Reasoning) -> Reasoning:
    """A host that hides its thinking sends an empty text or none at all, and both mean nothing was said."""
    text = part.text if any(part.text) else ()
    summary = part.summary if any(part.summary) else ()
    if (text, summary) == (part.text, part.summary):
        return part
    return msgspec.structs.replace(part, text=text, summary=summary)


def _alike(one: Message, other: Message) -> bool:
    """Only bare envelopes merge: a name, a status or an extra belongs to its own message."""
    return one.role == other.role and not any(
        (one.name, other.name, one.phase, other.phase, one.status, other.status, one.extra, other.extra)
    )


def _continues(last: Text, part: Text) -> bool:
    bare = part.cache is None and part.extra is None and last.cache is None and last.extra is None
    return bare and last.seal is None and (part.seal is None or not part.text)


def _join(last: Text, part: Text) -> Text:
    offset = len(last.text)
    cites = tuple(
        msgspec.structs.replace(
            cite,
            start=None if cite.start is None else cite.start + offset,
            end=None if cite.end is None else cite.end + offset,
        )
        for cite in part.cites
    )
    logprobs = last.logprobs
    if part.logprobs is not None:
        logprobs = (logprobs or ()) + part.logprobs
    return msgspec.structs.replace(
        last, text=last.text + part.text, cites=last.cites + cites, logprobs=logprobs, seal=part.seal
    )


def _candidate(candidate: Candidate, *, anonymous: bool) -> Candidate:
    messages = normal_messages(candidate.messages)
    if anonymous:
        messages = tuple(
            msgspec.structs.replace(message, id=None, parts=tuple(_anonymous(part) for part in message.parts))
            for message in messages
        )
    return msgspec.structs.replace(candidate, messages=messages)


def _anonymous(part: AnyPart) -> AnyPart:
    changes: dict[str, object] = {"id": None}
    if part.seal is not None:
        changes["seal"] = Seal(issuer=part.seal.issuer, kind=part.seal.kind, data="")
    if isinstance(part, (ToolCall, ToolResult, HostedCall, HostedResult)):
        changes["call_id"] = ""
    return msgspec.structs.replace(part, **changes)


def text_of(parts: tuple[AnyPart, ...]) -> str:
    """Return the reader-visible text of parts, joined."""
    return "".join(part.text for part in parts if isinstance(part, Text))


def reasoning_of(parts: tuple[AnyPart, ...]) -> str:
    """Return the thinking of parts, joined: the text where there is one, else the summary."""
    return "".join("".join(part.text or part.summary) for part in parts if isinstance(part, Reasoning))


def refusal_of(parts: tuple[AnyPart, ...]) -> str | None:
    """Return the refusal of parts, None when there is none."""
    found = [part.text for part in parts if isinstance(part, Refusal)]
    return "".join(found) if found else None
