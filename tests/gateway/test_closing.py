"""Whatever becomes of a call, its upstream is let go and it is reported, once."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from setu import build
from setu.config.cache import CacheConfig
from setu.config.limits import BreakerConfig, LimitsConfig, RateLimit, policy_of
from setu.config.model import Config, ProviderConfig
from setu.errors import DeadlineError, TruncatedError
from setu.http import Headers, Request, Response
from setu.resilience.ledger import Charge, Permit, Refusal, Reservation, Result, Unit
from setu.rooms import Rooms
from setu.signals import Call
from setu.store.cache import MemoryCache
from setu.store.ledger import MemoryLedger
from setu.system import SystemClock
from tests.gateway.wire import AN_STREAM, MESSAGE, OA_STREAM, PLAIN
from tests.live import asked, sse

SSE, JSON = "text/event-stream", "application/json"


class Body:
    """Chunks, then an error or the end; `hang` waits for ever after so many chunks. Counts its closings."""

    def __init__(self, *chunks: bytes, error: Exception | None = None, hang: int | None = None) -> None:
        self.chunks = chunks
        self.error = error
        self.hang = hang
        self.closed = 0
        self.hanging = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number, chunk in enumerate((*self.chunks, b"")):
            if number == self.hang:
                self.hanging.set()
                await asyncio.sleep(60)
            if chunk:
                yield chunk
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed += 1


class Upstream:
    """Answers every request with one response."""

    def __init__(self, response: Response) -> None:
        self.response = response

    async def send(self, request: Request) -> Response:
        return self.response

    async def aclose(self) -> None:
        pass


async def called(
    body: Body, status: int, kind: str, *, stream: bool, cancel: bool = False, leave: bool = False
) -> list[Call]:
    """Make a call to Anthropic with a chat client; read it to its end, cancel it while it waits, or leave early."""
    calls: list[Call] = []
    deployed = build.deployments(Config(providers={"an": ProviderConfig(type="anthropic")}), {}, offline_key="k")
    upstream = Upstream(Response(status, Headers.of({"content-type": kind}), body))
    gateway = build.gateway(deployed, upstream, on_call=calls.append)
    data, path = asked("an/m", stream=stream)

    async def whole() -> None:
        response = await gateway.send(Request(method="POST", path=path, body=data))
        try:
            async for _ in response.chunks():
                if leave:
                    break
        finally:
            await response.aclose()

    task = asyncio.ensure_future(whole())
    if cancel:
        await body.hanging.wait()
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled() is cancel
    return calls


FAILED = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}).encode()
ENDS: dict[str, tuple[Body, int, str, bool, tuple[int, str, str | None]]] = {
    "whole": (Body(MESSAGE), 200, JSON, False, (200, "complete", None)),
    "error": (Body(FAILED), 529, JSON, False, (503, "error", "overloaded")),
    "redirect": (Body(b""), 302, JSON, False, (502, "error", "upstream_redirect")),
    "not an answer": (Body(b"<html>"), 200, JSON, False, (502, "error", "bad_upstream_response")),
    "cut": (Body(MESSAGE[:9], error=TruncatedError("cut")), 200, JSON, False, (502, "error", "upstream_truncated")),
    "stream": (Body(AN_STREAM), 200, SSE, True, (200, "complete", None)),
    "stream in pieces": (Body(*[AN_STREAM[at : at + 50] for at in range(0, len(AN_STREAM), 50)]), 200, SSE, True, (200, "complete", None)),
    "not streamed": (Body(MESSAGE), 200, JSON, True, (200, "complete", None)),
    "failed first": (Body(b"event: error\ndata: " + FAILED + b"\n\n"), 200, SSE, True, (503, "error", "overloaded")),
    "cut at once": (Body(error=TruncatedError("cut")), 200, SSE, True, (502, "error", "upstream_truncated")),
    "cut later": (Body(AN_STREAM[:-150], error=TruncatedError("cut")), 200, SSE, True, (200, "truncated-upstream", "upstream_truncated")),
    "silent at once": (Body(error=DeadlineError("silent")), 200, SSE, True, (504, "error", "upstream_timeout")),
    "silent later": (Body(AN_STREAM[:-150], error=DeadlineError("silent")), 200, SSE, True, (200, "error", "upstream_timeout")),
    "not a stream": (Body(OA_STREAM, sse("x")), 200, SSE, True, (502, "error", None)),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_an_upstream_is_let_go_and_its_call_told_once(name: str) -> None:
    body, status, kind, stream, expected = ENDS[name]

    calls = asyncio.run(called(body, status, kind, stream=stream))

    assert body.closed >= 1
    assert [(call.status, call.end) for call in calls] == [expected[:2]]
    if expected[2] is not None or expected[0] == 200:
        assert calls[0].error == expected[2]


@pytest.mark.parametrize(
    ("body", "kind", "stream"),
    [
        (lambda: Body(MESSAGE[:9], hang=1), JSON, False),
        (lambda: Body(hang=0), SSE, True),
        (lambda: Body(AN_STREAM[:100], hang=1), SSE, True),
        (lambda: Body(AN_STREAM[:-150], hang=1), SSE, True),
        (lambda: Body(b" ", hang=1), JSON, True),
        (lambda: Body(PLAIN["oa"][:5], hang=1), "application/json", True),
    ],
)
def test_a_call_cancelled_in_any_wait_lets_its_upstream_go(body: type[Body], kind: str, stream: bool) -> None:
    async def main() -> tuple[Body, list[Call]]:
        made = body()
        return made, await called(made, 200, kind, stream=stream, cancel=True)

    made, calls = asyncio.run(main())

    assert made.closed >= 1
    assert [call.end for call in calls] == ["closed-by-client"]


def test_a_client_that_leaves_early_is_told_as_such() -> None:
    body = Body(AN_STREAM[:-150], AN_STREAM[-150:])

    calls = asyncio.run(called(body, 200, SSE, stream=True, leave=True))

    assert body.closed >= 1
    assert [call.end for call in calls] == ["closed-by-client"]


class Waiting(MemoryLedger):
    """A ledger that waits for ever in one of its methods, the first `after` times excepted; it has done its part."""

    def __init__(self, method: str, after: int = 0) -> None:
        super().__init__(SystemClock(), policy_of(BreakerConfig(failures=1, open_for=0.001)))
        self._method = method
        self._after = after
        self.waiting = asyncio.Event()

    async def reserve(self, charges: Sequence[Charge]) -> Reservation | Refusal:
        taken = await super().reserve(charges)
        await self._wait("reserve")
        return taken

    async def settle(self, reservation: Reservation, used: Mapping[Unit, int]) -> None:
        await super().settle(reservation, used)
        await self._wait("settle")

    async def report(self, permit: Permit, result: Result | None) -> None:
        await super().report(permit, result)
        await self._wait("report")

    async def _wait(self, method: str) -> None:
        if method == self._method:
            self._after -= 1
            if self._after < 0 and not self.waiting.is_set():
                self.waiting.set()
                await asyncio.sleep(60)


async def left_in(ledger: Waiting, body: Body) -> list[Call]:
    """Stream an answer, and leave while the ledger waits."""
    calls: list[Call] = []
    limited = ProviderConfig(type="anthropic", rate_limit=RateLimit(tokens_per_minute=9000))
    config = Config(providers={"an": limited}, limits=LimitsConfig(tokens_per_minute=9000))
    upstream = Upstream(Response(200, Headers.of({"content-type": SSE}), body))
    deployed = build.deployments(config, {}, offline_key="k")
    gateway = build.gateway(deployed, upstream, config=config, rooms=Rooms(ledger=ledger, on_call=calls.append))
    data, path = asked("an/m", stream=True)

    async def whole() -> None:
        response = await gateway.send(Request(method="POST", path=path, body=data))
        try:
            await response.read()
        finally:
            await response.aclose()

    task = asyncio.ensure_future(whole())
    await ledger.waiting.wait()
    task.cancel()
    await asyncio.wait([task])
    return calls


@pytest.mark.parametrize(
    ("method", "after"), [("reserve", 0), ("reserve", 1), ("report", 0), ("settle", 0), ("settle", 1)]
)
def test_a_client_that_leaves_while_a_call_is_written_down_is_still_told_of(method: str, after: int) -> None:
    async def main() -> tuple[list[Call], int]:
        ledger = Waiting(method, after)
        return await left_in(ledger, Body(AN_STREAM)), ledger.standing()["an"].busy if after else 0

    calls, busy = asyncio.run(main())

    assert (len(calls), busy) == (1, 0)


def test_a_probe_that_is_left_while_its_success_is_written_down_lets_its_upstream_go() -> None:
    async def main() -> tuple[Body, list[Call]]:
        ledger, body = Waiting("report", 1), Body(AN_STREAM)
        failed = await ledger.admit("an")
        assert isinstance(failed, Permit)
        await ledger.report(failed, Result(ok=False, blame=True, status=500))
        await asyncio.sleep(0.01)
        return body, await left_in(ledger, body)

    body, calls = asyncio.run(main())

    assert body.closed >= 1
    assert [call.end for call in calls] == ["closed-by-client"]


@pytest.mark.parametrize(("cut", "end"), [(False, "complete"), (True, "truncated-upstream")])
def test_who_shares_anothers_stream_is_told_of_as_it_ended(cut: bool, end: str) -> None:
    body = Body(AN_STREAM[:-150], b"" if cut else AN_STREAM[-150:], error=TruncatedError("cut") if cut else None)
    config = Config(providers={"an": ProviderConfig(type="anthropic")}, cache=CacheConfig(enabled=True))

    async def main() -> list[Call]:
        calls: list[Call] = []
        deployed = build.deployments(config, {}, offline_key="k")
        upstream = Upstream(Response(200, Headers.of({"content-type": SSE}), body))
        rooms = Rooms(
            ledger=MemoryLedger(SystemClock()), store=MemoryCache(SystemClock().monotonic), on_call=calls.append
        )
        gateway = build.gateway(deployed, upstream, config=config, rooms=rooms)
        data, path = asked("an/m", stream=True, temperature=0)

        async def one() -> bytes:
            response = await gateway.send(Request(method="POST", path=path, body=data))
            try:
                return await response.read()
            finally:
                await response.aclose()

        first, second = await asyncio.gather(one(), one())
        assert first == second
        return calls

    calls = asyncio.run(main())

    assert sorted(call.cache for call in calls) == ["hit", "miss"]
    assert [call.end for call in calls] == [end, end]
