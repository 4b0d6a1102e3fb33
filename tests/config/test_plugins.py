"""Strategies by import string: what they do, and what is said of one that is none."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.config.plugins import load_strategy, strategies_of
from setu.dialects.record import Facts
from setu.errors import ConfigError
from setu.providers.deployment import Deployment
from setu.providers.record import Provider
from setu.routing.plan import Ask, Outlook, Target
from setu.routing.policy import Policy
from setu.routing.strategies import as_given, in_order

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "acme"
LIGHTEST = "setu_acme.strategies:lightest"
SIZES = {"small": 4_000, "middle": 32_000, "large": 128_000, "unknown": None}


def targets() -> list[Target]:
    host = Deployment(
        name="host",
        provider=Provider(name="host", base_url="http://h", dialects=("openai_chat",)),
        base_url="http://h",
        key="k",
        scheme="bearer",
        models={model: Facts(context=size) for model, size in SIZES.items()},
    )
    return [Target(deployment=host, model=model) for model in SIZES]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLE)


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(
    ("tokens", "limit", "order"),
    [
        (100, None, ["small", "middle", "large", "unknown"]),
        (3_500, None, ["middle", "large", "unknown", "small"]),
        (3_500, 100, ["small", "middle", "large", "unknown"]),
        (200_000, None, ["unknown", "small", "middle", "large"]),
    ],
)
def test_the_example_prefers_the_smallest_window_that_fits(tokens: int, limit: int | None, order: list[str]) -> None:
    ask = Ask(model="m", tokens=tokens, max_tokens=limit)

    found = in_order(load_strategy(LIGHTEST), targets(), ask, Policy(strategy=LIGHTEST), Outlook())

    assert [target.model for target in found.targets] == order


@pytest.mark.usefixtures("example")
def test_only_import_strings_are_loaded_and_keep_their_names() -> None:
    assert strategies_of(["composite", LIGHTEST, "weighted"]) == {LIGHTEST: load_strategy(LIGHTEST)}
    assert load_strategy("setu.routing.strategies:as_given") is as_given


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("no_such:by", "strategy 'no_such:by' cannot be imported: module 'no_such' not found"),
        ("setu.routing.no_such:by", "strategy 'setu.routing.no_such:by' cannot be imported: module 'setu.routing.no_such' not found"),
        ("setu.routing.strategies:by", "strategy 'setu.routing.strategies:by' cannot be imported: module 'setu.routing.strategies' has no attribute 'by'"),
        ("setu.routing.strategies:STRATEGIES", "strategy 'setu.routing.strategies:STRATEGIES' is a dict, not a function"),
        ("setu.routing.strategies:rotated", "strategy 'setu.routing.strategies:rotated' does not take (targets, ask, policy, outlook) as setu.routing.policy.Strategy does: too many positional arguments"),
        ("setu.routing:", "strategy 'setu.routing:' is no import string: write package.module:OBJECT"),
    ],
)  # fmt: skip
def test_one_that_is_none_is_one_sentence(reference: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_strategy(reference)

    assert str(caught.value) == says


@given(st.text(max_size=20))
def test_whatever_is_written_gives_a_strategy_or_a_sentence(text: str) -> None:
    with suppress(ConfigError):
        assert callable(load_strategy(f"setu.routing.strategies:{text}"))
