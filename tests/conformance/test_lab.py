"""What a probe works with."""

import asyncio

import msgspec
import pytest

from setu import build
from setu.conformance.judges.registry import JUDGES
from setu.conformance.lab import Aim, Lab, unsent
from setu.conformance.stand import Stand
from setu.conformance.subject import Local
from setu.conformance.tally import Tally
from setu.http import Arrival, Exchange
from tests.conformance.build import CHUNKS, chat, chat_stream, exchange
from tests.conformance.spoilt import spoilt

ASKED = "/v1/chat/completions"


def room(tally: Tally) -> Lab:
    clock = build.SystemClock()
    stand = Stand(clock)
    return Lab(Local(stand, clock), Aim(model="gpt-5-mini"), tally, stand=stand, name="here")


def sent(text: str) -> Exchange:
    return chat(upstream=(exchange(ASKED, {"messages": [{"role": "user", "content": text}]}, {}),))


def test_a_text_that_did_not_go_on_is_named() -> None:
    assert unsent(sent("Say hello."), "Say ", "hello.") is None
    assert unsent(sent("Say "), "Say ", "hello.") == "'hello.' did not reach the upstream"


def test_where_nobody_sees_what_goes_on_nothing_is_missed() -> None:
    assert unsent(chat(), "Say hello.") is None


def test_answers_that_share_an_id_are_judged_together() -> None:
    tally = Tally()

    room(tally).judge_set([chat(), spoilt("created", 1_790_000_001)])

    assert [(seen.check, len(seen.findings)) for seen in tally.observations] == [("CHAT-012", 1)]


def test_nothing_is_said_of_answers_without_an_id() -> None:
    tally = Tally()

    room(tally).judge_set([spoilt("id", "")])

    assert tally.observations == []


def test_a_clock_is_not_read_in_passing() -> None:
    """The upstream paused, or a busy machine did: a probe that asks again tells them apart."""
    tally = Tally()
    upstream = chat_stream(CHUNKS)
    arrivals = tuple(Arrival(turn * 400, len(upstream.body) // 3 + 1) for turn in range(3))
    together = _timed(chat_stream(CHUNKS, upstream=(_timed(upstream, arrivals),)), arrivals[:1])

    room(tally).judge(together)

    assert JUDGES["SSE-007"](together)
    seen = {observation.check for observation in tally.observations}
    assert "SSE-001" in seen
    assert "SSE-007" not in seen


def _timed(of: Exchange, arrivals: tuple[Arrival, ...]) -> Exchange:
    return msgspec.structs.replace(of, arrivals=arrivals)


@pytest.mark.parametrize("count", [1, 3])
def test_what_is_asked_together_is_answered_in_order(count: int) -> None:
    lab = room(Tally())
    words = [f"nonce:n{turn}" for turn in range(count)]

    made = asyncio.run(lab.ask_together([lab.chat(word) for word in words]))

    assert [word in str(one.body) for word, one in zip(words, made, strict=True)] == [True] * count
