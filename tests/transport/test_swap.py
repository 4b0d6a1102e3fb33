"""Answers under way end where they began; what was replaced is closed with its last answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import ConnectionFailedError
from setu.http import Request, Response
from setu.ports import Transport
from setu.transport.swap import Kept, Swap
from tests.loops import in_loop

REQUEST = Request(method="GET", path="/")


class Body:
    """A body of two pieces."""

    def __init__(self, name: bytes) -> None:
        self._name = name
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._name
        yield self._name

    async def aclose(self) -> None:
        self.closed += 1


class Upstream:
    """A transport that says its name; `whole` in one piece, else as a stream."""

    def __init__(self, name: bytes, *, whole: bool = False, fails: bool = False) -> None:
        self._name = name
        self._whole = whole
        self._fails = fails
        self.closed = 0

    async def send(self, request: Request) -> Response:
        if self._fails:
            raise ConnectionFailedError("down")
        return Response(200, body=self._name * 2 if self._whole else Body(self._name))

    async def aclose(self) -> None:
        self.closed += 1


@in_loop
async def test_a_stream_under_way_ends_on_the_transport_it_began_on() -> None:
    old, new = Upstream(b"old"), Upstream(b"new")
    swap = Swap(old)
    response = await swap.send(REQUEST)
    await swap.swap(new)
    next_one = await swap.send(REQUEST)

    assert (await response.read(), await next_one.read()) == (b"oldold", b"newnew")
    assert (old.closed, new.closed, swap.draining) == (1, 0, 0)


@in_loop
async def test_what_nobody_uses_is_closed_at_once() -> None:
    old = Upstream(b"old", whole=True)
    swap = Swap(old)
    await (await swap.send(REQUEST)).aclose()
    await swap.swap(Upstream(b"new"))

    assert (old.closed, swap.draining) == (1, 0)


@in_loop
async def test_a_request_that_fails_holds_nothing() -> None:
    old = Upstream(b"old", fails=True)
    swap = Swap(old)
    with pytest.raises(ConnectionFailedError):
        await swap.send(REQUEST)
    await swap.swap(Upstream(b"new"))

    assert old.closed == 1


@in_loop
async def test_a_request_that_waits_for_its_answer_holds_its_transport() -> None:
    gate = asyncio.Event()

    class Slow(Upstream):
        async def send(self, request: Request) -> Response:
            await gate.wait()
            return await super().send(request)

    old = Slow(b"old", whole=True)
    swap = Swap(old)
    waiting = asyncio.ensure_future(swap.send(REQUEST))
    await asyncio.sleep(0)
    await swap.swap(Upstream(b"new"))
    closed_while_waiting = old.closed
    gate.set()
    response = await waiting

    assert (closed_while_waiting, old.closed, response.body) == (0, 1, b"oldold")


@in_loop
async def test_closing_closes_what_still_answers() -> None:
    old, new = Upstream(b"old"), Upstream(b"new")
    swap = Swap(old)
    response = await swap.send(REQUEST)
    await swap.swap(new)
    await swap.aclose()
    await response.aclose()

    assert (old.closed, new.closed) == (1, 1)


@in_loop
async def test_who_is_cancelled_over_the_last_answer_does_not_leave_its_transport_half_closed() -> None:
    class InSteps(Upstream):
        async def aclose(self) -> None:
            await asyncio.sleep(0.01)
            await super().aclose()

    old = InSteps(b"old")
    swap = Swap(old)
    response = await swap.send(REQUEST)
    await swap.swap(Upstream(b"new"))
    leaving = asyncio.ensure_future(response.aclose())
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    await swap.aclose()

    assert (leaving.cancelled(), old.closed) == (True, 1)


@in_loop
async def test_one_that_cannot_be_closed_does_not_spoil_the_last_answer(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Upstream):
        async def aclose(self) -> None:
            raise OSError("stuck")

    swap = Swap(Broken(b"old"))
    response = await swap.send(REQUEST)
    await swap.swap(Upstream(b"new"))

    assert await response.read() == b"oldold"
    assert "could not be closed" in caplog.text


@in_loop
async def test_what_is_kept_outlives_its_users() -> None:
    shared = Upstream(b"shared", whole=True)
    kept: Transport = Kept(shared)
    answer = await kept.send(REQUEST)
    await kept.aclose()

    assert (answer.body, shared.closed) == (b"sharedshared", 0)


@given(st.lists(st.sampled_from(["send", "close", "swap"]), max_size=40))
def test_each_replaced_transport_is_closed_once_after_its_last_answer(steps: list[str]) -> None:
    async def play() -> None:
        made = [Upstream(b"0")]
        swap = Swap(made[0])
        running: list[tuple[Upstream, Response]] = []
        for step in steps:
            if step == "send":
                running.append((made[-1], await swap.send(REQUEST)))
            elif step == "close" and running:
                await running.pop(0)[1].aclose()
            elif step == "swap":
                made.append(Upstream(str(len(made)).encode()))
                await swap.swap(made[-1])
            busy = {id(owner) for owner, _ in running}

            assert [one.closed for one in made[:-1]] == [int(id(one) not in busy) for one in made[:-1]]
            assert made[-1].closed == 0

    asyncio.run(play())
