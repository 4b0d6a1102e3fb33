"""Novita AI."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="novita",
    base_url="https://api.novita.ai/v3/openai",
    dialects=("openai_chat",),
    keys=(KeySource(env="NOVITA_API_KEY", scheme="bearer"),),
    # Both are in its parameter table.
    capabilities=frozenset({"stream_usage", "top_k"}),
    models=known("meta-llama/llama-3.1-8b-instruct", "deepseek/deepseek-r1-distill-qwen-14b"),
    owned_by="novita",
    docs="https://novita.ai/docs/api-reference/model-apis-llm-create-chat-completion",
)
