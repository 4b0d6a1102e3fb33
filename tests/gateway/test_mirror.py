"""Copies go out in the background, a bounded number at a time, and never matter to anybody's answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import ConnectionFailedError, TruncatedError
from setu.gateway.mirror import Mirror, Reflection, is_mirrored
from setu.http import Response
from setu.providers.deployment import Deployment
from setu.providers.lookup import find
from setu.routing.plan import Target
from tests.clocks import RealClock

TARGET = Target(
    deployment=Deployment(name="shadow", provider=find("openai"), base_url="https://api.example"), model="m"
)


class Body:
    """Chunks, then an error or the end; counts its closings."""

    def __init__(self, *chunks: bytes, error: Exception | None = None, hang: bool = False) -> None:
        self.chunks = chunks
        self.error = error
        self.hang = hang
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        if self.hang:
            await asyncio.sleep(60)
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed += 1


def sending(answer: Response | Exception) -> Callable[[], Awaitable[Response]]:
    async def send() -> Response:
        await asyncio.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return send


async def idle() -> None:
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    await asyncio.sleep(0)  # for what is called when they are done


ANSWERS: dict[str, tuple[Response | Exception, tuple[int, int, str | None]]] = {
    "json": (Response(200, body=b"{}"), (200, 2, None)),
    "stream": (Response(200, body=Body(b"ab", b"c")), (200, 3, None)),
    "error": (Response(503, body=b"no"), (503, 2, None)),
    "cut": (Response(200, body=Body(b"ab", error=TruncatedError("cut"))), (200, 2, "upstream_truncated")),
    "refused": (ConnectionFailedError("refused"), (0, 0, "upstream_unreachable")),
    "mistake": (ZeroDivisionError(), (0, 0, "ZeroDivisionError")),
    "silent": (Response(200, body=Body(b"ab", hang=True)), (200, 2, "timeout")),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_copy_is_read_to_its_end_and_reported_whatever_becomes_of_it(name: str) -> None:
    answer, expected = ANSWERS[name]
    reports: list[Reflection] = []

    async def main() -> None:
        mirror = Mirror(RealClock(), timeout=0.05, report=reports.append)
        assert mirror.reflect(TARGET, sending(answer))
        assert reports == []
        await idle()

    asyncio.run(main())

    assert [(one.target, one.status, one.size, one.error) for one in reports] == [("shadow/m", *expected)]
    if isinstance(answer, Response) and isinstance(answer.body, Body):
        assert answer.body.closed == 1


def test_one_copy_too_many_is_dropped_and_counted() -> None:
    async def main() -> None:
        mirror = Mirror(RealClock(), limit=2)
        started = [mirror.reflect(TARGET, sending(Response(200))) for _ in range(5)]
        await idle()
        again = mirror.reflect(TARGET, sending(Response(200)))
        await idle()

        assert (started, again) == ([True, True, False, False, False], True)
        assert mirror.stats == (3, 3)

    asyncio.run(main())


def test_closing_ends_the_copies_and_releases_their_connections() -> None:
    async def main() -> None:
        body = Body(b"a", hang=True)
        mirror = Mirror(RealClock())
        mirror.reflect(TARGET, sending(Response(200, body=body)))
        await asyncio.sleep(0.01)
        await mirror.aclose()

        assert body.closed == 1
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_mirrors_what_a_smaller_one_did(sticky: str, one: float, other: float) -> None:
    small, large = sorted((one, other))

    assert is_mirrored(large, sticky) or not is_mirrored(small, sticky)
    assert not is_mirrored(0.0, sticky)
    assert is_mirrored(1.0, sticky)


def test_a_share_is_about_that_share() -> None:
    mirrored = sum(is_mirrored(0.3, f"user-{number}") for number in range(5000))

    assert 1350 < mirrored < 1650
