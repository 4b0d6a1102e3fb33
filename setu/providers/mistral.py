"""Mistral AI. Models: docs.mistral.ai/getting-started/models (2026-11)."""

from setu.providers import quirks
from setu.providers.models import known
from setu.providers.record import KeySource, Provider, Quirk

PROVIDER = Provider(
    name="mistral",
    base_url="https://api.mistral.ai/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="MISTRAL_API_KEY", scheme="bearer"),),
    # Thinking is a part of the content, documents come by address, and a call's id is nine letters and digits.
    capabilities=frozenset({"document_url", "stream_usage", "thinking_parts", "tool_id_9"}),
    quirks=(
        # Ids that other hosts minted come back with a history (B-TOOL-22).
        Quirk(
            dialect="openai_chat",
            source="https://github.com/anomalyco/opencode/issues/1680",
            proof="B-TOOL-22",
            request=quirks.short_ids,
        ),
        # Unknown members are a 422, and the seed has a name of its own.
        Quirk(
            dialect="openai_chat",
            source="https://docs.mistral.ai/api/endpoint/chat",
            proof="genai-195b90dcc0",
            request=quirks.renamed({"seed": "random_seed"}),
        ),
        # "Unexpected role 'user' after role 'tool'", code 3230: every Anthropic client writes such turns.
        Quirk(
            dialect="openai_chat",
            source="https://github.com/datapizza-labs/datapizza-ai/issues/98",
            proof="B-MSG-15",
            request=quirks.bridged_turns,
        ),
    ),
    models=known(
        "mistral-large-latest",
        "mistral-medium-latest",
        "mistral-small-latest",
        "magistral-medium-latest",
        "magistral-small-latest",
        "ministral-8b-latest",
        "codestral-latest",
        "devstral-small-latest",
    ),
    families=(
        "mistral-*",
        "magistral-*",
        "ministral-*",
        "codestral-*",
        "devstral-*",
        "pixtral-*",
        "open-mistral-*",
        "open-mixtral-*",
        "labs-*",
    ),
    owned_by="mistral",
    docs="https://docs.mistral.ai/api/endpoint/chat",
)
