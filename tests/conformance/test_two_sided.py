"""Any gateway from both sides: Setu's own, good and spoilt, on sockets."""

import asyncio
from collections.abc import Mapping

import pytest

from setu import build
from setu.bundled import data_dir
from setu.config.model import Config, ProviderConfig
from setu.config.access import Auth
from setu.conformance import scenario
from setu.conformance.gateways import Model
from setu.conformance.mutants.edits import Json, drop, object_of, plain, status
from setu.conformance.mutants.mutant import Change, unchanged
from setu.conformance.probes.registry import PROBES
from setu.conformance.tally import Tally
from setu.conformance.two_sided import Sight, Standing, models_of, run
from setu.errors import AbsentError, ConfigError
from setu.http import Request
from setu.ports import Transport
from setu.server.serve import Background
from setu.transport.httpx_ import HttpxTransport

KEY = "sk-client-0123456789"
SOME = scenario.load(data_dir("conformance") / "scenarios")[::9]
"""All of them run with `setu conformance --gateway setu`."""
CLIENTS = frozenset({"openai_chat", "anthropic", "gemini", "openai_responses"})
NAMES = {"openai_chat": "openai/gpt-4o-mini", "anthropic": "anthropic/claude-sonnet-4-5"}


def judged(dialect: str, change: Change = unchanged, *, names: Mapping[str, str] = NAMES) -> Tally:
    with Standing() as standing:
        config = Config(
            auth=Auth(mode="keys", keys=(KEY,)),
            providers={
                "openai": ProviderConfig(base_url=f"{standing.url}/v1", api_key="sk-up-0001"),
                "anthropic": ProviderConfig(base_url=standing.url, api_key="sk-up-0002"),
            },
        )
        config = build.asked_once(config)
        gateway = build.gateway(build.deployments(config, {}), HttpxTransport(), config=config, on_call=lambda _: None)
        with Background(build.app(change(build.guarded(gateway, config)), config, dict)) as server:
            sight = Sight(
                url=server.url,
                models={dialect: Model(name=names[dialect], clients=CLIENTS)},
                headers={"authorization": f"Bearer {KEY}"},
                capabilities={dialect: frozenset({"auth", "tools", "n", "anthropic", "gemini", "responses"})},
                secrets=("sk-up-0001", "sk-up-0002"),
            )
            tally = Tally(keep=True)
            asyncio.run(run(sight, standing.stand, tally, scenarios=SOME))
    return tally


def failed(tally: Tally) -> set[str]:
    return {seen.check for seen in tally.observations if seen.findings or seen.error}


@pytest.mark.parametrize("dialect", NAMES)
def test_setu_passes_from_both_sides(dialect: str) -> None:
    tally = judged(dialect)

    broken = [(seen.check, seen.place, seen.findings) for seen in tally.observations if seen.findings or seen.error]
    assert broken == []
    assert {check for probe in PROBES for check in probe.checks if probe.scripted} <= {
        *(seen.check for seen in tally.observations),
        "SDK-002",
    }
    assert any("scenario" in place for place, _ in tally.kept)
    assert any(exchange.upstream for _, exchange in tally.kept)


def test_a_spoilt_gateway_fails_and_says_how_to_see_it() -> None:
    tally = judged("openai_chat", plain(drop("/id")))

    assert "CHAT-001" in failed(tally)
    told = next(seen for seen in tally.observations if seen.check == "CHAT-001" and seen.findings)
    assert told.repro is not None
    assert told.repro.startswith("curl -sN -X POST http://127.0.0.1")
    assert KEY not in told.repro


def test_nobody_there_is_said_at_once() -> None:
    sight = Sight(url="http://127.0.0.1:9", models={"openai_chat": Model(name="m")})
    with Standing() as standing, pytest.raises(AbsentError):
        asyncio.run(run(sight, standing.stand, Tally()))


def test_models_are_named_by_what_stands_behind_them() -> None:
    found = models_of(["openai=gpt-x,anthropic=c", "cohere=k"], frozenset({"openai_chat"}))

    assert {dialect: model.name for dialect, model in found.items()} == {
        "openai_chat": "gpt-x",
        "anthropic": "c",
        "cohere": "k",
    }


@pytest.mark.parametrize("text", ["gpt-x", "openai=", "=x"])
def test_a_model_without_its_side_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="NAME=MODEL"):
        models_of([text], frozenset())


def test_a_gateway_that_wants_a_cap_fails_one_check_by_it_and_is_given_one() -> None:
    def capless(document: Json, asked: Json) -> Json:
        error = {"message": "max_tokens: Field required", "type": "invalid_request_error", "param": None, "code": None}
        return document if "max_tokens" in asked or "max_completion_tokens" in asked else {"error": error}

    def refusing(inner: Transport) -> Transport:
        edited = plain(capless)(inner)
        return status(lambda code, request: 400 if lacks(request) else code)(edited)

    def lacks(request: Request) -> bool:
        asked = object_of(request.body)
        return bool(asked) and not asked.keys() & {"max_tokens", "max_completion_tokens"} and "messages" in asked

    found = judged("anthropic", refusing)

    assert "TRN-001" in failed(found)
    assert "CHAT-016" not in failed(found)
