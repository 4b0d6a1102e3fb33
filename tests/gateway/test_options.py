from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.dialects.record import Facts, Route
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError
from setu.gateway.options import Wish, wish_of, with_members, with_options
from setu.translate.session import Destination

BODIES = {
    "openai_chat": b'{"model":"m",  "messages":[{"role":"user","content":"hi"}]}',
    "openai_responses": b'{"model":"m",  "input":"hi"}',
    "anthropic": b'{"model":"m",  "max_tokens":9,"messages":[{"role":"user","content":"hi"}]}',
    "gemini": b'{"contents":[{"parts":[{"text":"hi"}]}]}',
}


def to(dialect: str, thinking: Any = None, *capabilities: str) -> Destination:
    return Destination(
        dialect=DIALECTS[dialect], model="m", facts=Facts(thinking=thinking), capabilities=frozenset(capabilities)
    )


def written(client: str, options: dict[str, object], target: Destination, body: bytes | None = None) -> Any:
    return _json.decode(with_options(body or BODIES[client], DIALECTS[client], options, target).body)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("openai_chat", {"temperature": 0.5, "top_k": 3, "max_tokens": 7}),
        ("anthropic", {"temperature": 0.5, "top_k": 3, "max_tokens": 7}),
        ("openai_responses", {"temperature": 0.5, "max_output_tokens": 7}),
        ("gemini", {"generationConfig": {"temperature": 0.5, "topK": 3, "maxOutputTokens": 7}}),
    ],
)
def test_options_are_written_in_the_client_s_words(client: str, expected: dict[str, Any]) -> None:
    body = written(client, {"temperature": 0.5, "top_k": 3, "max_tokens": 7}, to("anthropic"))

    assert {name: body[name] for name in expected} == expected


def test_what_the_client_s_dialect_cannot_say_is_a_loss() -> None:
    rendered = with_options(BODIES["anthropic"], DIALECTS["anthropic"], {"seed": 1}, to("openai_chat"))

    assert rendered.body == BODIES["anthropic"]
    assert [(loss.pointer, loss.reason) for loss in rendered.losses] == [
        ("/model", "anthropic has no word for the model string's 'seed'")
    ]


def test_every_other_byte_stays() -> None:
    body = b'{"model" : "m",\n "temperature":1, "x":[1, 2]}'

    rendered = with_options(body, DIALECTS["openai_chat"], {"temperature": 0}, to("openai_chat"))

    assert rendered.body == b'{"model" : "m",\n "temperature":0, "x":[1, 2]}'


@pytest.mark.parametrize(
    ("body", "capabilities", "expected"),
    [
        (b'{"max_tokens":1}', ["max_completion_tokens"], {"max_tokens": 5}),
        (b'{"max_completion_tokens":1}', [], {"max_completion_tokens": 5}),
        (b"{}", ["max_completion_tokens"], {"max_completion_tokens": 5}),
        (b"{}", [], {"max_tokens": 5}),
    ],
)
def test_chat_s_length_has_the_name_that_was_used_or_is_taken(
    body: bytes, capabilities: list[str], expected: dict[str, int]
) -> None:
    assert written("openai_chat", {"max_tokens": 5}, to("openai_chat", None, *capabilities), body) == expected


def test_alternatives_need_their_switch() -> None:
    assert written("openai_chat", {"top_logprobs": 2}, to("openai_chat"), b"{}") == {
        "top_logprobs": 2,
        "logprobs": True,
    }
    assert written("gemini", {"top_logprobs": 2}, to("gemini"), b"{}") == {
        "generationConfig": {"logprobs": 2, "responseLogprobs": True}
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, Wish()),
        ({"think": 0}, Wish(on=False)),
        ({"think": -1}, Wish(on=True)),
        ({"think": 2048, "effort": "low"}, Wish(on=True, budget=2048, effort="low")),
        ({"effort": "none"}, Wish(on=False)),
        ({"reasoning": False}, Wish(on=False)),
        ({"reasoning": True, "thoughts": False}, Wish(on=True, show=False)),
        ({"thoughts": True}, Wish(show=True)),
    ],
)
def test_four_options_make_one_wish(options: dict[str, object], expected: Wish) -> None:
    assert wish_of(options) == expected


@pytest.mark.parametrize(
    ("client", "target", "options", "expected"),
    [
        ("openai_chat", to("openai_chat"), {"effort": "low"}, {"reasoning_effort": "low"}),
        ("openai_chat", to("openai_chat"), {"think": 9000}, {"reasoning_effort": "medium"}),
        ("openai_chat", to("openai_chat"), {"reasoning": False}, {"reasoning_effort": "none"}),
        ("openai_chat", to("openai_chat", None, "reasoning"), {"think": 9000}, {"reasoning": {"max_tokens": 9000}}),
        ("openai_chat", to("openai_chat", None, "reasoning"), {"thoughts": False}, {"reasoning": {"exclude": True}}),
        ("openai_chat", to("openai_chat", None, "thinking"), {"think": 0}, {"thinking": {"type": "disabled"}}),
        ("openai_chat", to("anthropic"), {"effort": "low", "thoughts": True}, {"reasoning": {"effort": "low", "exclude": False}}),
        ("openai_chat", to("anthropic"), {"reasoning": False}, {"reasoning": {"enabled": False}}),
        ("openai_responses", to("openai_responses"), {"think": 2048, "thoughts": True}, {"reasoning": {"effort": "low", "summary": "auto"}}),
        ("anthropic", to("anthropic", "budget"), {"think": 2048}, {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ("anthropic", to("anthropic", "budget"), {"think": 5}, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        ("anthropic", to("anthropic", "budget"), {"effort": "high"}, {"thinking": {"type": "enabled", "budget_tokens": 16384}}),
        ("anthropic", to("anthropic", "budget"), {"think": 0}, {"thinking": {"type": "disabled"}}),
        ("anthropic", to("anthropic", "adaptive"), {"think": 2048}, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        ("anthropic", to("anthropic", "adaptive"), {"reasoning": True, "thoughts": True}, {"thinking": {"type": "adaptive", "display": "summarized"}}),
        ("anthropic", to("gemini"), {"effort": "high"}, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("gemini", to("gemini", "budget"), {"effort": "low"}, {"generationConfig": {"thinkingConfig": {"thinkingBudget": 2048}}}),
        ("gemini", to("gemini", "effort"), {"effort": "low"}, {"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}}),
        ("gemini", to("anthropic"), {"effort": "low"}, {"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}}),
        ("gemini", to("gemini", "budget"), {"think": 0}, {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}),
        ("gemini", to("gemini", "budget"), {"think": -1, "thoughts": True}, {"generationConfig": {"thinkingConfig": {"thinkingBudget": -1, "includeThoughts": True}}}),
    ],
)  # fmt: skip
def test_thinking_is_written_in_the_form_that_its_model_takes(
    client: str, target: Destination, options: dict[str, object], expected: dict[str, Any]
) -> None:
    body = written(client, options, target)

    assert {name: body[name] for name in body.keys() - _json.split(BODIES[client]).keys()} == expected


def test_what_the_body_said_of_thinking_gives_way() -> None:
    chat = b'{"reasoning_effort":"high","thinking":{"type":"enabled"},"reasoning":{"effort":"high","exclude":true}}'
    google = b'{"generationConfig":{"topK":1,"thinkingConfig":{"thinkingLevel":"high","includeThoughts":true}}}'

    assert written("openai_chat", {"think": 4096}, to("anthropic"), chat) == {
        "reasoning": {"max_tokens": 4096, "exclude": True}
    }
    assert written("gemini", {"think": 4096}, to("gemini", "budget"), google) == {
        "generationConfig": {"topK": 1, "thinkingConfig": {"thinkingBudget": 4096, "includeThoughts": True}}
    }


def test_a_budget_that_becomes_an_effort_is_said() -> None:
    rendered = with_options(BODIES["openai_chat"], DIALECTS["openai_chat"], {"think": 9000}, to("openai_chat"))

    assert [(loss.severity, loss.reason) for loss in rendered.losses] == [
        ("info", "a budget of 9000 tokens became effort medium")
    ]


@pytest.mark.parametrize("body", [b'{"temperature":1,"temperature":2}'])
def test_a_member_that_occurs_twice_is_not_guessed_at(body: bytes) -> None:
    with pytest.raises(LocalDialectError) as caught:
        with_options(body, DIALECTS["openai_chat"], {"temperature": 0}, to("openai_chat"))

    assert caught.value.code == "duplicate_key"


def test_members_join_an_object_and_replace_anything_else() -> None:
    body = b'{"model":"m","provider":{"order":["x"],"sort":"price"},"min_p":1}'

    joined = with_members(body, {"provider": b'{"sort":"throughput"}', "min_p": b"0.5", "top_a": b"0"})

    assert joined == b'{"model":"m","provider":{"order":["x"],"sort":"throughput"},"min_p":0.5,"top_a":0}'


_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0, 0.5, 1]),
        "max_tokens": st.integers(1, 9999),
        "seed": st.integers(0, 99),
        "top_k": st.integers(1, 99),
        "think": st.integers(-1, 30_000),
        "effort": st.sampled_from(["none", "minimal", "low", "medium", "high"]),
        "thoughts": st.booleans(),
        "reasoning": st.booleans(),
    },
)


@given(st.sampled_from(sorted(BODIES)), st.sampled_from(sorted(BODIES)), _OPTIONS)
def test_what_is_written_is_a_request_of_the_client_s_dialect(
    client: str, upstream: str, options: dict[str, object]
) -> None:
    rendered = with_options(BODIES[client], DIALECTS[client], options, to(upstream))
    again = with_options(rendered.body, DIALECTS[client], options, to(upstream))

    parsed = (
        DIALECTS[client]
        .client["chat"]
        .parse_request(rendered.body, Route(dialect=client, operation="chat", model="m", stream=False))
    )
    assert _json.decode(again.body) == _json.decode(rendered.body)
    assert parsed.messages
    if client != upstream and wish_of(options).on is not None:
        assert parsed.thinking is not None
