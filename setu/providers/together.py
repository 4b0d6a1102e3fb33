"""Together AI. It lists hundreds of models at /v1/models."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="together",
    base_url="https://api.together.ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="TOGETHER_API_KEY", scheme="bearer"),),
    # Usage comes unasked, with the last chunk.
    capabilities=frozenset({"top_k", "video_url"}),
    models=known(
        "openai/gpt-oss-120b",
        "deepseek-ai/DeepSeek-V4-Pro-0813",
        "zai-org/GLM-5.3",
        "zai-org/GLM-5.3-Flash",
    ),
    owned_by="together",
    docs="https://docs.together.ai/docs/inference/openai-compatibility",
    read="2026-11-20",
)
