"""The simulator on real requests: what the real provider answered is legal, so the simulator answers it too."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from setu.http import Headers, Request
from setu.transport.simulate.simulator import Simulator
from tests.corpus.reader import exchanges, needs_corpus
from tests.transport.simulate.upstream import FixedClock

pytestmark = needs_corpus

LAX = {
    "dd-trace-py-d833a08758": "image_url as text: only the first vision models took it, no document has it",
    "dd-trace-py-fd238561fb": "the result names another call than the one made; only Claude 3 let that pass",
    "dd-trace-py-7acbaf34c9": "the result names another call than the one made; only Claude 3 let that pass",
    "langchain-cohere-34a8765727": "Python's type names in a JSON Schema",
    "langchain-cohere-ccae17b930": "Python's type names in a JSON Schema",
    "langchain-cohere-b131d1b794": "Python's type names in a JSON Schema",
    "langchain-cohere-aeb8fce842": "Python's type names in a JSON Schema",
    "langchain-cohere-4d0ddf1579": "Python's type names in a JSON Schema",
    "genai-6132ed31b4": "an image that is null, and the answer an error inside a 200",
    "genai-81328bcf89": "an image that is null, and the answer an error inside a 200",
    "pydantic-ai-fd0033661b": "a video of the format 'video/mp4', which is none of Bedrock's",
    "openllmetry-3836a9c2ce": "two turns of one role: Titan lets that pass",
    "openllmetry-8d3bb445a7": "two turns of one role: Titan lets that pass",
}
"""Exchanges whose request breaks the provider's own documentation."""

APIS = [
    ("openai.chat", "openai", 2000),
    ("anthropic.messages", "anthropic", 800),
    ("gemini.generate", "google", 600),
    ("gemini.stream", "google", 200),
    ("cohere.v2", "cohere", 180),
    ("ollama.chat", "ollama", 150),
    ("bedrock.converse", "bedrock", 260),
    ("bedrock.converse_stream", "bedrock", 30),
]


@pytest.mark.parametrize(("api", "provider", "least"), APIS)
def test_what_the_provider_answered_the_simulator_answers(api: str, provider: str, least: int) -> None:
    counts: Counter[str] = Counter()
    refused: dict[str, bytes] = {}
    for exchange in exchanges(api):
        if exchange["provider"] != provider or not isinstance(exchange["request_body"], dict):
            continue
        if exchange["status"] == 200:
            status, body = asyncio.run(_simulated(exchange))
            counts["answered" if status == 200 else "refused"] += 1
            if status != 200:
                refused[exchange["id"]] = body

    print(f"{api}: {dict(counts)}")
    assert counts.total() >= least
    assert {id_: body for id_, body in refused.items() if id_ not in LAX} == {}
    assert not [id_ for id_ in LAX if id_ not in refused and any(id_ == exchange["id"] for exchange in exchanges(api))]


async def _simulated(exchange: dict[str, Any]) -> tuple[int, bytes]:
    request = Request(
        method="POST",
        path=exchange["path"],
        query=exchange["query"] or "",
        headers=Headers.of({"anthropic-version": "2023-06-01"}),
        body=json.dumps(exchange["request_body"]).encode("utf-8", "surrogatepass"),
    )
    response = await Simulator(FixedClock()).send(request)
    return response.status, await response.read()
