"""Mistral AI. Address, members and parts are those of its own client, mistralai 3.7."""

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
        # An SDK's message replayed as it was, with `refusal` or another host's `reasoning_content`, is a 422, too.
        Quirk(
            dialect="openai_chat",
            source="https://github.com/BerriAI/litellm/issues/30835",
            proof="B-MSG-10",
            request=quirks.known_members(
                {
                    "system": frozenset({"role", "content"}),
                    "user": frozenset({"role", "content"}),
                    "assistant": frozenset({"role", "content", "tool_calls", "prefix"}),
                    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
                }
            ),
        ),
        # One client reports that calls must stand without any content, null included; words beside calls stay, for
        # mistral-common's own validator takes them from its version 5 on.
        Quirk(
            dialect="openai_chat",
            source="https://github.com/vybestack/llxprt-code/issues/761",
            proof="B-MSG-16",
            request=quirks.no_null_content,
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
    docs="https://github.com/mistralai/client-python",
    read="2026-11-20",
)
