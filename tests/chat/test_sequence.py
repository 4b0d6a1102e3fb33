"""Overlapping parts come out one after the other; nothing is lost and no part's own order changes."""

from hypothesis import given

from setu.chat.events import (
    DELTAS,
    Ended,
    Event,
    Failed,
    Finished,
    PartEnded,
    PartStarted,
    Ping,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.fold import fold
from setu.chat.parts import Text
from setu.chat.response import Finish, Usage
from setu.chat.sequence import Sequence
from setu.errors import ErrorInfo, ErrorKind
from tests.chat.streams import PARTS, SCHEDULES, Grown, stream
from tests.cuts import PLACES

FAILED = Failed(error=ErrorInfo(kind=ErrorKind.SERVER, status=500, message="x"))


def sequenced(events: list[Event]) -> list[Event]:
    sequence = Sequence()
    return [out for event in events for out in sequence.feed(event)]


def overlaps(events: list[Event]) -> bool:
    """Whether any event of a part lies outside its own start and end."""
    current: int | None = None
    for event in events:
        if isinstance(event, PartStarted):
            if current is not None:
                return True
            current = event.part
        elif isinstance(event, (PartEnded, *DELTAS)):
            if event.part != current:
                return True
            if isinstance(event, PartEnded):
                current = None
    return current is not None


def of_part(events: list[Event], part: int) -> list[Event]:
    return [event for event in events if getattr(event, "part", None) == part]


def start(part: int, candidate: int = 0) -> PartStarted:
    return PartStarted(part=part, value=Text(text=""), candidate=candidate)


def delta(part: int, text: str = "x") -> TextDelta:
    return TextDelta(part=part, text=text)


@given(PARTS, PLACES, SCHEDULES)
def test_parts_never_overlap_and_keep_their_own_order(
    parts: list[Grown], places: list[int], schedule: list[int]
) -> None:
    events = stream(parts, places, schedule)

    out = sequenced(events)

    assert not overlaps(out)
    assert len(out) == len(events)
    assert [of_part(out, part) for part in range(len(parts))] == [of_part(events, part) for part in range(len(parts))]
    assert fold(out) == fold(events)


@given(PARTS, PLACES, SCHEDULES)
def test_a_stream_cut_anywhere_leaves_no_part_open(parts: list[Grown], places: list[int], schedule: list[int]) -> None:
    events: list[Event] = [e for e in stream(parts, places, schedule) if not isinstance(e, PartEnded)]

    out = sequenced(events)

    assert not overlaps(out)
    for part in range(len(parts)):
        assert of_part(out, part) == [*of_part(events, part), PartEnded(part=part)]
    assert fold(out) == fold(events)


@given(PARTS)
def test_a_row_of_parts_passes_through_at_once(parts: list[Grown]) -> None:
    sequence = Sequence()

    for event in stream(parts):
        assert sequence.feed(event) == [event]


def test_a_second_part_waits_for_the_end_of_the_first() -> None:
    sequence = Sequence()
    fed: list[Event] = [start(0), start(1), delta(1), delta(0), PartEnded(part=1), PartEnded(part=0)]

    out = [sequence.feed(event) for event in fed]

    assert out == [[fed[0]], [], [], [fed[3]], [], [fed[5], fed[1], fed[2], fed[4]]]


def test_the_part_that_is_still_open_becomes_the_current_one() -> None:
    sequence = Sequence()
    opened: list[Event] = [start(0), start(1), delta(1, "a")]
    for event in opened:
        sequence.feed(event)

    released = sequence.feed(PartEnded(part=0))

    assert released == [PartEnded(part=0), start(1), delta(1, "a")]
    assert sequence.feed(delta(1, "b")) == [delta(1, "b")]


def test_events_of_no_part_do_not_wait() -> None:
    sequence = Sequence()
    sequence.feed(start(0))
    usage = UsageSeen(usage=Usage(output=1))

    assert [sequence.feed(event) for event in (Ping(), usage, Started())] == [[Ping()], [usage], [Started()]]


def test_a_finish_of_one_candidate_leaves_the_parts_of_another_open() -> None:
    finished = [Finished(candidate=number, finish=Finish(reason="stop")) for number in (0, 1)]
    events: list[Event] = [
        start(0),
        start(1, 1),
        PartEnded(part=0),
        finished[0],
        delta(1),
        PartEnded(part=1),
        finished[1],
    ]

    out = sequenced([*events, Ended(complete=True)])

    assert not overlaps(out)
    assert out.index(finished[0]) > out.index(PartEnded(part=0))
    assert [event for event in out if isinstance(event, PartEnded)] == [PartEnded(part=0), PartEnded(part=1)]


def test_a_finish_comes_after_its_own_parts_even_if_they_wait() -> None:
    finished = Finished(candidate=1, finish=Finish(reason="stop"))

    out = sequenced([start(0), start(1, 1), delta(1), PartEnded(part=1), finished, PartEnded(part=0)])

    assert out == [start(0), PartEnded(part=0), start(1, 1), delta(1), PartEnded(part=1), finished]


def test_a_failure_closes_what_is_open_and_comes_last() -> None:
    out = sequenced([start(0), start(1), delta(1), FAILED, Ended(complete=False)])

    assert out == [
        start(0), PartEnded(part=0), start(1), delta(1), PartEnded(part=1), FAILED, Ended(complete=False),
    ]  # fmt: skip
