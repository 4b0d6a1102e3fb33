"""What hosts that speak OpenAI's chat completions take beside what OpenAI takes.

A member that one host documents is an error at the next: OpenAI answers 400 to any that it does not know.
"""

from collections.abc import Mapping

import msgspec

from setu.conformance.wire.model import words


class Additions(msgspec.Struct, frozen=True, kw_only=True):
    """A host's own names: `members` of the body, `parts` by type, `inside` messages, parts, calls and tools."""

    members: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()


NOTHING = Additions()

HOSTS: Mapping[str, Additions] = {
    "api.openai.com": NOTHING,
    "openai.azure.com": NOTHING,
    # openrouter.ai/docs/api/reference/parameters and /features/multimodal name them
    "openrouter.ai": Additions(
        members=words("""
            cache_control image_config include_reasoning min_p models plugins provider reasoning repetition_penalty
            route preset session_id structured_outputs top_a top_k trace transforms usage debug
            """),
        parts=words("video_url"),
        inside=words(
            "cache_control reasoning reasoning_content reasoning_details annotations index eager_input_streaming"
        ),
    ),
    # Mistral's OpenAPI document of chat completions names them
    "api.mistral.ai": Additions(
        members=words("random_seed safe_prompt prompt_mode"),
        parts=words("document_url thinking"),
        inside=words("prefix"),
    ),
    # api-docs.deepseek.com: thinking mode, and chat prefix completion (on its /beta base URL)
    "api.deepseek.com": Additions(members=words("thinking"), inside=words("reasoning_content prefix")),
    # docs.z.ai/guides/capabilities/thinking and Moonshot's like it, as their provider rows have them
    "api.z.ai": Additions(members=words("thinking"), parts=words("video_url"), inside=words("reasoning_content")),
    "api.moonshot.ai": Additions(
        members=words("thinking"), parts=words("video_url"), inside=words("reasoning_content")
    ),
    # groq-python's request parameters (github.com/groq/groq-python/pull/183, read 2026-11-20)
    "api.groq.com": Additions(members=words("include_reasoning reasoning_format"), inside=words("reasoning")),
    # docs.x.ai/developers/advanced-api-usage/deferred-chat-completions, read 2026-11-20; search_parameters: its SDKs
    "api.x.ai": Additions(members=words("search_parameters deferred"), inside=words("reasoning_content")),
    # thinking as a switch, as recorded traffic has it (corpus exchange genai-dfeddc48c0); the rest as its row has it
    "aliyuncs.com": Additions(
        members=words("enable_thinking thinking_budget top_k"),
        inside=words("reasoning_content"),
        parts=words("video_url"),
    ),
    # thought signatures, as recorded traffic has them (corpus exchange pydantic-ai-81534f046f)
    "generativelanguage.googleapis.com": Additions(inside=words("extra_content")),
}
"""By host name; a name below one of these (a resource of Azure) is the same host."""

PARTS = frozenset().union(*(host.parts for host in HOSTS.values()))
INSIDE = frozenset().union(*(host.inside for host in HOSTS.values()))
UNKNOWN = Additions(
    members=frozenset().union(*(host.members for host in HOSTS.values())),
    parts=PARTS,
    inside=INSIDE - {"cache_control"},
)
"""What a host that nobody here knows may take: anything some host takes, but marks, which most refuse (B-PRM-14)."""


def additions(origin: str) -> Additions:
    """Return what the host of an origin (`https://api.openai.com`) takes."""
    host = origin.partition("://")[2].partition(":")[0]
    return next((found for name, found in HOSTS.items() if host == name or host.endswith(f".{name}")), UNKNOWN)
