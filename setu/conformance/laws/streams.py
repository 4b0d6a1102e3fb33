"""P30-P37: streams mean the same however they are cut, spelled, interrupted by noise or interleaved."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from setu import _json
from setu.conformance import strategies
from setu.conformance.laws.answers import streamed, told
from setu.conformance.laws.book import Book
from setu.conformance.laws.pair import Pair, events_of, pieces
from setu.conformance.natives.values import Answer
from setu.framing.frame import Frame

BOOK = Book()


def _bytes(pair: Pair, answer: Answer, size: int) -> bytes:
    return b"".join(pair.framed(pair.to.lanes(answer, size).frames))


@BOOK.law("P30")
def any_cutting_gives_the_same(pair: Pair) -> None:
    """P30: however the upstream's bytes are cut, the client gets the same frames."""
    from hypothesis import strategies as st

    def law(example: tuple[tuple[Answer, int], list[int]]) -> None:
        (answer, size), places = example
        data = _bytes(pair, answer, size)
        whole, cut = (pair.relay(pair.unframed(chunks)) for chunks in ([data], pieces(data, places)))
        assert whole == cut, f"{cut!r}\nis not\n{whole!r}"
        single = pair.relay(pair.unframed(data[at : at + 1] for at in range(len(data))))
        assert whole == single, f"byte by byte, {single!r}\nis not\n{whole!r}"

    pair.check(st.tuples(streamed(pair), strategies.PLACES), law)


@BOOK.law("P31")
def any_granularity_says_the_same(pair: Pair) -> None:
    """P31: however the model's text and arguments come in pieces, they are the same when put together."""
    from hypothesis import strategies as st

    def law(example: tuple[tuple[Answer, int], int]) -> None:
        (answer, size), other = example
        one, two = (pair.hear_stream(pair.relay(pair.to.lanes(answer, cut).frames)) for cut in (size, other + 7))
        assert told(one) == told(two), f"{told(one)!r}\nis not {told(two)!r}"
        assert one.tokens == two.tokens, f"{one.tokens!r} is not {two.tokens!r}"

    pair.check(st.tuples(streamed(pair), st.integers(1, 400)), law)


def _one_spelling(pair: Pair) -> str | None:
    return None if pair.framing in _SPELLINGS else f"{pair.framing} has one spelling only"


@BOOK.law("P32", _one_spelling)
def every_spelling_means_the_same(pair: Pair) -> None:
    """P32: line ends, comments, byte order mark, `data:` without its space, data in several lines change nothing."""
    from hypothesis import strategies as st

    spellings = _SPELLINGS[pair.framing]

    def law(example: tuple[tuple[Answer, int], str]) -> None:
        (answer, size), name = example
        data = _bytes(pair, answer, size)
        plain, other = (pair.relay(pair.unframed([spelt])) for spelt in (data, spellings[name](data)))
        one, two = (told(pair.hear_stream(made)) for made in (plain, other))
        assert one == two, f"{name}: {two!r}\nis not\n{one!r}"
        # A call's arguments are given on with the spaces they came with.
        assert name == "many lines" or _meant(plain) == _meant(other), f"{name}: {other!r}\nis not\n{plain!r}"

    pair.check(st.tuples(streamed(pair), st.sampled_from(sorted(spellings))), law)


def _said(frames: list[Frame]) -> list[Frame]:
    """Return the frames that say something: neither comments nor pings."""
    return [made for made in frames if made.data is not None and made.event != "ping"]


def _meant(frames: list[Frame]) -> list[Any]:
    """Read what is said: members that are passed on unread keep the spaces they came with."""
    marks = [(made.event, made.data) for made in _said(frames) if made.data == b"[DONE]"]
    spoken = [made for made in _said(frames) if made.data != b"[DONE]"]
    return [*((made.event, _json.decode(made.data or b"null")) for made in spoken), *marks]


def _in_lines(data: bytes) -> bytes:
    """Write each event's JSON in lines of its own, one `data:` each."""
    blocks = []
    for block in data.split(b"\n\n"):
        lines = []
        for line in block.split(b"\n"):
            if not line.startswith(b"data: {"):
                lines.append(line)
                continue
            value = msgspec.json.format(line.removeprefix(b"data: "), indent=1)
            lines += [b"data: " + part for part in value.split(b"\n")]
        blocks.append(b"\n".join(lines))
    return b"\n\n".join(blocks)


_LINE = re.compile(rb"(?m)^data:")

_SPELLINGS: Mapping[str, Mapping[str, Callable[[bytes], bytes]]] = {
    "sse": {
        "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
        "CR": lambda data: data.replace(b"\n", b"\r"),
        "comments": lambda data: b": hi\n\n" + _LINE.sub(b": a comment\ndata:", data),
        "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
        "no space": lambda data: re.sub(rb"(?m)^data: ", b"data:", data),
        "many lines": _in_lines,
        "fields nobody knows": lambda data: _LINE.sub(b"brand-new: 1\nid: 7\nretry: 9\ndata:", data),
        "blank lines": lambda data: data.replace(b"\n\n", b"\n\n\n\n"),
    },
    "ndjson": {
        "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
        "blank lines": lambda data: data.replace(b"\n", b"\n\n"),
        "no last line end": lambda data: data.rstrip(b"\n"),
    },
}


@BOOK.law("P33")
def noise_changes_nothing(pair: Pair) -> None:
    """P33: pings, comments and events that nobody knows change nothing, wherever they come."""
    from hypothesis import strategies as st

    noise = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(pair.to.noise)), min_size=1, max_size=5)

    def law(example: tuple[tuple[Answer, int], list[tuple[int, Frame]]]) -> None:
        (answer, size), extra = example
        frames = pair.to.lanes(answer, size).frames
        noisy = list(frames)
        for place, sent in extra:
            # After the end nobody listens.
            noisy.insert(place % len(frames), sent)
        quiet, loud = (pair.relay(made) for made in (frames, noisy))
        unknown = {sent.data for _, sent in extra}  # to its own dialect an unknown event goes on as it is
        heard = [made for made in _said(loud) if made.data not in unknown or made in _said(quiet)]
        assert _said(quiet) == heard, f"with {extra!r}, {loud!r}\nis not\n{quiet!r}"

    pair.check(st.tuples(streamed(pair), noise), law)


@BOOK.law("P34")
def a_stream_is_one_answer(pair: Pair) -> None:
    """P34: id, time and model stay the same from event to event, and what was said only grows."""

    def law(example: tuple[Answer, int]) -> None:
        answer, size = example
        frames = pair.relay(pair.to.lanes(answer, size).frames)
        events = events_of(frames)
        stamps = [stamp for event in events if (stamp := pair.asking.stamps(event))]
        assert all(stamp == stamps[0] for stamp in stamps), f"{stamps!r}"
        started = next((n for n, event in enumerate(events) if _opens(pair, event)), None)
        assert started is not None, f"nothing is said: {frames!r}"
        before = [""] * len(answer.choices)
        for end in range(started + 1, len(frames) + 1, max(1, len(frames) // 5)):
            said = pair.so_far(frames[:end])
            for index, text in said.items():
                assert text.startswith(before[index]), f"{before[index]!r} became {text!r}"
                before[index] = text
        whole = [text for text, *_ in told(pair.hear_stream(frames))]
        assert all(text.startswith(start) for text, start in zip(whole, before, strict=True)), f"{before!r}, {whole!r}"

    pair.check(streamed(pair), law)


def _opens(pair: Pair, event: Any) -> bool:
    """Tell an event that begins an answer in one of the shapes there are."""
    return pair.client.name != "anthropic" or event.get("type") == "message_start"


@BOOK.law("P35")
def every_choice_ends_once(pair: Pair) -> None:
    """P35: each choice has one finish word, then comes nothing but usage; the end mark is exact, last and single."""

    def law(example: tuple[Answer, int]) -> None:
        answer, size = example
        frames = pair.relay(pair.to.lanes(answer, size).frames)
        ended: dict[int, str] = {}
        for event in events_of(frames):
            spoken = {index for index, *_ in pair.asking.fragments(event)}
            assert not spoken & ended.keys(), f"a call after the end: {frames!r}"
            for index, word in pair.asking.finishes(event):
                assert index not in ended, f"choice {index} ends twice: {frames!r}"
                ended[index] = word
        assert len(ended) == len(answer.choices), f"{len(answer.choices)} choices, {ended!r}: {frames!r}"
        if pair.asking.ends is not None:
            marks = [pair.asking.ends(sent) for sent in frames]
            assert marks.count(True) == 1, f"{marks.count(True)} end marks: {frames!r}"
            assert marks[-1], f"the end mark is not last: {frames!r}"

    pair.check(streamed(pair), law)


@BOOK.law("P36")
def tool_calls_come_in_one_piece_after_the_other(pair: Pair) -> None:
    """P36: calls are numbered by first appearance; id and name come once, first; the pieces together are JSON."""

    def law(example: tuple[Answer, int]) -> None:
        answer, size = example
        frames = pair.relay(pair.to.lanes(answer, size).frames)
        found: dict[tuple[int, int], list[str]] = {}
        made = 0
        for event in events_of(frames):
            for choice, index, call_id, name, arguments in pair.asking.fragments(event):
                key = (choice, index) if index >= 0 else (choice, -made - 1)
                if key not in found:
                    assert call_id, f"a call without an id: {event!r}"
                    assert name, f"a call without a name: {event!r}"
                    found[key] = []
                    made += 1
                else:
                    assert not call_id, f"the id comes again: {event!r}"
                    assert not name, f"the name comes again: {event!r}"
                found[key].append(arguments)
        assert len(found) == sum(len(row[2]) for row in told(answer)), f"{sorted(found)}: {frames!r}"
        for texts in found.values():
            assert isinstance(_json.decode("".join(texts) or "{}"), dict), f"{texts!r}"
        for choice in {choice for choice, _ in found}:
            _numbered(pair, [index for one, index in found if one == choice])

    pair.check(streamed(pair, called=True), law)


def _numbered(pair: Pair, indexes: list[int]) -> None:
    """Check that indexes rise by appearance; where they count calls alone, from 0 and without a gap."""
    rising = sorted(indexes, key=abs)
    assert rising == indexes, f"indexes are {indexes!r}"
    if pair.client.name == "openai_chat":
        assert indexes == list(range(len(indexes))), f"indexes are {indexes!r}"


@BOOK.law("P37")
def interleaving_changes_nothing(pair: Pair) -> None:
    """P37: what each choice and each call says does not depend on what else comes between its pieces."""
    from hypothesis import strategies as st

    def law(example: tuple[tuple[Answer, int], list[int]]) -> None:
        (answer, size), schedule = example
        lanes = pair.to.lanes(answer, size)
        one, other = (pair.hear_stream(pair.relay(frames)) for frames in (lanes.frames, lanes.woven(schedule)))
        # Calls are numbered by appearance, so their order may change with it.
        first, second = ([(t, r, sorted(c), f) for t, r, c, f in told(heard)] for heard in (one, other))
        assert first == second, f"{second!r}\nis not {first!r}"

    pair.check(st.tuples(streamed(pair), strategies.SCHEDULES), law)
