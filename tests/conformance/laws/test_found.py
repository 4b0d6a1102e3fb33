"""What the laws found with other seeds than the one of `ci`: each example by name, so that it is tried every time."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from setu.conformance import strategies
from setu.conformance.laws.bench import Profile, bench
from setu.conformance.laws.pair import Pair
from setu.conformance.laws.rendering import clamping_is_declared
from setu.conformance.natives.values import Call, Result, Say, Story, Turn, all_results, words
from setu.dialects.registry import DIALECTS

PAIRS = {pair.name: pair for pair in bench(DIALECTS, Profile(1, 1, derandomize=True))}


def of(client: str, upstream: str) -> Pair:
    return PAIRS[f"{client} → {upstream}"]


def answered(text: str) -> Story:
    """A talk whose one call gave this text."""
    return Story(
        turns=(
            Turn("user", (Say("go"),)),
            Turn("assistant", (Call("call_1", "f", "{}"),)),
            Turn("user", (Result("call_1", "f", (Say(text),)),)),
        ),
        tools=strategies.KIT,
    )


@pytest.mark.parametrize("pair", PAIRS.values(), ids=lambda pair: pair.name)
@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"a":1,"b":"x"}'])
def test_a_result_that_is_json_arrives_as_the_same_text(pair: Pair, text: str) -> None:
    sent = pair.send(answered(text))

    assert [words(result) for result in all_results(sent.story)] == [text]


class Hot(Pair, frozen=True, kw_only=True):
    """A pair whose every example is one: a temperature beyond Anthropic's range."""

    def check(self, _: Any, law: Callable[[Any], None]) -> None:
        law(Story(turns=(Turn("user", (Say("go"),)),), options={"temperature": 1.7}))


@pytest.mark.parametrize("client", ["openai_chat", "gemini"])
def test_an_option_that_a_model_does_not_take_is_dropped_and_not_out_of_range(client: str) -> None:
    """A model without sampling may come first in a provider's row."""
    pair = of(client, "anthropic")
    unsampled = msgspec.structs.replace(pair.deployment.facts(pair.model), sampling="none")
    deployment = msgspec.structs.replace(pair.deployment, models={pair.model: unsampled})

    clamping_is_declared(Hot(**msgspec.structs.asdict(pair) | {"deployment": deployment}))
