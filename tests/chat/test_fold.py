"""Folding a stream gives the answer it amounts to, however the answer was cut and interleaved."""

from hypothesis import given

from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Failed,
    Finished,
    Foreign,
    MediaDelta,
    Noted,
    PartEnded,
    PartStarted,
    PartStatus,
    Ping,
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.fold import Fold, fold
from setu.chat.parts import AnyPart, HostedCall, Inline, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from setu.chat.response import ChatResponse, Finish, Usage
from setu.chat.seals import Cite, Extra, Seal
from setu.errors import ErrorInfo, ErrorKind
from tests.chat.streams import PARTS, SCHEDULES, Grown, stream
from tests.cuts import PLACES


def grown(value: AnyPart, *deltas: Event) -> AnyPart:
    """The part that a skeleton and its deltas amount to."""
    response = fold([PartStarted(part=0, value=value), *deltas, PartEnded(part=0)]).response
    return response.candidates[0].messages[0].parts[0]


@given(PARTS, PLACES)
def test_any_cutting_of_the_deltas_gives_the_same_answer(parts: list[Grown], places: list[int]) -> None:
    whole = fold(stream(parts))

    # A part with no content at all may be cut into no delta; a section that was never named does not exist.
    parts = [part._replace(deltas=[delta for delta in part.deltas if getattr(delta, "text", "x")]) for part in parts]
    assert without_blank_sections(fold(stream(parts, places)).response) == without_blank_sections(whole.response)


def without_blank_sections(response: ChatResponse) -> list[object]:
    parts = [part for candidate in response.candidates for message in candidate.messages for part in message.parts]
    return [["".join(part.text), part.seal] if isinstance(part, Reasoning) else part for part in parts]


@given(PARTS, PLACES, SCHEDULES)
def test_any_interleaving_of_the_parts_gives_the_same_answer(
    parts: list[Grown], places: list[int], schedule: list[int]
) -> None:
    assert fold(stream(parts, places, schedule)) == fold(stream(parts, places))


@given(PARTS)
def test_signs_of_life_change_nothing(parts: list[Grown]) -> None:
    events = stream(parts)
    noisy = [noise for event in events for noise in (Ping(), event, Foreign(dialect="x", event="new", raw=b"{}"))]

    assert fold(noisy[:-1]) == fold(events)


@given(PARTS)
def test_folding_leaves_the_skeletons_as_they_were(parts: list[Grown]) -> None:
    before = repr(parts)

    fold(stream(parts))

    assert repr(parts) == before


def test_a_text_grows_with_its_citations_and_logprobs() -> None:
    cite = Cite(kind="url_citation", dialect="openai_chat", url="https://a")

    part = grown(
        Text(text=""),
        TextDelta(part=0, text="a", logprobs=(b"1",)),
        TextDelta(part=0, text="b"),
        CiteAdded(part=0, cite=cite),
        TextDelta(part=0, text="c", logprobs=(b"2", b"3")),
    )

    assert part == Text(text="abc", cites=(cite,), logprobs=(b"1", b"2", b"3"))


def test_what_a_skeleton_already_holds_comes_first() -> None:
    assert grown(Text(text="a"), TextDelta(part=0, text="b")) == Text(text="ab")
    assert grown(Refusal(text="a"), TextDelta(part=0, text="b")) == Refusal(text="ab")
    assert grown(Reasoning(text=("a",)), ReasoningDelta(part=0, text="b")) == Reasoning(text=("ab",))


def test_reasoning_sections_and_summaries_stay_apart() -> None:
    part = grown(
        Reasoning(),
        ReasoningDelta(part=0, text="s2", section=1, summary=True),
        ReasoningDelta(part=0, text="t", section=0),
        ReasoningDelta(part=0, text="s1", section=0, summary=True),
        ReasoningDelta(part=0, text="+", section=1, summary=True),
    )

    assert part == Reasoning(text=("t",), summary=("s1", "s2+"))


def test_a_seal_may_come_late_and_in_pieces() -> None:
    part = grown(
        Reasoning(),
        ReasoningDelta(part=0, text="t"),
        SealAdded(part=0, data="old", issuer="anthropic"),
        SealAdded(part=0, data="a", issuer="anthropic"),
        SealAdded(part=0, data="b", issuer="anthropic", append=True),
    )

    assert part == Reasoning(text=("t",), seal=Seal(issuer="anthropic", kind="signature", data="ab"))


def test_arguments_are_text_verbatim() -> None:
    call = ToolCall(call_id="c", name="f", arguments="")

    part = grown(call, ArgumentsDelta(part=0, text='{"a": 1.'), ArgumentsDelta(part=0, text='10, "b'))

    assert part == ToolCall(call_id="c", name="f", arguments='{"a": 1.10, "b')
    assert grown(call) == call


def test_a_hosted_call_takes_arguments_and_its_last_state() -> None:
    part = grown(
        HostedCall(call_id="h", tool="web_search", dialect="x"),
        PartStatus(part=0, state="searching"),
        ArgumentsDelta(part=0, text='{"q":'),
        ArgumentsDelta(part=0, text="1}"),
        PartStatus(part=0, state="completed"),
    )

    assert part == HostedCall(call_id="h", tool="web_search", dialect="x", arguments=b'{"q":1}', status="completed")


def test_media_grows_with_its_transcript() -> None:
    part = grown(
        Media(kind="audio", source=Inline(b64="AAAA", mime="audio/wav")),
        MediaDelta(part=0, data="BBBB", transcript="he"),
        MediaDelta(part=0, data="CC==", transcript="llo"),
    )

    assert part == Media(kind="audio", source=Inline(b64="AAAABBBBCC==", mime="audio/wav"), transcript="hello")


def test_parts_stand_in_their_messages_and_candidates() -> None:
    events: list[Event] = [
        PartStarted(part=1, value=Text(text="b"), candidate=1),
        PartStarted(part=2, value=Text(text="late"), message=1),
        PartStarted(part=3, value=Text(text="early"), message=0),
        PartStarted(part=4, value=Opaque(dialect="x", kind="k", raw=b"1"), message=1),
        Finished(candidate=1, finish=Finish(reason="length", native="MAX"), extra=Extra(dialect="x", members={})),
    ]

    zero, one = fold(events).response.candidates

    texts = [[getattr(part, "text", None) for part in message.parts] for message in zero.messages]
    assert texts == [["early"], ["late", None]]
    assert (zero.finish, one.finish) == (None, Finish(reason="length", native="MAX"))
    assert one.extra == Extra(dialect="x", members={})


def test_a_candidate_without_parts_still_ends() -> None:
    (candidate,) = fold([Finished(candidate=0, finish=Finish(reason="content_filter"))]).response.candidates

    assert (candidate.messages, candidate.finish) == ((), Finish(reason="content_filter"))


def test_late_facts_join_the_first_ones() -> None:
    response = fold(
        [
            Started(id="i", model="m", created=7, service_tier="a", extra=Extra(dialect="x", members={"k": b"1"})),
            Noted(feedback=b'{"blockReason":"X"}'),
            Noted(service_tier="b", extra=Extra(dialect="x", members={"l": b"2"})),
        ]
    ).response

    assert (response.id, response.model, response.created, response.service_tier) == ("i", "m", 7, "b")
    assert response.feedback == b'{"blockReason":"X"}'
    assert response.extra == Extra(dialect="x", members={"k": b"1", "l": b"2"})


def test_usage_is_replaced_field_by_field() -> None:
    events = [UsageSeen(usage=Usage(input=10, output=1)), UsageSeen(usage=Usage(output=5))]

    assert fold(events).response.usage == Usage(input=10, output=5)


def test_an_error_is_kept_and_no_such_stream_is_complete() -> None:
    error = ErrorInfo(kind=ErrorKind.OVERLOADED, status=529, message="x")

    folded = fold([Failed(error=error), Ended(complete=True)])

    assert (folded.error, folded.complete) == (error, False)


def test_a_stream_without_its_end_is_not_complete() -> None:
    assert not fold([Started(), Ended(complete=False)]).complete
    assert not fold([Started()]).complete
    assert fold([Started(), Ended(complete=True)]).complete


def test_the_result_may_be_asked_for_at_any_time() -> None:
    state = Fold()
    state.feed(PartStarted(part=0, value=Text(text="")))
    state.feed(TextDelta(part=0, text="a"))
    first = state.result().response
    state.feed(TextDelta(part=0, text="b"))

    assert [first.candidates[0].messages[0].parts, state.result().response.candidates[0].messages[0].parts] == [
        (Text(text="a"),),
        (Text(text="ab"),),
    ]
