"""LM Studio's local server."""

from setu.providers.record import Provider

PROVIDER = Provider(
    name="lmstudio",
    base_url="http://localhost:1234/v1",
    dialects=("openai_chat",),
    # Both are in its list of supported parameters.
    capabilities=frozenset({"stream_usage", "top_k"}),
    owned_by="lmstudio",
    docs="https://lmstudio.ai/docs/app/api/endpoints/openai",
)
