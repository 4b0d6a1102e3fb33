"""P38-P42: what only the whole gateway can keep: usage on demand, honest ends, no leaks, repetition, no hoarding."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from setu import _json
from setu.conformance import strategies
from setu.conformance.laws.answers import streamed
from setu.conformance.laws.book import Book
from setu.conformance.laws.pair import Pair, run
from setu.conformance.natives.record import Json
from setu.conformance.natives.values import Answer, Say, Story, Turn, texts
from setu.conformance.target import Target
from setu.errors import TruncatedError
from setu.framing.frame import Frame
from setu.framing.kinds import DECODERS
from setu.http import Exchange, Headers, Request, Response

BOOK = Book()

_MEDIA_TYPES = {
    "sse": "text/event-stream",
    "ndjson": "application/x-ndjson",
    "eventstream": "application/vnd.amazon.eventstream",
}


class _Scripted:
    """An upstream whose body gives one piece when it is asked for one; it counts what was demanded and closed."""

    def __init__(self, headers: Headers, pieces: list[bytes], *, breaks: bool = False) -> None:
        self._headers = headers
        self.pieces = pieces
        self._breaks = breaks
        self.demanded = 0
        self.closed = False

    async def send(self, request: Request) -> Response:
        await request.read()
        return Response(200, self._headers.copy(), self)

    async def aclose(self) -> None:
        self.closed = True

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if self.demanded < len(self.pieces):
            self.demanded += 1
            return self.pieces[self.demanded - 1]
        if self._breaks:
            raise TruncatedError("the response ended before it was complete")
        raise StopAsyncIteration


def _upstream(pair: Pair, pieces: list[bytes], *, breaks: bool = False) -> _Scripted:
    kind = _MEDIA_TYPES[pair.framing]
    return _Scripted(Headers.of({"content-type": kind}), pieces, breaks=breaks)


def _request(pair: Pair, asked: Json | None = None) -> Request:
    named = f"{pair.deployment.name}/{pair.model}"
    story = Story(model=named, turns=(Turn("user", (Say("go"),)),), tools=strategies.KIT, stream=True)
    body = pair.asking.ask(story) if asked is None else asked
    path, query = pair.asking.path(named, True)
    return Request(
        method="POST",
        path=path,
        query=query,
        headers=Headers.of({"content-type": "application/json"}),
        body=_json.encode(body),
    )


def _target(pair: Pair, upstream: _Scripted) -> Target:
    return pair.wire(pair.dialects, {pair.deployment.name: pair.deployment}, lambda _clock: upstream)


def through(pair: Pair, pieces: list[bytes], asked: Json | None = None, *, breaks: bool = False) -> Exchange:
    """Ask for a stream through the gateway, an upstream behind it that gives these pieces."""
    return run(_target(pair, _upstream(pair, pieces, breaks=breaks)).exchange(_request(pair, asked)))


def _frames(exchange: Exchange) -> list[Frame]:
    assert exchange.status == 200, f"{exchange.status} {exchange.body!r}"
    decoder = DECODERS["sse"]()
    return [*decoder.feed(exchange.body), *decoder.close()]


def _events(exchange: Exchange) -> list[Any]:
    sent = [made.data for made in _frames(exchange) if made.data]
    return [_json.decode(data) if data.startswith(b"{") else data for data in sent]


def _unasked(pair: Pair) -> str | None:
    if pair.client.name != "openai_chat":
        return "its clients always get usage"
    return None if pair.reports_usage else "its host does not say that it reports usage in streams"


@BOOK.law("P38", _unasked)
def usage_comes_when_asked_for(pair: Pair) -> None:
    """P38: with include_usage, null until a last chunk without choices; without it, no usage at all."""
    from hypothesis import strategies as st

    def law(example: tuple[tuple[Answer, int], bool]) -> None:
        (answer, size), wanted = example
        named = Story(model=f"{pair.deployment.name}/{pair.model}", turns=(Turn("user", (Say("go"),)),), stream=True)
        asked = {**pair.asking.ask(named), "stream_options": {"include_usage": wanted}}
        # An upstream that was not asked says nothing of it: then there is nothing to take out.
        exchange = through(pair, pair.framed(pair.to.lanes(answer, size).frames), asked)
        chunks = [event for event in _events(exchange) if isinstance(event, dict)]
        usages = [chunk.get("usage") for chunk in chunks]
        if wanted:
            assert usages[-1] is not None, f"no usage at the end: {exchange.body!r}"
            assert chunks[-1]["choices"] == [], f"usage comes with choices: {exchange.body!r}"
            assert not any(usages[:-1]), f"usage comes early: {exchange.body!r}"
        else:
            assert not any(usages), f"usage that nobody asked for: {exchange.body!r}"

    pair.check(st.tuples(streamed(pair), st.booleans()), law)


@BOOK.law("P39")
def a_broken_stream_is_no_success(pair: Pair) -> None:
    """P39: wherever the upstream fails, breaks off or stops, the client gets a true beginning and an error, no end."""
    from hypothesis import strategies as st

    ways = st.sampled_from(("fault", "cut", "end"))

    def law(example: tuple[tuple[Answer, int], int, str]) -> None:
        (answer, size), place, way = example
        frames = pair.to.lanes(answer, size).frames
        whole = pair.framed(frames)
        last = min(_last_content(pair, frames), len(frames) - 1)
        kept = whole[: place % (last + 1)]
        if way == "fault":
            kept += pair.framed([pair.to.fault])
        exchange = through(pair, kept, breaks=way == "cut")
        if exchange.status >= 400:
            assert _json.decode(exchange.body).get("error"), f"no envelope: {exchange.body!r}"
            return
        if pair.same and way == "end":
            return  # whole bytes pass: the client sees what the upstream did
        body = _frames(exchange)
        events = [event for event in _events(exchange) if isinstance(event, dict)]
        assert events, f"nothing at all after {len(kept)} pieces"
        assert any(_is_error(event) for event in events), f"no error frame ({way}): {exchange.body!r}"
        assert not any(pair.asking.finishes(event) for event in events), f"it claims to finish: {exchange.body!r}"
        assert pair.asking.ends is None or not any(map(pair.asking.ends, body)), f"an end mark: {exchange.body!r}"
        if not pair.same:
            said = "".join(texts(answer.choices[0].items))
            heard = pair.so_far([made for made in body if made.data and made.event != "error"]).get(0, "")
            assert said.startswith(heard), f"{heard!r} is no beginning of {said!r}"

    pair.check(st.tuples(streamed(pair, several=False), st.integers(0, 60), ways), law)


def _last_content(pair: Pair, frames: list[Frame]) -> int:
    """Return the place of the first frame that tells a finish."""
    words = [f'"{word}"'.encode() for word in pair.to.words.values()]
    places = [n for n, sent in enumerate(frames) if sent.data and any(word in sent.data for word in words)]
    return places[0] if places else len(frames)


def _is_error(event: Any) -> bool:
    return bool(event.get("error")) or event.get("type") in ("error", "response.failed")


@BOOK.law("P40")
def a_client_that_leaves_closes_the_upstream(pair: Pair) -> None:
    """P40: wherever the client hangs up, the upstream is read no further and closed, and no task stays behind."""
    from hypothesis import strategies as st

    def law(example: tuple[tuple[Answer, int], int]) -> None:
        (answer, size), place = example
        upstream = _upstream(pair, pair.framed(pair.to.lanes(answer, size).frames))
        run(_left(pair, upstream, place))

    pair.check(st.tuples(streamed(pair), st.integers(0, 12)), law)


async def _left(pair: Pair, upstream: _Scripted, after: int) -> None:
    before = asyncio.all_tasks()
    response = await _target(pair, upstream).gateway.send(_request(pair))
    chunks = response.chunks()
    for _ in range(after):
        if not await anext(chunks, b""):
            break
    demanded = upstream.demanded
    await response.aclose()
    await chunks.aclose()
    assert upstream.closed, f"the upstream stays open after {after} chunks"
    assert upstream.demanded == demanded, f"{upstream.demanded - demanded} pieces are read when the client has left"
    for _ in range(50):  # an iterator that was left is finished by the loop itself, one a turn
        left = asyncio.all_tasks() - before
        if not left:
            return
        await asyncio.sleep(0)
    assert not left, f"tasks stay behind: {left}"


@BOOK.law("P41")
def a_replay_repeats_every_byte(pair: Pair) -> None:
    """P41: the same request and the same upstream bytes, with clock and ids that repeat, give the same bytes."""

    def law(example: tuple[Answer, int]) -> None:
        answer, size = example
        whole = pair.framed(pair.to.lanes(answer, size).frames)
        one, other = (through(pair, whole) for _ in range(2))
        assert one.body == other.body, f"{one.body!r}\nis not\n{other.body!r}"
        assert one.headers.raw == other.headers.raw, f"{one.headers.raw!r} is not {other.headers.raw!r}"
        sent = [exchange.upstream[0].request.body for exchange in (one, other)]
        assert sent[0] == sent[1], f"{sent[0]!r} is not {sent[1]!r}"

    pair.check(streamed(pair), law)


@BOOK.law("P42")
def nothing_is_hoarded(pair: Pair) -> None:
    """P42: once the first content is there, each piece leaves before the one after the next is demanded."""
    from hypothesis import strategies as st

    def law(example: tuple[str, int]) -> None:
        text, size = example
        from setu.conformance.natives.values import Choice

        answer = Answer(choices=(Choice(items=(Say(text),)),))
        upstream = _upstream(pair, pair.framed(pair.to.lanes(answer, size).frames))
        run(_prompt(pair, upstream))

    pair.check(st.tuples(st.text("abc ", min_size=6, max_size=30), st.integers(1, 3)), law)


async def _prompt(pair: Pair, upstream: _Scripted) -> None:
    """Pull piece by piece; between two chunks to the client at most two of the upstream's may be used up.

    The head of a stream is held until there is content, and the end needs the last pieces to be known.
    """
    response = await _target(pair, upstream).gateway.send(_request(pair))
    content, before = 0, None
    try:
        async for chunk in response.chunks():
            if before is not None and upstream.demanded < len(upstream.pieces) - 3:
                assert upstream.demanded - before <= 2, f"{upstream.demanded - before} pieces for {chunk!r}"
            before = upstream.demanded
            content += 1
    finally:
        await response.aclose()
    spoken = len(upstream.pieces)
    assert content * 3 >= spoken - 6, f"{spoken} pieces came, {content} left"
