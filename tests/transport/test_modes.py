import asyncio
from typing import Any

import pytest

from setu.cassette.library import Library
from setu.cassette.script import script
from setu.errors import ConfigError, ConnectionFailedError
from setu.http import Headers
from setu.transport.modes import Modal, Verify, parse_mode
from setu.transport.record import Record
from setu.transport.replay import Replay
from tests.cassette.samples import JSON, interaction, talk
from tests.transport.virtual import Upstream, VirtualClock


class Room:
    """A mode over some recordings and a live upstream that answers `live`."""

    def __init__(self, *recorded):
        clock = VirtualClock()
        self.kept: list[Any] = []
        self.told: list[Any] = []
        self.pairs = []
        self.live = Upstream(lambda _: script(200, Headers.of(JSON), b'"live"'), clock)
        self.replay = Replay(Library(recorded), clock, render_error=lambda _, info: info.message.encode())
        self.record = Record(self.live, self.kept.append, clock, lambda: "2026-11-20", self.told.append)

    def ask(self, transport, *requests):
        async def run():
            answers = [await (await transport.send(request)).read() for request in requests]
            await transport.aclose()
            return answers

        return asyncio.run(run())


def hello(body=b'"old"'):
    return interaction(body, asked=talk("hello"))


def test_none_only_replays() -> None:
    room = Room(hello())

    answers = room.ask(Modal("none", room.replay, room.record), talk("hello"), talk("other"))

    assert answers[0] == b'"old"'
    assert b"no recording answers" in answers[1]
    assert room.live.received == []


def test_all_only_records() -> None:
    room = Room(hello())

    assert room.ask(Modal("all", room.replay, room.record), talk("hello")) == [b'"live"']
    assert len(room.kept) == 1


def test_once_records_where_there_is_no_cassette_yet() -> None:
    room = Room()

    assert room.ask(Modal("once", room.replay, room.record), talk("hello"), talk("other")) == [b'"live"'] * 2
    assert len(room.kept) == 2


def test_once_replays_where_there_is_one() -> None:
    room = Room(hello())

    answers = room.ask(Modal("once", room.replay, room.record), talk("hello"), talk("other"))

    assert answers[0] == b'"old"'
    assert b"no recording answers" in answers[1]
    assert room.kept == []


def test_new_episodes_records_what_no_recording_answers() -> None:
    room = Room(hello())

    answers = room.ask(Modal("new_episodes", room.replay, room.record), talk("hello"), talk("new"), talk("hello"))

    assert answers == [b'"old"', b'"live"', b'"live"']
    assert len(room.kept) == 2
    assert room.replay.misses == 0


def test_what_is_recorded_now_is_for_the_next_run() -> None:
    room = Room()

    assert room.ask(Modal("new_episodes", room.replay, room.record), talk("a"), talk("a")) == [b'"live"'] * 2
    assert len(room.kept) == 2


def test_verify_answers_from_the_recording_and_compares() -> None:
    room = Room(hello())
    verify = Verify(room.replay, room.record, lambda *pair: room.pairs.append(pair), room.told.append)

    assert room.ask(verify, talk("hello")) == [b'"old"']
    [(recorded, live)] = room.pairs
    assert (recorded.exchange.body, live.exchange.body) == (b'"old"', b'"live"')
    assert room.kept == []


def test_verify_tells_of_a_provider_that_cannot_be_asked() -> None:
    room = Room(hello())

    def fails(_):
        raise ConnectionFailedError("nobody there")

    room.live = Upstream(fails, VirtualClock())
    record = Record(room.live, room.kept.append, VirtualClock(), lambda: "", room.told.append)

    assert room.ask(Verify(room.replay, record, pytest.fail, room.told.append), talk("hello")) == [b'"old"']
    assert room.told == [": the provider could not be asked: nobody there"]


def test_verify_of_a_miss_is_a_miss() -> None:
    room = Room(hello())
    verify = Verify(room.replay, room.record, pytest.fail, room.told.append)

    assert b"no recording answers" in room.ask(verify, talk("other"))[0]
    assert (room.replay.misses, room.replay.library.misses) == (1, 1)
    assert room.live.received == []


def test_modes_are_known_by_name() -> None:
    assert parse_mode("new-episodes") == "new_episodes"
    with pytest.raises(ConfigError, match="no record mode 'sometimes'; there are none, once, new_episodes"):
        parse_mode("sometimes")
