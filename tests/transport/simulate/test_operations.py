"""The simulated endpoints beside chat: legal requests are answered alike, illegal ones as documented."""

import asyncio
import base64
import json
import struct
from typing import Any

import pytest

from setu.http import Headers, Request
from setu.transport.simulate.simulator import Simulator
from tests.clocks import RealClock

OPENAI, COMPLETIONS, COUNT = "/v1/embeddings", "/v1/completions", "/v1/messages/count_tokens"
ONE, BATCH = "/v1beta/models/m:embedContent", "/v1beta/models/m:batchEmbedContents"
CONTENT = {"content": {"parts": [{"text": "a b"}]}}
MESSAGES = [{"role": "user", "content": "two words"}]


def ask(path: str, body: Any) -> tuple[int, Any]:
    headers = Headers.of({"content-type": "application/json", "anthropic-version": "2023-06-01"})
    request = Request(method="POST", origin="https://x", path=path, headers=headers, body=json.dumps(body).encode())

    async def answered() -> tuple[int, bytes]:
        response = await Simulator(RealClock()).send(request)
        return response.status, await response.read()

    status, data = asyncio.run(answered())
    return status, data if body.get("stream") and status == 200 else json.loads(data)


@pytest.mark.parametrize("given", ["a", ["a", "b"], [1, 2], [[1], [2, 3]]])
def test_openai_embeds_every_form_of_input(given: Any) -> None:
    status, body = ask(OPENAI, {"model": "m", "input": given, "dimensions": 4})

    assert status == 200
    assert len(body["data"]) == (2 if given in (["a", "b"], [[1], [2, 3]]) else 1)
    assert all(len(row["embedding"]) == 4 for row in body["data"])


def test_both_encodings_say_the_same_numbers_and_the_same_text_the_same_vector() -> None:
    _, floats = ask(OPENAI, {"model": "m", "input": ["a", "b"], "dimensions": 4})
    _, packed = ask(OPENAI, {"model": "m", "input": "a", "dimensions": 4, "encoding_format": "base64"})

    numbers = list(struct.unpack("<4f", base64.b64decode(packed["data"][0]["embedding"])))
    assert numbers == floats["data"][0]["embedding"]
    assert numbers != floats["data"][1]["embedding"]


def test_gemini_embeds_one_and_many() -> None:
    _, one = ask(ONE, CONTENT)
    _, many = ask(BATCH, {"requests": [CONTENT | {"model": "models/m", "outputDimensionality": 8}] * 2})

    assert len(one["embedding"]["values"]) == 3072
    assert [len(row["values"]) for row in many["embeddings"]] == [8, 8]
    assert many["usageMetadata"]["promptTokenCount"] == 4


def test_cohere_and_ollama_embed() -> None:
    _, cohere = ask("/v2/embed", {"model": "m", "texts": ["a"], "input_type": "search_query"})
    _, ollama = ask("/api/embed", {"model": "m", "input": "a"})

    assert len(cohere["embeddings"]["float"][0]) == 1536
    assert len(ollama["embeddings"][0]) == 768


NOVA_TEXT = {"value": "a", "truncationMode": "NONE"}
NOVA_PARAMS = {"embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": 256, "text": NOVA_TEXT}
NOVA_BODY = {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": NOVA_PARAMS}
TITAN_1, TITAN_2 = "/model/amazon.titan-embed-text-v1/invoke", "/model/amazon.titan-embed-text-v2%3A0/invoke"
COHERE_3, COHERE_4 = "/model/cohere.embed-english-v3/invoke", "/model/cohere.embed-v4%3A0/invoke"
NOVA = "/model/amazon.nova-2-multimodal-embeddings-v1%3A0/invoke"
COHERE_BODY = {"texts": ["a", "b"], "input_type": "search_query"}


def test_bedrocks_models_embed_each_in_its_own_form() -> None:
    first, second = ask(TITAN_1, {"inputText": "a"})[1], ask(TITAN_2, {"inputText": "a", "dimensions": 256})[1]
    older, newer = ask(COHERE_3, COHERE_BODY)[1], ask(COHERE_4, COHERE_BODY | {"output_dimension": 256})[1]
    nova = ask(NOVA, NOVA_BODY)[1]

    assert (len(first["embedding"]), len(second["embedding"]), second["inputTextTokenCount"]) == (1536, 256, 1)
    assert (len(older["embeddings"]), older["response_type"]) == (2, "embeddings_floats")
    assert (len(newer["embeddings"]["float"][0]), newer["response_type"]) == (256, "embeddings_by_type")
    assert len(nova["embeddings"][0]["embedding"]) == 256


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (TITAN_1, {"inputText": "a", "dimensions": 256}, 400),
        (TITAN_2, {"inputText": "a", "dimensions": 3}, 400),
        (TITAN_2, {"inputText": ["a"]}, 400),
        (COHERE_3, COHERE_BODY | {"output_dimension": 256}, 400),
        (COHERE_4, COHERE_BODY | {"model": "m"}, 400),
        (NOVA, {"taskType": "SINGLE_EMBEDDING"}, 400),
        (NOVA, NOVA_BODY | {"singleEmbeddingParams": NOVA_PARAMS | {"embeddingPurpose": "ANY"}}, 400),
        (NOVA, NOVA_BODY | {"singleEmbeddingParams": NOVA_PARAMS | {"text": {"value": "a"}}}, 400),
        ("/model/no-such-model-embed/invoke", {"inputText": "a"}, 400),
        (OPENAI, {"model": "m", "input": []}, 400),
        (OPENAI, {"model": "m", "input": ["a", 1]}, 400),
        (OPENAI, {"input": "a"}, 400),
        (OPENAI, {"model": "m", "input": "a", "encoding_format": None}, 400),
        (OPENAI, {"model": "m", "input": "a", "dimensions": -1}, 400),
        (OPENAI, {"model": "no-such-model", "input": "a"}, 404),
        (ONE, {}, 400),
        (ONE, CONTENT | {"taskType": "NONE"}, 400),
        (BATCH, {"requests": [CONTENT | {"model": "models/other"}]}, 400),
        (BATCH, {"requests": []}, 400),
        ("/v2/embed", {"model": "m", "texts": ["a"]}, 400),
        ("/v2/embed", {"model": "m", "texts": [], "input_type": "clustering"}, 400),
        ("/api/embed", {"model": "m", "input": [[1]]}, 400),
        (COMPLETIONS, {"model": "m"}, 400),
        (COMPLETIONS, {"model": "m", "prompt": "a", "max_tokens": -1}, 400),
        (COMPLETIONS, {"model": "no-such-model", "prompt": "a"}, 404),
        (COUNT, {"model": "m", "messages": MESSAGES, "max_tokens": 5}, 400),
        (COUNT, {"model": "m"}, 400),
    ],
)
def test_an_illegal_request_gets_the_documented_status(path: str, body: Any, status: int) -> None:
    assert ask(path, body)[0] == status


def test_a_completion_stops_at_sixteen_tokens_unless_told_otherwise() -> None:
    _, short = ask(COMPLETIONS, {"model": "m", "prompt": "nonce:x long", "n": 2, "logprobs": 1})
    _, echoed = ask(COMPLETIONS, {"model": "m", "prompt": "nonce:x", "max_tokens": 3, "echo": True})

    assert len(short["choices"]) == 2
    assert all(len(choice["logprobs"]["tokens"]) <= 16 for choice in short["choices"])
    assert echoed["choices"][0]["text"].startswith("nonce:xnonce:x")
    assert echoed["choices"][0]["finish_reason"] == "length"


def test_a_completion_stream_says_the_same() -> None:
    asked = {"model": "m", "prompt": "hello", "max_tokens": 200}
    _, whole = ask(COMPLETIONS, asked)
    _, stream = ask(COMPLETIONS, asked | {"stream": True, "stream_options": {"include_usage": True}})

    events = [event.removeprefix(b"data: ") for event in stream.split(b"\n\n") if event]
    chunks = [json.loads(event) for event in events[:-1]]
    assert "".join(choice["text"] for chunk in chunks for choice in chunk["choices"]) == whole["choices"][0]["text"]
    assert chunks[-1]["usage"] == whole["usage"]
    assert events[-1] == b"[DONE]"


def test_anthropic_counts() -> None:
    assert ask(COUNT, {"model": "m", "messages": MESSAGES})[1]["input_tokens"] >= 2
