"""Perplexity. Models: docs.perplexity.ai/getting-started/models (2026-11)."""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Quirk

PROVIDER = Provider(
    name="perplexity",
    base_url="https://api.perplexity.ai",
    dialects=("openai_chat",),
    keys=(KeySource(env="PERPLEXITY_API_KEY", scheme="bearer"),),
    # Usage comes unasked, in every chunk; files come by address.
    capabilities=frozenset({"file_url", "top_k"}),
    quirks=(
        # A stream's chunk calls itself a completion and repeats the whole answer so far beside the delta.
        Quirk(
            dialect="openai_chat",
            source="https://docs.perplexity.ai/guides/streaming-responses",
            proof="genai-9f3b0a05fe",
            frame=quirks.perplexity_frames,
        ),
    ),
    models=known("sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research"),
    families=("sonar*", "r1-1776"),
    owned_by="perplexity",
    docs="https://docs.perplexity.ai/api-reference/chat-completions-post",
    unconfirmed=(
        "the page was not opened: address, models and the habit of its streams are those of recorded exchanges",
        "file_url and top_k",
    ),
)
