"""Mutants of what Anthropic's and Gemini's clients get."""

from collections.abc import Callable, Iterable, Iterator

from setu import _json
from setu.conformance.judges.view import obj, objects
from setu.conformance.mutants.edits import (
    MESSAGES,
    Json,
    drop,
    each,
    events,
    failures,
    frames,
    plain,
    put,
)
from setu.conformance.mutants.mutant import Change, Mutants
from setu.http import Request, Response
from setu.ports import Transport

MUTANTS = Mutants()
GENERATE = "enerateContent"
"""Both of Gemini's methods end so."""

ItemEdit = Callable[[Json], Json]


def event(fields: Json) -> bytes:
    """Return a server-sent event of Anthropic's."""
    return b"event: " + str(fields["type"]).encode() + b"\ndata: " + _json.encode(fields) + b"\n\n"


def blocks(edit: ItemEdit, kind: str) -> Change:
    """Edit each content block of a type in plain messages."""

    def edited(made: Json, _asked: Json) -> Json:
        made["content"] = [edit(block) if block.get("type") == kind else block for block in objects(made["content"])]
        return made

    return plain(edited, MESSAGES)


def of(kind: str, edit: ItemEdit) -> Change:
    """Edit each event of a type in streams of messages."""
    return events(lambda found, _asked: [edit(found) if found.get("type") == kind else found], MESSAGES)


def after(kind: str, *more: Json) -> Change:
    """Send events more after each of a type."""

    def edited(found: Json, _asked: Json) -> Iterator[Json | bytes]:
        yield found
        yield from map(event, more) if found.get("type") == kind else ()

    return events(edited, MESSAGES)


def without(kind: str) -> Change:
    """Send no event of a type."""
    return events(lambda found, _asked: [] if found.get("type") == kind else [found], MESSAGES)


def _calls(made: Json) -> bool:
    return any(block.get("type") == "tool_use" for block in objects(made.get("content")))


def _ends_its_turn(made: Json, _asked: Json) -> Json:
    return {**made, "stop_reason": "end_turn"} if _calls(made) else made


def _next_index(found: Json, _asked: Json) -> list[Json]:
    return [{**found, "index": found["index"] + 1} if "index" in found else found]


def _one_id(found: Json) -> Json:
    block = found["content_block"]
    return {**found, "content_block": {**block, "id": "toolu_01setu"} if "id" in block else block}


def _thinks(found: Json) -> Json:
    if obj(found.get("delta")).get("type") != "text_delta":
        return found
    return {**found, "delta": {"type": "thinking_delta", "thinking": found["delta"]["text"]}}


def _open(found: Json, _asked: Json) -> list[Json]:
    """Leave a block open where the message ends in a tool's."""
    return [] if found.get("type") == "content_block_stop" else [found]


def _full_start(found: Json) -> Json:
    return {**found, "message": {**found["message"], "content": [{"type": "text", "text": ""}]}}


def _given(found: Json) -> Json:
    block = found["content_block"]
    return {**found, "content_block": {**block, "input": {"days": 1}} if block["type"] == "tool_use" else block}


def _without_usage(found: Json) -> Json:
    return {name: value for name, value in found.items() if name != "usage"}


def _unnamed(frame: bytes, _asked: Json) -> Iterable[bytes]:
    """Send an answer's events without their names; an error keeps its own."""
    return [frame if frame.startswith(b"event: error") else frame[max(0, frame.find(b"data:")) :]]


MUTANTS.front("ANT-001", "no_stop_sequence", "A message has no stop_sequence.", plain(drop("/stop_sequence"), MESSAGES))
MUTANTS.front("ANT-001", "role_model", "A message's role is Google's.", plain(put("/role", "model"), MESSAGES))
MUTANTS.front(
    "ANT-002",
    "text_input",
    "A call's input is JSON text.",
    blocks(lambda block: {**block, "input": _json.encode(block["input"]).decode()}, "tool_use"),
    implies="TOOL-008",  # it cannot be sent back
)
MUTANTS.front("ANT-002", "no_text", "A text is in another member.", blocks(lambda _: {"type": "text"}, "text"))
MUTANTS.front(
    "ANT-002",
    "no_signature",
    "Thoughts come without their signature.",
    blocks(lambda block: {"type": "thinking", "thinking": block["thinking"]}, "thinking"),
    provider="anthropic",
)
MUTANTS.front("ANT-003", "stop", "The reason is OpenAI's stop.", plain(put("/stop_reason", "stop"), MESSAGES))
MUTANTS.front(
    "ANT-003",
    "streamed_stop",
    "A stream's reason is OpenAI's stop.",
    of("message_delta", lambda found: {**found, "delta": {**found["delta"], "stop_reason": "stop"}}),
)
MUTANTS.front("ANT-004", "end_turn_after_call", "A message with a call ends its turn.", plain(_ends_its_turn, MESSAGES))
MUTANTS.front("ANT-005", "no_prompt", "A prompt is of no tokens.", plain(put("/usage/input_tokens", 0), MESSAGES))
MUTANTS.front(
    "ANT-005", "negative", "The output is of less than none.", plain(put("/usage/output_tokens", -1), MESSAGES)
)
MUTANTS.front("ANT-006", "no_outer_type", "An error's envelope has no type.", failures(drop("/type"), MESSAGES))
MUTANTS.front(
    "ANT-007", "unknown_type", "An error's type is one of its own.", failures(put("/error/type", "oops"), MESSAGES)
)
MUTANTS.front(
    "ANT-007", "api_error_as_400", "Every error is the server's.", failures(put("/error/type", "api_error"), MESSAGES)
)
MUTANTS.front("ANT-008", "start_with_content", "A stream starts with content.", of("message_start", _full_start))
MUTANTS.front("ANT-009", "counted_from_one", "Blocks are counted from 1.", events(_next_index, MESSAGES))
MUTANTS.front("ANT-009", "block_not_closed", "Blocks are never closed.", events(_open, MESSAGES))
MUTANTS.front("ANT-010", "thinking_in_text", "Text comes as thoughts.", of("content_block_delta", _thinks))
MUTANTS.front("ANT-011", "no_stop", "A stream ends without message_stop.", without("message_stop"))
MUTANTS.front("ANT-011", "ping_after_stop", "A ping comes after the end.", after("message_stop", {"type": "ping"}))
MUTANTS.front("ANT-012", "no_event_names", "Events have no names.", frames(_unnamed, MESSAGES))
MUTANTS.front("ANT-013", "input_at_start", "A call's input is there from the start.", of("content_block_start", _given))
MUTANTS.front("ANT-014", "no_output_tokens", "A stream reports no output.", of("message_delta", _without_usage))
MUTANTS.front("ANT-015", "ping_after_error", "A stream goes on after its error.", after("error", {"type": "ping"}))
MUTANTS.front("ANT-016", "comments", "A stream has events of its own.", after("message_start", {"type": "comment"}))
MUTANTS.front(
    "ANT-017",
    "openai_id",
    "Calls have OpenAI's ids.",
    blocks(lambda block: {**block, "id": block["id"].replace("toolu_", "call_")}, "tool_use"),
)
MUTANTS.front(
    "ANT-018",
    "unknown_tool",
    "A call's name is another one.",
    blocks(lambda block: {**block, "name": f"functions.{block['name']}"}, "tool_use"),
)
MUTANTS.front("ANT-019", "same_id", "All calls of a stream have one id.", of("content_block_start", _one_id))


def candidates(edit: ItemEdit) -> Change:
    """Edit each candidate of plain responses."""

    def edited(made: Json, _asked: Json) -> Json:
        made["candidates"] = [edit(candidate) for candidate in objects(made.get("candidates"))]
        return made

    return plain(edited, GENERATE)


def parts(edit: ItemEdit) -> Change:
    """Edit each part of plain responses."""

    def edited(candidate: Json) -> Json:
        content = obj(candidate.get("content"))
        return {**candidate, "content": {**content, "parts": [edit(part) for part in objects(content.get("parts"))]}}

    return candidates(edited)


def calls(edit: ItemEdit) -> Change:
    """Edit each function call of streams, where nobody sends it back."""

    def edited(found: Json, _asked: Json) -> list[Json]:
        for candidate in objects(found.get("candidates")):
            for part in objects(obj(candidate.get("content")).get("parts")):
                if "functionCall" in part:
                    part["functionCall"] = edit(part["functionCall"])
        return [found]

    return events(edited, GENERATE)


def _goes_on(found: Json, _asked: Json) -> list[Json]:
    more = [{**one, "content": {"role": "model", "parts": [{"text": "."}]}} for one in objects(found.get("candidates"))]
    return [found, {**found, "candidates": more}] if _finishes(found) else [found]


def _marked(found: Json, _asked: Json) -> list[Json | bytes]:
    return [found, b"data: [DONE]\n\n"] if _finishes(found) else [found]


def _finishes(found: Json) -> bool:
    return any("finishReason" in candidate for candidate in objects(found.get("candidates")))


def _unfinished(found: Json, _asked: Json) -> list[Json]:
    for candidate in objects(found.get("candidates")):
        candidate.pop("finishReason", None)
    return [found]


def _miscounted(made: Json, _asked: Json) -> Json:
    made["usageMetadata"]["totalTokenCount"] += 3
    return made


def _openai_error(found: Json, _asked: Json) -> list[Json]:
    if "error" not in found:
        return [found]
    return [{"error": {"message": found["error"]["message"], "type": "server_error", "param": None, "code": None}}]


class _AlwaysEvents:
    """Answers every stream as events, whatever `alt` says."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: Request) -> Response:
        if request.path.endswith(":streamGenerateContent"):
            request.query = "alt=sse"
        return await self._inner.send(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


MUTANTS.front("GEM-001", "no_candidates", "A response has no candidate.", plain(put("/candidates", []), GENERATE))
MUTANTS.front(
    "GEM-002",
    "role_assistant",
    "The role is OpenAI's.",
    candidates(lambda one: {**one, "content": {**one["content"], "role": "assistant"}}),
    implies="TOOL-008",  # Google knows no such role when it comes back
)
MUTANTS.front(
    "GEM-003", "nothing_in_it", "A part's text is in another member.", parts(lambda part: {"output": part.get("text")})
)
MUTANTS.front("GEM-004", "no_name", "A call has no name.", calls(lambda call: {**call, "name": ""}))
MUTANTS.front(
    "GEM-004",
    "text_args",
    "A call's arguments are JSON text.",
    calls(lambda call: {**call, "args": _json.encode(call.get("args", {})).decode()}),
    implies="GEM-001",
)
MUTANTS.front(
    "GEM-005",
    "lower_case",
    "The reason is written small.",
    candidates(lambda one: {**one, "finishReason": one["finishReason"].lower()}),
)
MUTANTS.front("GEM-006", "never_finishes", "A stream has no reason for its end.", events(_unfinished, GENERATE))
MUTANTS.front("GEM-006", "text_after_finish", "A candidate goes on after its end.", events(_goes_on, GENERATE))
MUTANTS.front("GEM-007", "wrong_sum", "The total is more than its parts.", plain(_miscounted, GENERATE))
MUTANTS.front("GEM-008", "no_usage", "A response has no counts.", plain(drop("/usageMetadata"), GENERATE))
MUTANTS.front(
    "GEM-008", "no_usage_in_stream", "A stream has no counts.", events(each(drop("/usageMetadata")), GENERATE)
)
MUTANTS.front("GEM-009", "no_status", "An error has no status name.", failures(drop("/error/status"), GENERATE))
MUTANTS.front("GEM-010", "other_code", "An error's code is 418.", failures(put("/error/code", 418), GENERATE))
MUTANTS.front("GEM-010", "unknown_status", "A status is no name.", failures(put("/error/status", "OOPS"), GENERATE))
MUTANTS.front("GEM-011", "done", "A stream ends in OpenAI's mark.", events(_marked, GENERATE))
MUTANTS.front("GEM-012", "sse_for_array", "Every stream is one of events.", _AlwaysEvents)
MUTANTS.front("GEM-013", "openai_error", "A stream's error is OpenAI's.", events(_openai_error, GENERATE))
MUTANTS.front(
    "GEM-014",
    "snake_case",
    "Names are those of the proto file.",
    candidates(lambda one: {**one, "safety_ratings": []}),
)
MUTANTS.front(
    "GEM-015",
    "unknown_function",
    "A call's name is another one.",
    calls(lambda call: {**call, "name": f"functions.{call['name']}"}),
)
MUTANTS.front("GEM-016", "anonymous", "A response does not say by which model.", plain(drop("/modelVersion"), GENERATE))
