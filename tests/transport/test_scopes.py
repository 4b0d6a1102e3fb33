import asyncio
import threading

import pytest

from setu.cassette.scope import Scope
from setu.cassette.script import script
from setu.errors import CassetteNotFoundError
from setu.http import Headers, Response
from setu.transport.scopes import Lent, OnDemand, Scopes
from tests.cassette.samples import JSON, request
from tests.transport.virtual import Upstream, VirtualClock


class House:
    """Scopes over one upstream per cassette; `opened` names them in order."""

    def __init__(self, missing=(), **options):
        self.opened = []
        self.made = {}
        self.missing = missing
        self.scopes = Scopes(self.open, lambda _, info: info.message.encode(), **options)

    def open(self, scope):
        self.opened.append((str(scope), threading.current_thread() is threading.main_thread()))
        if scope is not None and scope.name in self.missing:
            raise CassetteNotFoundError(f"no cassette at {scope.name}.yaml")
        answer = script(200, Headers.of(JSON), str(scope).encode())
        self.made[str(scope)] = Upstream(lambda _: answer, VirtualClock())
        return self.made[str(scope)]

    async def ask(self, path):
        response = await self.scopes.send(request(path=path))
        return response.status, (await response.read()).decode()


def test_each_cassette_has_a_transport_that_is_opened_once_and_not_on_the_event_loop() -> None:
    house = House()

    async def run():
        return [await house.ask(path) for path in ("/c/a/v1/x", "/c/b/v1/x", "/c/a/v1/y", "/v1/z")]

    answers = asyncio.run(run())

    assert answers == [(200, "a"), (200, "b"), (200, "a"), (200, "None")]
    assert house.opened == [("a", False), ("b", False), ("None", False)]
    assert [found.path for found in house.made["a"].received] == ["/v1/x", "/v1/y"]


def test_requests_that_come_together_open_a_cassette_once() -> None:
    house = House()

    async def run():
        await asyncio.gather(*(house.ask("/c/a/v1/x") for _ in range(20)))

    asyncio.run(run())

    assert len(house.opened) == 1


def test_sessions_of_one_cassette_are_apart() -> None:
    house = House()

    async def run():
        return [await house.ask("/c/a@1/v1/x"), await house.ask("/c/a@2/v1/x")]

    assert asyncio.run(run()) == [(200, "a@1"), (200, "a@2")]


def test_a_cassette_that_is_not_there_is_told_and_may_come_later() -> None:
    house = House(missing={"a"})

    async def run():
        first = await house.ask("/c/a/v1/x")
        house.missing = set()
        return first, await house.ask("/c/a/v1/x")

    (status, message), later = asyncio.run(run())

    assert status >= 400
    assert message == "no cassette at a.yaml"
    assert later == (200, "a")


def test_a_name_that_is_none_is_a_400() -> None:
    status, message = asyncio.run(House().ask("/c/..%2Fetc/v1/x"))

    assert status == 400
    assert "cassette name" in message


def test_the_longest_unused_cassette_makes_room() -> None:
    house = House(limit=2)

    async def run():
        for name in ("a", "b", "a", "c"):
            await house.ask(f"/c/{name}/v1/x")

    asyncio.run(run())

    assert {name for name, made in house.made.items() if made.closed} == {"b"}


def test_reset_opens_a_cassette_afresh() -> None:
    house = House()

    async def run():
        await house.ask("/c/a/v1/x")
        await house.ask("/c/b/v1/x")
        await house.scopes.reset(Scope("a"))
        await house.ask("/c/a/v1/x")
        await house.scopes.reset()
        await house.ask("/c/b/v1/x")

    asyncio.run(run())

    assert [name for name, _ in house.opened] == ["a", "b", "a", "b"]


def test_closing_closes_all_and_what_they_share_last() -> None:
    clock = VirtualClock()
    shared = Upstream(lambda _: script(200, Headers.of(JSON)), clock)
    lent = Lent(shared)
    house = House(shared=shared)

    async def run():
        await house.ask("/c/a/v1/x")
        response = await lent.send(request())
        await lent.aclose()
        assert isinstance(response, Response)
        assert not shared.closed
        await house.scopes.aclose()

    asyncio.run(run())

    assert house.made["a"].closed
    assert shared.closed


def test_what_cannot_be_opened_for_whatever_reason_is_tried_again_and_does_not_stop_the_end() -> None:
    class Shaky(House):
        def open(self, scope):
            if not self.opened:
                self.opened.append(scope)
                raise OSError("too many open files")
            return super().open(scope)

    house = Shaky()

    async def run():
        with pytest.raises(OSError, match="too many"):
            await house.ask("/c/a/v1/x")
        answer = await house.ask("/c/a/v1/x")
        await house.scopes.aclose()
        return answer

    assert asyncio.run(run()) == (200, "a")


def test_what_is_refused_is_told() -> None:
    told = []
    house = House(missing={"gone"}, on_refused=lambda scope, asked, error: told.append((scope, asked.path, str(error))))

    async def run():
        return [(await house.ask(path))[0] for path in ("/c/gone/v1/x", f"/c/{'n' * 300}/v1/x")]

    assert asyncio.run(run()) == [424, 400]
    assert told[0][:2] == (Scope("gone"), "/c/gone/v1/x")
    assert "longer than 200" in told[1][2]


def test_what_is_closed_is_told_once_nobody_can_use_it() -> None:
    closed = []
    house = House(limit=2, missing=("nope",))
    house.scopes = Scopes(house.open, lambda *_: b"", limit=2, on_closed=lambda scope: closed.append(str(scope)))

    async def run():
        for path in ("/c/a/v1/x", "/c/nope/v1/x", "/c/b/v1/x", "/c/c/v1/x"):
            await house.ask(path)
        told = [*closed]
        await house.scopes.reset(Scope("b"))
        await house.scopes.aclose()
        return told

    assert asyncio.run(run()) == ["a"]
    assert closed == ["a", "b", "c"]
    assert all(made.closed for made in house.made.values())


def test_what_is_opened_on_demand_is_opened_once_and_closed() -> None:
    opened = []

    def connect():
        opened.append(Upstream(lambda _: script(200, Headers.of(JSON), b"{}"), VirtualClock()))
        return opened[-1]

    async def run():
        transport = OnDemand(connect)
        for _ in range(2):
            await (await transport.send(request())).read()
        await transport.aclose()
        await OnDemand(connect).aclose()

    asyncio.run(run())

    assert [(len(each.received), each.closed) for each in opened] == [(2, True)]
