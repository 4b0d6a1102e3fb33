import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.dialects.record import Loss
from setu.translate.loss import LIMIT, header_value, in_words_of, param_in_words_of


def loss(reason: str, pointer: str = "/seed") -> Loss:
    return Loss(phase="request", pointer=pointer, reason=reason)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=80), max_size=60))
def test_the_header_is_printable_ascii_within_its_limit_and_counts_every_loss(reasons: list[str]) -> None:
    value = header_value([loss(reason) for reason in reasons])

    if value is None:
        assert reasons == []
        return
    assert all(" " <= char <= "~" for char in value)
    assert len(value) <= LIMIT
    told = json.loads(value)
    more = told[-1].get("more", 0)
    assert len(told) - (1 if more else 0) + more == len(reasons)
    assert [entry["reason"] for entry in told if "reason" in entry] == reasons[: len(reasons) - more]


def test_a_loss_is_named_as_the_client_wrote_it_and_once() -> None:
    losses = [loss("no", "/stop"), loss("no", "/stop"), loss("no", "/messages/0")]

    renamed = in_words_of(losses, {"stop": "/generationConfig/stopSequences"})

    assert [entry.pointer for entry in renamed] == ["/generationConfig/stopSequences", "/messages/0"]


GEMINI = {
    "n": "/generationConfig/candidateCount",
    "messages": "/contents",
    "output": "/generationConfig/responseMimeType",
    "thinking": "/generationConfig/thinkingConfig",
    "thinking/budget": "/generationConfig/thinkingConfig/thinkingBudget",
    "generationConfig.": "/generationConfig/",
}


@pytest.mark.parametrize(
    ("canonical", "own"),
    [
        ("/n", "/generationConfig/candidateCount"),
        ("/thinking/budget", "/generationConfig/thinkingConfig/thinkingBudget"),
        ("/thinking/mode", "/generationConfig/thinkingConfig"),
        ("/reasoning_effort", "/generationConfig/thinkingConfig"),
        ("/messages/2/content/0", "/contents/2/content/0"),
        ("/generationConfig.speechConfig", "/generationConfig/speechConfig"),
        ("/generationConfig.thinkingConfig.new", "/generationConfig/thinkingConfig/new"),
        ("/labels", "/labels"),
        ("", ""),
    ],
)
def test_a_pointer_into_a_field_is_named_as_far_as_the_client_has_a_word(canonical: str, own: str) -> None:
    assert [entry.pointer for entry in in_words_of([loss("no", canonical)], GEMINI)] == [own]


@pytest.mark.parametrize(
    ("canonical", "own"),
    [
        ("n", "generationConfig.candidateCount"),
        ("response_format", "generationConfig.responseMimeType"),
        ("messages[0].content[1]", "contents[0].content[1]"),
        ("tools[0]", "tools[0]"),
        ("", ""),
    ],
)
def test_the_parameter_of_a_refusal_is_named_as_the_client_wrote_it(canonical: str, own: str) -> None:
    assert param_in_words_of(canonical, GEMINI) == own
