"""Model strings, aliases and use cases over real sockets: what they become in each upstream's body."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.whole import Whole, failing, said
from tests.live import asked

HOSTS = {"a": "openai", "b": "anthropic", "g": "gemini", "openrouter": "openai"}
PROVIDERS: dict[str, Any] = {"openrouter": {"type": "openrouter"}, "b": {"models": ["claude-sonnet-4-5", "m"]}}
ROUTING: dict[str, Any] = {
    "models": {"quick": "a/m?temperature=0.5", "two": ["a/m?temperature=0", "g/m?max_tokens=5"], "nested": "quick"},
    "provider_aliases": {"claude": "b"},
    "directives": True,
    "routes": [
        {"name": "sums", "match": {"use_case": "sum"}, "primary": {"provider": "g", "model": "m"},
         "fallbacks": [{"provider": "b", "model": "m"}]},
        {"name": "default", "primary": {"provider": "a", "model": "m"}},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def _whole() -> Iterator[Whole]:
    once = {"retry": {"max_attempts": 1}}
    with Whole(HOSTS, PROVIDERS, routing=ROUTING, resilience=once, breaker={"enabled": False}) as whole:
        yield whole


@pytest.fixture
def whole(_whole: Whole) -> Whole:
    _whole.clear()
    return _whole


SETTINGS = [
    ("a/m?temperature=0.2&top_p=0.5", "a", {"temperature": 0.2, "top_p": 0.5, "model": "m"}),
    ("a/m?effort=low", "a", {"reasoning_effort": "low"}),
    ("b/m?temperature=0.2&top_k=5", "b", {"temperature": 0.2, "top_k": 5, "model": "m"}),
    ("b/claude-sonnet-4-5?think=2048", "b", {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
    ("openrouter/x/y:nitro", "openrouter", {"model": "x/y", "provider": {"sort": "throughput"}}),
    ("openrouter/x/y:floor?min_p=0.1", "openrouter", {"provider": {"sort": "price"}, "min_p": 0.1}),
]


@pytest.mark.parametrize(("model", "provider", "members"), SETTINGS, ids=[each[0] for each in SETTINGS])
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_settings_reach_the_upstream_in_its_own_words(
    whole: Whole, model: str, provider: str, members: dict[str, Any], dialect: str, stream: bool
) -> None:
    body, path = asked(model, dialect, stream=stream)
    if "think=" in model:
        body = json.dumps({**json.loads(body), "max_tokens": 4096}).encode()

    answer = whole.ask(body, path)

    (sent,) = whole[provider].bodies
    assert answer.status == 200
    assert {name: sent.get(name) for name in members} == members
    assert "?" not in sent["model"]
    assert answer.field("x-setu-model") == sent["model"]


def test_what_the_clients_dialect_has_no_word_for_is_told_as_a_loss(whole: Whole) -> None:
    chat, anthropic = whole.ask(said("a/m?seed=7")), whole.ask(*asked("a/m?seed=7", "anthropic"))

    assert [sent.get("seed") for sent in whole["a"].bodies] == [7, None]
    assert chat.field("x-setu-loss") is None
    assert anthropic.field("x-setu-loss")


def test_gemini_has_a_place_of_its_own_for_them(whole: Whole) -> None:
    whole.ask(said("g/m?temperature=0.2&max_tokens=7&think=100"))

    config = whole["g"].bodies[0]["generationConfig"]
    assert (config["temperature"], config["maxOutputTokens"]) == (0.2, 7)
    assert config["thinkingConfig"]["thinkingBudget"] == 100
    assert "/models/m:generateContent" in whole["g"].sent[0].line


def test_a_setting_of_the_wrong_kind_is_said(whole: Whole) -> None:
    answer = whole.ask(said("a/m?temperature=hot"))

    assert (answer.status, answer.error["code"]) == (400, "invalid_model_string")
    assert answer.error["message"] == "model: 'temperature' must be a number, not 'hot'"
    assert answer.error["param"] == "model"


def test_what_is_no_setting_is_part_of_the_name(whole: Whole) -> None:
    whole.ask(said("a/deepseek-ai/DeepSeek-R1:8b?v=1"))

    assert whole["a"].bodies[0]["model"] == "deepseek-ai/DeepSeek-R1:8b?v=1"


@pytest.mark.parametrize("name", ["quick", "nested"])
def test_an_alias_brings_its_settings(whole: Whole, name: str) -> None:
    answer = whole.ask(said(name))

    assert (answer.status, answer.field("x-setu-route")) == (200, f"alias {name}")
    assert (whole["a"].bodies[0]["model"], whole["a"].bodies[0]["temperature"]) == ("m", 0.5)


def test_each_target_of_an_alias_has_its_own(whole: Whole) -> None:
    whole["a"].script.append(failing(500))

    answer = whole.ask(said("two", max_tokens=100))

    assert answer.field("x-setu-provider") == "g"
    assert whole["a"].bodies[0]["temperature"] == 0
    assert whole["g"].bodies[0]["generationConfig"] == {"maxOutputTokens": 5}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_use_case_needs_no_model(whole: Whole, stream: bool) -> None:
    whole["g"].script.append(failing(500))
    body = said(None, stream=stream, metadata={"use_case": "sum", "tenant": "acme", "mine": "1"})

    answer = whole.ask(body)

    assert (answer.status, answer.field("x-setu-provider")) == (200, "b")
    assert answer.field("x-setu-route") == "route sums"
    call = whole.call()
    assert (call.use_case, call.tenant, call.upstream_model, call.route_name) == ("sum", "acme", "m", "sums")
    for name in ("g", "b"):
        assert "use_case" not in whole[name].sent[0].body.decode()


def test_labels_of_ours_are_not_sent(whole: Whole) -> None:
    whole.ask(said("a/m", metadata={"use_case": "x", "mine": "1"}))

    assert whole["a"].bodies[0]["metadata"] == {"mine": "1"}


def test_no_model_and_no_use_case_is_the_default_route(whole: Whole) -> None:
    answer = whole.ask(said(None))

    assert (answer.status, answer.field("x-setu-route"), whole["a"].bodies[0]["model"]) == (200, "route default", "m")


def test_a_directive_comment_chooses(whole: Whole) -> None:
    body, path = asked("a/m", "anthropic", system="<!-- g/m?temperature=0.9 -->\nBe kind.")

    answer = whole.ask(body, path)

    assert (answer.status, answer.field("x-setu-provider")) == (200, "g")
    assert whole["g"].bodies[0]["generationConfig"]["temperature"] == 0.9


def test_a_providers_other_name_is_as_good(whole: Whole) -> None:
    assert whole.ask(said("claude/m")).field("x-setu-provider") == "b"


@pytest.mark.parametrize(
    ("model", "fields", "code"),
    [("nobody-has-it", [], "model_not_found"), ("m", [("x-setu-provider", "nobody")], "provider_not_found")],
)
def test_what_does_not_exist_is_said_with_what_does(
    whole: Whole, model: str, fields: list[tuple[str, str]], code: str
) -> None:
    answer = whole.ask(said(model), fields=fields)

    assert (answer.status, answer.error["code"], answer.error["type"]) == (400, code, "invalid_request_error")
    listed = answer.error["available_models" if code == "model_not_found" else "available_providers"]
    assert set(listed) >= ({"a/m", "b/m", "g/m"} if code == "model_not_found" else set(HOSTS))
    if code == "model_not_found":
        assert answer.error["message"] == "Model 'nobody-has-it' not found in any configured provider"
