"""Anthropic. Models and limits: docs.claude.com/en/docs/about-claude/models (2026-11)."""

from setu.dialects.record import Facts
from setu.providers.record import KeySource, Provider

_CLAUDE_4 = Facts(context=200_000, max_output=64_000, thinking="budget", vision=True, tools=True)
# Since Opus 4.7 thinking is adaptive and any temperature, top_p or top_k is a 400; since 4.8 system turns may stand
# between messages (docs.claude.com/en/docs/about-claude/models, migration guides; 2026-11).
_OPUS_47 = Facts(context=1_000_000, max_output=128_000, thinking="adaptive", sampling="none", vision=True, tools=True)
_CLAUDE_5 = Facts(
    context=1_000_000,
    max_output=128_000,
    thinking="adaptive",
    sampling="none",
    system_turns=True,
    vision=True,
    tools=True,
)
_OPUS_4 = Facts(context=200_000, max_output=32_000, thinking="budget", vision=True, tools=True)
_CLAUDE_35 = Facts(context=200_000, max_output=8_192, thinking="none", vision=True, tools=True)

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
    models={
        "claude-sonnet-4-5": _CLAUDE_4,
        "claude-opus-5-5": _CLAUDE_5,
        "claude-sonnet-5-5": _CLAUDE_5,
        "claude-haiku-5-5": _CLAUDE_5,
        "claude-opus-5": _CLAUDE_5,
        "claude-sonnet-5": _CLAUDE_5,
        "claude-opus-4-8": _CLAUDE_5,
        "claude-opus-4-7": _OPUS_47,
        "claude-opus-4-6": _CLAUDE_4,
        "claude-sonnet-4-6": _CLAUDE_4,
        "claude-opus-4-5": _CLAUDE_4,
        "claude-haiku-4-5": _CLAUDE_4,
        "claude-opus-4-1": _OPUS_4,
        "claude-sonnet-4-0": _CLAUDE_4,
        "claude-3-5-haiku-latest": _CLAUDE_35,
    },
    families=("claude-*",),
    headers={"anthropic-version": "2023-06-01"},
    owned_by="anthropic",
    docs="https://docs.claude.com/en/api/messages",
)
