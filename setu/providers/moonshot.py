"""Moonshot AI (Kimi). Models: platform.moonshot.ai/docs (2026-11)."""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Quirk

PROVIDER = Provider(
    name="moonshot",
    base_url="https://api.moonshot.ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="MOONSHOT_API_KEY", scheme="bearer"),),
    # Thinking is switched by `thinking: {type}` and comes back as `reasoning_content`.
    capabilities=frozenset({"reasoning_content", "stream_usage", "thinking", "video_url"}),
    quirks=(
        # A turn with tool calls has to bring its thinking back, empty if there was none (B-THK-12).
        Quirk(
            dialect="openai_chat",
            source="https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model",
            proof="B-THK-12",
            request=quirks.replayed_thinking,
        ),
        # Its schemas are a dialect of their own: no lookaround, and no `type` beside `anyOf`.
        Quirk(
            dialect="openai_chat",
            source="https://github.com/MoonshotAI/kimi-cli/issues/1595",
            proof="B-TOOL-25",
            request=quirks.plain_schemas(quirks.no_lookaround, quirks.types_within_any_of),
        ),
    ),
    models=known("kimi-k2.6", "kimi-k2.5", "kimi-k2-thinking", "kimi-k2-0905-preview"),
    families=("kimi-*", "moonshot-*"),
    owned_by="moonshot",
    docs="https://platform.moonshot.ai/docs/api/chat",
)
