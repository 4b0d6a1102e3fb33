"""Nebius Token Factory (AI Studio)."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="nebius",
    base_url="https://api.studio.nebius.ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="NEBIUS_API_KEY", scheme="bearer"),),
    # It is vLLM underneath.
    capabilities=frozenset({"top_k"}),
    models=known("meta-llama/Llama-3.3-70B-Instruct", "Qwen/Qwen3-235B-A22B"),
    owned_by="nebius",
    docs="https://docs.nebius.com/studio/inference/api",
)
