"""An answer put together from a document or from a stream, in one shape for all dialects, so that two can be compared.

Deliberately naive and separate from any decoder under test: text concatenates, arguments concatenate, the last
finish reason stays.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from setu.conformance.judges.view import ANTHROPIC, GEMINI, OPENAI, Event, View, is_count, obj, objects, parse

_NO_CALL = -1


class Call(msgspec.Struct):
    """A tool call: `arguments` is its JSON text as sent, `event` where it first appears in a stream."""

    name: str
    arguments: str
    id: str | None = None
    index: int | None = None
    event: Event | None = None

    @property
    def value(self) -> Any:
        """The parsed arguments; `MISSING` when they are not JSON. Empty arguments count as none given."""
        return parse(self.arguments.encode("utf-8", "surrogatepass")) if self.arguments.strip() else {}


class Answer(msgspec.Struct):
    """One choice, candidate or message."""

    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    finish: str | None = None
    calls: list[Call] = []


Answers = dict[int, Answer]


def answers(view: View) -> Answers:
    """Return what was answered, by choice index; empty for routes that do not answer a prompt."""
    assemble = _OF_DIALECT.get(view.dialect or "")
    return assemble(view) if assemble else {}


def usage(view: View) -> dict[str, int]:
    """Return the token counts that were reported, by their wire names, the last report of each."""
    counts: dict[str, int] = {}
    for document in _documents(view):
        for key in _USAGE_KEYS:
            found = obj(document.get(key))
            counts |= {name: count for name, count in found.items() if is_count(count)}
        nested = obj(obj(document.get("message")).get("usage"))
        counts |= {name: count for name, count in nested.items() if is_count(count)}
    return counts


_USAGE_KEYS = ("usage", "usageMetadata")


def _documents(view: View) -> list[dict[str, Any]]:
    return [event.fields for event in view.chunks] if view.streamed else [view.document]


def _openai(view: View) -> Answers:
    return _openai_stream(view) if view.streamed else _openai_plain(view)


def _openai_plain(view: View) -> Answers:
    found: Answers = {}
    for position, choice in enumerate(objects(view.document.get("choices"))):
        index = choice.get("index")
        message = obj(choice.get("message"))
        answer = found.setdefault(index if is_count(index) else position, Answer())
        _grow_text(answer, message)
        answer.finish = _text(choice.get("finish_reason")) or None
        answer.calls = [_openai_call(call) for call in objects(message.get("tool_calls"))]
    return found


def _openai_call(call: Mapping[str, Any]) -> Call:
    function = obj(call.get("function")) or obj(call.get("custom"))
    given = function.get("arguments", function.get("input"))
    return Call(name=_text(function.get("name")), arguments=_text(given), id=_text(call.get("id")) or None)


def _openai_stream(view: View) -> Answers:
    found: Answers = {}
    for event in view.chunks:
        for choice in objects(event.fields.get("choices")):
            index = choice.get("index")
            answer = found.setdefault(index if is_count(index) else 0, Answer())
            delta = obj(choice.get("delta"))
            _grow_text(answer, delta)
            answer.finish = _text(choice.get("finish_reason")) or answer.finish
            for fragment in objects(delta.get("tool_calls")):
                _grow_call(answer, fragment, event)
    return found


def _grow_text(answer: Answer, part: Mapping[str, Any]) -> None:
    answer.text += _text(part.get("content"))
    answer.refusal += _text(part.get("refusal"))
    # Two spellings are in use for thinking that is shown (B-THK-13).
    answer.reasoning += _text(part.get("reasoning_content")) or _text(part.get("reasoning"))


def _grow_call(answer: Answer, fragment: Mapping[str, Any], event: Event) -> None:
    index = fragment.get("index")
    place = index if is_count(index) else _NO_CALL
    call = next((call for call in answer.calls if call.index == place), None)
    if call is None:
        call = Call(name="", arguments="", index=place, event=event)
        answer.calls.append(call)
    function = obj(fragment.get("function"))
    call.id = call.id or _text(fragment.get("id")) or None
    # A name that comes again is the defect of TOOL-011; a merging client takes the first.
    call.name = call.name or _text(function.get("name"))
    call.arguments += _text(function.get("arguments"))


def _anthropic(view: View) -> Answers:
    answer = Answer()
    if view.streamed:
        for event in view.chunks:
            _anthropic_event(answer, event)
    elif view.document:
        answer.finish = _text(view.document.get("stop_reason")) or None
        for block in objects(view.document.get("content")):
            _anthropic_block(answer, block, None, None)
    return {0: answer} if view.events or view.document else {}


def _anthropic_event(answer: Answer, event: Event) -> None:
    fields = event.fields
    match fields.get("type"):
        case "content_block_start":
            _anthropic_block(answer, obj(fields.get("content_block")), fields.get("index"), event)
        case "content_block_delta":
            delta = obj(fields.get("delta"))
            answer.text += _text(delta.get("text"))
            answer.reasoning += _text(delta.get("thinking"))
            for call in answer.calls:
                if call.index == fields.get("index"):
                    call.arguments += _text(delta.get("partial_json"))
        case "message_delta":
            answer.finish = _text(obj(fields.get("delta")).get("stop_reason")) or answer.finish
        case _:
            return


def _anthropic_block(answer: Answer, block: Mapping[str, Any], index: Any, event: Event | None) -> None:
    match block.get("type"):
        case "text":
            answer.text += _text(block.get("text"))
        case "thinking":
            answer.reasoning += _text(block.get("thinking"))
        case "tool_use":
            given = block.get("input")
            # In a stream `input` starts as `{}` and the arguments follow as text.
            start = json.dumps(given) if given or event is None else ""
            answer.calls.append(
                Call(
                    name=_text(block.get("name")),
                    arguments=start,
                    id=_text(block.get("id")) or None,
                    index=index if is_count(index) else None,
                    event=event,
                )
            )
        case _:
            return


def _gemini(view: View) -> Answers:
    found: Answers = {}
    placed: list[tuple[dict[str, Any], Event | None]] = (
        [(event.fields, event) for event in view.chunks] if view.streamed else [(view.document, None)]
    )
    for document, event in placed:
        for position, candidate in enumerate(objects(document.get("candidates"))):
            index = candidate.get("index")
            answer = found.setdefault(index if is_count(index) else position, Answer())
            finish = candidate.get("finishReason")
            answer.finish = str(finish) if isinstance(finish, (str, int)) else answer.finish
            for part in objects(obj(candidate.get("content")).get("parts")):
                _gemini_part(answer, part, event)
    return found


def _gemini_part(answer: Answer, part: Mapping[str, Any], event: Event | None) -> None:
    text = _text(part.get("text"))
    if part.get("thought") is True:
        answer.reasoning += text
    else:
        answer.text += text
    call = part.get("functionCall")
    if isinstance(call, dict):
        given = json.dumps(call.get("args") or {})
        answer.calls.append(
            Call(name=_text(call.get("name")), arguments=given, id=_text(call.get("id")) or None, event=event)
        )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_OF_DIALECT: Mapping[str, Callable[[View], Answers]] = {OPENAI: _openai, ANTHROPIC: _anthropic, GEMINI: _gemini}
