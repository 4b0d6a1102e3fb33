"""What comes with an answer: token counts, citations and token probabilities."""

import json
from typing import Any

import pytest

from setu.chat.parts import (
    Text,
)
from setu.chat.response import Usage
from setu.chat.seals import Cite
from setu.dialects.gemini.response import render_response
from tests.dialects.gemini.answers import answer, candidate, parse, render, reply


@pytest.mark.parametrize(
    ("metadata", "usage"),
    [
        (
            {"promptTokenCount": 20, "candidatesTokenCount": 151, "thoughtsTokenCount": 382, "totalTokenCount": 553},
            Usage(input=20, output=533, reasoning=382, total=553),
        ),  # B-USG-05
        (
            {"promptTokenCount": 10, "cachedContentTokenCount": 4, "toolUsePromptTokenCount": 7},
            Usage(input=17, cache_read=4),
        ),  # B-USG-06
        (
            {
                "promptTokenCount": 10,
                "candidatesTokenCount": 3,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4}, {"modality": "AUDIO", "tokenCount": 6}],
                "candidatesTokensDetails": [{"modality": 4, "tokenCount": 3}],
            },
            Usage(input=10, output=3, audio_in=6, audio_out=3),
        ),
        ({"trafficType": "ON_DEMAND"}, Usage()),
    ],
)
def test_usage_counts_thoughts_and_tool_prompts_and_goes_back_unchanged(metadata: Any, usage: Any) -> None:
    response = parse(candidate({"text": "a"}) | {"usageMetadata": metadata})

    seen = response.usage
    assert seen is not None
    assert {name: getattr(seen, name) for name in Usage.__struct_fields__ if name != "raw"} == {
        name: getattr(usage, name) for name in Usage.__struct_fields__ if name != "raw"
    }
    assert json.loads(render_response(response, reply()).body)["usageMetadata"] == metadata


def test_foreign_usage_is_written_in_geminis_terms() -> None:
    usage = Usage(input=100, output=50, reasoning=20, cache_read=40, audio_out=5, raw=b'{"prompt_tokens":100}')

    assert render(answer(Text(text="a"), usage=usage))["usageMetadata"] == {
        "promptTokenCount": 100,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 20,
        "cachedContentTokenCount": 40,
        "totalTokenCount": 150,
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}],
    }


GROUNDING = {
    "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}, {"retrievedContext": {"uri": "gs://b"}}],
    "groundingSupports": [
        {"segment": {"startIndex": 4, "endIndex": 6, "text": "x"}, "groundingChunkIndices": [0, 1, 9]},
        {"segment": {"endIndex": 3}},
    ],
}


def test_grounding_gives_cites_in_characters_and_goes_back_whole() -> None:
    response = parse(candidate({"text": "é😀b"}, groundingMetadata=GROUNDING))

    (text,) = response.candidates[0].messages[0].parts
    assert isinstance(text, Text)
    assert [(cite.start, cite.end, cite.url, cite.title, cite.quoted) for cite in text.cites] == [
        (1, 2, "https://a", "A", "x"),
        (1, 2, "gs://b", None, "x"),
    ]
    assert render(response)["candidates"][0]["groundingMetadata"] == GROUNDING


def test_foreign_cites_become_grounding_in_bytes() -> None:
    cites = (Cite(kind="url_citation", dialect="openai_chat", start=1, end=3, url="https://a", title="A"),)

    metadata = render(answer(Text(text="é😀b", cites=cites)))["candidates"][0]["groundingMetadata"]

    assert metadata == {
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 2, "endIndex": 7, "text": "😀b"}, "groundingChunkIndices": [0]}
        ],
    }


def test_token_probabilities_take_openais_form_and_go_back() -> None:
    result = {
        "chosenCandidates": [{"token": "é", "logProbability": -0.5}],
        "topCandidates": [
            {"candidates": [{"token": "é", "logProbability": -0.5}, {"token": "b", "logProbability": -2}]}
        ],
    }
    response = parse(candidate({"text": "é"}, logprobsResult=result))

    (text,) = response.candidates[0].messages[0].parts
    assert isinstance(text, Text)
    assert [json.loads(entry) for entry in text.logprobs or ()] == [
        {
            "token": "é",
            "logprob": -0.5,
            "bytes": [195, 169],
            "top_logprobs": [
                {"token": "é", "logprob": -0.5, "bytes": [195, 169]},
                {"token": "b", "logprob": -2, "bytes": [98]},
            ],
        }
    ]
    assert render(response)["candidates"][0]["logprobsResult"] == result
