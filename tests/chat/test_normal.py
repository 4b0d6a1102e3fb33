"""The normal form: answers that mean the same become equal, and nothing else does."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.fold import fold
from setu.chat.normal import (
    normal_messages,
    normal_parts,
    normal_request,
    normal_response,
    reasoning_of,
    refusal_of,
    text_of,
)
from setu.chat.parts import AnyPart, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest, Message, Role
from setu.chat.response import Candidate, ChatResponse
from setu.chat.seals import CacheMark, Cite, Extra, Seal
from tests.chat.streams import PARTS, SCHEDULES, WORDS, Grown, stream
from tests.cuts import PLACES, cut

SEAL = Seal(issuer="gemini", kind="signature", data="s")
EXTRA = Extra(dialect="x", members={"k": b"1"})
TEXTS = st.builds(
    Text,
    text=WORDS,
    seal=st.sampled_from([None, None, SEAL]),
    cache=st.sampled_from([None, None, CacheMark()]),
    extra=st.sampled_from([None, None, EXTRA]),
    cites=st.sampled_from([(), (Cite(kind="k", dialect="x", start=0, end=1),)]),
    logprobs=st.sampled_from([None, None, (b"1",)]),
)
OTHERS: st.SearchStrategy[AnyPart] = st.one_of(
    st.builds(Refusal, text=WORDS),
    st.builds(Reasoning, text=st.lists(WORDS, max_size=2).map(tuple)),
    st.just(Opaque(dialect="x", kind="k", raw=b"{}")),
)
MIXED = st.lists(st.one_of(TEXTS, TEXTS, OTHERS), max_size=6).map(tuple)
ROLES: list[Role] = ["user", "assistant", "tool"]
MESSAGES = st.lists(
    st.builds(Message, role=st.sampled_from(ROLES), parts=MIXED, name=st.sampled_from([None, None, "n"])), max_size=5
).map(tuple)


@given(MIXED)
def test_normal_parts_are_normal(parts: tuple[AnyPart, ...]) -> None:
    once = normal_parts(parts)

    assert normal_parts(once) == once


@given(MESSAGES)
def test_normal_messages_are_normal(messages: tuple[Message, ...]) -> None:
    once = normal_messages(messages)

    assert normal_messages(once) == once


@given(MIXED)
def test_the_visible_text_stays(parts: tuple[AnyPart, ...]) -> None:
    assert text_of(normal_parts(parts)) == text_of(parts)
    assert reasoning_of(normal_parts(parts)) == reasoning_of(parts)
    assert refusal_of(normal_parts(parts)) == refusal_of(parts)


@given(WORDS, PLACES)
def test_a_text_in_pieces_is_the_text(text: str, places: list[int]) -> None:
    assert normal_parts(tuple(Text(text=piece) for piece in cut(text, places))) == normal_parts((Text(text=text),))


@given(MESSAGES, st.integers(0, 9))
def test_an_envelope_may_be_split_anywhere(messages: tuple[Message, ...], place: int) -> None:
    pieces = [
        msgspec.structs.replace(message, parts=parts)
        for message in messages
        for parts in ((message.parts[:place], message.parts[place:]) if not message.name else (message.parts,))
    ]

    assert normal_messages(tuple(pieces)) == normal_messages(messages)


@given(PARTS, PLACES, SCHEDULES)
def test_the_normal_form_of_a_stream_does_not_depend_on_its_granularity(
    parts: list[Grown], places: list[int], schedule: list[int]
) -> None:
    whole = normal_response(fold(stream(parts)).response)

    assert normal_response(fold(stream(parts, places, schedule)).response) == whole


def test_an_empty_sealed_text_seals_the_text_before_it() -> None:
    parts = normal_parts((Text(text="a"), Text(text="b"), Text(text="", seal=SEAL)))

    assert parts == (Text(text="ab", seal=SEAL),)


def test_a_sealed_text_is_not_continued() -> None:
    parts = (Text(text="a", seal=SEAL), Text(text="b"))

    assert normal_parts(parts) == parts


def test_citations_move_with_their_text() -> None:
    cite = Cite(kind="k", dialect="x", start=0, end=1)

    (text,) = normal_parts((Text(text="ab", cites=(cite,)), Text(text="c", cites=(cite,))))

    assert isinstance(text, Text)
    assert [(found.start, found.end) for found in text.cites] == [(0, 1), (2, 3)]


def test_a_cache_mark_and_an_extra_keep_a_text_apart() -> None:
    parts = (Text(text="a", cache=CacheMark()), Text(text="b"), Text(text="c", extra=EXTRA))

    assert normal_parts(parts) == parts


def test_an_empty_text_says_nothing() -> None:
    assert normal_parts((Text(text=""), Refusal(text="r"), Text(text=""))) == (Refusal(text="r"),)


def test_reasoning_without_words_has_no_sections() -> None:
    assert normal_parts((Reasoning(text=("",), seal=SEAL),)) == (Reasoning(seal=SEAL),)
    assert normal_parts((Reasoning(text=("", "a")),)) == (Reasoning(text=("", "a")),)


def test_neighbours_of_one_role_merge_unless_they_have_something_of_their_own() -> None:
    one, two = Message(role="user", parts=(Text(text="a"),)), Message(role="user", parts=(Text(text="b"),))
    named = msgspec.structs.replace(two, name="n")

    assert normal_messages((one, two)) == (Message(role="user", parts=(Text(text="ab"),)),)
    assert normal_messages((one, named)) == (one, named)


def test_a_request_is_normal_in_its_system_and_its_messages() -> None:
    texts = (Text(text="a"), Text(text="b"))
    request = ChatRequest(model="m", system=texts, messages=(Message(role="user", parts=texts),))

    found = normal_request(request)

    assert (found.system, found.messages[0].parts) == ((Text(text="ab"),), (Text(text="ab"),))


def test_an_anonymous_answer_has_no_ids_no_time_and_no_seal_bytes() -> None:
    def answer(mark: str) -> ChatResponse:
        seal = Seal(issuer="x", kind="signature", data=mark)
        result = ToolResult(call_id=mark, content=())
        parts = (Reasoning(text=("t",), seal=seal, id=mark), ToolCall(call_id=mark, name="f", arguments="{}"), result)
        message = Message(role="assistant", parts=parts, id=mark)
        return ChatResponse(id=mark, created=len(mark), candidates=(Candidate(messages=(message,)),))

    one, other = answer("a"), answer("bb")

    assert normal_response(one) != normal_response(other)
    assert normal_response(one, anonymous=True) == normal_response(other, anonymous=True)


def test_no_refusal_is_none() -> None:
    assert refusal_of((Text(text="a"),)) is None
