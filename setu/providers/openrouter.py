"""OpenRouter. It lists hundreds of models at /api/v1/models; any `author/model` id is its own."""

from setu.dialects.record import Facts
from setu.providers.record import KeySource, Provider

_ANY = Facts(thinking="effort", efforts=("minimal", "low", "medium", "high"), vision=True, tools=True)

PROVIDER = Provider(
    name="openrouter",
    base_url="https://openrouter.ai/api/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="OPENROUTER_API_KEY", scheme="bearer"),),
    capabilities=frozenset(
        {
            "stream_usage",
            "reasoning",
            "reasoning_content",
            "reasoning_details",
            "cache_control",
            "top_k",
            "file_url",
            "video_url",
        }
    ),
    models={
        "openai/gpt-4o": _ANY,
        "openrouter/auto": _ANY,
        "openai/gpt-4o-mini": _ANY,
        "anthropic/claude-sonnet-4.5": _ANY,
        "google/gemini-2.5-flash": _ANY,
        "deepseek/deepseek-r1": _ANY,
    },
    families=("*/*",),
    owned_by="openrouter",
    docs="https://openrouter.ai/docs/api/reference/errors-and-debugging",
    read="2026-11-20",
    unconfirmed=("top_k",),
)
