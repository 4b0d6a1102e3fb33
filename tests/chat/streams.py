"""Legal event streams: parts with their content, cut and interleaved at will."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Finished,
    MediaDelta,
    PartEnded,
    PartStarted,
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.parts import AnyPart, HostedCall, Inline, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from setu.chat.response import Finish, Usage
from setu.chat.seals import Cite
from tests.cuts import cut


class Grown(NamedTuple):
    """A part's skeleton, the deltas that are its content, and its candidate and message."""

    value: AnyPart
    deltas: list[Event]
    candidate: int
    message: int


WORDS = st.text(st.sampled_from('ab {}":\\é\U0001f600\n'), max_size=12)


def _text(text: str, cite: bool) -> tuple[AnyPart, list[Event]]:
    cites: list[Event] = (
        [CiteAdded(part=0, cite=Cite(kind="url_citation", dialect="x", start=0, end=1))] if cite else []
    )
    return Text(text=""), [TextDelta(part=0, text=text), *cites]


def _reasoning(sections: list[str], seal: str) -> tuple[AnyPart, list[Event]]:
    deltas: list[Event] = [ReasoningDelta(part=0, text=text, section=i) for i, text in enumerate(sections)]
    return Reasoning(), [*deltas, *([SealAdded(part=0, data=seal, issuer="x")] if seal else [])]


def _call(text: str, number: int) -> tuple[AnyPart, list[Event]]:
    return ToolCall(call_id=f"call_{number}", name="f", arguments=""), [ArgumentsDelta(part=0, text=text)]


def _hosted(text: str) -> tuple[AnyPart, list[Event]]:
    return HostedCall(call_id="h", tool="web_search", dialect="x"), [ArgumentsDelta(part=0, text=text or "{}")]


def _media(quanta: list[str]) -> tuple[AnyPart, list[Event]]:
    return Media(kind="audio", source=Inline(b64="", mime="audio/wav")), [MediaDelta(part=0, data="".join(quanta))]


def _whole(kind: str) -> tuple[AnyPart, list[Event]]:
    return Opaque(dialect="x", kind=kind, raw=b"{}"), []


CONTENTS = st.one_of(
    st.builds(_text, WORDS, st.booleans()),
    st.builds(lambda text: (Refusal(text=""), [TextDelta(part=0, text=text)]), WORDS),
    st.builds(_reasoning, st.lists(WORDS, max_size=3), WORDS),
    st.builds(_call, WORDS, st.integers(0, 3)),
    st.builds(_hosted, WORDS),
    st.builds(_media, st.lists(st.sampled_from(["AAAA", "bbb=", "c///"]), max_size=3)),
    st.builds(_whole, st.sampled_from(["a", "b"])),
)
PARTS = st.lists(
    st.tuples(CONTENTS, st.integers(0, 1), st.integers(0, 1)).map(
        lambda row: Grown(row[0][0], row[0][1], row[1], row[2])
    ),
    max_size=5,
)
SCHEDULES = st.lists(st.integers(0, 9), max_size=40)


def pieces(delta: Event, places: Sequence[int]) -> list[Event]:
    """Cut one delta's content at the given places; what has no text to cut stays whole."""
    match delta:
        case TextDelta(part=part, text=text):
            return [TextDelta(part=part, text=piece) for piece in cut(text, places)]
        case ReasoningDelta(part=part, text=text, section=section, summary=summary):
            return [ReasoningDelta(part=part, text=t, section=section, summary=summary) for t in cut(text, places)]
        case ArgumentsDelta(part=part, text=text):
            return [ArgumentsDelta(part=part, text=piece) for piece in cut(text, places)]
        case MediaDelta(part=part, data=data):  # each delta is a whole number of base64 quanta
            return [MediaDelta(part=part, data=piece) for piece in cut(data, [place * 4 for place in places if data])]
        case SealAdded(part=part, data=data, issuer=issuer):
            return [SealAdded(part=part, data=t, issuer=issuer, append=i > 0) for i, t in enumerate(cut(data, places))]
        case _:
            return [delta]


def _moved(event: Event, part: int) -> Event:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return type(event)(**(fields | {"part": part}))


def stream(parts: Sequence[Grown], places: Sequence[int] = (), schedule: Sequence[int] = ()) -> list[Event]:
    """Return a whole stream: deltas cut at `places`, parts overlapping as `schedule` says, started in their order."""
    waiting: list[list[Event]] = []
    for number, grown in enumerate(parts):
        deltas = [_moved(piece, number) for delta in grown.deltas for piece in pieces(delta, places)]
        start = PartStarted(part=number, value=grown.value, candidate=grown.candidate, message=grown.message)
        waiting.append([start, *deltas, PartEnded(part=number)])
    events: list[Event] = [Started(id="r1", model="m")]
    turns = iter(schedule)
    while any(waiting):
        started = [queue for queue in waiting if queue and not isinstance(queue[0], PartStarted)]
        fresh = [queue for queue in waiting if queue and isinstance(queue[0], PartStarted)][:1]
        ready = started + fresh
        events.append(ready[next(turns, 0) % len(ready)].pop(0))
    events += [
        Finished(candidate=number, finish=Finish(reason="stop")) for number in sorted({p.candidate for p in parts})
    ]
    return [*events, UsageSeen(usage=Usage(input=1, output=2)), Ended(complete=True)]
