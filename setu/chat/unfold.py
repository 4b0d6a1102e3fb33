"""Unfold an answer into the events of a stream that would have carried it."""

from collections.abc import Iterator

import msgspec

from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Finished,
    Noted,
    PartEnded,
    PartStarted,
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.parts import AnyPart, Reasoning, Refusal, Text, ToolCall
from setu.chat.response import ChatResponse


def unfold(response: ChatResponse) -> Iterator[Event]:
    """Yield a whole, complete stream; `fold` of it is the response again."""
    yield Started(
        id=response.id,
        model=response.model,
        created=response.created,
        service_tier=response.service_tier,
        extra=response.extra,
    )
    handle = 0
    for candidate in response.candidates:
        for number, message in enumerate(candidate.messages):
            for part in message.parts:
                yield PartStarted(
                    part=handle, value=skeleton(part), candidate=candidate.index, message=number, phase=message.phase
                )
                yield from _deltas(handle, part)
                yield PartEnded(part=handle, final=part)
                handle += 1
    for candidate in response.candidates:
        if candidate.finish is not None:
            yield Finished(candidate=candidate.index, finish=candidate.finish, extra=candidate.extra)
    if response.feedback is not None:
        yield Noted(feedback=response.feedback)
    if response.usage is not None:
        yield UsageSeen(usage=response.usage)
    yield Ended(complete=True)


def skeleton(part: AnyPart) -> AnyPart:
    """Return the part without the content that streams as deltas."""
    match part:
        case Text():
            return msgspec.structs.replace(part, text="", logprobs=None, seal=None, cites=())
        case Refusal():
            return msgspec.structs.replace(part, text="")
        case Reasoning():
            return msgspec.structs.replace(part, text=(), summary=(), seal=None)
        case ToolCall():
            return msgspec.structs.replace(part, arguments="")
        case _:
            return part


def _deltas(handle: int, part: AnyPart) -> Iterator[Event]:
    match part:
        case Text():
            yield TextDelta(part=handle, text=part.text, logprobs=part.logprobs)
            for cite in part.cites:
                yield CiteAdded(part=handle, cite=cite)
        case Refusal():
            yield TextDelta(part=handle, text=part.text)
        case ToolCall():
            yield ArgumentsDelta(part=handle, text=part.arguments)
        case Reasoning():
            for section, text in enumerate(part.text):
                yield ReasoningDelta(part=handle, text=text, section=section)
            for section, text in enumerate(part.summary):
                yield ReasoningDelta(part=handle, text=text, section=section, summary=True)
        case _:
            return
    if part.seal is not None and isinstance(part, (Text, Reasoning)):
        yield SealAdded(part=handle, data=part.seal.data, issuer=part.seal.issuer, kind=part.seal.kind)
