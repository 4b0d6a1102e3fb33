"""Vercel AI Gateway: `creator/model` ids of many hosts."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="vercel",
    base_url="https://ai-gateway.vercel.sh/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="AI_GATEWAY_API_KEY", scheme="bearer"),),
    # Thinking is asked with a `reasoning` object and comes back as `reasoning_details`; cache marks go through.
    capabilities=frozenset(
        {"cache_control", "max_completion_tokens", "reasoning", "reasoning_details", "stream_usage"}
    ),
    models=known("openai/gpt-5", "anthropic/claude-sonnet-4", "google/gemini-2.5-flash"),
    owned_by="vercel",
    docs="https://vercel.com/docs/ai-gateway/sdks-and-apis/openai-chat-completions",
    read="2026-11-20",
)
