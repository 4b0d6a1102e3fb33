"""OpenAI. Models and limits: platform.openai.com/docs/models (2026-11)."""

from setu.dialects.record import Facts
from setu.providers.record import KeySource, Provider

_GPT4 = Facts(context=128_000, max_output=16_384, thinking="none", vision=True, tools=True)
_GPT41 = Facts(context=1_047_576, max_output=32_768, thinking="none", vision=True, tools=True)
_GPT5 = Facts(
    context=400_000,
    max_output=128_000,
    thinking="effort",
    efforts=("minimal", "low", "medium", "high"),
    vision=True,
    tools=True,
)
_O = Facts(
    context=200_000, max_output=100_000, thinking="effort", efforts=("low", "medium", "high"), vision=True, tools=True
)

PROVIDER = Provider(
    name="openai",
    base_url="https://api.openai.com/v1",
    dialects=("openai_chat", "openai_responses"),
    # These are served by the Responses API alone (platform.openai.com/docs/models, 2026-11).
    speaks={
        "gpt-5*-pro*": "openai_responses",
        "o1-pro*": "openai_responses",
        "o3-pro*": "openai_responses",
        "*-codex*": "openai_responses",
        "*-deep-research*": "openai_responses",
    },
    keys=(KeySource(env="OPENAI_API_KEY", scheme="bearer"),),
    capabilities=frozenset({"stream_usage", "max_completion_tokens", "developer"}),
    models={
        "gpt-5.5": _GPT5,
        "gpt-5.4": _GPT5,
        "gpt-5.4-mini": _GPT5,
        "gpt-5.2": _GPT5,
        "gpt-5.1": _GPT5,
        "gpt-5": _GPT5,
        "gpt-5-mini": _GPT5,
        "gpt-5-nano": _GPT5,
        "gpt-4.1": _GPT41,
        "gpt-4.1-mini": _GPT41,
        "gpt-4.1-nano": _GPT41,
        "gpt-4o": _GPT4,
        "gpt-4o-mini": _GPT4,
        "o3": _O,
        "o4-mini": _O,
    },
    families=("gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "ft:gpt-*", "text-embedding-*", "davinci-002", "babbage-002"),
    owned_by="openai",
    docs="https://platform.openai.com/docs/api-reference/chat",
)
