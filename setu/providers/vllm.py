"""vLLM, started with `vllm serve`: no key unless it was given one, any model."""

from setu.providers.record import Provider

PROVIDER = Provider(
    name="vllm",
    base_url="http://localhost:8000/v1",
    dialects=("openai_chat",),
    capabilities=frozenset({"max_completion_tokens", "stream_usage", "top_k", "video_url"}),
    owned_by="vllm",
    docs="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    read="2026-11-20",
    unconfirmed=("video_url",),
)
