"""Natives by dialect name."""

from collections.abc import Mapping

from setu.conformance.natives import anthropic, bedrock, cohere, gemini, ollama, openai_chat, openai_responses
from setu.conformance.natives.record import Asking, Native
from setu.errors import ConfigError

NATIVES: Mapping[str, Native] = {
    module.NATIVE.name: module.NATIVE
    for module in (openai_chat, openai_responses, anthropic, gemini, bedrock, cohere, ollama)
}


def native_of(dialect: str) -> Native:
    """Return a dialect's native.

    Raises:
        ConfigError: there is none, so nothing can be said of the dialect.
    """
    if dialect not in NATIVES:
        raise ConfigError(f"no law knows {dialect!r}: write setu/conformance/natives/{dialect}.py")
    return NATIVES[dialect]


def asking_of(dialect: str) -> Asking:
    """Return how clients of a dialect ask.

    Raises:
        ConfigError: its native has no client's side.
    """
    asking = native_of(dialect).asking
    if asking is None:
        raise ConfigError(f"no law knows how clients of {dialect!r} ask: add `asking` to its native")
    return asking
