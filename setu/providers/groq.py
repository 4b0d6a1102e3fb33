"""Groq. Many Llama ids ended on 2026-08-16 for all but committed customers (console.groq.com/docs/deprecations)."""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Quirk

PROVIDER = Provider(
    name="groq",
    base_url="https://api.groq.com/openai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="GROQ_API_KEY", scheme="bearer"),),
    # Usage also comes unasked, in `x_groq`; `max_tokens` is deprecated.
    capabilities=frozenset({"max_completion_tokens", "stream_usage"}),
    quirks=(
        # Documented as a 400: members it does not support, at the top and inside messages.
        Quirk(
            dialect="openai_chat",
            source="https://console.groq.com/docs/openai#currently-unsupported-openai-features",
            proof="cassettes/groq/openai_chat/error-400.yaml",
            request=quirks.without("logprobs", "top_logprobs", "logit_bias"),
        ),
        # "value must be a string": only a user's content may be a list.
        Quirk(
            dialect="openai_chat",
            source="https://console.groq.com/docs/openai#currently-unsupported-openai-features",
            proof="genai-6a3fff4d6a",
            request=quirks.only_message_members("role", "content", "tool_calls", "tool_call_id", "reasoning"),
        ),
    ),
    models=known("openai/gpt-oss-120b", "openai/gpt-oss-20b", "qwen/qwen3.8-27b", "llama-3.3-70b-versatile"),
    families=("compound-beta*", "groq/*", "llama-3*"),
    owned_by="groq",
    docs="https://console.groq.com/docs/openai",
    read="2026-11-20",
)
