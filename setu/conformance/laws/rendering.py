"""P13-P24: what a rendered request may not lose, change or invent."""

from typing import Any

import msgspec

from setu import _json
from setu.chat.normal import normal_request
from setu.conformance import strategies
from setu.conformance.laws.book import Book
from setu.conformance.laws.pair import Pair, Sent, refused
from setu.conformance.laws.requests import judged, onto_itself, verdict
from setu.conformance.laws.tools import done
from setu.conformance.natives import exact
from setu.conformance.natives.record import Json
from setu.conformance.natives.values import (
    Answer,
    Call,
    Choice,
    Item,
    Say,
    Show,
    Story,
    Think,
    Turn,
    all_calls,
    calls,
    of_role,
    seals,
    texts,
)
from setu.errors import DialectError, LocalDialectError

BOOK = Book()


@BOOK.law("P13")
def no_blank_text_goes_out(pair: Pair) -> None:
    """P13: where the target forbids blank text there is none, whatever blank text the client sent."""
    from hypothesis import strategies as st

    item: st.SearchStrategy[Item] = st.builds(Say, st.one_of(strategies.BLANKS, strategies.PHRASES))
    items = st.lists(item, min_size=1, max_size=3).map(tuple)
    turns = st.lists(st.builds(Turn, st.sampled_from(("user", "assistant")), items), max_size=3)

    def law(example: tuple[list[Turn], list[str]]) -> None:
        turns, system = example
        story = Story(system=tuple(system), turns=(Turn("user", (Say("hi"),)), *turns, Turn("user", (Say("end"),))))
        sent = refused(lambda: pair.send(story))
        if not isinstance(sent, Sent):
            return
        said = [*sent.story.system, *(text for turn in sent.story.turns for text in texts(turn.items))]
        if pair.to.forbids_blank:
            assert all(text.strip() for text in said), f"blank text: {sent.body!r}"
            assert all(turn.items for turn in sent.story.turns), f"an empty turn: {sent.body!r}"
        assert not verdict(pair, sent, "XLT-13"), f"blank text: {sent.body!r}"
        given = [text for turn in sent.asked.turns for text in texts(turn.items)]
        one, other = ("".join("".join(texts_).split()) for texts_ in (given, said[len(sent.story.system) :]))
        assert one == other, f"{given!r} became {said!r}"

    pair.check(st.tuples(turns, st.lists(st.one_of(strategies.BLANKS, strategies.PHRASES), max_size=2)), law)


@BOOK.law("P14")
def text_stays_beside_calls(pair: Pair) -> None:
    """P14: an assistant's text stays in the turn of its calls; no calls are the same as an empty list of them."""

    def law(story: Story) -> None:
        sent = pair.send(story)
        given, arrived = (_beside(told) for told in (sent.asked, sent.story))
        assert given == arrived, f"{given!r} became {arrived!r}: {sent.body!r}"
        if pair.asking.empties is not None:
            asked = pair.written(story)
            again = pair.send(pair.asking.empties(asked))
            assert again.body == sent.body, f"with empty lists it is {again.body!r}, not {sent.body!r}"

    pair.check(strategies.stories(pair.by, tools=True), law)


def _beside(story: Story) -> list[tuple[str, int]]:
    """Return the text and the number of calls of each assistant turn that calls."""
    turns = [turn for turn in story.turns if turn.role == "assistant" and calls(turn.items)]
    return [("".join(texts(turn.items)), len(calls(turn.items))) for turn in turns]


@BOOK.law("P15")
def nothing_is_dropped_in_silence(pair: Pair) -> None:
    """P15: every option, tool, schema, wish and medium arrives, is declared lost under its own name, or is refused."""

    def law(story: Story) -> None:
        sent = refused(lambda: pair.send(story))
        if isinstance(sent, DialectError):
            assert sent.param or sent.code, f"refused without naming what: {sent}"
            return
        given, arrived = sent.asked, sent.story
        for name in given.options:
            mapped = name in arrived.options
            declared = sent.declares(pair.by.options[name].rpartition(".")[2])
            assert mapped or declared, f"{name} is gone without a word: {sent.losses}\n{sent.body!r}"
        wire = {"effort": ("effort", "thinking", "reasoning"), "schema": ("output", "format", "response", "schema")}
        for name, words in {**wire, "choice": ("choice", "Config"), "parallel": ("parallel", "choice")}.items():
            wish = getattr(given, name)
            absent = wish in (None, "auto", True) or (name == "choice" and wish == "none" and not arrived.tools)
            kept = getattr(arrived, name) is not None
            assert absent or kept or sent.declares(*words), f"{name} {wish!r} is gone: {sent.losses}\n{sent.body!r}"
        assert len(arrived.tools) == len(given.tools) or sent.declares("tool"), f"tools are gone: {sent.body!r}"
        one, other = (_shown(told) for told in (given, arrived))
        assert one == other or sent.declares("/messages", "/contents", "/input"), f"{one} became {other}: {sent.body!r}"

    pair.check(strategies.stories(pair.by, media=True, scalars=True, thinking=True), law)


def _shown(story: Story) -> list[tuple[str, str]]:
    return [(item.mime, item.data) for item in of_role(story, "user") if isinstance(item, Show)]


@BOOK.law("P16")
def clamping_is_declared(pair: Pair) -> None:
    """P16: an option that arrives with another value is in the target's range and declared."""

    def law(story: Story) -> None:
        sent = pair.send(story)
        for name, value in sent.asked.options.items():
            if name not in sent.story.options:
                continue  # a model without sampling: that it is gone is P15's to judge
            got = sent.story.options[name]
            low, high = pair.to.limits.get(name, (float("-inf"), float("inf")))
            if isinstance(got, (int, float)) and not isinstance(got, bool):
                assert low <= got <= high, f"{name} goes out as {got}"
            changed = _many(got) != _many(value)
            declared = sent.declares(pair.by.options[name].rpartition(".")[2])
            assert not changed or declared, f"{name} {value!r} became {got!r} without a word: {sent.losses}"

    pair.check(strategies.stories(pair.by, scalars=True), law)


def _many(value: Any) -> Any:
    """A single stop sequence may come alone."""
    return [value] if isinstance(value, str) else value


@BOOK.law("P17", lambda pair: None if pair.upstream.name == "anthropic" else "only Anthropic demands max_tokens")
def max_tokens_is_always_there(pair: Pair) -> None:
    """P17: Anthropic always gets max_tokens, at least 1."""
    judged(pair, "XLT-17", needed=True)


@BOOK.law("P18")
def rendering_is_pure(pair: Pair) -> None:
    """P18: the same request renders to the same bytes, the order of its keys does not matter, and reading it stays."""

    def law(story: Story) -> None:
        asked = pair.written(story)
        bridge = pair.bridge(_json.encode(asked), stream=story.stream)
        before = repr(bridge.request)
        first = refused(lambda: pair.send(asked))
        if isinstance(first, DialectError):
            return
        again, backwards = pair.send(asked), pair.send(_backwards(asked))
        assert repr(pair.bridge(_json.encode(asked), stream=story.stream).request) == before, "reading changed"
        assert again.body == first.body, f"rendered twice, it differs: {first.body!r} and {again.body!r}"
        assert backwards.body == first.body, f"key order matters: {first.body!r} and {backwards.body!r}"

    pair.check(strategies.stories(pair.by, media=True, scalars=True, thinking=True), law)


def _backwards(asked: Json) -> Json:
    """Reverse the members of the request and of its messages; schemas and arguments are values, not wire."""

    def turned(value: Any, depth: int) -> Any:
        if isinstance(value, list) and depth:
            return [turned(item, depth - 1) for item in value]
        return dict(reversed(value.items())) if isinstance(value, dict) and depth else value

    return {name: turned(value, 2) for name, value in reversed(asked.items())}


@BOOK.law("P19")
def a_longer_talk_starts_the_same(pair: Pair) -> None:
    """P19: what was sent for the start of a talk is how its continuation begins, up to the last merged turn."""

    def law(story: Story) -> None:
        turns = story.turns
        ends = [place for place in range(1, len(turns)) if turns[place].role == "assistant"]
        whole = pair.send(story)
        later = pair.to.turns(whole.json)
        for end in ends:
            start = msgspec.structs.replace(story, turns=turns[:end])
            sent = pair.send(start)
            earlier = pair.to.turns(sent.json)[:-1]
            assert later[: len(earlier)] == earlier, f"{earlier!r}\nis not how it begins: {later!r}"
            assert sent.story.system == whole.story.system, "the system text changes"

    pair.check(strategies.stories(pair.by), law)


@BOOK.law("P20")
def null_is_absent(pair: Pair) -> None:
    """P20: a nullable member that is null means what its absence means."""
    from hypothesis import strategies as st

    names = st.lists(st.sampled_from(pair.asking.nullable), unique=True)

    def law(example: tuple[Story, list[str]]) -> None:
        story, nulls = example
        asked = pair.written(story)
        body = {**asked, **{name: None for name in nulls if name not in asked}}
        one, other = pair.send(asked), pair.send(body)
        assert one.json == _without_nulls(other.json), f"with {nulls} null it is {other.body!r}, not {one.body!r}"

    pair.check(st.tuples(strategies.stories(pair.by), names), law)


def _without_nulls(body: Json) -> Json:
    """What its own dialect gives back as null is as good as absent there."""
    return {name: value for name, value in body.items() if value is not None}


def _no_seals(pair: Pair) -> str | None:
    return None if pair.to.seals_thoughts or pair.to.seals_calls else f"{pair.upstream.name} signs nothing"


@BOOK.law("P21", _no_seals)
def signatures_come_back_byte_by_byte(pair: Pair) -> None:
    """P21: a signature goes back as it was to whom it came from, by the client's echo or the gateway's store."""
    from hypothesis import strategies as st

    seal = st.text("ABCxyz019+/=_-", min_size=4, max_size=40)

    def law(example: tuple[str, str]) -> None:
        first, second = example
        thought: tuple[Item, ...] = (Think("hm", first),) if pair.to.seals_thoughts else ()
        call = Call("call_1", "f", '{"a": 1}', second if pair.to.seals_calls else None)
        answer = Answer(choices=(Choice(items=(*thought, call), finish="tool_calls"),))
        asked = pair.written(Story(turns=(Turn("user", (Say("go"),)),), tools=strategies.KIT))
        bridge = pair.bridge(_json.encode(asked))
        document: Json = exact.answer(bridge.response(_json.encode(pair.to.plain(answer)), pair.reply()).body)
        heard = calls(pair.hear(document).choices[0].items)
        echoed = pair.asking.answered(pair.asking.echo(asked, document), done(heard))
        sent = pair.send(echoed, dict(bridge.learned()))
        got = seals(of_role(sent.story, "assistant"))
        given = {first, second}
        assert set(got) <= given, f"{given!r} became {got!r}"
        if pair.to.seals_calls:
            assert all_calls(sent.story)[0].seal == second, f"{second!r} is lost: {sent.body!r}"
        elif pair.client.name in ("openai_chat", pair.upstream.name):
            assert first in got, f"{first!r} is lost: {sent.body!r}"

    pair.check(st.tuples(seal, seal), law)


@BOOK.law("P22")
def text_is_never_normalised(pair: Pair) -> None:
    """P22: text arrives code point by code point both ways; a lone surrogate is refused by name, never a crash."""
    from hypothesis import strategies as st

    letters = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6).filter(
        lambda text: text.strip() != ""
    )
    odd = st.sampled_from(
        ("e\u0301", "\u00e9", "\ufb01", "\u212b", "a\u200db", "\u202eabc", "\U0001f468\u200d\U0001f469", "\ud55c\u1112")
    )

    def law(text: str) -> None:
        text = f"a{text}b"
        sent = pair.send(Story(turns=(Turn("user", (Say(text),)),)))
        assert texts(of_role(sent.story, "user")) == [text], f"{text!r} arrived as {sent.body!r}"
        heard = pair.hear(pair.answer(Answer(choices=(Choice(items=(Say(text),)),))))
        assert texts(heard.choices[0].items) == [text], f"{text!r} was heard as {heard!r}"
        lone = _json.encode(pair.written(Story(turns=(Turn("user", (Say("@@"),)),)))).replace(b"@@", b"x\\ud800y")
        try:
            body = pair.bridge(lone).render(_nothing()).body
        except LocalDialectError:
            return
        raise AssertionError(f"a lone surrogate was sent: {body!r}")

    pair.check(st.one_of(letters, odd), law)


def _nothing() -> Any:
    from setu.translate.session import Fetched

    return Fetched()


@BOOK.law("P23")
def parts_keep_their_order(pair: Pair) -> None:
    """P23: text, picture, text stay in that order."""
    from hypothesis import strategies as st

    item: st.SearchStrategy[Item] = st.one_of(st.builds(Say, strategies.PHRASES), strategies.MEDIA)

    def law(items: tuple[Item, ...]) -> None:
        sent = refused(lambda: pair.send(Story(turns=(Turn("user", items),))))
        if isinstance(sent, DialectError):
            assert any(isinstance(item, Show) for item in items), f"refused: {sent}"
            return
        kinds = [_kinds(told) for told in (sent.asked, sent.story)]
        if not pair.to.ordered:
            kinds = [[kind for kind in row if kind != "text"] for row in kinds]
        lost = sent.declares("/messages", "/contents", "/input")
        assert kinds[0] == kinds[1] or (lost and _without_media(kinds)), f"{kinds[0]} became {kinds[1]}: {sent.body!r}"

    pair.check(st.lists(item, min_size=2, max_size=5).map(tuple), law)


def _kinds(story: Story) -> list[str]:
    """Return the order of text and media; neighbouring texts may join."""
    found: list[str] = []
    for item in of_role(story, "user"):
        kind = item.data[:12] if isinstance(item, Show) else "text"
        if kind != "text" or found[-1:] != ["text"]:
            found.append(kind)
    return found


def _without_media(kinds: list[list[str]]) -> bool:
    one, other = ([kind for kind in row if kind != "text"] for row in kinds)
    return other == [kind for kind in one if kind in other]


@BOOK.law("P24")
def the_normal_form_is_normal(pair: Pair) -> None:
    """P24: normalising twice is normalising once; a request that was translated and read again says the same."""

    def law(story: Story) -> None:
        asked = pair.written(story)
        request = pair.bridge(_json.encode(asked), stream=story.stream).request
        once = normal_request(request)
        assert normal_request(once) == once, f"normalising twice changes {once!r}"
        sent = refused(lambda: pair.send(asked))
        if isinstance(sent, DialectError) or not pair.upstream.client:
            return
        back = onto_itself(pair)
        again = back.send({**sent.json, **({"stream": True} if story.stream and "stream" in sent.json else {})})
        assert again.json == sent.json, f"read and rendered again, {sent.body!r} is {again.body!r}"

    pair.check(strategies.stories(pair.by, media=True, scalars=True, thinking=True), law)
