import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from setu import build
from setu.cassette.model import Interaction, Recording
from setu.cassette.script import Script, script
from setu.config.model import Config
from setu.errors import ConnectionFailedError
from setu.http import Ending, Headers, Request
from setu.live import Outcome, ask, plan
from setu.studio import Setup, Studio
from tests.cassette.samples import JSON, interaction, request, talk
from tests.transport.virtual import Upstream, VirtualClock

KEYED = build.deployments(Config(), {"ANTHROPIC_API_KEY": "sk-ant-test"})


def reasons(*recorded: Interaction, limit: int = 50, deployed: Any = KEYED) -> list[str]:
    placed = [msgspec.structs.replace(each, place=f"a.yaml:{at}") for at, each in enumerate(recorded)]
    wanted, skipped = plan(placed, deployed, limit)
    assert len(wanted) + len(skipped) == len(recorded)
    return [each.skipped for each in skipped]


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [
        (interaction(), ""),
        (interaction(status=404), ""),
        (interaction(asked=request(b"", method="GET", path="/v1/files/x")), ""),
        (interaction(status=429), "a 429 says nothing lasting"),
        (interaction(status=401), "a 401 says nothing lasting"),
        (interaction(status=503), "a 503 says nothing lasting"),
        (interaction(end=Ending.RESET), "the recorded answer broke off (reset)"),
        (interaction(recording=Recording(side="client")), "the client's side of a translated call"),
        (interaction(asked=request(method="DELETE")), "this DELETE may change something"),
        (interaction(asked=request(path="/v1/files")), "this POST may change something"),
        (interaction(recording=Recording(redacted=("request.body",))), "a secret was taken out of the request"),
        (interaction(recording=Recording(redacted=("request.headers.x-api-key", "response.body"))), ""),
        (interaction(asked=request({"image": "sha256:00"})), "its media were not kept"),
        (interaction(asked=request(origin="https://api.openai.com")), "no key for https://api.openai.com"),
    ],
)
def test_a_call_is_made_again_unless_that_is_pointless_or_does_harm(recorded: Interaction, reason: str) -> None:
    assert reasons(recorded) == ([reason] if reason else [])


def test_each_call_is_made_but_once_and_no_more_than_so_many() -> None:
    one, two, three = (interaction(asked=talk(text)) for text in "abc")

    assert reasons(one, two, one, three, limit=2) == [
        "the same call as a.yaml:0, which is made once",
        "over the limit of 2 requests",
    ]


def asked(directory: Path, *recorded: Interaction, answer: Any = None) -> tuple[list[Outcome], Upstream]:
    def reply(request: Request) -> Script:
        if answer is not None:
            raise answer
        return script(200, Headers.of(JSON), b'{"now":1}')

    live = Upstream(reply, VirtualClock())

    async def run() -> list[Outcome]:
        studio = Studio(Setup(directory=directory), live=live, tell=print, environ={})
        return [outcome async for outcome in ask(studio, recorded, KEYED, live)]

    return asyncio.run(run()), live


def test_the_recorded_request_is_sent_with_the_key_of_its_host_and_nothing_is_written(tmp_path: Path) -> None:
    recorded = interaction()

    [outcome], live = asked(tmp_path, recorded)

    assert outcome.found is not None
    assert (outcome.recorded, outcome.found.exchange.body) == (recorded, b'{"now":1}')
    [sent] = live.received
    assert (sent.url, sent.body) == (recorded.exchange.request.url, recorded.exchange.request.body)
    assert sent.headers.get("x-api-key") == "sk-ant-test"
    assert "x-api-key" not in outcome.found.exchange.request.headers
    assert "x-api-key" not in recorded.exchange.request.headers
    assert live.closed
    assert list(tmp_path.iterdir()) == []


def test_a_provider_that_cannot_be_reached_is_an_outcome(tmp_path: Path) -> None:
    outcomes, live = asked(
        tmp_path, interaction(asked=talk("a")), interaction(asked=talk("b")), answer=ConnectionFailedError("no route")
    )

    assert [(outcome.found, outcome.failed) for outcome in outcomes] == [(None, "no route")] * 2
    assert len(live.received) == 2
