"""Cerebras. Its older page listed penalties and `logit_bias` as refused; its client of today (1.91) documents them."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="cerebras",
    base_url="https://api.cerebras.ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="CEREBRAS_API_KEY", scheme="bearer"),),
    # Usage comes unasked, with the last chunk.
    capabilities=frozenset({"max_completion_tokens"}),
    models=known("gpt-oss-120b", "qwen-3.8-27b", "gemma-4-31b"),
    families=("llama3.*", "qwen-3*", "zai-glm-*", "gemma-*"),
    owned_by="cerebras",
    docs="https://inference-docs.cerebras.ai/resources/openai",
    read="2026-11-20",
    unconfirmed=("that penalties and logit_bias are accepted", "the models, which are those of LiteLLM 1.109"),
)
