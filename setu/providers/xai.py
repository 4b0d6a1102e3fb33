"""xAI. A wrong key is a 400 here (docs.x.ai/developers/debugging)."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="xai",
    base_url="https://api.x.ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="XAI_API_KEY", scheme="bearer"),),
    # Earlier thinking is taken back as `reasoning_content`; `max_tokens` is deprecated.
    capabilities=frozenset({"max_completion_tokens", "reasoning_content", "stream_usage"}),
    models=known("grok-4.7", "grok-4.6", "grok-4.5", "grok-4.3", "grok-4.20-reasoning", "grok-4.20-non-reasoning"),
    families=("grok-*",),
    owned_by="xai",
    docs="https://docs.x.ai/developers/debugging",
    read="2026-11-20",
    unconfirmed=("max_completion_tokens",),
)
