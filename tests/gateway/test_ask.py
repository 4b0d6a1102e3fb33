from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.access.caller import ANYBODY, Caller
from setu.dialects.record import Route
from setu.gateway.ask import ask_of, needs_of, tokens_of
from setu.http import Headers, Request
from setu.routing.plan import Ask
from setu.routing.rules import Rule, When
from setu.routing.table import Table
from setu.translate.splice import read_head
from tests.routing.tables import THREE, table

PLAIN = table(*THREE)
LOOKING = table(*THREE, rules=(Rule(name="r", when=When(needs=frozenset({"tools"}))),))
DIRECTED = table(*THREE, directives=True)
CHAT = Route(dialect="openai_chat", operation="chat")
HELLO = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}


def asked(
    body: Any = HELLO,
    *,
    by: Table = PLAIN,
    headers: dict[str, str] | None = None,
    query: str = "",
    route: Route = CHAT,
    caller: Caller = ANYBODY,
) -> Ask:
    raw = _json.encode(body)
    request = Request(method="POST", path="/v1", query=query, headers=Headers.of(headers or {}), body=raw)
    return ask_of(request, route, read_head(raw, route), caller, by)


def test_the_body_says_the_model_and_the_stream() -> None:
    ask = asked(HELLO | {"stream": True})

    assert (ask.model, ask.stream, ask.dialect, ask.operation) == ("gpt-4o", True, "openai_chat", "chat")
    assert ask == Ask(model="gpt-4o", stream=True, tokens=ask.tokens)


@pytest.mark.parametrize(
    ("path", "headers", "query", "expected"),
    [
        ("a", {"X-Setu-Provider": "b", "X-Provider": "c"}, "provider=d", ("a", "path")),
        (None, {"X-Setu-Provider": "b", "X-Provider": "c"}, "provider=d", ("b", "x-setu-provider")),
        (None, {"X-Provider": " c "}, "provider=d", ("c", "x-provider")),
        (None, {"X-Provider": ""}, "x=1&provider=d", ("d", "query")),
        (None, {}, "", (None, "")),
    ],
)
def test_who_names_the_provider_first(
    path: str | None, headers: dict[str, str], query: str, expected: tuple[str | None, str]
) -> None:
    route = msgspec.structs.replace(CHAT, provider=path)

    ask = asked(headers=headers, query=query, route=route)

    assert (ask.provider, ask.named_by) == expected


@pytest.mark.parametrize(("body", "query"), [(HELLO, "model=a%2Fb"), ({"messages": []}, "alt=sse&model=a/b")])
def test_the_query_s_model_goes_before_the_body_s(body: dict[str, object], query: str) -> None:
    assert asked(body, query=query).model == "a/b"


def test_fallbacks_and_strategy_come_from_their_fields() -> None:
    ask = asked(headers={"X-Setu-Fallback": "openrouter, ,anthropic/claude-x", "X-Setu-Strategy": "Round-Robin"})

    assert (ask.fallbacks, ask.strategy) == (("openrouter", "anthropic/claude-x"), "round_robin")


def test_a_strategy_of_somebody_else_s_keeps_its_spelling() -> None:
    assert asked(headers={"X-Setu-Strategy": "acme-x:Fast"}).strategy == "acme-x:Fast"


@pytest.mark.parametrize(
    ("caller", "headers", "expected"),
    [
        (Caller(tenant="key's"), {"X-Setu-Tenant": "claimed"}, "key's"),
        (ANYBODY, {"X-Setu-Tenant": "claimed", "X-Project-Id": "project"}, "claimed"),
        (ANYBODY, {"X-Project-Id": "project"}, "project"),
        (ANYBODY, {}, "body's"),
    ],
)
def test_a_tenant_is_the_key_s_before_it_is_claimed(caller: Caller, headers: dict[str, str], expected: str) -> None:
    body = HELLO | {"metadata": {"tenant": "body's"}}

    assert asked(body, headers=headers, caller=caller).tenant == expected


def test_metadata_says_the_use_case_and_what_rules_may_ask() -> None:
    body = HELLO | {"metadata": {"use_case": "review", "floor": 3, "deep": {"a": 1}, "none": None}}

    ask = asked(body, caller=Caller(metadata={"project_id": "p", "floor": "0"}))

    assert (ask.use_case, dict(ask.metadata)) == ("review", {"project_id": "p", "use_case": "review", "floor": "3"})


@pytest.mark.parametrize("metadata", [None, "text", [1], 7])
def test_metadata_of_another_kind_is_the_upstream_s_affair(metadata: object) -> None:
    assert asked(HELLO | {"metadata": metadata}).metadata == {}


def test_a_caller_s_requirements_go_on() -> None:
    ask = asked(caller=Caller(key="k1", require=frozenset({"region:eu"})))

    assert (ask.key, ask.require, ask.sticky) == ("k1", frozenset({"region:eu"}), "k1")


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"messages": [{"role": "user", "content": 'the "type": "image_url" of it'}]}, set()),
        ({"messages": [{"content": [IMAGE]}]}, {"vision"}),
        ({"messages": [{"content": [{"type": "image", "source": {}}]}]}, {"vision"}),
        ({"messages": [{"content": [{"type": "document", "source": {}}]}]}, {"files"}),
        ({"messages": [{"content": [{"type": "input_audio"}]}]}, {"audio"}),
        ({"input": [{"content": [{"type": "input_image"}, {"type": "input_file"}]}]}, {"vision", "files"}),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png"}}]}]}, {"vision"}),
        ({"contents": [{"parts": [{"fileData": {"mimeType": "application/pdf"}}]}]}, {"files"}),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav"}}]}]}, {"audio"}),
        ({"tools": [{"type": "function"}]}, {"tools"}),
        ({"tools": []}, set()),
        ({"tools": None}, set()),
        ({"response_format": {"type": "json_schema"}}, {"json_schema"}),
        ({"text": {"format": {"type": "json_schema"}}}, {"json_schema"}),
        ({"output_config": {"format": {"type": "json_schema"}}}, {"json_schema"}),
        ({"generationConfig": {"responseSchema": {}}}, {"json_schema"}),
        ({"prompt": "x"}, set()),
    ],
)
def test_what_a_body_needs_is_seen(body: dict[str, Any], expected: set[str]) -> None:
    assert needs_of(_json.split(_json.encode(body))) == expected


def test_a_body_is_looked_into_only_where_the_table_or_the_client_wants_it() -> None:
    body = HELLO | {"tools": [{"type": "function"}], "max_tokens": 7, "user": "u1"}

    assert (asked(body).needs, asked(body).max_tokens, asked(body).sticky) == (frozenset(), None, "")
    for ask in (asked(body, by=LOOKING), asked(body, headers={"X-Setu-Fallback": "openrouter"})):
        assert (ask.needs, ask.max_tokens, ask.sticky) == (frozenset({"tools"}), 7, "u1")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"max_completion_tokens": 5, "max_tokens": 6}, 5),
        ({"max_output_tokens": 8}, 8),
        ({"generationConfig": {"maxOutputTokens": 9}}, 9),
        ({"max_tokens": -1}, None),
        ({"max_tokens": "9"}, None),
        ({}, None),
    ],
)
def test_the_longest_answer_is_found(body: dict[str, Any], expected: int | None) -> None:
    assert asked(body, by=LOOKING).max_tokens == expected


def test_anthropic_s_user_is_in_its_metadata() -> None:
    body = HELLO | {"metadata": {"user_id": "u2"}}

    assert asked(body, by=LOOKING, route=Route(dialect="anthropic", operation="chat")).sticky == "u2"


def test_a_picture_counts_as_one_and_not_by_its_size() -> None:
    picture = _json.encode({"url": "data:image/png;base64," + "A" * 400_000})
    text = _json.encode({"text": "words and " * 40_000, "data": ""})

    assert 1000 <= tokens_of(picture) < 1100
    assert tokens_of(text) == len(text) // 4


COMMENT = "<!-- anthropic/claude-x:nitro?think=2048 -->\nBe kind."
DIRECTIVE = "anthropic/claude-x:nitro?think=2048"
MESSAGES = Route(dialect="anthropic", operation="chat")


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (MESSAGES, {"system": COMMENT}),
        (MESSAGES, {"system": "\n\n  " + COMMENT}),
        (MESSAGES, {"system": [{"type": "text", "text": COMMENT}, {"type": "text", "text": "more"}]}),
        (CHAT, {"messages": [{"role": "user", "content": "x"}, {"role": "system", "content": COMMENT}]}),
        (CHAT, {"messages": [{"role": "developer", "content": [{"type": "text", "text": COMMENT}]}]}),
    ],
)
def test_a_directive_is_the_first_line_of_the_system_prompt(route: Route, body: dict[str, Any]) -> None:
    assert asked(HELLO | body, by=DIRECTED, route=route).directive == DIRECTIVE
    assert asked(HELLO | body, by=PLAIN, route=route).directive is None


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (MESSAGES, {"system": "Be kind.\n" + COMMENT}),
        (MESSAGES, {"system": "<!-- two words -->"}),
        (MESSAGES, {"messages": [{"role": "user", "content": COMMENT}]}),
        (MESSAGES, {"system": [{"type": "text", "text": 7}], "x": "<!--"}),
        (MESSAGES, {"system": [7], "x": "<!--"}),
        (CHAT, {"messages": [{"role": "user", "content": COMMENT}]}),
        (CHAT, {"messages": 7, "x": "<!--"}),
        (CHAT, {"messages": [7, {"role": "system"}], "x": "<!--"}),
    ],
)
def test_no_other_text_is_a_directive(route: Route, body: dict[str, Any]) -> None:
    assert asked(HELLO | body, by=DIRECTED, route=route).directive is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
_NAMES = st.sampled_from(["messages", "system", "metadata", "tools", "user", "max_tokens", "generationConfig", "input"])


@given(st.dictionaries(_NAMES, _JSON), st.sampled_from(["openai_chat", "anthropic", "openai_responses", "gemini"]))
def test_any_body_makes_an_ask(body: dict[str, Any], dialect: str) -> None:
    by = msgspec.structs.replace(LOOKING, directives=True)
    route = Route(dialect=dialect, operation="chat", model="m", stream=False)

    ask = asked(body | {"note": "<!-- -->"}, by=by, route=route)

    assert ask.model == "m"
    assert ask.tokens >= 0
