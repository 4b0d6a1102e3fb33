"""Nebius Token Factory, once AI Studio (`api.studio.nebius.ai`)."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="nebius",
    base_url="https://api.tokenfactory.nebius.com/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="NEBIUS_API_KEY", scheme="bearer"),),
    capabilities=frozenset({"top_k"}),
    models=known("openai/gpt-oss-120b", "Qwen/Qwen3-235B-A22B-Instruct-2507"),
    owned_by="nebius",
    docs="https://docs.tokenfactory.nebius.com/api-reference/introduction",
    read="2026-11-20",
    unconfirmed=(
        "top_k",
        "the models, which are those that NeuroLink and Pipecat document",
    ),
)
