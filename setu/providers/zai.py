"""Z.ai (GLM)."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="zai",
    base_url="https://api.z.ai/api/paas/v4",
    dialects=("openai_chat",),
    keys=(KeySource(env="ZAI_API_KEY", scheme="bearer"),),
    # Thinking is switched by `thinking: {type}`; preserved thinking comes back as `reasoning_content`.
    capabilities=frozenset({"reasoning_content", "stream_usage", "thinking", "video_url"}),
    models=known(
        "glm-5.3", "glm-5.3-flash", "glm-5.2", "glm-5.1", "glm-5", "glm-4.7", "glm-4.7-flash", "glm-4.6", "glm-4.5"
    ),
    families=("glm-*",),
    owned_by="zai",
    docs="https://docs.z.ai/guides/capabilities/thinking",
    read="2026-11-20",
    unconfirmed=("video_url",),
)
