"""Costs are what genai-prices says, unless the configuration says otherwise; and nothing asks the network."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo
from genai_prices.types import Provider as Priced
from hypothesis import given
from hypothesis import strategies as st

from setu.gateway.models import pricing
from setu.providers import lookup
from setu.routing.plan import Price
from setu.store.prices import PRICED_AS, Prices, Rate, Tariff, charge, estimate
from tests.processes import environment
from tests.store.calls import NOVEMBER, call

WHEN = datetime.fromtimestamp(NOVEMBER / 1000, UTC)


@pytest.fixture(scope="module")
def prices() -> Prices:
    prices = Prices()
    prices.load()
    return prices


def sold_by_tokens() -> list[tuple[Priced, ModelInfo]]:
    return [
        (provider, model)
        for provider in get_snapshot().providers
        for model in provider.models
        if model.get_prices(WHEN).input_mtok is not None and provider.find_model(model.id) is model
    ]


SOLD = sold_by_tokens()
TOKENS = st.integers(0, 400_000)


@given(sold=st.sampled_from(SOLD), fresh=TOKENS, read=TOKENS, written=TOKENS, said=TOKENS, thought=TOKENS)
def test_the_cost_is_what_genai_prices_itself_says(
    prices: Prices, sold: tuple[Priced, ModelInfo], fresh: int, read: int, written: int, said: int, thought: int
) -> None:
    provider, model = sold
    usage = Usage(
        input_tokens=fresh + read + written,
        output_tokens=said + thought,
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_reasoning_tokens=thought,
    )
    one = call(
        provider=provider.id,
        upstream_model=model.id,
        input_tokens=fresh + read + written,
        output_tokens=said + thought,
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=thought,
    )
    truth = model.calc_price(usage, provider, genai_request_timestamp=WHEN).total_price * 10**9

    cost = prices.cost(one)
    assert cost is not None
    assert abs(Decimal(cost) - truth) <= max(Decimal(1), truth / 10**12)


def test_a_known_model_costs_what_its_page_says(prices: Prices) -> None:
    assert prices.price("openai", "gpt-4o-mini") == Rate(input=150.0, output=600.0, cache_read=75.0)
    assert prices.cost(call(input_tokens=1000, output_tokens=100, cached_tokens=100)) == 202_500


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cost": 7}, 7),
        ({"cache": "hit"}, 0),
        ({"input_tokens": None, "output_tokens": None}, None),
        ({"upstream_model": "nobody-knows-it"}, None),
        ({"upstream_model": "x" * 100_000}, None),
        ({"provider": "nobody"}, None),
        ({"input_tokens": 10, "cached_tokens": 999, "output_tokens": 0}, 750),
        ({"input_tokens": None, "output_tokens": 10}, 6_000),
        ({"upstream_model": ""}, 21_000),
    ],
)
def test_the_cost_of_calls_that_say_less(prices: Prices, changes: dict[str, object], expected: int | None) -> None:
    assert prices.cost(call(**changes)) == expected


def test_the_configuration_wins_and_its_exact_names_before_its_patterns() -> None:
    cheap, own, local = Price(input=1, output=2), Price(input=3, output=4), Price(input=0, output=0)
    prices = Prices({"gpt-*": cheap, "gpt-4o-mini": own, "eu/gpt-4o-mini": local, "ollama/*": local})

    assert prices.price("openai", "gpt-4o-mini") is own
    assert prices.price("eu", "gpt-4o-mini") is local
    assert prices.price("openai", "gpt-9") is cheap
    assert prices.price("ollama", "llama3:8b") is local
    assert prices.price("openai", "claude") is None


def test_a_deployment_is_priced_by_its_type() -> None:
    prices = Prices(kinds={"eu": "gemini"})
    prices.load()

    assert prices.price("eu", "gemini-2.5-flash") == prices.price("gemini", "gemini-2.5-flash") is not None


@pytest.mark.parametrize("name", PRICED_AS)
def test_every_renamed_provider_is_one_of_ours_and_one_of_theirs(name: str) -> None:
    assert name in lookup.BUILT_IN
    assert PRICED_AS[name] in {provider.id for provider in get_snapshot().providers}


def test_before_the_list_is_loaded_only_the_configuration_is_known() -> None:
    prices = Prices({"mine": Price(input=1, output=1)})

    assert not prices.ready
    assert prices.price("openai", "gpt-4o-mini") is None
    assert prices.price("openai", "mine") is not None
    prices.load()
    assert prices.price("openai", "gpt-4o-mini") is not None


def test_prices_of_targets_are_by_their_names_the_unknown_left_out(prices: Prices) -> None:
    found = prices.of([("openai", "gpt-4o-mini"), ("openai", "unknown-model")])

    assert found == {"openai/gpt-4o-mini": prices.price("openai", "gpt-4o-mini")}


def test_a_long_prompt_costs_more_for_all_its_tokens() -> None:
    tariff = Tariff(Price(input=1, output=10), ((1000, Price(input=2, output=20)), (5000, Price(input=3, output=30))))

    assert [charge(tariff, call(input_tokens=n, output_tokens=1)) for n in (1000, 1001, 5000, 5001)] == [
        1010, 2022, 10020, 15033,
    ]  # fmt: skip


@given(st.integers(0, 10**6), st.none() | st.integers(0, 10**6), st.integers(0, 10**6))
def test_an_estimate_is_never_less_than_what_the_call_costs(given: int, most: int | None, made: int) -> None:
    price = Rate(input=12.5, output=37.5, request=5_000.0)
    cost = charge(Tariff(price), call(input_tokens=given, output_tokens=min(made, most or 0)))

    assert estimate(price, given, most) >= cost


def test_the_models_list_tells_prices_per_thousand_and_per_million(prices: Prices) -> None:
    price = prices.price("openai", "gpt-4o-mini")
    assert price is not None

    assert pricing(price) == {
        "input": 0.00015,
        "output": 0.0006,
        "unit": "USD per 1K tokens",
        "input_per_1m": 0.15,
        "output_per_1m": 0.6,
        "cached_input_per_1m": 0.075,
    }


def test_no_price_asks_the_network() -> None:
    script = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise SystemExit('asked the network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from setu.store.prices import Prices\n"
        "prices = Prices(); prices.load()\n"
        "print(prices.price('anthropic', 'claude-sonnet-4-5').input)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, timeout=60, check=True
    )

    assert (done.stdout, done.stderr) == ("3000.0\n", "")
