"""A live server on a URL: budget, patience, absence."""

import asyncio
from typing import Any

import pytest

from setu import build
from setu.conformance import live
from setu.conformance.front import KEY, front
from setu.conformance.lab import Aim
from setu.conformance.live import Budget, Metered
from setu.conformance.probes import registry
from setu.conformance.runner import deployment_of
from setu.conformance.subject import HangUp
from setu.conformance.tally import Tally
from setu.dialects.registry import DIALECTS
from setu.errors import AbsentError, SpentError
from setu.http import Exchange, Headers, Request

ASK = Request(method="POST", path="/v1/chat/completions", body=b"{}")
USAGE = b'{"usage":{"prompt_tokens":1000000,"completion_tokens":500000}}'


class Server:
    def __init__(self, *statuses: int, body: bytes = USAGE) -> None:
        self.statuses, self.body = list(statuses), body

    async def exchange(self, request: Request, *, hang_up: HangUp | None = None) -> Exchange:
        status = self.statuses.pop(0) if self.statuses else 200
        headers = Headers.of({"retry-after": "7", "content-type": "application/json"})
        return Exchange(request=request, status=status, headers=headers, body=self.body)


class Clock(build.SystemClock):
    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def ask(metered: Metered, times: int = 1) -> list[Exchange]:
    async def main() -> list[Exchange]:
        return [await metered.exchange(ASK) for _ in range(times)]

    return asyncio.run(main())


def test_requests_are_counted_and_stop_at_the_budget() -> None:
    metered = Metered(Server(), Budget(requests=2), Clock())

    with pytest.raises(SpentError, match="2 requests"):
        ask(metered, 3)

    assert len(metered.exchanges) == 2


def test_money_is_estimated_from_the_usage() -> None:
    metered = Metered(Server(), Budget(usd=10, prices=(2, 4)), Clock())

    ask(metered, 1)

    assert metered.usd == pytest.approx(2 + 2)


def test_money_stops_a_run() -> None:
    metered = Metered(Server(), Budget(usd=3, prices=(2, 4)), Clock())

    with pytest.raises(SpentError, match="3 US dollars"):
        ask(metered, 2)


def test_an_answer_without_usage_is_not_free() -> None:
    metered = Metered(Server(body=b"{}"), Budget(), Clock())

    ask(metered)

    assert metered.usd > 0


def test_a_busy_server_is_asked_again_after_what_it_said() -> None:
    clock = Clock()
    metered = Metered(Server(429, 503), Budget(), clock)

    [exchange] = ask(metered)

    assert (exchange.status, clock.slept, metered.retried) == (200, [7.0, 7.0], 2)


def test_a_server_that_stays_busy_is_taken_at_its_word() -> None:
    [exchange] = ask(Metered(Server(429, 429, 429), Budget(), Clock()))

    assert exchange.status == 429


@pytest.mark.parametrize(
    ("url", "root"), [("http://h/v1", "http://h"), ("http://h/v1/", "http://h"), ("http://h/gw", "http://h/gw")]
)
def test_the_root_of_a_base_url_is_without_its_version(url: str, root: str) -> None:
    assert live.root_of(url) == root


def judged(key: str, **more: Any) -> tuple[Tally, live.Outcome]:
    async def main() -> tuple[Tally, live.Outcome]:
        deployment = deployment_of("openai")
        tally = Tally(keep=True)
        async with front(deployment, DIALECTS) as served:
            aim = Aim(model="openai/gpt-5.6", headers={"authorization": f"Bearer {key}"}, capabilities=frozenset({"n"}))
            outcome = await live.run(f"{served.url}/v1", aim, tally, **more)
        return tally, outcome

    return asyncio.run(main())


def test_a_good_server_passes_what_needs_no_scripted_upstream() -> None:
    tally, outcome = judged(KEY)

    broken = [seen for seen in tally.observations if seen.findings or seen.error]
    assert broken == []
    assert "it needs a scripted upstream" in tally.unsupported.values()
    assert "the target does not declare tools" in tally.unsupported.values()
    assert len(outcome.exchanges) > 30


def test_what_the_budget_leaves_out_is_inconclusive() -> None:
    tally, outcome = judged(KEY, budget=Budget(requests=5))

    assert len(outcome.exchanges) == 5
    assert set(tally.inconclusive.values()) == {"the budget of 5 requests is spent"}


def test_refused_credentials_end_a_run_at_once() -> None:
    with pytest.raises(AbsentError, match="401"):
        judged("sk-wrong")


def test_nobody_there_ends_a_run_at_once() -> None:
    with pytest.raises(AbsentError):
        asyncio.run(live.run("http://127.0.0.1:9/v1", Aim(model="m"), Tally(), probes=registry.PROBES))
