from hypothesis import given, settings
from hypothesis import strategies as st

from setu.resilience.ledger import Charge, Dimension, Limit
from setu.resilience.limits import NO_LIMITS, Limits, charges, limits_for, tightest, tokens_to_reserve

PER_MINUTE = limits_for("provider", requests_per_minute=50, burst=10, tokens_per_minute=1000)
LIMITS = Limits(
    gateway=limits_for("gateway", concurrency=100),
    providers={"openrouter": PER_MINUTE},
    tenants={"acme": limits_for("tenant", monthly_usd=50.0)},
    keys={"k1": limits_for("key", requests_per_minute=5)},
    models=(
        ("gpt-*", limits_for("model", requests_per_minute=3)),
        ("gpt-4o", limits_for("model", requests_per_minute=2)),
        ("*", limits_for("model", requests_per_minute=9)),
    ),
    default_tenant=limits_for("tenant", tokens_per_minute=500),
)


def names(made: tuple[Charge, ...]) -> list[tuple[str, str, int]]:
    return [(charge.subject, charge.limit.name, charge.amount) for charge in made]


def test_without_limits_there_is_nothing_to_charge() -> None:
    subjects: dict[Dimension, str] = {"tenant": "acme", "model": "gpt-4o"}

    assert charges(subjects, NO_LIMITS, tokens_estimate=100) is charges({}, NO_LIMITS)


def test_a_request_is_charged_on_every_limit_of_its_subjects_in_one_order() -> None:
    subjects: dict[Dimension, str] = {"model": "gpt-4o", "key": "k1", "tenant": "acme", "gateway": ""}

    made = charges(subjects, LIMITS, tokens_estimate=70, cost_estimate=900)

    assert names(made) == [
        ("default", "concurrency", 1),
        ("acme", "monthly_usd", 900),
        ("k1", "requests_per_minute", 1),
        ("gpt-4o", "requests_per_minute", 1),
    ]


def test_a_providers_charges_are_its_own() -> None:
    made = charges({"provider": "openrouter"}, LIMITS, tokens_estimate=70)

    assert names(made) == [("openrouter", "requests_per_minute", 1), ("openrouter", "tokens_per_minute", 70)]
    assert charges({"provider": "anthropic"}, LIMITS) == ()


def test_a_model_named_exactly_comes_before_the_first_pattern_that_matches() -> None:
    amounts = {name: LIMITS.of("model", name)[0].amount for name in ("gpt-4o", "gpt-5", "claude")}

    assert amounts == {"gpt-4o": 2, "gpt-5": 3, "claude": 9}


def test_tenants_without_a_table_count_each_for_itself_and_nameless_ones_together() -> None:
    assert names(charges({"tenant": "other"}, LIMITS, tokens_estimate=7)) == [("other", "tokens_per_minute", 7)]
    assert names(charges({"tenant": ""}, LIMITS, tokens_estimate=7)) == [("default", "tokens_per_minute", 7)]


def test_an_unknown_estimate_still_asks_for_one() -> None:
    made = charges({"tenant": "acme"}, LIMITS)

    assert names(made) == [("acme", "monthly_usd", 1)]


def test_of_a_callers_own_limit_and_the_files_the_tighter_one_holds() -> None:
    own = (*limits_for("key", requests_per_minute=3), *limits_for("key", daily_tokens=10))

    made = charges({"key": "k1"}, LIMITS, tokens_estimate=4, own=own)

    assert [(charge.limit.name, charge.limit.amount) for charge in made] == [
        ("requests_per_minute", 3),
        ("daily_tokens", 10),
    ]


def test_money_is_counted_in_billionths_of_a_dollar() -> None:
    assert limits_for("tenant", daily_usd=0.25)[0].amount == 250_000_000


def test_what_is_reserved_for_an_answer_is_bounded() -> None:
    assert tokens_to_reserve(100, None, output=1024) == 1124
    assert tokens_to_reserve(100, 64_000, output=1024) == 1124
    assert tokens_to_reserve(100, 16, output=1024) == 116


@given(st.lists(st.builds(
    Limit, name=st.just("l"), unit=st.sampled_from(["requests", "tokens"]), amount=st.integers(1, 9),
    dimension=st.sampled_from(["tenant", "key"]), period=st.sampled_from(["minute", "day"]),
), max_size=8))  # fmt: skip
@settings(max_examples=100)
def test_no_kind_is_counted_twice_and_the_tightest_is_kept(limits: list[Limit]) -> None:
    kept = tightest(limits)

    kinds = [(limit.dimension, limit.unit, limit.period) for limit in kept]
    assert len(kinds) == len(set(kinds)) == len({(limit.dimension, limit.unit, limit.period) for limit in limits})
    assert all(
        limit.amount >= next(k.amount for k in kept if (k.dimension, k.unit, k.period) == kind)
        for limit in limits
        for kind in [(limit.dimension, limit.unit, limit.period)]
    )
