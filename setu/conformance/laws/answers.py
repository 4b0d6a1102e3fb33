"""P25-P29: answers reach the client whole, legal, and the same streamed or not."""

from functools import cache
from typing import Any

from setu import _json
from setu.conformance import strategies
from setu.conformance.catalogue import load as load_catalogue
from setu.conformance.judges.registry import judge
from setu.conformance.laws.book import Book
from setu.conformance.laws.pair import Pair
from setu.conformance.natives import exact
from setu.conformance.natives.values import Answer, Choice, Say, Story, Think, Turn, calls, texts
from setu.errors import ProviderError
from setu.framing.frame import Frame
from setu.framing.kinds import ENCODERS
from setu.http import Exchange, Headers, Request

BOOK = Book()


@BOOK.law("P25")
def answers_fit_the_clients_model(pair: Pair) -> None:
    """P25: a translated answer breaks no MUST of its dialect, plain and chunk by chunk."""

    def law(example: tuple[Answer, int]) -> None:
        answer, size = example
        plain = pair.answer_bytes(answer)
        _lawful(pair, plain, len(answer.choices), stream=False)
        _lawful(pair, _written(pair.relay(pair.to.lanes(answer, size).frames)), len(answer.choices), stream=True)

    pair.check(streamed(pair), law)


def streamed(pair: Pair, **limits: Any) -> Any:
    """Answers, each with the size of the pieces that it streams in."""
    from hypothesis import strategies as st

    return st.tuples(strategies.answers(pair.by, pair.to, **limits), strategies.SIZES)


def _written(frames: list[Frame]) -> bytes:
    encoder = ENCODERS["sse"]()
    return b"".join(encoder.encode(sent) for sent in frames) + encoder.close()


@cache
def _musts() -> frozenset[str]:
    return frozenset(check.id for check in load_catalogue().checks if check.level == "MUST")


def is_must(check: str) -> bool:
    """Tell a check that no answer may fail."""
    return check in _musts()


def _lawful(pair: Pair, body: bytes, count: int, *, stream: bool) -> None:
    path, query = pair.asking.path(pair.model, stream)
    several = {"n": count} if "n" in pair.by.options else {}
    story = Story(turns=(Turn("user", (Say("go"),)),), tools=strategies.KIT, options=several, stream=stream)
    asked = pair.written(story)
    headers = Headers.of({"content-type": "text/event-stream" if stream else "application/json"})
    request = Request(method="POST", path=path, query=query, headers=headers, body=_json.encode(asked))
    verdicts = judge(Exchange(request=request, status=200, headers=headers, body=body))
    own = {check for check in verdicts if not check.startswith(("TRN", "SSE", "AUTH"))}
    assert own, f"nothing judges answers to {pair.client.name} clients"
    for check, findings in verdicts.items():
        if findings and is_must(check):
            raise AssertionError(f"{check} {findings[0].path}: {findings[0].message}\n{body!r}")


@BOOK.law("P26")
def every_finish_word_has_a_meaning(pair: Pair) -> None:
    """P26: any finish word of the upstream, known or not, becomes one of the client's own."""
    from hypothesis import strategies as st

    words = st.one_of(st.sampled_from((*pair.to.words.values(), *pair.to.others)), st.text("abcDEF_", min_size=1))
    legal = {*pair.by.words.values(), *pair.asking.words}

    def law(word: str) -> None:
        answer = Answer(choices=(Choice(items=(Say("ok"),), word=word),))
        try:
            heard = pair.hear(pair.answer(answer)).choices[0]
        except ProviderError:
            return  # the word of a failure: there is no answer
        streamed = pair.hear_stream(pair.relay(pair.to.lanes(answer, 3).frames)).choices[0]
        assert heard.word == streamed.word, f"{word!r} is {heard.word!r}, and {streamed.word!r} in a stream"
        unknown = pair.same and heard.word == word
        assert heard.word in legal or unknown, f"{word!r} became {heard.word!r}, no word of {pair.client.name}"
        meant = {native: meaning for meaning, native in reversed(list(pair.to.words.items()))}
        if word in meant and meant[word] != "tool_calls":
            assert heard.finish == meant[word], f"{word!r} became {heard.word!r}"

    pair.check(words, law)


@BOOK.law("P27")
def a_call_ends_an_answer(pair: Pair) -> None:
    """P27: an answer that calls a tool ended for that, also where the upstream says stop, be it in a later chunk."""
    from hypothesis import strategies as st

    def law(example: tuple[Answer, int, bool]) -> None:
        answer, size, stops = example
        if stops:
            word = pair.to.words["stop"]
            choices = tuple(Choice(items=c.items, finish=c.finish, word=word) for c in answer.choices)
            answer = Answer(choices=choices, tokens=answer.tokens)
        for heard in (pair.hear(pair.answer(answer)), pair.hear_stream(pair.relay(pair.to.lanes(answer, size).frames))):
            for choice in heard.choices:
                assert choice.finish == "tool_calls", f"{choice.word!r} after {len(calls(choice.items))} calls"

    pair.check(st.tuples(strategies.answers(pair.by, pair.to, called=True), strategies.SIZES, st.booleans()), law)


@BOOK.law("P28")
def usage_adds_up(pair: Pair) -> None:
    """P28: the client counts what the upstream counted; no part is larger than its whole, no total another sum."""

    def law(example: tuple[Answer, int]) -> None:
        answer, size = example
        documents = (pair.answer(answer), pair.assembled(pair.relay(pair.to.lanes(answer, size).frames)))
        for document in documents:
            heard, given = pair.hear(document).tokens, answer.tokens
            for name in ("input", "output", "cached", "reasoning"):
                if name in pair.by.counts and name in pair.to.counts:
                    got, want = getattr(heard, name), getattr(given, name)
                    assert got == want, f"{name}: {want} became {got} in {document!r}"
            counts = [
                count for count in (heard.input, heard.output, heard.cached, heard.reasoning) if count is not None
            ]
            assert all(count >= 0 for count in counts), f"a negative count in {document!r}"
            assert (heard.cached or 0) <= (heard.input or 0), f"more cached than put in: {document!r}"
            assert (heard.reasoning or 0) <= (heard.output or 0), f"more thought than put out: {document!r}"
            for total in _totals(document):
                assert total == (heard.input or 0) + (heard.output or 0), f"the total is another sum: {document!r}"

    pair.check(streamed(pair), law)


def _totals(document: Any) -> list[int]:
    usage = document.get("usage") or document.get("usageMetadata") or {}
    return [usage[name] for name in ("total_tokens", "totalTokenCount") if name in usage]


@BOOK.law("P29")
def a_stream_is_its_plain_twin(pair: Pair) -> None:
    """P29: what a client puts together from the stream is what the plain answer says: what the model said."""

    def law(example: tuple[Answer, int]) -> None:
        answer, size = example
        plain = pair.hear(pair.answer(answer))
        streamed = pair.hear_stream(pair.relay(pair.to.lanes(answer, size).frames))
        given = told(answer)
        assert told(plain) == given, f"{given!r}\nwas told as {told(plain)!r}"
        assert told(streamed) == given, f"{given!r}\nwas streamed as {told(streamed)!r}"
        assert plain.tokens == streamed.tokens, f"{plain.tokens!r}\nis not {streamed.tokens!r}"

    pair.check(streamed(pair), law)


def told(answer: Answer) -> list[tuple[str, str, list[tuple[str, str]], str | None]]:
    """Return what an answer says, choice by choice: text, thinking, calls, finish."""
    return [
        (
            "".join(texts(choice.items)),
            "".join(item.text for item in choice.items if isinstance(item, Think)),
            [(call.name, exact.spelled(call.arguments)) for call in calls(choice.items)],
            choice.finish,
        )
        for choice in answer.choices
    ]
