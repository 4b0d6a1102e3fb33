"""Bedrock behind the gateway: its own paths serve no client, and every client dialect gets its answers."""

import asyncio
import base64
import json

import pytest

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.framing.sse import SseDecoder
from setu.http import Request, Response
from setu.transport.simulate.simulator import Simulator
from tests.transport.simulate.upstream import FixedClock

MODEL = "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
SAY = [{"role": "user", "content": "Hello"}]


def _ask(path: str, body: object, query: str = "") -> Response:
    async def ask() -> Response:
        config = Config(providers={"bedrock": ProviderConfig()})
        gateway = build.gateway(build.deployments(config, {}, offline_key="k"), Simulator(FixedClock()))
        request = Request(method="POST", path=path, query=query, body=json.dumps(body).encode())
        response = await gateway.send(request)
        await response.read()
        return response

    return asyncio.run(ask())


def test_its_own_path_serves_no_client() -> None:
    response = _ask("/model/us.amazon.nova-lite-v1%3A0/converse", {"messages": []})

    assert response.status == 404
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["__type"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("path", "body", "query", "end"),
    [
        ("/v1/chat/completions", {"model": MODEL, "messages": SAY, "stream": True}, "", b"[DONE]"),
        ("/v1/messages", {"model": MODEL, "max_tokens": 99, "messages": SAY, "stream": True}, "", b"message_stop"),
        (
            f"/v1beta/models/{MODEL}:streamGenerateContent",
            {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
            "alt=sse",
            b"finishReason",
        ),
    ],
)
def test_every_client_dialect_gets_its_stream(path, body, query, end) -> None:
    response = _ask(path, body, query)

    assert response.status == 200
    assert isinstance(response.body, bytes)
    frames = [frame for frame in SseDecoder().feed(response.body) if frame.data]
    assert end in (frames[-1].data or b"")


@pytest.mark.parametrize(
    ("model", "inputs", "size"),
    [
        ("amazon.titan-embed-text-v2:0", "one", 256),
        ("amazon.nova-2-multimodal-embeddings-v1:0", ["one"], 256),
        ("us.cohere.embed-v4:0", ["one", "two"], 256),
        ("cohere.embed-english-v3", ["one", "two"], None),
    ],
)
def test_an_openai_client_gets_embeddings_counted_and_packed(model: str, inputs: object, size: int | None) -> None:
    asked = {"model": f"bedrock/{model}", "input": inputs, "encoding_format": "base64"}

    response = _ask("/v1/embeddings", asked | ({"dimensions": size} if size else {}))

    assert response.status == 200
    assert isinstance(response.body, bytes)
    answer = json.loads(response.body)
    assert [len(base64.b64decode(row["embedding"])) // 4 for row in answer["data"]] == [
        size or 1536 for _ in answer["data"]
    ]
    assert len(answer["data"]) == (1 if inputs in ("one", ["one"]) else 2)
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] > 0


def test_a_batch_for_titan_is_the_clients_error() -> None:
    response = _ask("/v1/embeddings", {"model": "bedrock/amazon.titan-embed-text-v2:0", "input": ["a", "b"]})

    assert response.status == 400
    assert isinstance(response.body, bytes)
    error = json.loads(response.body)["error"]
    assert error["param"] == "input"
    assert "one text a request" in error["message"]


def test_a_model_that_embeds_by_another_form_is_refused_by_its_name() -> None:
    response = _ask("/v1/embeddings", {"model": MODEL, "input": "a"})

    assert response.status == 400
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["error"]["param"] == "model"
