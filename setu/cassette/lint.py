"""What is wrong with a cassette although it loads."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from setu.cassette.model import Interaction
from setu.cassette.redact import redact_request, redact_response
from setu.http import Ending, Response


def findings_of(interactions: Sequence[Interaction], key_of: Callable[[Interaction], str]) -> list[str]:
    """Return a sentence for each finding, with its place: edits without a mark, stale keys, unsafe or odd contents."""
    found = [finding for each in interactions for finding in _of_one(each, key_of)]
    twins: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in interactions:
        if each.recording.twin is not None:
            twins[each.recording.twin, each.recording.side].append(each.place)
    found += [
        f"{places[-1]}: the twin {twin} has {len(places)} recordings of the client's side"
        for (twin, side), places in twins.items()
        if side == "client" and len(places) > 1
    ]
    return found


def _of_one(each: Interaction, key_of: Callable[[Interaction], str]) -> Iterator[str]:
    recording = each.recording
    edited = [note for note in each.notes if "edited" in note and recording.provenance == "edited"]
    yield from (note for note in each.notes if note not in edited)
    if recording.key and recording.key != key_of(each):
        yield f"{each.place}: the key {recording.key} is not the request's any more; fmt writes {key_of(each)}"
    if not 200 <= each.exchange.status < 600:
        yield f"{each.place}: the status {each.exchange.status} is no answer"
    if each.exchange.end in (Ending.CLOSED_BY_CLIENT, Ending.ERROR):
        yield f"{each.place}: the recording was broken off ({each.exchange.end.value}); record it again"
    _, asked = redact_request(each.exchange.request)
    _, answered = redact_response(Response(each.exchange.status, each.exchange.headers, each.exchange.body))
    for place in (*asked, *answered):
        yield f"{each.place}: {place} holds what looks like a secret"
