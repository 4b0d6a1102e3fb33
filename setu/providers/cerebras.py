"""Cerebras. Models: inference-docs.cerebras.ai/models/overview (2026-11)."""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Quirk

PROVIDER = Provider(
    name="cerebras",
    base_url="https://api.cerebras.ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="CEREBRAS_API_KEY", scheme="bearer"),),
    # Usage comes unasked, with the last chunk.
    capabilities=frozenset({"max_completion_tokens"}),
    quirks=(
        # Documented as a 400.
        Quirk(
            dialect="openai_chat",
            source="https://inference-docs.cerebras.ai/resources/openai#currently-unsupported-openai-features",
            proof="genai-23c75e29ec",
            request=quirks.without("frequency_penalty", "logit_bias", "presence_penalty"),
        ),
    ),
    models=known("gpt-oss-120b", "llama-3.3-70b", "llama3.1-8b", "qwen-3-32b", "zai-glm-4.7"),
    families=("llama3.*", "qwen-3-*", "zai-glm-*"),
    owned_by="cerebras",
    docs="https://inference-docs.cerebras.ai/api-reference/chat-completions",
)
