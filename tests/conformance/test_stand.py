"""The scripted upstream."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from setu import build
from setu.cassette.script import script
from setu.conformance.stand import Stand
from setu.errors import TruncatedError
from setu.http import Ending, Headers, Request, Response


def asking(model: str = "m", *, stream: bool = False, path: str = "/v1/chat/completions") -> Request:
    body = {"model": model, "stream": stream, "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]}
    headers = Headers.of({"content-type": "application/json", "anthropic-version": "2023-06-01", "x-api-key": "k"})
    return Request(method="POST", path=path, headers=headers, body=json.dumps(body).encode())


def on(stand_use: Callable[[Stand], Awaitable[Any]]) -> tuple[Any, Stand]:
    stand = Stand(build.SystemClock())
    return asyncio.run(_run(stand_use, stand)), stand


async def _run(use: Callable[[Stand], Awaitable[Any]], stand: Stand) -> Any:
    return await use(stand)


def test_without_a_plan_it_answers_as_the_simulator_does() -> None:
    response, stand = on(lambda stand: stand.send(asking()))

    assert response.status == 200
    assert [one.status for one in stand.taken()] == [200]
    assert stand.taken() == ()


def test_a_script_is_played_once() -> None:
    async def use(stand: Stand) -> list[int]:
        stand.play(script(418, Headers(), b"{}"))
        return [(await stand.send(asking())).status for _ in range(2)]

    assert on(use)[0] == [418, 200]


def test_a_burst_answers_as_often_as_it_says() -> None:
    async def use(stand: Stand) -> list[int]:
        stand.play("429x2 retry-after=1")
        return [(await stand.send(asking())).status for _ in range(3)]

    assert on(use)[0] == [429, 429, 200]


def test_errors_are_in_the_words_of_who_is_asked() -> None:
    async def use(stand: Stand) -> bytes:
        stand.play("529")
        return await (await stand.send(asking(path="/v1/messages"))).read()

    assert b"overloaded_error" in on(use)[0]


def test_a_fault_breaks_the_stream_and_is_on_record() -> None:
    async def use(stand: Stand) -> None:
        stand.play("close@event=2")
        with pytest.raises(TruncatedError):
            await (await stand.send(asking(stream=True))).read()

    stand = on(use)[1]

    [exchange] = stand.taken()
    assert exchange.end == Ending.TRUNCATED
    assert exchange.body.count(b"data:") == 2
    assert stand.under_way == 0


def test_leaving_a_stream_is_on_record() -> None:
    async def use(stand: Stand) -> None:
        response: Response = await stand.send(asking(stream=True))
        async for _ in response.chunks():
            break
        assert stand.under_way == 1
        await response.aclose()

    stand = on(use)[1]

    assert [one.end for one in stand.taken()] == [Ending.CLOSED_BY_CLIENT]
    assert stand.under_way == 0


def test_leaving_before_the_head_is_on_record() -> None:
    async def use(stand: Stand) -> None:
        stand.play("latency=5s")
        task = asyncio.ensure_future(stand.send(asking()))
        while not stand.under_way:  # noqa: ASYNC110 - a stand tells by its count, also other threads
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert [one.end for one in on(use)[1].taken()] == [Ending.CLOSED_BY_CLIENT]


def test_a_plan_by_dialect_answers_only_who_asks_in_it() -> None:
    async def use(stand: Stand) -> list[int]:
        plan = {"anthropic": script(418, Headers(), b"{}")}
        stand.play(plan, plan)
        return [(await stand.send(asking(path=path))).status for path in ("/v1/messages", "/v1/chat/completions")]

    assert on(use)[0] == [418, 200]


def test_a_plan_for_a_model_waits_for_it() -> None:
    async def use(stand: Stand) -> list[int]:
        stand.play_for("b", script(418, Headers(), b"{}"))
        return [(await stand.send(asking(model))).status for model in ("a", "b", "b")]

    assert on(use)[0] == [200, 418, 200]


def test_asking_for_the_models_uses_up_no_plan() -> None:
    async def use(stand: Stand) -> list[int]:
        stand.play(script(418, Headers(), b"{}"))
        listed = await stand.send(
            Request(method="GET", path="/v1/models", headers=Headers.of({"authorization": "Bearer k"}))
        )
        return [listed.status, (await stand.send(asking())).status]

    assert on(use)[0] == [200, 418]


def test_clearing_forgets_plans_and_records() -> None:
    async def use(stand: Stand) -> int:
        await stand.send(asking())
        stand.play("500")
        stand.clear()
        return (await stand.send(asking())).status

    status, stand = on(use)
    assert status == 200
    assert len(stand.taken()) == 1
