"""Mutants in the middle do what they are said to do, and recordings find those of a replay."""

import asyncio

import pytest

from setu import build
from setu.cassette.script import Bytes, End, Head, Script
from setu.conformance import prove
from setu.conformance.lab import Aim, Lab
from setu.conformance.mutants import proxy
from setu.conformance.mutants.mutant import Change, Mutant
from setu.conformance.stand import Stand
from setu.conformance.subject import Local
from setu.conformance.tally import Tally
from setu.http import Ending, Headers, Request
from setu.transport.play import Playlist

HEAD = Head(200, Headers.of({"content-type": "text/event-stream"}))
WHOLE: Script = (HEAD, Bytes(b"one "), Bytes(b"two "), Bytes(b"three"), End())


def named(name: str) -> Mutant:
    return next(mutant for mutant in proxy.MUTANTS.all if mutant.name == name)


def back(name: str) -> Change:
    change = named(name).back
    assert change is not None
    return change


def asking(body: bytes = b'{"stream":true}') -> Request:
    return Request(method="POST", path="/v1/chat/completions", headers=Headers(), body=body)


@pytest.mark.parametrize("kind", [Ending.TRUNCATED, Ending.RESET])
def test_who_retries_in_mid_stream_appends_the_second_answer_to_the_first(kind: Ending) -> None:
    async def use() -> bytes:
        broken: Script = (*WHOLE[:3], End(kind))
        transport = back("second_answer_appended")(Playlist([broken, WHOLE], build.SystemClock()))
        return await (await transport.send(asking())).read()

    assert asyncio.run(use()) == b"one two two three"


def test_who_retries_before_anything_came_sends_the_second_answer_whole() -> None:
    async def use() -> bytes:
        broken: Script = (HEAD, End(Ending.TRUNCATED))
        transport = back("second_answer_appended")(Playlist([broken, WHOLE], build.SystemClock()))
        return await (await transport.send(asking())).read()

    assert asyncio.run(use()) == b"one two three"


def test_who_reads_on_does_so_after_the_client_has_left() -> None:
    async def use() -> list[Ending]:
        stand = Stand(build.SystemClock())
        stand.play(WHOLE)
        response = await back("reads_on")(stand).send(asking())
        await anext(response.chunks())
        await response.aclose()
        await lab(stand).until(lambda: stand.under_way == 0)
        return [one.end for one in stand.taken()]

    assert asyncio.run(use()) == [Ending.COMPLETE]


def test_who_is_deaf_waits_on_after_it_was_cancelled() -> None:
    async def use() -> list[int]:
        stand = Stand(build.SystemClock())
        stand.play("latency=100ms")
        task = asyncio.ensure_future(back("deaf_before_the_head")(stand).send(asking(b'{"model":"m"}')))
        await lab(stand).until(lambda: stand.received == 1)
        task.cancel()
        await lab(stand).until(lambda: stand.under_way == 0)
        return [one.status for one in stand.taken()]

    assert asyncio.run(use()) == [400]


def test_a_user_is_sent_for_the_next_client_too() -> None:
    async def use() -> list[bytes]:
        upstream = Playlist([WHOLE, WHOLE], build.SystemClock())
        transport = back("user_kept")(upstream)
        for body in (b'{"user":"asha"}', b'{"n":1}'):
            await transport.send(asking(body))
        return [await request.read() for request in upstream.received]

    assert asyncio.run(use())[1] == b'{"n":1,"user":"asha"}'


@pytest.mark.parametrize("mutant", [mutant for mutant in proxy.MUTANTS.all if mutant.stage == "recordings"])
def test_recordings_find_a_replay_that_is_written_anew(mutant: Mutant) -> None:
    assert prove.trial(mutant).failed == {"PRX-003"}


def test_recordings_find_nothing_wrong_with_the_reference() -> None:
    (reference,) = prove.reference([named("written_anew")])

    assert prove.trial(reference).failed == frozenset()


def lab(stand: Stand) -> Lab:
    return Lab(Local(stand, build.SystemClock()), Aim(model="gpt-5.6"), Tally(), stand=stand)


def test_a_plan_answers_so_many_times() -> None:
    async def use() -> list[int]:
        stand = Stand(build.SystemClock())
        asked = await lab(stand).ask({}, plan=(Head(418, Headers()), End()), times=2)
        return [asked.status, *[(await stand.send(asking())).status for _ in range(2)]]

    assert asyncio.run(use()) == [418, 418, 400]


def test_what_was_asked_together_is_on_record() -> None:
    async def use() -> int:
        stand = Stand(build.SystemClock())
        room = lab(stand)
        await room.ask_together([room.chat("one"), room.chat("two")])
        return len(stand.taken())

    assert asyncio.run(use()) == 2
