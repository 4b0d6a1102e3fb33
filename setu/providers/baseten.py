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
    models=known("openai/gpt-oss-120b", "zai-org/GLM-5.3", "moonshotai/Kimi-K3", "deepseek-ai/DeepSeek-V4.1-Flash"),
    owned_by="baseten",
    docs="https://docs.baseten.co/inference/model-apis/overview",
    unconfirmed=(
        "the page was not opened: address and members are those of recorded exchanges",
        "the models, which are those of LiteLLM 1.109",
        "top_k",
    ),
)
