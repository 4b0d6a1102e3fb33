"""GitHub Models: Azure's models behind a GitHub token."""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Quirk

PROVIDER = Provider(
    name="github_models",
    base_url="https://models.github.ai/inference",
    dialects=("openai_chat",),
    keys=(KeySource(env="GITHUB_MODELS_TOKEN", scheme="bearer"), KeySource(env="GITHUB_TOKEN", scheme="bearer")),
    # Its backend is Azure's.
    capabilities=frozenset({"stream_usage"}),
    quirks=(
        # The first chunk is Azure's: empty but for the prompt's filter results.
        Quirk(
            dialect="openai_chat",
            source="https://github.com/langfuse/langfuse/issues/2833",
            proof="cassettes/azure/openai_chat/text-stream.yaml",
            frame=quirks.azure_frames,
        ),
    ),
    models=known("openai/gpt-4.1", "openai/gpt-4.1-mini", "openai/gpt-4.1-nano"),
    owned_by="github_models",
    docs="https://github.blog/changelog/2025-05-15-github-models-api-now-available",
    read="2026-11-20",
)
