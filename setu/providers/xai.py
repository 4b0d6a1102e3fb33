"""xAI. Models: docs.x.ai/docs/models (2026-11)."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="xai",
    base_url="https://api.x.ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="XAI_API_KEY", scheme="bearer"),),
    # Earlier thinking is taken back as `reasoning_content`; `max_tokens` is deprecated.
    capabilities=frozenset({"max_completion_tokens", "reasoning_content", "stream_usage"}),
    models=known("grok-4", "grok-4-fast", "grok-code-fast-1", "grok-3", "grok-3-mini"),
    families=("grok-*",),
    owned_by="xai",
    docs="https://docs.x.ai/docs/api-reference",
)
