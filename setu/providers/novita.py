"""Novita AI."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="novita",
    base_url="https://api.novita.ai/openai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="NOVITA_API_KEY", scheme="bearer"),),
    capabilities=frozenset({"stream_usage", "top_k"}),
    models=known("zai-org/glm-5.3-flash", "moonshotai/kimi-k2.5", "deepseek/deepseek-v3.2"),
    owned_by="novita",
    docs="https://novita.ai/docs/guides/llm-api",
    read="2026-11-20",
    unconfirmed=(
        "the address, which Promptfoo and Pipecat document; recorded exchanges have the older /v3/openai",
        "stream_options and top_k are as LiteLLM documents them",
    ),
)
