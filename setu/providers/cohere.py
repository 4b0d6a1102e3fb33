"""Cohere."""

from setu.dialects.record import Facts
from setu.providers.record import KeySource, Provider

_COMMAND = Facts(context=128_000, max_output=4_000, thinking="none", vision=False, tools=True)
_COMMAND_A = Facts(context=256_000, max_output=8_000, thinking="none", vision=False, tools=True)
_PLUS = Facts(context=128_000, max_output=64_000, vision=True, tools=True)
_REASONING = Facts(context=256_000, max_output=32_000, thinking="budget", vision=False, tools=True)
_VISION = Facts(context=128_000, max_output=8_000, thinking="none", vision=True, tools=False)
_AYA = Facts(context=128_000, max_output=4_000, thinking="none", vision=False, tools=False)

PROVIDER = Provider(
    name="cohere",
    base_url="https://api.cohere.com",
    dialects=("cohere",),
    # Cohere's SDK reads CO_API_KEY; COHERE_API_KEY is what everybody else calls it.
    keys=(KeySource(env="CO_API_KEY", scheme="bearer"), KeySource(env="COHERE_API_KEY", scheme="bearer")),
    models={
        "command-a-plus-05-2026": _PLUS,
        "command-a-03-2025": _COMMAND_A,
        "command-a-reasoning-08-2025": _REASONING,
        "command-a-vision-07-2025": _VISION,
        "command-r7b-12-2024": _COMMAND,
        "command-r-plus-08-2024": _COMMAND,
        "command-r-08-2024": _COMMAND,
        "c4ai-aya-expanse-32b": _AYA,
        "c4ai-aya-vision-32b": _VISION,
    },
    families=("command-*", "c4ai-*"),
    owned_by="cohere",
    docs="https://docs.cohere.com/reference/chat",
    read="2026-11-20",
    unconfirmed=(
        "the limits of command-a-reasoning, command-a-vision and of the aya models",
        "the limits of the others, but by LiteLLM 1.109",
    ),
)
