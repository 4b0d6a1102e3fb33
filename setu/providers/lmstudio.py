"""LM Studio's local server."""

from setu.providers.record import Provider

PROVIDER = Provider(
    name="lmstudio",
    base_url="http://localhost:1234/v1",
    dialects=("openai_chat",),
    capabilities=frozenset({"stream_usage", "top_k"}),
    owned_by="lmstudio",
    docs="https://github.com/lmstudio-ai/docs/blob/main/1_developer/3_openai-compat/chat-completions.md",
    read="2026-11-20",
    unconfirmed=("stream_options, which its list of supported parameters lacks",),
)
