"""Xiaomi MiMo."""

from setu.providers.models import known
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="xiaomi",
    base_url="https://api.xiaomimimo.com/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="MIMO_API_KEY", scheme="bearer"), KeySource(env="XIAOMI_API_KEY", scheme="bearer")),
    # Thinking is switched by `thinking: {type}` and comes back as `reasoning_content`.
    capabilities=frozenset({"max_completion_tokens", "reasoning_content", "thinking", "video_url"}),
    models=known("mimo-v2.6-pro", "mimo-v2.6-flash", "mimo-v2.5-pro", "mimo-v2.5"),
    families=("mimo-*",),
    owned_by="xiaomi",
    docs="https://docs.agno.com/models/providers/native/xiaomi/overview",
    read="2026-11-20",
    unconfirmed=("its own page was not opened: what is not in agno's and OpenClaw's is in recorded exchanges",),
)
