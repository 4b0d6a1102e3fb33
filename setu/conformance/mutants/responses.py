"""Mutants of what Responses clients get."""

from collections.abc import Callable, Iterable

from setu.conformance.judges.view import objects
from setu.conformance.mutants.edits import RESPONSES, Json, drop, events, frames, plain
from setu.conformance.mutants.mutant import Change, Mutants

MUTANTS = Mutants()
_TERMINAL = ("response.completed", "response.incomplete")

FieldsEdit = Callable[[Json], Json]


def of(edit: FieldsEdit, *kinds: str) -> Change:
    """Edit each event of some types in streams; all without any."""
    return events(lambda found, _asked: [edit(found) if not kinds or found.get("type") in kinds else found], RESPONSES)


def without(*kinds: str) -> Change:
    """Send no event of some types; only the last one can go without a gap in the numbers."""
    return events(lambda found, _asked: [] if found.get("type") in kinds else [found], RESPONSES)


def _skipping(found: Json) -> Json:
    number = found.get("sequence_number", 0)
    return {**found, "sequence_number": number + 1 if number >= 2 else number}


def _with_role(made: Json, _asked: Json) -> Json:
    for item in objects(made.get("output")):
        if item.get("type") == "function_call":
            item["role"] = "assistant"
    return made


def _miscounted(made: Json, _asked: Json) -> Json:
    made["usage"]["total_tokens"] += 1
    return made


def _numberless(found: Json) -> Json:
    return {name: value for name, value in found.items() if name != "sequence_number"}


def _unlike(found: Json) -> Json:
    response = found["response"]
    return {**found, "response": {**response, "output": [*objects(response.get("output")), *_MORE]}}


_MORE = ({"type": "message", "id": "msg_setu", "status": "completed", "role": "assistant", "content": []},)


def _mute(found: Json) -> Json:
    return {name: value for name, value in found.items() if name not in ("message", "error")}


def _marked(frame: bytes, _asked: Json) -> Iterable[bytes]:
    ends = any(f'"type":"{kind}"'.encode() in frame for kind in _TERMINAL)
    return [frame, b"data: [DONE]\n\n"] if ends else [frame]


def _unnamed(frame: bytes, _asked: Json) -> Iterable[bytes]:
    return [frame[max(0, frame.find(b"data:")) :]]


MUTANTS.front("RSP-001", "no_error", "A response has no error member.", plain(drop("/error"), RESPONSES))
MUTANTS.front("RSP-001", "role_on_call", "A call has a role.", plain(_with_role, RESPONSES), provider="anthropic")
MUTANTS.front("RSP-001", "total_wrong", "The total is not the sum.", plain(_miscounted, RESPONSES))
MUTANTS.front("RSP-002", "gap", "A number is left out.", of(_skipping))
MUTANTS.front("RSP-002", "missing", "Events have no number.", of(_numberless))
MUTANTS.front(
    "RSP-003",
    "no_part_added",
    "A part is added under another index than it grows at.",
    of(lambda found: {**found, "content_index": 7}, "response.content_part.added"),
)
MUTANTS.front(
    "RSP-003",
    "other_item_id",
    "Texts name another item than was added.",
    of(lambda found: {**found, "item_id": "msg_setu"}, "response.output_text.delta"),
)
MUTANTS.front(
    "RSP-004",
    "text_twice",
    "The text that is done is twice the text that came.",
    of(lambda found: {**found, "text": found["text"] * 2}, "response.output_text.done"),
)
MUTANTS.front("RSP-004", "item_more", "The final output has an item that nobody saw.", of(_unlike, *_TERMINAL))
MUTANTS.front("RSP-005", "none", "A stream just stops.", without(*_TERMINAL))
MUTANTS.front(
    "RSP-005",
    "other_status",
    "The response that is completed says that it is queued.",
    of(lambda found: {**found, "response": {**found["response"], "status": "queued"}}, *_TERMINAL),
)
MUTANTS.front("RSP-006", "no_event_field", "Events have no names.", frames(_unnamed, RESPONSES))
MUTANTS.front("RSP-007", "done_mark", "A stream ends in the mark of chats.", frames(_marked, RESPONSES))
MUTANTS.front("RSP-008", "mute", "An error says nothing.", of(_mute, "error"))
