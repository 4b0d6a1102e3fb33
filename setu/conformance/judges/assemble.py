"""An answer put together from a document or from a stream, in one shape for all dialects, so that two can be compared.

Deliberately naive and separate from any decoder under test: text concatenates, arguments concatenate, the last
finish reason stays.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from setu.conformance.judges.view import (
    ANTHROPIC,
    BEDROCK,
    COHERE,
    GEMINI,
    OLLAMA,
    OPENAI,
    RESPONSES,
    Event,
    View,
    is_count,
    obj,
    objects,
    parse,
)

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
        nested = obj(obj(document.get("message")).get("usage")) or obj(obj(document.get("response")).get("usage"))
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
    function = obj(fragment.get("function")) or obj(fragment.get("custom"))
    call.id = call.id or _text(fragment.get("id")) or None
    # A name that comes again is the defect of TOOL-011; a merging client takes the first.
    call.name = call.name or _text(function.get("name"))
    call.arguments += _text(function.get("arguments", function.get("input")))


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


def _cohere(view: View) -> Answers:
    answer = Answer()
    for document in _documents(view):
        delta = obj(document.get("delta")) or document
        answer.finish = _text(delta.get("finish_reason")) or answer.finish
        message = obj(delta.get("message"))
        content = message.get("content")
        for block in objects(content) or [obj(content)]:
            answer.text += _text(block.get("text"))
            answer.reasoning += _text(block.get("thinking"))
        answer.reasoning += _text(message.get("tool_plan"))
        calls = message.get("tool_calls")
        if document.get("type") == "tool-call-delta" and answer.calls:
            answer.calls[-1].arguments += _text(obj(obj(calls).get("function")).get("arguments"))
        else:
            answer.calls += [_openai_call(call) for call in objects(calls) or [obj(calls)] if call]
    return {0: answer} if view.events or view.document else {}


def _ollama(view: View) -> Answers:
    answer = Answer()
    for document in _documents(view):
        message = obj(document.get("message"))
        answer.text += _text(message.get("content"))
        answer.reasoning += _text(message.get("thinking"))
        for call in objects(message.get("tool_calls")):
            function = obj(call.get("function"))
            given = json.dumps(function.get("arguments") or {})
            answer.calls.append(
                Call(name=_text(function.get("name")), arguments=given, id=_text(call.get("id")) or None)
            )
        if document.get("done") is True:
            answer.finish = _text(document.get("done_reason")) or "stop"
    return {0: answer} if view.events or view.document else {}


def _bedrock(view: View) -> Answers:
    answer = Answer()
    for block in objects(obj(obj(view.document.get("output")).get("message")).get("content")):
        _bedrock_block(answer, block)
    answer.finish = _text(view.document.get("stopReason")) or None
    for event in view.chunks if view.streamed else ():
        _bedrock_block(answer, obj(event.fields.get("start")))
        delta = obj(event.fields.get("delta"))
        if answer.calls:
            answer.calls[-1].arguments += _text(obj(delta.get("toolUse")).get("input"))
        _bedrock_block(answer, {key: value for key, value in delta.items() if key != "toolUse"})
        answer.finish = _text(event.fields.get("stopReason")) or answer.finish
    return {0: answer} if view.events or view.document else {}


def _bedrock_block(answer: Answer, block: Mapping[str, Any]) -> None:
    answer.text += _text(block.get("text"))
    reasoning = obj(block.get("reasoningContent"))
    answer.reasoning += _text(reasoning.get("text")) + _text(obj(reasoning.get("reasoningText")).get("text"))
    use = obj(block.get("toolUse"))
    if use:
        given = json.dumps(use["input"]) if isinstance(use.get("input"), dict) else ""
        answer.calls.append(Call(name=_text(use.get("name")), arguments=given, id=_text(use.get("toolUseId")) or None))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _responses(view: View) -> Answers:
    answer = Answer()
    if not view.streamed:
        if view.document:
            _responses_whole(answer, view.document)
        return {0: answer} if view.document else {}
    for event in view.chunks:
        _responses_event(answer, event)
    return {0: answer} if view.events else {}


def _responses_whole(answer: Answer, document: Mapping[str, Any]) -> None:
    answer.finish = _responses_end(document)
    for item in objects(document.get("output")):
        for part in objects(item.get("content")):
            thought = item.get("type") == "reasoning"
            answer.reasoning += _text(part.get("text")) if thought else ""
            answer.text += "" if thought else _text(part.get("text"))
            answer.refusal += _text(part.get("refusal"))
        answer.reasoning += "".join(_text(part.get("text")) for part in objects(item.get("summary")))
        if item.get("type") in ("function_call", "custom_tool_call"):
            given = _text(item.get("arguments", item.get("input")))
            answer.calls.append(Call(name=_text(item.get("name")), arguments=given, id=_text(item.get("call_id"))))


def _responses_end(document: Mapping[str, Any]) -> str | None:
    reason = _text(obj(document.get("incomplete_details")).get("reason"))
    return {"failed": "error", "in_progress": None}.get(_text(document.get("status")), reason or "completed")


def _responses_event(answer: Answer, event: Event) -> None:
    fields = event.fields
    delta = _text(fields.get("delta"))
    match fields.get("type"):
        case "response.output_text.delta":
            answer.text += delta
        case "response.refusal.delta":
            answer.refusal += delta
        case "response.reasoning_text.delta" | "response.reasoning_summary_text.delta":
            answer.reasoning += delta
        case "response.output_item.added":
            item = obj(fields.get("item"))
            if item.get("type") in ("function_call", "custom_tool_call"):
                index = fields.get("output_index")
                call = Call(name=_text(item.get("name")), arguments="", id=_text(item.get("call_id")), event=event)
                call.index = index if is_count(index) else None
                answer.calls.append(call)
        case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
            for call in answer.calls:
                if call.index == fields.get("output_index"):
                    call.arguments += delta
        case "response.completed" | "response.incomplete":
            answer.finish = _responses_end(obj(fields.get("response")))
        case _:
            return


_OF_DIALECT: Mapping[str, Callable[[View], Answers]] = {
    OPENAI: _openai,
    RESPONSES: _responses,
    ANTHROPIC: _anthropic,
    GEMINI: _gemini,
    COHERE: _cohere,
    OLLAMA: _ollama,
    BEDROCK: _bedrock,
}
