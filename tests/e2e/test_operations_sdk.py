"""The providers' own SDKs embed, complete and count through the gateway, with the simulator as every upstream."""

from collections.abc import Iterator

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.server.serve import Background
from setu.transport.simulate.simulator import Simulator

EMBEDDERS = (
    "openai/text-embedding-3-small",
    "gemini/gemini-embedding-001",
    "ollama/nomic-embed-text",
    "cohere/embed-v4.0",
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    names = ("openai", "anthropic", "gemini", "cohere", "ollama")
    config = Config(providers={name: ProviderConfig(type=name) for name in names})
    deployed = build.deployments(config, {}, offline_key="offline")
    gateway = build.gateway(deployed, Simulator(build.SystemClock()), config=config, on_call=lambda _call: None)
    with Background(build.app(gateway, config, dict)) as server:
        yield server.url


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0)


@pytest.mark.parametrize(
    "model", ["openai/text-embedding-3-small", "gemini/gemini-embedding-001", "ollama/nomic-embed-text"]
)
def test_the_sdks_own_base64_gives_768_numbers_not_192(client: openai.OpenAI, model: str) -> None:
    """B-EMB-01: the SDK asks for base64 unasked; read as anything else, 768 dimensions become 192."""
    answer = client.embeddings.create(model=model, input=["one", "two"], dimensions=768)

    assert [len(row.embedding) for row in answer.data] == [768, 768]
    assert [row.index for row in answer.data] == [0, 1]
    assert answer.data[0].embedding != answer.data[1].embedding


@pytest.mark.parametrize("model", EMBEDDERS)
def test_both_encodings_give_the_same_numbers(client: openai.OpenAI, model: str) -> None:
    packed = client.embeddings.create(model=model, input="one", dimensions=512)
    floats = client.embeddings.create(model=model, input="one", dimensions=512, encoding_format="float")

    assert packed.data[0].embedding == floats.data[0].embedding
    assert floats.usage.prompt_tokens == 1


def test_a_model_that_only_its_provider_knows_needs_no_prefix(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="text-embedding-3-large", input=[[1, 2], [3]])

    assert [len(row.embedding) for row in answer.data] == [3072, 3072]


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="gemini/no-such-model", input="a")


@pytest.mark.parametrize(
    "model", ["openai/gpt-3.5-turbo-instruct", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash"]
)
def test_a_completion_is_answered_whole_and_streamed(client: openai.OpenAI, model: str) -> None:
    whole = client.completions.create(model=model, prompt="nonce:abc", max_tokens=200)
    stream = client.completions.create(model=model, prompt="nonce:abc", max_tokens=200, stream=True)
    text = "".join(choice.text for chunk in stream for choice in chunk.choices)

    assert whole.object == "text_completion"
    assert "nonce:abc" in whole.choices[0].text
    assert text == whole.choices[0].text
    assert whole.usage is not None
    assert whole.usage.completion_tokens > 0


@pytest.mark.parametrize("model", ["anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "openai/gpt-4o-mini"])
def test_anthropics_sdk_counts_tokens_of_any_model(url: str, model: str) -> None:
    client = anthropic.Anthropic(base_url=url, api_key="x", max_retries=0)

    answer = client.messages.count_tokens(
        model=model,
        system="Be brief.",
        messages=[{"role": "user", "content": "How many words are these?"}],
        tools=[{"name": "look", "description": "Look it up.", "input_schema": {"type": "object"}}],
    )

    assert 5 <= answer.input_tokens <= 60


@pytest.fixture
def google(url: str) -> genai.Client:
    return genai.Client(api_key="x", http_options=types.HttpOptions(base_url=url))


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "anthropic/claude-sonnet-4-5", "openai/gpt-4o-mini"])
def test_googles_sdk_counts_tokens_of_any_model(google: genai.Client, model: str) -> None:
    answer = google.models.count_tokens(model=model, contents="How many words are these?")

    assert answer.total_tokens is not None
    assert 5 <= answer.total_tokens <= 20


@pytest.mark.parametrize(
    "model",
    ["gemini-embedding-001", "models/gemini-embedding-001", "openai/text-embedding-3-small", "cohere/embed-v4.0"],
)
def test_googles_sdk_embeds_with_any_model(google: genai.Client, model: str) -> None:
    wish = types.EmbedContentConfig(output_dimensionality=512, task_type="CLUSTERING")

    answer = google.models.embed_content(model=model, contents=["one", "two"], config=wish)

    assert answer.embeddings is not None
    assert [len(row.values or []) for row in answer.embeddings] == [512, 512]
