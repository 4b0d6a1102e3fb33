"""Google's Gemini API. Models and limits: ai.google.dev/gemini-api/docs/models (2026-11)."""

from setu.dialects.record import Facts
from setu.providers.record import KeySource, Provider

_GEMINI_3 = Facts(
    context=1_048_576, max_output=65_536, thinking="effort", efforts=("low", "high"), vision=True, tools=True
)
_GEMINI_25 = Facts(context=1_048_576, max_output=65_536, thinking="budget", vision=True, tools=True)
_GEMINI_20 = Facts(context=1_048_576, max_output=8_192, thinking="none", vision=True, tools=True)

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
    models={
        "gemini-3-pro-preview": _GEMINI_3,
        "gemini-3-flash-preview": _GEMINI_3,
        "gemini-2.5-pro": _GEMINI_25,
        "gemini-2.5-flash": _GEMINI_25,
        "gemini-2.5-flash-lite": _GEMINI_25,
        "gemini-2.0-flash": _GEMINI_20,
    },
    families=("gemini-*", "gemma-*"),
    owned_by="google",
    docs="https://ai.google.dev/api/generate-content",
)
