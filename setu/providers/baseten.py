"""Baseten Model APIs."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="baseten",
    base_url="https://inference.baseten.co/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="BASETEN_API_KEY", scheme="bearer"),),
    # Its server is an OpenAI-compatible one of the vLLM family.
    capabilities=frozenset({"max_completion_tokens", "stream_usage", "top_k"}),
    models=known("deepseek-ai/DeepSeek-V4-Pro", "moonshotai/Kimi-K2.5", "openai/gpt-oss-120b", "zai-org/GLM-5.2"),
    owned_by="baseten",
    docs="https://docs.baseten.co/inference/model-apis/overview",
)
