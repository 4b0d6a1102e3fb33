"""An answer as the stream that would have carried it: `fold` gives it back, and no content hides in a skeleton."""

from hypothesis import given

from setu.chat.events import (
    CiteAdded,
    Ended,
    Finished,
    Noted,
    PartEnded,
    PartStarted,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.fold import fold
from setu.chat.parts import Reasoning, Refusal, Text, ToolCall
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse, Finish, Usage
from setu.chat.seals import Cite, Extra, Seal
from setu.chat.unfold import skeleton, unfold
from tests.chat.streams import PARTS, Grown, stream


@given(PARTS)
def test_folding_undoes_unfolding(parts: list[Grown]) -> None:
    response = fold(stream(parts)).response

    folded = fold(unfold(response))

    assert (folded.response, folded.complete, folded.error) == (response, True, None)


@given(PARTS)
def test_a_stream_is_well_formed(parts: list[Grown]) -> None:
    events = list(unfold(fold(stream(parts)).response))

    started = [event.part for event in events if isinstance(event, PartStarted)]
    ended = [event.part for event in events if isinstance(event, PartEnded)]
    assert isinstance(events[0], Started)
    assert events[-1] == Ended(complete=True)
    assert started == ended == list(range(len(parts)))


CITE = Cite(kind="url_citation", dialect="x", start=0, end=1, url="https://a.test")
SEAL = Seal(issuer="gemini", kind="signature", data="s")


def whole(*parts: object) -> ChatResponse:
    message = Message(role="assistant", parts=parts)  # type: ignore[arg-type] # parts of any kind
    return ChatResponse(
        id="r", model="m", created=7, service_tier="t", extra=Extra(dialect="x", members={"k": b"1"}), feedback=b"{}",
        candidates=(Candidate(index=1, messages=(message,), finish=Finish(reason="length", native="MAX")),), usage=Usage(input=3, output=1),
    )  # fmt: skip


def test_everything_that_an_answer_says_is_in_some_event() -> None:
    text = Text(text="ab", cites=(CITE,), logprobs=(b"1", b"2"), seal=SEAL)

    events = list(unfold(whole(text)))

    assert events == [
        Started(id="r", model="m", created=7, service_tier="t", extra=Extra(dialect="x", members={"k": b"1"})),
        PartStarted(part=0, value=Text(text=""), candidate=1),
        TextDelta(part=0, text="ab", logprobs=(b"1", b"2")),
        CiteAdded(part=0, cite=CITE),
        SealAdded(part=0, data="s", issuer="gemini"),
        PartEnded(part=0, final=text),
        Finished(candidate=1, finish=Finish(reason="length", native="MAX")),
        Noted(feedback=b"{}"),
        UsageSeen(usage=Usage(input=3, output=1)),
        Ended(complete=True),
    ]


def test_a_skeleton_keeps_ids_and_names_and_no_content() -> None:
    assert skeleton(Text(text="a", id="i", cites=(CITE,), seal=SEAL)) == Text(text="", id="i")
    assert skeleton(Refusal(text="a")) == Refusal(text="")
    assert skeleton(Reasoning(text=("a",), summary=("b",), seal=SEAL, id="i")) == Reasoning(id="i")
    assert skeleton(ToolCall(call_id="c", name="f", arguments="{}")) == ToolCall(call_id="c", name="f", arguments="")


def test_a_redacted_thought_keeps_its_kind() -> None:
    thought = Reasoning(seal=Seal(issuer="anthropic", kind="redacted", data="z"))

    assert fold(unfold(whole(thought))).response == whole(thought)
