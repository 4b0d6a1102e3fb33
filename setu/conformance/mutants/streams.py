"""Mutants of event streams and of what is in their chunks."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from setu.conformance.mutants.asked import alone
from setu.conformance.mutants.edits import CHAT, Json, answers, choices, each, events, frames, put, when
from setu.conformance.mutants.mutant import Change, Mutants
from setu.errors import TruncatedError
from setu.http import ByteStream, Request, Response

MUTANTS = Mutants()
_DONE = b"data: [DONE]"
_LITERAL = ("STR-001", "SDK-001")


def _done(edit: Callable[[bytes], list[bytes]]) -> Change:
    """Put something in the place of the end mark."""
    return frames(lambda frame, _asked: edit(frame) if frame.startswith(_DONE) else [frame])


def _of_chunks(edit: Callable[[bytes], bytes]) -> Change:
    return frames(lambda frame, _asked: [edit(frame) if frame.startswith(b"data: {") else frame])


def _error_as_text(event: Json, _asked: Json) -> Json:
    return {"error": event["error"]["message"]} if event.get("error") else event


def _ascii(choice: Json) -> Json:
    content = choice["delta"].get("content")
    return _saying(choice, re.sub(r"[^\x00-\x7f]", "\ufffd", content)) if content else choice


def _saying(choice: Json, content: str) -> Json:
    return {**choice, "delta": {**choice["delta"], "content": content}}


def _cacheable(request: Request, response: Response) -> Response:
    if CHAT in request.path and not isinstance(response.body, bytes):
        response.headers.set("cache-control", "public, max-age=60")
    return response


def _held(start: Callable[[bytes], bool]) -> Change:
    """Hold a stream back from some event on, until it is over."""

    def edit(request: Request, response: Response) -> Response:
        if CHAT in request.path and not isinstance(response.body, bytes):
            response.body = _Held(response, start)
        return response

    return answers(edit)


def _cut(chunk: bytes) -> list[bytes]:
    """Return a chunk's events, each with the blank line that ends it."""
    return [piece for piece in re.split(rb"(?<=\n\n)", chunk) if piece]


class _Held:
    """A stream that comes late; one that breaks off does so after what there was."""

    def __init__(self, response: Response, start: Callable[[bytes], bool]) -> None:
        self._inner: Any = response.body
        self._start = start

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held: list[bytes] = []
        broken: TruncatedError | None = None
        try:
            async for chunk in Response(200, body=self._inner).chunks():
                for event in _cut(chunk):  # a gateway may write its first events at once
                    if held or self._start(event):
                        held.append(event)
                    else:
                        yield event
        except TruncatedError as error:
            broken = error
        if held:
            yield b"".join(held)
        if broken is not None:
            raise broken

    async def aclose(self) -> None:
        inner: ByteStream = self._inner
        await inner.aclose()


MUTANTS.front(
    "SSE-001",
    "line_without_field",
    "A line of a stream is no field.",
    _of_chunks(lambda frame: b"status: 200\n" + frame),
)
MUTANTS.front("SSE-002", "lost_done", "A stream has no end mark.", _done(lambda _: []))
MUTANTS.front(
    "SSE-002",
    "done_with_suffix",
    "The end mark has a space behind it.",
    _done(lambda frame: [frame.replace(_DONE, _DONE + b" ")]),
)
MUTANTS.front(
    "SSE-003", "replaced_character", "What is not ASCII is replaced.", events(each(when(alone, choices(_ascii))))
)
MUTANTS.front("SSE-004", "named_events", "Events have names.", _of_chunks(lambda frame: b"event: chunk\n" + frame))
MUTANTS.front("SSE-005", "error_as_text", "An error in a stream is a text.", events(each(_error_as_text)))
MUTANTS.front("SSE-006", "cacheable", "Caches are invited to keep a stream.", answers(_cacheable))
MUTANTS.front(
    "SSE-007",
    "text_held_back",
    "The first chunk comes at once, the text at the end.",
    _held(lambda chunk: b'"role":"assistant"' not in chunk),
)
MUTANTS.front(
    "SSE-008", "done_twice", "The end mark comes twice.", _done(lambda frame: [frame, frame]), implies="SSE-002"
)
MUTANTS.front(
    "SSE-009", "no_last_blank_line", "No blank line ends the last event.", _done(lambda frame: [frame.rstrip(b"\n")])
)
MUTANTS.front("STR-018", "all_at_once", "A stream comes when it is over.", _held(lambda _: True), implies="SSE-007")


def _at_end(edit: Callable[[Json], Json]) -> Change:
    """Edit the chunks that end a choice."""
    return events(lambda event, _asked: [edit(event) if _ends(event) else event])


def _ends(event: Json) -> bool:
    return any(choice.get("finish_reason") for choice in event.get("choices") or ())


def _delta(edit: Callable[[Json], Any]) -> Change:
    return events(each(choices(lambda choice: {**choice, "delta": edit(choice["delta"])})))


def _but(name: str, when: Callable[[Any], bool] = lambda _: True) -> Callable[[Json], Json]:
    """Return an edit that leaves a member out, for some of its values."""
    return lambda made: {key: value for key, value in made.items() if key != name or not when(value)}


def _index_up(choice: Json) -> Json:
    return {**choice, "index": choice["index"] + 1}


def _twice(event: Json, _asked: Json) -> list[Json]:
    return [event, event] if _ends(event) else [event]


def _spaces_lost(choice: Json) -> Json:
    content = choice["delta"].get("content")
    return _saying(choice, content.lstrip(" ")) if content else choice


def _unasked(event: Json, asked: Json) -> Iterator[Json]:
    yield event
    if _ends(event) and alone(asked):
        yield {**event, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}}


def _first_only(event: Json, _asked: Json) -> list[Json]:
    second = [choice for choice in event.get("choices") or () if choice["index"] == 1]
    return [] if second else [event]


MUTANTS.front(
    "STR-001",
    "logprobs_list",
    "Log probabilities that are not there are an empty list.",
    events(each(put("/choices/0/logprobs", []))),
    implies="SDK-001",
)
MUTANTS.front(
    "STR-002",
    "plain_object",
    "A chunk calls itself an answer.",
    events(each(put("/object", "chat.completion"))),
    implies=_LITERAL,
)
MUTANTS.front(
    "STR-003",
    "id_changes",
    "The last chunk has another id.",
    _at_end(lambda event: {**event, "id": f"{event['id']}-end"}),
)
MUTANTS.front(
    "STR-004",
    "created_changes",
    "The last chunk has another time.",
    _at_end(lambda event: {**event, "created": event["created"] + 1}),
)
MUTANTS.front(
    "STR-005",
    "model_changes",
    "The last chunk names another model.",
    _at_end(lambda event: {**event, "model": "gpt-5-mini-other"}),
)
MUTANTS.front("STR-006", "no_role", "No chunk says who speaks.", _delta(_but("role")))
MUTANTS.front(
    "STR-007",
    "role_in_every_delta",
    "Every chunk says who speaks.",
    _delta(lambda delta: {**delta, "role": "assistant"}),
)
MUTANTS.front(
    "STR-008", "index_from_one", "The only choice has index 1.", events(each(when(alone, choices(_index_up))))
)
MUTANTS.front(
    "STR-008", "no_index", "A choice has no index.", events(each(when(alone, choices(_but("index"))))), implies=_LITERAL
)
MUTANTS.front("STR-009", "finish_twice", "A choice ends twice.", events(_twice))
MUTANTS.front(
    "STR-009",
    "finish_missing",
    "No choice ever ends.",
    events(each(when(alone, choices(lambda choice: {**choice, "finish_reason": None})))),
    implies="SDK-001",
)
MUTANTS.front(
    "STR-010",
    "finish_key_missing",
    "A chunk that does not end a choice leaves the reason out.",
    events(each(choices(_but("finish_reason", lambda value: value is None)))),
)
MUTANTS.front(
    "STR-011", "spaces_lost", "A stream loses the spaces before its words.", events(each(choices(_spaces_lost)))
)
MUTANTS.front(
    "STR-012",
    "no_usage_chunk",
    "Usage was asked for and does not come.",
    events(lambda event, _asked: [] if event.get("usage") else [event]),
)
MUTANTS.front(
    "STR-013",
    "usage_key_missing",
    "A chunk without usage leaves it out.",
    events(lambda event, _asked: [_but("usage", lambda value: value is None)(event)]),
)
MUTANTS.front("STR-014", "unasked_usage", "Usage comes unasked.", events(_unasked))
MUTANTS.front("STR-015", "second_choice_lost", "Of two choices one is streamed.", events(_first_only))
MUTANTS.front(
    "STR-016",
    "null_delta",
    "A chunk that says nothing has no delta.",
    _delta(lambda delta: delta or None),
    implies=_LITERAL,
)
MUTANTS.front(
    "STR-017",
    "message_in_chunk",
    "A chunk has a message, too.",
    events(each(put("/choices/0/message", {"role": "assistant"}))),
)
