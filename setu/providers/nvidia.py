"""NVIDIA's API catalogue, and NIM under another base URL."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="nvidia",
    base_url="https://integrate.api.nvidia.com/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="NVIDIA_API_KEY", scheme="bearer"),),
    capabilities=frozenset({"stream_usage"}),
    models=known("meta/llama-3.3-70b-instruct", "openai/gpt-oss-120b", "nvidia/llama-3.3-nemotron-super-49b-v1.5"),
    families=("nvidia/*",),
    owned_by="nvidia",
    docs="https://docs.api.nvidia.com/nim/reference/llm-apis",
    unconfirmed=(
        "the page was not opened: the address is that of LiteLLM 1.109",
        "the models",
        "stream_options",
    ),
)
