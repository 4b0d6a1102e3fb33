"""What targets can do, as far as it is known."""

import pytest

from setu.dialects.record import Facts
from setu.routing.plan import Ask, Plan
from setu.routing.route import route
from tests.routing.tables import deployment, table


def tried(plan: Plan) -> list[str]:
    return [target.name for target in plan.targets]


BLIND = deployment("blind", ("m",), facts=Facts(vision=False, tools=False, context=1000))
DARK = deployment("dark", ("m",), facts=Facts(vision=False, tools=False, context=1000))
SEEING = deployment("seeing", ("m",), facts=Facts(vision=True, tools=True, context=100_000))


@pytest.mark.parametrize("ask", [Ask(model="m", needs=frozenset({"vision"})), Ask(model="m", tokens=2000)])
def test_who_cannot_do_it_is_skipped_unless_there_is_nobody_else(ask: Ask) -> None:
    assert tried(route(ask, table(BLIND, SEEING))) == ["seeing/m"]
    assert tried(route(ask, table(BLIND))) == ["blind/m"]
    assert tried(route(ask, table(BLIND, DARK))) == ["blind/m", "dark/m"]


def test_a_named_provider_is_asked_whatever_it_can_do() -> None:
    ask = Ask(model="m", provider="blind", fallbacks=("seeing",), needs=frozenset({"tools"}))

    assert tried(route(ask, table(BLIND, SEEING))) == ["blind/m", "seeing/m"]


def test_configured_capabilities_count_where_a_model_says_nothing() -> None:
    plain, rich = deployment("plain", ("m",)), deployment("rich", ("m",))
    by = table(plain, rich, capabilities={"plain": frozenset({"streaming"})})

    assert tried(route(Ask(model="m", needs=frozenset({"tools"})), by)) == ["rich/m"]
    assert tried(route(Ask(model="m", stream=True), by)) == ["plain/m", "rich/m"]
