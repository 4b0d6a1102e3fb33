"""The scenarios that are called after a row of the breakages: each says what both sides get, and each can fail."""

import asyncio
import re
from collections.abc import Iterator

import msgspec
import pytest

from setu import build
from setu.bundled import data_dir
from setu.config.model import Config, ProviderConfig
from setu.conformance.play_scenarios import Stage
from setu.conformance.runner import Settings, names_of
from setu.conformance.scenario import Assertion, Client, Expect, Scenario, Upstream, load
from setu.conformance.tally import Tally
from setu.providers import lookup
from setu.providers.deployment import Deployment

OWN = [one for one in load(data_dir("conformance") / "scenarios") if one.id.startswith("B-")]
NAME = re.compile(r"B-[A-Z]{3,4}-[0-9]{2}")
ELSE = "what no gateway says"


def deployed(name: str) -> Deployment:
    provider = lookup.find(name)
    section = ProviderConfig(type=name, models=None if provider.models else ("model",))
    return build.deployments(Config(providers={name: section}), {}, offline_key="k")[name]


DEPLOYMENTS = [deployed(name) for name in (*names_of("all"), "alibaba", "moonshot")]


def played(scenario: Scenario, deployment: Deployment) -> Tally | None:
    """Play a scenario; None when it is not about the provider."""
    tally = Tally()
    stage = Stage(deployment, next(iter(deployment.models), "model"), Settings().dialects, tally)
    return tally if asyncio.run(stage.run(scenario)) else None


def upstreams(scenario: Scenario) -> Iterator[tuple[Scenario, Upstream]]:
    """Yield the scenario with each of its upstreams alone."""
    for name, upstream in scenario.upstream.items():
        if upstream.skip is None:
            yield msgspec.structs.replace(scenario, upstream={name: upstream}, resplit=False), upstream
    if not scenario.upstream:
        yield scenario, Upstream()


def turned(one: Assertion) -> Assertion:
    """Return the assertion that holds exactly where this one does not, or never."""
    if one.absent:
        return Assertion(pointer=one.pointer, present=True)
    if one.present:
        return Assertion(pointer=one.pointer, absent=True)
    if one.lacks is not None:
        return Assertion(pointer=one.pointer, contains=one.lacks)
    return Assertion(pointer=one.pointer, equals=ELSE)


def each_turned(assertions: tuple[Assertion, ...]) -> tuple[Assertion, ...]:
    return tuple(map(turned, assertions))


def spoilt(scenario: Scenario) -> Scenario:
    """Return the scenario with every one of its expectations turned round."""
    upstream = {
        name: msgspec.structs.replace(
            one, sent=each_turned(one.sent), again=each_turned(one.again), client=each_turned(one.client)
        )
        for name, one in scenario.upstream.items()
    }
    expect = msgspec.structs.replace(
        scenario.expect,
        status=599,
        client=each_turned(scenario.expect.client),
        events=each_turned(scenario.expect.events),
        headers=dict.fromkeys(scenario.expect.headers, ELSE),
    )
    return msgspec.structs.replace(scenario, upstream=upstream, expect=expect)


def turns(expect: Expect, upstream: Upstream, mode: str) -> int:
    """Count what must fail when every expectation is turned round, the status included."""
    events = expect.events if mode == "stream" else ()
    return 1 + len((*expect.client, *events, *expect.headers, *upstream.sent, *upstream.again, *upstream.client))


@pytest.mark.parametrize("scenario", OWN, ids=lambda one: one.id)
def test_a_scenario_of_a_row_covers_it_first(scenario: Scenario) -> None:
    found = NAME.match(scenario.id)

    assert found is not None
    assert scenario.covers[0] == found[0]


@pytest.mark.parametrize("scenario", OWN, ids=lambda one: one.id)
def test_a_scenario_of_a_row_says_what_both_sides_get(scenario: Scenario) -> None:
    silent = [name for name, one in scenario.upstream.items() if not one.sent and one.skip is None]

    assert silent == []
    assert scenario.expect.client or scenario.expect.events


@pytest.mark.parametrize("scenario", OWN, ids=lambda one: one.id)
def test_every_expectation_of_a_row_s_scenario_can_fail(scenario: Scenario) -> None:
    for one, upstream in upstreams(scenario):
        tally = next(filter(None, (played(spoilt(one), deployment) for deployment in DEPLOYMENTS)), None)

        assert tally is not None, f"no provider answers as {list(one.upstream)}"
        failed = [finding.message for seen in tally.observations for finding in seen.findings]
        assert len(failed) == sum(turns(one.expect, upstream, mode) for mode in one.modes), failed


def test_a_scenario_may_name_the_model_to_ask_of_a_provider() -> None:
    asked = Upstream(plain={}, sent=(Assertion(pointer="/model", equals="gpt-4.1"),))
    scenario = Scenario(
        id="x",
        title="",
        client=Client(body={"model": "$MODEL", "messages": [{"role": "user", "content": "Hi."}]}),
        upstream={"openai": asked},
        models={"openai": "gpt-4.1", "anthropic": "none"},
    )

    tally = played(scenario, DEPLOYMENTS[names_of("all").index("openai")])

    assert tally is not None
    assert [seen.findings for seen in tally.observations if seen.check == "SCN-001"] == [()]
