"""Hugging Face's router: one key for many hosts; a model id may end in `:host`."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="huggingface",
    base_url="https://router.huggingface.co/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="HF_TOKEN", scheme="bearer"),),
    # Documented for every host behind it; a recorded few answer without.
    capabilities=frozenset({"stream_usage"}),
    models=known("meta-llama/Llama-3.3-70B-Instruct", "deepseek-ai/DeepSeek-V4-Pro", "openai/gpt-oss-120b"),
    owned_by="huggingface",
    docs="https://huggingface.co/docs/inference-providers/tasks/chat-completion",
    read="2026-11-20",
)
