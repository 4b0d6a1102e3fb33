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
        "accounts/fireworks/models/deepseek-v4p1-flash",
        "accounts/fireworks/models/glm-5p3",
        "accounts/fireworks/models/kimi-k3",
        "accounts/fireworks/models/gpt-oss-20b",
    ),
    families=("accounts/*/models/*",),
    owned_by="fireworks",
    docs="https://fireworks.ai/docs/guides/querying-text-models",
    read="2026-11-20",
    unconfirmed=(
        "top_k",
        "that earlier thinking is taken back as reasoning_content",
        "the models, which are those of LiteLLM 1.109",
    ),
)
