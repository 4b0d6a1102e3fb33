"""Answers towards Responses clients (RSP): whole response objects, and the lifecycle of a stream."""

from collections.abc import Iterator
from typing import Any

from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import RESPONSES, Event, View, is_count, obj, objects, seq
from setu.conformance.wire.model import mismatch
from setu.conformance.wire.openai_responses import EVENTS, ITEMS, TERMINAL, Response

RULES = Rules()

_CLOSERS = {
    "response.output_item.added": "response.output_item.done",
    "response.content_part.added": "response.content_part.done",
    "response.reasoning_summary_part.added": "response.reasoning_summary_part.done",
}
_TEXTS = ("text", "refusal", "arguments", "input")
_NUMBERED_SINCE = 1_748_000_000
_LISTING = "mcp_list_tools"
"""Items of OpenAI's own errands: of three listings begun at once, only one was done (pydantic-ai-d012d33892)."""
_INDEXES = ("output_index", "content_index", "summary_index")


def responses_stream(view: View) -> bool:
    return view.dialect == RESPONSES and view.streamed


def _answer(view: View) -> bool:
    return view.dialect == RESPONSES and view.ok and bool(_documents(view)) and not view.document.get("error")


def _documents(view: View) -> list[tuple[dict[str, Any], str, Event | None]]:
    """Return every response object with its path and event."""
    if view.wants_stream:
        carrying = [event for event in view.events if isinstance(event.fields.get("response"), dict)]
        return [(event.fields["response"], "$.response", event) for event in carrying]
    return [(view.document, "$", None)] if view.document else []


@RULES.add("RSP-001", _answer)
def response_objects(view: View) -> Iterator[Finding]:
    for document, path, event in _documents(view):
        wrong = mismatch(document, Response)
        if wrong:
            yield flaw(wrong.message, path=path + wrong.path[1:], at=event)
        for place, item in enumerate(objects(document.get("output"))):
            yield from _item_flaws(item, f"{path}.output[{place}]", event)
        if event is None and document.get("status") == "in_progress":
            yield flaw("a whole answer is still in progress", path=f"{path}.status", got="in_progress")
        yield from _usage_flaws(obj(document.get("usage")), path, event)


def _item_flaws(item: dict[str, Any], path: str, event: Event | None) -> Iterator[Finding]:
    model = ITEMS.get(str(item.get("type")))
    wrong = mismatch(item, model) if model is not None else None
    if wrong:
        yield flaw(wrong.message, path=path + wrong.path[1:], at=event)
    if model is not None and "role" in item and item.get("type") != "message":
        yield flaw("only a message has a role (B-RSP-05)", path=f"{path}.role", got=item["role"], at=event)


def _usage_flaws(usage: dict[str, Any], path: str, event: Event | None) -> Iterator[Finding]:
    counts = [usage.get(name) for name in ("input_tokens", "output_tokens", "total_tokens")]
    if all(is_count(count) for count in counts) and counts[0] + counts[1] != counts[2]:  # type: ignore[operator]  # counted
        yield flaw("total_tokens is not the sum", path=f"{path}.usage.total_tokens", got=counts[2], at=event)


def _before_numbers(view: View) -> bool:
    """Tell a stream of the time before OpenAI numbered events: May 2025, by `created_at` (dd-trace-py-0db4c517ba)."""
    created = obj(_numbered(view)[0].fields.get("response")).get("created_at")
    unnumbered = not any("sequence_number" in event.fields for event in _numbered(view))
    return unnumbered and is_count(created) and created < _NUMBERED_SINCE


@RULES.add("RSP-002", lambda view: responses_stream(view) and bool(_numbered(view)) and not _before_numbers(view))
def sequence_numbers(view: View) -> Iterator[Finding]:
    for want, event in enumerate(_numbered(view)):
        got = event.fields.get("sequence_number")
        if got != want or not is_count(got):
            yield flaw("sequence_number does not count 0, 1, 2 … (B-RSP-01)", got=got, want=want, at=event)
            return


def _numbered(view: View) -> list[Event]:
    return [event for event in view.events if isinstance(event.json, dict)]


@RULES.add("RSP-003", lambda view: responses_stream(view) and bool(view.chunks))
def lifecycle(view: View) -> Iterator[Finding]:
    """Each item and part is added, grows and is done, in the documented order (B-RSP-02, B-RSP-03)."""
    kinds = [event.fields.get("type") for event in view.chunks]
    if kinds[0] != "response.created":
        yield flaw("the first event is not response.created", got=kinds[0], at=view.chunks[0])
    opened: dict[tuple[Any, ...], Event] = {}
    for event in view.chunks:
        kind = str(event.fields.get("type"))
        model = EVENTS.get(kind)
        wrong = mismatch(event.json, model) if model is not None else None
        if wrong:
            yield flaw(wrong.message, path=wrong.path, at=event)
            continue
        yield from _step(kind, event, opened)
    if view.ended_well:
        for event in opened.values():
            if obj(event.fields.get("item")).get("type") != _LISTING:
                yield flaw("what was added is never done", got=event.fields.get("type"), at=event)


def _step(kind: str, event: Event, opened: dict[tuple[Any, ...], Event]) -> Iterator[Finding]:
    place = tuple(event.fields.get(name) for name in _INDEXES)
    if kind in _CLOSERS:
        if (_CLOSERS[kind], *place) in opened:
            yield flaw("added twice", got=kind, at=event)
        opened[_CLOSERS[kind], *place] = event
    elif kind in _CLOSERS.values() and opened.pop((kind, *place), None) is None:
        yield flaw("done without having been added", got=kind, at=event)
    if kind in EVENTS and "item_id" in event.fields:
        added = opened.get(("response.output_item.done", place[0], None, None))
        if added is None:
            yield flaw("an event outside of its item (B-RSP-02)", got=kind, at=event)
        elif obj(added.fields.get("item")).get("id") not in (None, event.fields["item_id"]):
            yield flaw("item_id is another item's", path="$.item_id", got=event.fields["item_id"], at=event)
        if kind.startswith(("response.output_text.", "response.refusal.")) and _part_is_shut(place, opened):
            yield flaw("text outside of a content part (B-RSP-02)", got=kind, at=event)


def _part_is_shut(place: tuple[Any, ...], opened: dict[tuple[Any, ...], Event]) -> bool:
    return ("response.content_part.done", place[0], place[1], None) not in opened


@RULES.add("RSP-004", lambda view: responses_stream(view) and bool(_growth(view)))
def deltas_add_up(view: View) -> Iterator[Finding]:
    for text, event in _growth(view):
        told = next(event.fields[key] for key in _TEXTS if key in event.fields)
        if text is not None and told != text and not _summary_was_cut(view, event):
            yield flaw("the deltas are not the text of the done event (B-STR-24)", got=text, want=told, at=event)
    if view.ended_well and (last := _last(view)) is not None:
        done = {
            event.fields.get("output_index"): event.fields.get("item")
            for event in view.chunks
            if event.fields.get("type") == "response.output_item.done"
        }
        output = seq(obj(last.fields.get("response")).get("output"))
        for place, item in enumerate(output):
            if place in done and _shown(done[place]) != _shown(item):
                yield flaw("the final output is not what was done", path=f"$.response.output[{place}]", at=last)
        told = [place for place, item in enumerate(output) if place in done or obj(item).get("type") != _LISTING]
        if done and len(told) != len(done):
            yield flaw("the final output has other items", got=len(told), want=len(done), at=last)


def _summary_was_cut(view: View, event: Event) -> bool:
    """Tell a summary of thoughts that ran into the token limit: OpenAI finishes it unseen (genai-799ed09ca9)."""
    last = _last(view)
    summary = str(event.fields.get("type")).startswith("response.reasoning_summary_text.")
    return summary and last is not None and last.fields.get("type") == "response.incomplete"


def _shown(item: Any) -> Any:
    """Return an item without its proof, which OpenAI mints anew for the last event."""
    return {key: value for key, value in obj(item).items() if key not in ("encrypted_content", "status")}


def _growth(view: View) -> list[tuple[str | None, Event]]:
    """Return each done event that repeats a text, with the text of its deltas; None where there were none."""
    grown: dict[tuple[Any, ...], str] = {}
    found: list[tuple[str | None, Event]] = []
    for event in view.chunks:
        kind, fields = str(event.fields.get("type")), event.fields
        place = (kind.rpartition(".")[0], *(fields.get(name) for name in _INDEXES))
        if kind.endswith(".delta") and isinstance(fields.get("delta"), str):
            grown[place] = grown.get(place, "") + fields["delta"]
        elif kind.endswith(".done") and any(isinstance(fields.get(key), str) for key in _TEXTS):
            found.append((grown.get(place), event))
    return found


def _last(view: View) -> Event | None:
    return next((event for event in reversed(view.events) if event.fields.get("type") in TERMINAL), None)


@RULES.add("RSP-005", lambda view: responses_stream(view) and view.exchange.end == "complete")
def one_terminal_event(view: View) -> Iterator[Finding]:
    terminal = [event for event in view.events if event.fields.get("type") in TERMINAL]
    if len(terminal) > 1 or (not terminal and not view.errors):
        yield flaw("a stream has one terminal event", got=len(terminal), want=1)
    # OpenAI reports rate limits after the end (chatlas-9b526341b9); nothing of the answer may follow it.
    told = [event for event in view.events if event.fields.get("type") in EVENTS]
    if terminal and told[-1] is not terminal[-1]:
        yield flaw("an event follows the terminal one", at=told[-1])
    for event in terminal:
        status = obj(event.fields.get("response")).get("status")
        if event.fields["type"] != f"response.{status}":
            yield flaw("the status is not the event's", path="$.response.status", got=status, at=event)


@RULES.add("RSP-006", responses_stream)
def events_are_named(view: View) -> Iterator[Finding]:
    for event in view.events:
        kind = event.fields.get("type")
        if isinstance(event.json, dict) and event.frame.event != kind:
            yield flaw("event: is not the type", got=event.frame.event, want=kind, at=event)


@RULES.add("RSP-007", responses_stream)
def no_end_mark(view: View) -> Iterator[Finding]:
    for event in view.events:
        if event.data.strip() == b"[DONE]":
            yield flaw("OpenAI's Responses streams have no [DONE]", at=event)


@RULES.add("RSP-008", both(responses_stream, lambda view: any(_is_error(event) for event in view.events)))
def error_events(view: View) -> Iterator[Finding]:
    for event in view.events:
        if not _is_error(event):
            continue
        nested = obj(event.fields.get("error"))
        if not isinstance(event.fields.get("message", nested.get("message")), str):
            yield flaw("an error says nothing, neither flat nor nested (B-ERR-14)", got=event.json, at=event)


def _is_error(event: Event) -> bool:
    return event.fields.get("type") == "error"
