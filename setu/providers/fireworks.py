"""Fireworks AI. Its own ids are paths: `accounts/fireworks/models/…`."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="fireworks",
    base_url="https://api.fireworks.ai/inference/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="FIREWORKS_API_KEY", scheme="bearer"),),
    # Usage comes unasked, with the last chunk; earlier thinking is taken back as `reasoning_content`.
    capabilities=frozenset({"reasoning_content", "top_k"}),
    models=known(
        "accounts/fireworks/models/gpt-oss-120b",
        "accounts/fireworks/models/deepseek-r1",
        "accounts/fireworks/models/llama-v3p3-70b-instruct",
    ),
    families=("accounts/*/models/*",),
    owned_by="fireworks",
    docs="https://docs.fireworks.ai/api-reference/post-chatcompletions",
)
