"""Alibaba Cloud Model Studio (Qwen), the international endpoint."""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Quirk

PROVIDER = Provider(
    name="alibaba",
    base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="DASHSCOPE_API_KEY", scheme="bearer"),),
    # `thinking` is rendered in the form that the quirk below turns into the host's own switch.
    capabilities=frozenset({"stream_usage", "thinking", "top_k", "video_url"}),
    quirks=(
        # Thinking is a flag and a budget of tokens at the top of the body.
        Quirk(
            dialect="openai_chat",
            source="https://www.alibabacloud.com/help/en/model-studio/deep-thinking",
            proof="genai-dfeddc48c0",
            request=quirks.enable_thinking,
        ),
    ),
    models=known(
        "qwen3.8-max",
        "qwen3.8-flash",
        "qwen3.7-max",
        "qwen3.7-plus",
        "qwen3-max",
        "qwen-plus",
        "qwen-flash",
        "qwen3-vl-flash",
    ),
    families=("qwen-*", "qwen3*", "qwq-*"),
    owned_by="alibaba",
    docs="https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
    read="2026-11-20",
    unconfirmed=("top_k and video_url",),
)
