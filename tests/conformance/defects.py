"""Defects to seed into the dialects: each one a bug that somebody shipped, and the checks that must catch it.

A defect is a function from a dialect to a broken one.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from setu.chat.events import ArgumentsDelta, Event, Failed, Finished, TextDelta, UsageSeen
from setu.chat.parts import ToolResult
from setu.chat.response import ChatResponse
from setu.conformance.mutants.codecs import Change, complete_anyway


class Defect(msgspec.Struct, frozen=True):
    """One bug: in which dialect, as client or upstream, in streams or plain; `checks` are those that may catch it."""

    id: str
    dialect: str
    side: str
    mode: str
    checks: frozenset[str]
    change: Change


# Bugs, as changes of one value ---------------------------------------------------------------------------------------


def swallow_errors(event: Event) -> Event | None:
    """A mid-stream error ignored."""
    if isinstance(event, Failed):
        return None
    return complete_anyway(event)


def lose_whitespace(event: Event) -> Event | None:
    if isinstance(event, TextDelta):
        return msgspec.structs.replace(event, text=event.text.strip())
    return event


def lose_usage(event: Event) -> Event | None:
    return None if isinstance(event, UsageSeen) else event


def usage_off_by_one(event: Event) -> Event | None:
    if isinstance(event, UsageSeen) and event.usage.output is not None:
        return UsageSeen(usage=msgspec.structs.replace(event.usage, output=event.usage.output + 1))
    return event


def lose_arguments(event: Event) -> Event | None:
    if isinstance(event, ArgumentsDelta):
        return msgspec.structs.replace(event, text=event.text[:-1])
    return event


def length_is_stop(event: Event) -> Event | None:
    if isinstance(event, Finished) and event.finish.reason == "length":
        return msgspec.structs.replace(event, finish=msgspec.structs.replace(event.finish, reason="stop"))
    return event


def finishes(reason: str, instead: str) -> Callable[[ChatResponse], ChatResponse]:
    def of_response(response: ChatResponse) -> ChatResponse:
        return msgspec.structs.replace(
            response,
            candidates=tuple(
                msgspec.structs.replace(c, finish=msgspec.structs.replace(c.finish, reason=instead))
                if c.finish and c.finish.reason == reason
                else c
                for c in response.candidates
            ),
        )

    return of_response


def swapped_results(request: Any) -> Any:
    """Tool results attached to each other's calls (B-TOOL-05)."""
    ids = [p.call_id for m in request.messages for p in m.parts if isinstance(p, ToolResult)]
    turned = dict(zip(ids, reversed(ids), strict=True))
    return msgspec.structs.replace(
        request,
        messages=tuple(
            msgspec.structs.replace(
                m,
                parts=tuple(
                    msgspec.structs.replace(p, call_id=turned[p.call_id], name=None) if isinstance(p, ToolResult) else p
                    for p in m.parts
                ),
            )
            for m in request.messages
        ),
    )
