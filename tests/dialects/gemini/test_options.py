"""`generationConfig`: every option, the form of the answer and thinking, both ways."""

import json
from typing import Any

import pytest

from setu.chat.parts import Text
from setu.chat.request import ChatRequest, Message, Options, Output, Thinking
from setu.errors import LocalDialectError
from tests.dialects.gemini.requests import parse, render, written


def test_every_member_of_generation_config_has_its_field() -> None:
    request = parse(
        generationConfig={
            "maxOutputTokens": 5,
            "temperature": 2,
            "topP": 0.5,
            "topK": 3,
            "stopSequences": ["a", "b"],
            "candidateCount": 2,
            "seed": 7,
            "presencePenalty": -1,
            "frequencyPenalty": 1,
            "responseLogprobs": True,
            "logprobs": 4,
            "responseModalities": ["TEXT", "IMAGE"],
        },
        safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    )

    assert request.options == Options(
        max_tokens=5,
        temperature=2.0,
        top_p=0.5,
        top_k=3.0,
        stop=("a", "b"),
        n=2,
        seed=7,
        presence_penalty=-1.0,
        frequency_penalty=1.0,
        logprobs=True,
        top_logprobs=4,
        modalities=("text", "image"),
        safety=b'[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]',
    )


@pytest.mark.parametrize(
    ("config", "param"),
    [
        ({"temperature": 2.1}, "generationConfig.temperature"),
        ({"temperature": "hot"}, "generationConfig.temperature"),
        ({"stopSequences": list("abcdef")}, "generationConfig.stopSequences"),
        ({"maxOutputTokens": 0}, "generationConfig.maxOutputTokens"),
        ({"topP": 1.5}, "generationConfig.topP"),
        ({"responseMimeType": 5}, "generationConfig.responseMimeType"),
        ({"thinkingConfig": {"thinkingBudget": -2}}, "generationConfig.thinkingConfig.thinkingBudget"),
    ],
)
def test_what_is_out_of_the_documented_range_is_refused_by_name(config: Any, param: Any) -> None:
    with pytest.raises(LocalDialectError) as caught:
        parse(generationConfig=config)

    assert caught.value.param == param


def test_options_are_written_under_geminis_names_and_bent_into_its_ranges() -> None:
    request = ChatRequest(
        model="m",
        messages=(Message(role="user", parts=(Text(text="hi"),)),),
        options=Options(
            max_tokens=9, temperature=3.5, stop=tuple("abcdef"), n=2, logit_bias=b"{}", user="u", stream_usage=True
        ),
    )

    rendered = render(request)

    assert json.loads(rendered.body)["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 2.0,
        "stopSequences": list("abcde"),
        "candidateCount": 2,
    }
    assert {(loss.pointer, loss.severity) for loss in rendered.losses} == {
        ("/temperature", "warn"),
        ("/stop", "warn"),
        ("/logit_bias", "warn"),
        ("/user", "info"),
    }


@pytest.mark.parametrize(
    ("thinking", "model", "config"),
    [
        (Thinking(effort="low"), "gemini-2.5-pro", {"thinkingBudget": 2048}),
        (Thinking(effort="max"), "gemini-2.5-flash", {"thinkingBudget": 24576}),
        (Thinking(effort="max"), "gemini-2.5-pro", {"thinkingBudget": 32768}),
        (Thinking(effort="none"), "gemini-2.5-flash", {"thinkingBudget": 0}),
        (Thinking(mode="off"), "gemini-2.5-flash", {"thinkingBudget": 0}),
        (Thinking(mode="adaptive"), "gemini-2.5-flash", {"thinkingBudget": -1}),
        (
            Thinking(mode="on", budget=1500, show="summary"),
            "gemini-2.5-flash",
            {"thinkingBudget": 1500, "includeThoughts": True},
        ),
        (Thinking(effort="high", show="none"), "gemini-3-pro", {"thinkingLevel": "HIGH", "includeThoughts": False}),
        (Thinking(effort="xhigh"), "gemini-3-pro", {"thinkingLevel": "HIGH"}),
        (Thinking(mode="off"), "gemini-3-pro", {"thinkingLevel": "LOW"}),
    ],
)
def test_thinking_is_asked_for_in_the_models_own_terms(thinking: Any, model: Any, config: Any) -> None:
    assert written(model, thinking=thinking)["generationConfig"]["thinkingConfig"] == config


@pytest.mark.parametrize(("budget", "level"), [(600, "MINIMAL"), (2048, "LOW"), (9000, "MEDIUM"), (30000, "HIGH")])
def test_a_budget_becomes_the_effort_that_is_not_above_it(budget: Any, level: Any) -> None:
    request = parse(generationConfig={"thinkingConfig": {"thinkingBudget": budget}})

    body = json.loads(render(request, "gemini-3-flash", thinking="effort").body)

    assert body["generationConfig"]["thinkingConfig"] == {"thinkingLevel": level}


def test_a_level_the_model_lacks_becomes_the_next_lower_one() -> None:
    request = parse(generationConfig={"thinkingConfig": {"thinkingLevel": "MEDIUM"}})

    rendered = render(request, "gemini-3-pro", thinking="effort", efforts=("low", "high"))

    assert json.loads(rendered.body)["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "LOW"}
    assert [loss.severity for loss in rendered.losses] == ["info"]


def test_a_model_that_does_not_think_is_not_asked_to() -> None:
    rendered = render(parse(generationConfig={"thinkingConfig": {"thinkingBudget": 5}}), thinking="none")

    assert "generationConfig" not in json.loads(rendered.body)
    assert [loss.pointer for loss in rendered.losses] == ["/thinking"]


@pytest.mark.parametrize(
    ("config", "output"),
    [
        ({"responseMimeType": "application/json"}, Output(kind="json")),
        ({"responseMimeType": "text/plain"}, Output(kind="text")),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}},
            Output(kind="schema", schema=b'{"type":"object"}', native=b'{"type": "OBJECT"}', dialect="gemini"),
        ),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
            Output(kind="schema", schema=b'{"type": "object"}'),
        ),
        ({"responseMimeType": "text/x.enum", "responseSchema": {"enum": ["a"]}}, None),
    ],
)
def test_the_form_of_the_answer_is_read_and_written_back(config: Any, output: Any) -> None:
    request = parse(generationConfig=config)

    assert request.output == output
    assert json.loads(render(request).body)["generationConfig"] == config


def test_a_foreign_schema_goes_out_as_json_schema_byte_for_byte() -> None:  # B-SCH-12
    exact = b'{"type":"object","additionalProperties":false,"properties":{"n":{"maximum":1.10}}}'

    rendered = render(
        ChatRequest(
            model="m",
            messages=(Message(role="user", parts=(Text(text="hi"),)),),
            output=Output(kind="schema", name="n", strict=True, schema=exact),
        )
    )

    assert b'"responseJsonSchema":' + exact in rendered.body
