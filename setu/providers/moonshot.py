"""Moonshot AI (Kimi)."""

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
            source="https://www.librechat.ai/docs/configuration/librechat_yaml/ai_endpoints/moonshot",
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
    models=known("kimi-k3", "kimi-k3.1-pro", "kimi-k2.7-code", "kimi-k2.6"),
    families=("kimi-*", "moonshot-*"),
    owned_by="moonshot",
    docs="https://ai-sdk.dev/providers/ai-sdk-providers/moonshotai",
    read="2026-11-20",
    unconfirmed=(
        "its own pages (platform.kimi.ai) were not opened",
        "thinking is switched and taken back as agentscope and LibreChat document it",
        "video_url",
    ),
)
