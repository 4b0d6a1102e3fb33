"""Together AI. It lists hundreds of models at /v1/models."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="together",
    base_url="https://api.together.xyz/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="TOGETHER_API_KEY", scheme="bearer"),),
    # Usage comes unasked, with the last chunk.
    capabilities=frozenset({"top_k", "video_url"}),
    models=known(
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "deepseek-ai/DeepSeek-V4-Pro",
        "openai/gpt-oss-120b",
        "Qwen/Qwen3-235B-A22B-Instruct-2507-tput",
    ),
    owned_by="together",
    docs="https://docs.together.ai/reference/chat-completions-1",
)
