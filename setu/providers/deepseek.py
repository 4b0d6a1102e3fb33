"""DeepSeek."""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Quirk

PROVIDER = Provider(
    name="deepseek",
    base_url="https://api.deepseek.com",
    dialects=("openai_chat",),
    keys=(KeySource(env="DEEPSEEK_API_KEY", scheme="bearer"),),
    # Thinking is switched by `thinking: {type}` and comes back as `reasoning_content`.
    capabilities=frozenset({"reasoning_content", "stream_usage", "thinking"}),
    quirks=(
        # A turn with tool calls has to bring its thinking back, empty if there was none (B-THK-12).
        Quirk(
            dialect="openai_chat",
            source="https://api-docs.deepseek.com/guides/thinking_mode",
            proof="pydantic-ai-e82d8fd195",
            request=quirks.replayed_thinking,
        ),
        # A tool's pattern with lookaround or a NUL gets an empty stream (B-TOOL-25).
        Quirk(
            dialect="openai_chat",
            source="https://github.com/maximhq/bifrost/pull/7430",
            proof="B-TOOL-25",
            request=quirks.plain_schemas(quirks.no_lookaround),
        ),
    ),
    models=known("deepseek-flash", "deepseek-v4-pro", "deepseek-v4-flash"),
    families=("deepseek-*",),
    owned_by="deepseek",
    docs="https://api-docs.deepseek.com/guides/thinking_mode",
    read="2026-11-20",
)
