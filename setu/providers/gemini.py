"""Google's Gemini API. Addresses and variables are those of its own client, google-genai 3.4."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="gemini",
    base_url="https://generativelanguage.googleapis.com",
    dialects=("gemini",),
    # Google's SDK: when both are set, GOOGLE_API_KEY wins.
    keys=(
        KeySource(env="GOOGLE_API_KEY", scheme="x-goog-api-key"),
        KeySource(env="GEMINI_API_KEY", scheme="x-goog-api-key"),
    ),
    scheme="x-goog-api-key",
    models=known(
        "gemini-3.8-flash",
        "gemini-3.1-pro-preview",
        "gemini-3-flash-preview",
        "gemini-3-pro-preview",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
        "gemini-2.5-flash-lite",
    ),
    families=("gemini-*", "gemma-*"),
    owned_by="google",
    docs="https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thinking",
    read="2026-11-20",
    unconfirmed=("context and limits of the models, but by LiteLLM 1.109",),
)
