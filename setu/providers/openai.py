"""OpenAI. Addresses and variables are those of its own client, openai-python 3.52."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="openai",
    base_url="https://api.openai.com/v1",
    dialects=("openai_chat", "openai_responses"),
    # These are served by the Responses API alone (`mode` in LiteLLM's table, 1.109).
    speaks={
        "gpt-5*-pro*": "openai_responses",
        "o1-pro*": "openai_responses",
        "o3-pro*": "openai_responses",
        "*-codex*": "openai_responses",
        "*-deep-research*": "openai_responses",
    },
    keys=(KeySource(env="OPENAI_API_KEY", scheme="bearer"),),
    capabilities=frozenset({"stream_usage", "max_completion_tokens", "developer"}),
    models=known(
        "gpt-5.6",
        "gpt-5.5",
        "gpt-5.4",
        "gpt-5.4-mini",
        "gpt-5.2",
        "gpt-5.1",
        "gpt-5",
        "gpt-5-mini",
        "gpt-5-nano",
        "gpt-4.1",
        "gpt-4.1-mini",
        "gpt-4.1-nano",
        "gpt-4o",
        "gpt-4o-mini",
        "o3",
        "o4-mini",
    ),
    families=("gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "ft:gpt-*", "text-embedding-*", "davinci-002", "babbage-002"),
    owned_by="openai",
    docs="https://github.com/openai/openai-python",
    read="2026-11-20",
    unconfirmed=("context and limits of the models, but by LiteLLM 1.109",),
)
