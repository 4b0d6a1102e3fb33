"""Header fields that choose, and those that say what was chosen, over real sockets."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.whole import Held, Whole, failing, said
from tests.gateway.wire import COMPLETION
from tests.live import asked, reply

HOSTS = {"a": "openai", "b": "openai", "c": "anthropic"}
ONCE = {"retry": {"max_attempts": 1}}


@pytest.fixture(scope="module")
def _whole() -> Iterator[Whole]:
    routing = {"models": {"x": ["a/m", "b/m", "c/m"]}}
    with Whole(HOSTS, routing=routing, resilience=ONCE, breaker={"enabled": False}) as whole:
        yield whole


@pytest.fixture
def whole(_whole: Whole) -> Whole:
    _whole.clear()
    return _whole


def providers(whole: Whole, count: int, model: str, *fields: tuple[str, str]) -> list[str | None]:
    return [whole.ask(said(model), fields=fields).field("x-setu-provider") for _ in range(count)]


@pytest.mark.parametrize("name", ["round_robin", "round-robin", "Round-Robin"])
def test_a_round_robin_really_takes_turns(whole: Whole, name: str) -> None:
    found = providers(whole, 6, "x", ("x-setu-strategy", name))

    assert Counter(found) == {"a": 2, "b": 2, "c": 2}
    assert found[:3] == found[3:]


def test_it_takes_turns_among_the_fallbacks_a_client_names(whole: Whole) -> None:
    found = providers(whole, 4, "a/m", ("x-setu-strategy", "round_robin"), ("x-setu-fallback", "b"))

    assert Counter(found) == {"a": 2, "b": 2}


def test_whose_turn_it_is_may_fail(whole: Whole) -> None:
    for host in ("a", "b"):
        whole[host].script.extend([failing(500)] * 6)

    assert providers(whole, 3, "x", ("x-setu-strategy", "round_robin")) == ["c"] * 3


def test_without_a_strategy_the_first_is_asked(whole: Whole) -> None:
    assert providers(whole, 3, "x") == ["a"] * 3


def test_an_unknown_strategy_is_said(whole: Whole) -> None:
    answer = whole.ask(said("x"), fields=[("x-setu-strategy", "dice")])

    assert (answer.status, answer.error["code"]) == (400, "unknown_strategy")


@pytest.mark.parametrize(
    ("fields", "path", "expected"),
    [
        ([("x-setu-provider", "b"), ("x-provider", "c")], "", "provider b named by x-setu-provider"),
        ([("x-provider", "b")], "?provider=c", "provider b named by x-provider"),
        ([], "?provider=b", "provider b named by query"),
    ],
)
def test_who_is_named_first_wins(whole: Whole, fields: list[tuple[str, str]], path: str, expected: str) -> None:
    answer = whole.ask(said("m"), f"/v1/chat/completions{path}", fields)

    assert (answer.status, answer.field("x-setu-route")) == (200, expected)
    assert [name for name, host in whole.hosts.items() if host.sent] == ["b"]
    assert not any(name.startswith(("x-setu-", "x-provider")) for name, _ in whole["b"].sent[0].fields)
    assert "provider" not in whole["b"].sent[0].line


def test_the_querys_model_goes_before_the_bodys(whole: Whole) -> None:
    answer = whole.ask(said("a/m"), "/v1/chat/completions?model=b/other")

    assert (answer.field("x-setu-provider"), whole["b"].bodies[0]["model"]) == ("b", "other")


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_every_answer_says_who_gave_it(whole: Whole, dialect: str, stream: bool) -> None:
    body, path = asked("c/m", dialect, stream=stream)

    answer = whole.ask(body, path, [("x-request-id", "r-7")])

    assert [answer.field(f"x-setu-{name}") for name in ("provider", "model", "route", "request-id", "attempts")] == [
        "c", "m", "prefix c/", "r-7", None
    ]  # fmt: skip
    call = whole.call()
    assert (call.request_id, call.provider, call.route, call.dialect) == ("r-7", "c", "prefix c/", dialect)


def test_who_is_least_busy_is_asked() -> None:
    routing = {"models": {"x": ["a/m", "b/m"]}, "strategy": "least_busy"}
    with Whole({"a": "openai", "b": "openai"}, routing=routing) as whole:
        held = Held()
        whole["a"].script.append(held)
        with whole.begin(said("a/m")):
            assert held.reached.wait(2)
            assert providers(whole, 3, "x") == ["b"] * 3


def test_the_faster_one_is_asked() -> None:
    routing = {"models": {"x": ["a/m", "b/m"]}, "strategy": "least_latency"}
    with Whole({"a": "openai", "b": "openai"}, routing=routing) as whole:
        slow = Held(reply(COMPLETION), seconds=0.3)
        whole["a"].script.append(slow)
        whole.ask(said("a/m"))
        whole.ask(said("b/m"))

        assert providers(whole, 3, "x") == ["b"] * 3


def test_shares_are_kept() -> None:
    rule: dict[str, Any] = {"name": "ab", "model": "x", "split": {"a/m": 1, "b/m": 1}}
    with Whole({"a": "openai", "b": "openai"}, routing={"rule": [rule]}) as whole:
        by_user = {
            user: {whole.ask(said("x", user=user)).field("x-setu-provider") for _ in range(3)}
            for user in map(str, range(20))
        }

        assert all(len(found) == 1 for found in by_user.values()), "one user stays on one side"
        assert {found for each in by_user.values() for found in each} == {"a", "b"}


def test_the_cheaper_one_is_asked() -> None:
    prices = {"a/m": {"input_per_1m": 10, "output_per_1m": 10}, "b/m": {"input_per_1m": 1, "output_per_1m": 1}}
    routing: dict[str, Any] = {"models": {"x": ["a/m", "b/m"]}}
    with Whole({"a": "openai", "b": "openai"}, routing={**routing, "strategy": "cost_based"}, prices=prices) as whole:
        assert providers(whole, 3, "x") == ["b"] * 3
    with Whole({"a": "openai", "b": "openai"}, routing=routing, prices=prices) as whole:
        assert providers(whole, 3, "x", ("x-setu-strategy", "cost_based")) == ["b"] * 3


def test_a_long_prompt_goes_where_there_is_room() -> None:
    rule = {"name": "long", "model": "x", "min_tokens": 500, "to": ["b/m"]}
    with Whole(
        {"a": "openai", "b": "openai"}, routing={"rule": [rule, {"name": "rest", "model": "x", "to": ["a/m"]}]}
    ) as whole:
        assert whole.ask(said("x")).field("x-setu-provider") == "a"
        assert whole.ask(said("x", "word " * 1000)).field("x-setu-route") == "rule long"
