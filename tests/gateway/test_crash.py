"""A mistake of ours in mid-stream: the client gets an error in its own dialect and an end, the log the exception."""

import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from setu.chat.events import Event, Failed, TextDelta
from setu.conformance.laws.bench import Profile, bench
from setu.conformance.laws.pair import Pair, events_of
from setu.conformance.laws.traffic import through
from setu.conformance.natives.values import Answer, Choice, Say
from setu.dialects.record import Dialect
from setu.dialects.registry import DIALECTS
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder
from setu.http import Exchange

CLIENTS = sorted(name for name, dialect in DIALECTS.items() if "chat" in dialect.client)


def crashing(dialect: Dialect, breaks: Callable[[Event], bool]) -> Dialect:
    """Return a dialect whose encoder writes the first piece of text and raises at what `breaks` tells after it."""
    real = dialect.client["chat"].encoder

    class Encoder:
        def __init__(self, reply: Any) -> None:
            self._real = real(reply)
            self._spoken = False
            self.losses = self._real.losses

        def feed(self, event: Event) -> list[Frame]:
            if self._spoken and breaks(event):
                raise KeyError("broken on purpose")
            self._spoken = self._spoken or isinstance(event, TextDelta)
            return list(self._real.feed(event))

    codec = msgspec.structs.replace(dialect.client["chat"], encoder=Encoder)
    return msgspec.structs.replace(dialect, client={**dialect.client, "chat": codec})


def streamed(name: str, breaks: Callable[[Event], bool]) -> Exchange:
    """Ask for a stream through a gateway whose client dialect is broken so, an upstream of another dialect behind."""
    other = "anthropic" if name != "anthropic" else "openai_chat"
    dialects = {**DIALECTS, name: crashing(DIALECTS[name], breaks)}
    pair: Pair = next(
        pair
        for pair in bench(dialects, Profile(1, 1, derandomize=True))
        if (pair.client.name, pair.upstream.name) == (name, other)
    )
    answer = Answer(choices=(Choice(items=(Say("hello"),), finish="stop"),))
    return through(pair, pair.framed(pair.to.lanes(answer, 2).frames))


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize(
    "breaks",
    [lambda event: isinstance(event, TextDelta), lambda event: isinstance(event, (TextDelta, Failed))],
    ids=["the text", "the text and the error"],
)
def test_the_stream_ends_with_an_error_of_the_clients_dialect(
    name: str, breaks: Callable[[Event], bool], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "setu"):
        exchange = streamed(name, breaks)

    decoder = SseDecoder()
    events = events_of([*decoder.feed(exchange.body), *decoder.close()])
    assert exchange.status == 200
    assert "he" in str(events[:-1])
    assert "internal error" in str(events[-1])
    assert "[DONE]" not in exchange.body.decode()
    assert [record.getMessage() for record in caplog.records] == ["KeyError broke the translation of a stream"]


def test_the_error_of_a_numbered_stream_has_the_next_number() -> None:
    exchange = streamed("openai_responses", lambda event: isinstance(event, (TextDelta, Failed)))

    decoder = SseDecoder()
    numbers = [event["sequence_number"] for event in events_of([*decoder.feed(exchange.body), *decoder.close()])]
    assert numbers == list(range(len(numbers)))
