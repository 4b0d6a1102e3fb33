"""Anthropic. Addresses and variables are those of its own client, anthropic-sdk-python 2.11; so are the ids."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="anthropic",
    base_url="https://api.anthropic.com",
    dialects=("anthropic",),
    # Anthropic's own SDK order: an API key goes in x-api-key, an auth token is a bearer token.
    keys=(
        KeySource(env="ANTHROPIC_API_KEY", scheme="x-api-key"),
        KeySource(env="ANTHROPIC_AUTH_TOKEN", scheme="bearer"),
    ),
    scheme="x-api-key",
    # The first is the one that the laws are run with: newer ones take no sampling at all.
    models=known(
        "claude-sonnet-4-5",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-opus-5",
        "claude-sonnet-5",
        "claude-opus-4-8",
        "claude-opus-4-7",
        "claude-opus-4-6",
        "claude-sonnet-4-6",
        "claude-opus-4-5",
        "claude-haiku-4-5",
    ),
    families=("claude-*",),
    headers={"anthropic-version": "2023-06-01"},
    owned_by="anthropic",
    docs="https://github.com/anthropics/anthropic-sdk-python",
    read="2026-11-20",
)
