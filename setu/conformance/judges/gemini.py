"""Answers towards Gemini clients (GEM): whole responses, chunk streams in both framings, errors."""

import re
from collections.abc import Iterator
from typing import Any

from setu.conformance.judges.assemble import answers
from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import GEMINI, MISSING, Event, View, failed, is_count, obj, objects, seq
from setu.conformance.wire.gemini_content import PART_DATA, STATUS_OF, ErrorEnvelope, Response
from setu.conformance.wire.model import mismatch
from setu.http import Ending

RULES = Rules()

_ENUM = re.compile(r"[A-Z][A-Z_]*")
_SNAKE = re.compile(r"[a-z]+(?:_[a-z]+)+")
_COUNTS = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")

Placed = list[tuple[dict[str, Any], Event | None]]


def gemini_stream(view: View) -> bool:
    return view.dialect == GEMINI and view.ok and view.wants_stream


def _answer(view: View) -> bool:
    return view.dialect == GEMINI and view.ok and bool(_documents(view))


def _documents(view: View) -> Placed:
    """Return the whole response, or every chunk, with its event."""
    if view.wants_stream:
        return [(event.fields, event) for event in view.chunks]
    return [(view.document, None)] if view.document and "error" not in view.document else []


def _candidates(view: View) -> list[tuple[str, dict[str, Any], Event | None]]:
    return [
        (f"$.candidates[{place}]", obj(candidate), event)
        for document, event in _documents(view)
        for place, candidate in enumerate(seq(document.get("candidates")))
    ]


def _parts(view: View) -> list[tuple[str, dict[str, Any], Event | None]]:
    return [
        (f"{path}.content.parts[{place}]", obj(part), event)
        for path, candidate, event in _candidates(view)
        for place, part in enumerate(seq(obj(candidate.get("content")).get("parts")))
    ]


def _blocked(view: View) -> bool:
    return any(obj(document.get("promptFeedback")).get("blockReason") for document, _ in _documents(view))


@RULES.add("GEM-001", lambda view: view.dialect == GEMINI and view.ok and not view.errors)
def response_shape(view: View) -> Iterator[Finding]:
    documents = _documents(view)
    if not documents and not view.document.get("error"):
        yield flaw("there is no response object", path="$")
    for document, event in documents:
        wrong = mismatch(document, Response)
        if wrong:
            yield flaw(wrong.message, path=wrong.path, at=event)
    if documents and not _candidates(view) and not _blocked(view):
        yield flaw("there is neither a candidate nor a block reason", path="$.candidates")


@RULES.add("GEM-002", _answer)
def role_is_model(view: View) -> Iterator[Finding]:
    for path, candidate, event in _candidates(view):
        content = obj(candidate.get("content"))
        if content.get("parts") and content.get("role") not in ("model", None):
            yield flaw(
                "the role is not model", path=f"{path}.content.role", got=content["role"], want="model", at=event
            )


@RULES.add("GEM-003", _answer)
def parts_hold_one_thing(view: View) -> Iterator[Finding]:
    for path, part, event in _parts(view):
        held = [name for name in PART_DATA if name in part]
        # A part may carry nothing but a signature.
        if len(held) > 1 or (not held and "thoughtSignature" not in part and "thought" not in part):
            yield flaw("a part does not hold exactly one thing", path=path, got=sorted(part), at=event)


@RULES.add("GEM-004", lambda view: _answer(view) and any("functionCall" in part for _, part, _ in _parts(view)))
def function_calls(view: View) -> Iterator[Finding]:
    for path, part, event in _parts(view):
        if "functionCall" not in part:
            continue
        call = obj(part["functionCall"])
        if not isinstance(call.get("name"), str) or not call["name"]:
            yield flaw("a call has no name", path=f"{path}.functionCall.name", got=call.get("name"), at=event)
        if not isinstance(call.get("args", {}), dict):
            yield flaw("args is not an object", path=f"{path}.functionCall.args", got=call["args"], at=event)


@RULES.add("GEM-005", lambda view: _answer(view) and not _blocked(view))
def finish_reasons(view: View) -> Iterator[Finding]:
    for path, candidate, event in _candidates(view):
        reason = candidate.get("finishReason", "STOP")
        if is_count(reason) and "enum-encoding" in view.exchange.request.query:
            continue  # The client asked for numbers (`$alt=json;enum-encoding=int`, as Google's Go clients do).
        if not isinstance(reason, str) or not _ENUM.fullmatch(reason):
            yield flaw("finishReason is not an enum name", path=f"{path}.finishReason", got=reason, at=event)
        elif not view.wants_stream and "finishReason" not in candidate:
            yield flaw("a whole candidate has no finishReason", path=f"{path}.finishReason", at=event)


@RULES.add("GEM-006", lambda view: gemini_stream(view) and view.ended_well and not _blocked(view))
def finishes_once(view: View) -> Iterator[Finding]:
    finished: dict[int, Event | None] = {}
    seen: set[int] = set()
    for path, candidate, event in _candidates(view):
        index = candidate.get("index")
        place = index if is_count(index) else 0
        seen.add(place)
        parts = seq(obj(candidate.get("content")).get("parts"))
        if place in finished and ("finishReason" in candidate or any(_says_something(obj(part)) for part in parts)):
            yield flaw("a candidate goes on after its finishReason", path=path, got=candidate, at=event)
        if "finishReason" in candidate:
            finished.setdefault(place, event)
    for place in sorted(seen - finished.keys()):
        yield flaw(f"candidate {place} never finishes", path="$.candidates[*].finishReason")


def _says_something(part: dict[str, Any]) -> bool:
    return bool(part.get("text")) or any(name in part for name in PART_DATA if name != "text")


def _has_total(view: View) -> bool:
    return _answer(view) and any(is_count(usage.get("totalTokenCount")) for usage, _ in _usages(view))


def _usages(view: View) -> Placed:
    return [
        (obj(document["usageMetadata"]), event) for document, event in _documents(view) if "usageMetadata" in document
    ]


@RULES.add("GEM-007", _has_total)
def usage_adds_up(view: View) -> Iterator[Finding]:
    usage, event = _usages(view)[-1]  # Each chunk reports the total so far; earlier ones may be partial.
    counts = [usage.get(name, 0) for name in _COUNTS]
    total = usage.get("totalTokenCount")
    if not all(is_count(count) and count >= 0 for count in counts) or not is_count(total):
        yield flaw("a count is not a non-negative integer", path="$.usageMetadata", got=usage, at=event)
    elif total == sum(counts) - usage.get("thoughtsTokenCount", 0) and _is_preview(view):
        return  # Google's own previews of April 2025 counted the thoughts apart (pydantic-ai-07bf85793d).
    elif sum(counts) != total and ("promptTokenCount" in usage or sum(counts) > total):
        # Google leaves promptTokenCount out for some prompts with images, the total still holds it (genai-b209927288).
        yield flaw(
            "totalTokenCount is not the sum (B-USG-05)",
            path="$.usageMetadata.totalTokenCount",
            got=total,
            want=sum(counts),
            at=event,
        )


def _is_preview(view: View) -> bool:
    return "-preview-" in str(_documents(view)[-1][0].get("modelVersion"))


@RULES.add("GEM-008", lambda view: _answer(view) and (not view.wants_stream or view.ended_well))
def usage_is_reported(view: View) -> Iterator[Finding]:
    # A prompt that a filter stopped was not read by the model (pydantic-ai-78d2a8a890).
    if not _blocked(view) and not any(is_count(usage.get("totalTokenCount")) for usage, _ in _usages(view)):
        yield flaw("usageMetadata is missing", path="$.usageMetadata")


def _error(view: View) -> bool:
    return view.dialect == GEMINI and failed(view)


@RULES.add("GEM-009", _error)
def error_envelope(view: View) -> Iterator[Finding]:
    document = view.json
    # Google's own streaming endpoint wraps the error into an array when no SSE was asked (B-ERR-13).
    if view.wants_stream and view.as_array and isinstance(document, list) and len(document) == 1:
        document = document[0]
    wrong = mismatch(document, ErrorEnvelope)
    if wrong:
        yield flaw(wrong.message, path=wrong.path, want='{"error": {"code", "message", "status"}}')


@RULES.add("GEM-010", both(_error, lambda view: isinstance(obj(view.document.get("error")).get("status"), str)))
def error_status_agrees(view: View) -> Iterator[Finding]:
    error, status = obj(view.document.get("error")), view.exchange.status
    if error.get("code") != status:
        yield flaw("error.code is not the HTTP status", path="$.error.code", got=error.get("code"), want=status)
    allowed = STATUS_OF.get(error["status"])
    if allowed is None:
        yield flaw("not a google.rpc.Code", path="$.error.status", got=error["status"])
    elif status not in allowed:
        yield flaw(f"{error['status']} does not come with this status", got=status, want=allowed)


@RULES.add("GEM-011", gemini_stream)
def elements_are_chunks(view: View) -> Iterator[Finding]:
    if not view.events:
        yield flaw("the stream has no element")
    for event in view.events:
        if not isinstance(event.json, dict):
            yield flaw("an element is not a chunk object", got=event.data[:60].decode("utf-8", "replace"), at=event)


@RULES.add("GEM-012", both(gemini_stream, lambda view: view.exchange.end == Ending.COMPLETE))
def framing_is_the_asked_one(view: View) -> Iterator[Finding]:
    want = "application/json" if view.as_array else "text/event-stream"
    if view.content_type != want:
        yield flaw("alt decides the framing", got=view.content_type, want=want)
    if view.as_array and not isinstance(view.json, list):
        yield flaw("the body is not one JSON array", path="$", got=None if view.json is MISSING else view.json)


@RULES.add("GEM-013", lambda view: gemini_stream(view) and bool(view.errors))
def errors_end_the_stream(view: View) -> Iterator[Finding]:
    first = view.errors[0]
    wrong = mismatch(first.json, ErrorEnvelope)
    if wrong:
        yield flaw(wrong.message, path=wrong.path, at=first)
    for _, candidate, event in _candidates(view):
        if candidate.get("finishReason"):
            yield flaw("a stream that failed still has a finishReason", got=candidate["finishReason"], at=event)


@RULES.add("GEM-014", _answer)
def keys_are_camel_case(view: View) -> Iterator[Finding]:
    for document, event in _documents(view):
        candidates = objects(document.get("candidates"))
        contents = [obj(candidate.get("content")) for candidate in candidates]
        parts = [part for content in contents for part in objects(content.get("parts"))]
        level = [document, *candidates, *contents, *parts, obj(document.get("usageMetadata"))]
        snakes = sorted({key for fields in level for key in fields if _SNAKE.fullmatch(key)})
        if snakes:
            yield flaw("keys are snake_case", path="$", got=snakes, at=event)


@RULES.add("GEM-015", lambda view: _answer(view) and bool(view.asked) and bool(_names(view)))
def calls_are_declared(view: View) -> Iterator[Finding]:
    declared = _declared(view)
    for name in _names(view):
        if name not in declared:
            yield flaw("a call names a function that was not declared", got=name, want=sorted(declared))


def _names(view: View) -> list[str]:
    return [call.name for answer in answers(view).values() for call in answer.calls if call.name]


def _declared(view: View) -> set[str]:
    tools = view.asked.get("tools")
    groups = [
        tool.get("functionDeclarations", tool.get("function_declarations")) for tool in (objects(tools) or [obj(tools)])
    ]
    return {str(function.get("name")) for group in groups for function in (objects(group) or [obj(group)])}


@RULES.add("GEM-016", _answer)
def answers_are_named(view: View) -> Iterator[Finding]:
    document, event = _documents(view)[-1]
    absent = [name for name in ("modelVersion", "responseId") if not document.get(name)]
    if absent:
        yield flaw("the answer does not say who gave it", path="$", got=absent, at=event)
