"""Identical requests share one call; nobody's coming and going harms another."""

import asyncio
import random
from collections.abc import Callable

import pytest

from setu.errors import ConnectionFailedError, TruncatedError
from setu.gateway.cache import Cache, Outcome
from setu.gateway.flight import AHEAD
from setu.http import Response
from setu.store.cache import MemoryCache
from tests.gateway.cached import (
    BROKEN,
    PIECES,
    SSE,
    Body,
    Clock,
    Upstream,
    cache,
    chunks,
    place,
    response,
    run,
    settled,
    streamed,
)
from tests.gateway.wire import COMPLETION, OA_STREAM


@pytest.mark.parametrize("stream", [False, True])
def test_a_hundred_identical_requests_share_one_call(stream: bool) -> None:
    async def main() -> None:
        upstream = Upstream(streamed if stream else response, gated=True)
        kept = cache()

        async def one() -> tuple[str, bytes]:
            outcome = await kept.through(place(stream=stream), upstream)
            return outcome.state, b"".join(await chunks(outcome))

        tasks = [asyncio.create_task(one()) for _ in range(100)]
        await settled()
        upstream.gate.set()
        got = await asyncio.gather(*tasks)

        assert upstream.calls == 1
        assert sorted(state for state, _ in got) == ["hit"] * 99 + ["miss"]
        assert {body for _, body in got} == {OA_STREAM if stream else COMPLETION}

    run(main)


def test_who_comes_late_gets_the_stream_from_its_start() -> None:
    async def main() -> None:
        body = Body(*PIECES, gated=True)
        upstream = Upstream(lambda: response(body, kind=SSE))
        kept = cache()
        assert body.gate is not None
        first = await kept.through(place(stream=True), upstream)
        reading = asyncio.create_task(chunks(first))
        for _ in PIECES[:3]:
            body.gate.release()
        await settled()
        second = await kept.through(place(stream=True), upstream)
        for _ in PIECES[3:]:
            body.gate.release()

        assert (second.state, upstream.calls) == ("hit", 1)
        assert await chunks(second) == await reading == list(PIECES)
        assert body.closed == 1

    run(main)


def test_the_call_goes_on_when_the_client_that_began_it_leaves() -> None:
    async def main() -> None:
        upstream = Upstream(response, gated=True)
        kept = cache()
        left: list[str] = []
        leader = asyncio.create_task(kept.through(place(), upstream, lambda: left.append("left")))
        await settled()
        follower = asyncio.create_task(kept.through(place(), upstream))
        await settled()
        leader.cancel()
        await settled()
        upstream.gate.set()
        outcome = await follower

        assert leader.cancelled()
        assert left == ["left"]
        assert (outcome.state, await outcome.response.read(), upstream.calls) == ("hit", COMPLETION, 1)

    run(main)


def test_the_call_ends_with_its_last_client() -> None:
    async def main() -> None:
        upstream = Upstream(response, gated=True)
        kept = cache()
        left: list[str] = []
        tasks = [asyncio.create_task(kept.through(place(), upstream, lambda: left.append("left"))) for _ in range(3)]
        await settled()
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

        assert (upstream.calls, upstream.ended, left) == (1, 1, [])
        upstream.gate.set()
        assert (await kept.through(place(), upstream)).state == "miss"

    run(main)


def test_a_stream_ends_with_its_last_reader_and_its_connection_is_released() -> None:
    async def main() -> None:
        body = Body(*PIECES, gated=True)
        upstream = Upstream(lambda: response(body, kind=SSE))
        kept = cache()
        assert body.gate is not None
        both = [await kept.through(place(stream=True), upstream) for _ in range(2)]
        body.gate.release()
        for outcome in both:
            async for _ in outcome.response.chunks():
                break
        await both[0].response.aclose()
        assert body.closed == 0
        await both[1].response.aclose()

        assert body.closed == 1

    run(main)


@pytest.mark.parametrize("failure", [lambda: response(status=503), lambda: BROKEN], ids=["status", "exception"])
def test_of_those_who_followed_a_failure_one_asks_again_for_all(failure: Callable[[], Response | Exception]) -> None:
    async def main() -> None:
        upstream = Upstream(failure, response, gated=True)
        kept = cache()
        tasks = [asyncio.create_task(kept.through(place(), upstream)) for _ in range(50)]
        await settled()
        upstream.gate.set()
        got = await asyncio.gather(*tasks, return_exceptions=True)

        assert upstream.calls == 2
        fine = [one for one in got if isinstance(one, Outcome) and one.response.status == 200]
        assert len(fine) == 49
        assert sorted(one.state for one in fine) == ["hit"] * 48 + ["miss"]

    run(main)


def test_an_upstream_that_keeps_failing_is_asked_twice_and_not_by_each() -> None:
    async def main() -> None:
        upstream = Upstream(lambda: BROKEN, gated=True)
        kept = cache()
        tasks = [asyncio.create_task(kept.through(place(), upstream)) for _ in range(50)]
        await settled()
        upstream.gate.set()
        got = await asyncio.gather(*tasks, return_exceptions=True)

        assert upstream.calls == 2
        assert got == [BROKEN] * 50

    run(main)


def test_an_error_that_is_the_requests_own_is_everybodys() -> None:
    async def main() -> None:
        upstream = Upstream(lambda: response(b'{"error": {}}', status=400), gated=True)
        kept = cache()
        tasks = [asyncio.create_task(kept.through(place(), upstream)) for _ in range(5)]
        await settled()
        upstream.gate.set()
        got = await asyncio.gather(*tasks)

        assert upstream.calls == 1
        assert [(one.state, one.response.status) for one in got] == [("miss", 400)] * 5

    run(main)


def test_a_stream_is_read_ahead_of_its_client_by_a_bounded_number_of_bytes() -> None:
    async def main() -> None:
        body = Body(*[b"x" * 1000] * 1000)
        kept = cache()
        outcome = await kept.through(place(stream=True), Upstream(lambda: response(body, kind=SSE)))
        await settled()
        for _ in range(20):
            await settled()

        assert body.given * 1000 <= AHEAD + 2000
        assert len(b"".join(await chunks(outcome))) == 1_000_000

    run(main)


def test_nobody_joins_a_stream_that_outgrew_the_cache() -> None:
    async def main() -> None:
        body, other = Body(*[b"y" * 500] * 9, gated=True), Body(*[b"z" * 500] * 9)
        given = iter([body, other])
        upstream = Upstream(lambda: response(next(given), kind=SSE))
        kept = cache(max_item=1000)
        assert body.gate is not None
        first = await kept.through(place(stream=True), upstream)
        for _ in range(5):
            body.gate.release()
        await settled()
        second = await kept.through(place(stream=True), upstream)
        for _ in range(4):
            body.gate.release()

        assert second.state == "miss"
        assert await chunks(first) == [b"y" * 500] * 9
        assert await chunks(second) == [b"z" * 500] * 9

    run(main)


def test_closing_ends_every_call_and_tells_who_waits() -> None:
    async def main() -> None:
        upstream = Upstream(response, gated=True)
        kept = cache()
        waiting = [asyncio.create_task(kept.through(place(), upstream))]
        await settled()
        waiting.append(asyncio.create_task(kept.through(place(scope="other"), upstream)))
        await asyncio.sleep(0)
        await kept.aclose()
        got = await asyncio.gather(*waiting, return_exceptions=True)

        assert [type(one) for one in got] == [TruncatedError, TruncatedError]

    run(main)


@pytest.mark.parametrize("seed", range(8))
def test_whoever_comes_and_goes_everybody_gets_whole_answers_and_nothing_is_left(seed: int) -> None:
    """200 clients of streams and JSON, of which some leave, over upstreams of which some fail."""
    draw = random.Random(seed)

    def answer() -> Response | Exception:
        kind = draw.choice(["stream", "stream", "cut", "fail", "error"])
        if kind == "fail":
            return ConnectionFailedError("refused")
        if kind == "error":
            return response(status=503)
        return streamed(*PIECES, error=TruncatedError("cut") if kind == "cut" else None)

    async def client(kept: Cache, upstream: Upstream, number: int) -> str:
        for _ in range(draw.randrange(4)):
            await asyncio.sleep(0)
        outcome = await kept.through(place(stream=True, scope=str(number % 5)), upstream)
        body = b""
        try:
            async for chunk in outcome.response.chunks():
                body += chunk
                if draw.random() < 0.02:
                    return "left"
                if draw.random() < 0.3:
                    await asyncio.sleep(0)
        except TruncatedError:
            return "told"
        finally:
            assert OA_STREAM.startswith(body) or outcome.response.status == 503
            await outcome.response.aclose()
        assert body == OA_STREAM or outcome.response.status == 503
        return "whole"

    async def main() -> None:
        upstream = Upstream(answer)
        store = MemoryCache(Clock().monotonic)
        kept = cache(store)
        tasks = [asyncio.create_task(client(kept, upstream, number)) for number in range(200)]
        for task in draw.sample(tasks, 30):
            await asyncio.sleep(0)
            task.cancel()
        got = await asyncio.gather(*tasks, return_exceptions=True)

        assert {type(one) for one in got if not isinstance(one, str)} <= {asyncio.CancelledError, ConnectionFailedError}
        assert upstream.calls == upstream.ended
        assert "whole" in got
        assert not kept._flights
        assert len(store) <= 5

    run(main)
