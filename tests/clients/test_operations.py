"""What the official packages ask beside chat: embeddings, token counts, legacy completions. The simulator answers."""

import math

import pytest

from tests.clients.sdks import anthropic_sdk, google_sdk, openai_sdk
from tests.clients.upstreams import MODELS, PROVIDERS

EMBEDDERS = {
    "openai/text-embedding-3-small": 1536,
    "gemini/gemini-embedding-001": 3072,
    "openrouter/openai/text-embedding-3-small": 1536,
}
every_provider = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.mark.parametrize(("model", "size"), EMBEDDERS.items())
def test_openais_embeddings_have_all_their_dimensions(gateway: str, model: str, size: int) -> None:
    """The package asks for base64 unless told otherwise, and reads floats as base64 of a quarter (B-EMB-01)."""
    with openai_sdk(gateway) as sdk:
        packed = sdk.embeddings.create(model=model, input=["one", "two"])
        plain = sdk.embeddings.create(model=model, input=["one", "two"], encoding_format="float")

    assert [len(one.embedding) for one in packed.data] == [size, size]
    assert all(
        math.isclose(one, two, rel_tol=1e-6, abs_tol=1e-9)
        for left, right in zip(packed.data, plain.data, strict=True)
        for one, two in zip(left.embedding, right.embedding, strict=True)
    )


@pytest.mark.parametrize(("model", "size"), EMBEDDERS.items())
def test_geminis_embeddings_have_all_their_dimensions(gateway: str, model: str, size: int) -> None:
    with google_sdk(gateway) as sdk:
        answer = sdk.models.embed_content(model=model, contents=["one", "two"])

    assert [len(one.values or []) for one in answer.embeddings or []] == [size, size]


@every_provider
def test_anthropics_package_counts_tokens(gateway: str, provider: str) -> None:
    with anthropic_sdk(gateway) as sdk:
        few = sdk.messages.count_tokens(model=MODELS[provider], messages=[{"role": "user", "content": "Hi."}])
        many = sdk.messages.count_tokens(model=MODELS[provider], messages=[{"role": "user", "content": "Hi. " * 99}])

    assert 0 < few.input_tokens < many.input_tokens


@every_provider
def test_googles_package_counts_tokens(gateway: str, provider: str) -> None:
    with google_sdk(gateway) as sdk:
        few = sdk.models.count_tokens(model=MODELS[provider], contents="Hi.").total_tokens
        many = sdk.models.count_tokens(model=MODELS[provider], contents="Hi. " * 99).total_tokens

    assert 0 < (few or 0) < (many or 0)


@every_provider
def test_openais_package_completes_whole_and_streamed(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk:
        whole = sdk.completions.create(model=MODELS[provider], prompt="Say hi.", max_tokens=16)
        chunks = list(sdk.completions.create(model=MODELS[provider], prompt="Say hi.", max_tokens=16, stream=True))

    assert whole.object == "text_completion"
    assert whole.choices[0].text
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] in {"length", "stop"}
