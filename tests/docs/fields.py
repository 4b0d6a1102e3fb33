"""Every request field of every client dialect, with values that ask for something.

Sources: the parameter lists of platform.openai.com/docs/api-reference (chat/create, responses/create),
docs.anthropic.com/en/api/messages and ai.google.dev/api/generate-content, read 2026-11-20, and the request types of
the vendors' Python packages. `messages`, `input` and `contents` are no options: what becomes of parts is held by
the scenarios.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

Body = dict[str, Any]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field: its place with dots, and values that ask for more than what happens anyway.

    `beside` is what must stand in the body for the field to mean anything. Of one `group` a request has one field:
    two spellings of one wish, or tools and a choice that makes them idle.
    """

    name: str
    values: tuple[Any, ...]
    beside: Body = {}
    group: str = ""


BASES: Mapping[str, Body] = {
    "openai_chat": {"model": "m", "messages": [{"role": "user", "content": "Hi."}]},
    "openai_responses": {"model": "m", "input": "Hi."},
    "anthropic": {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi."}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hi."}]}]},
}

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
STRICT = {**SCHEMA, "additionalProperties": False}
_CHAT_TOOLS: Body = {"tools": [{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}]}
_FLAT_TOOLS: Body = {"tools": [{"type": "function", "name": "look", "parameters": STRICT, "strict": True}]}
_CLAUDE_TOOLS: Body = {"tools": [{"name": "look", "input_schema": SCHEMA}]}
_GEMINI_TOOLS: Body = {"tools": [{"functionDeclarations": [{"name": "look", "parameters": {"type": "OBJECT"}}]}]}


def _of(name: str, *values: Any, group: str = "", **beside: Any) -> Field:
    return Field(name=name, values=values, beside=beside, group=group or name)


_OPENAI = (
    _of("temperature", 0.5, 0, 1),
    _of("top_p", 0.5, 0),
    _of("user", "u1"),
    _of("metadata", {"a": "b"}),
    _of("service_tier", "flex", "priority"),
    _of("store", True),
    _of("prompt_cache_key", "k"),
    _of("prompt_cache_retention", "24h"),
    _of("prompt_cache_options", {"mode": "explicit", "ttl": "30m"}),
    _of("safety_identifier", "s"),
    _of("moderation", {"model": "m", "policy": {"input": {"mode": "block"}}}),
    _of("stream", True),
)

FIELDS: Mapping[str, tuple[Field, ...]] = {
    "openai_chat": (
        *_OPENAI,
        _of("audio", {"voice": "ash", "format": "wav"}),
        _of("frequency_penalty", 0.5, -1),
        _of("function_call", "none", {"name": "look"}, group="tools", functions=[{"name": "look", "parameters": SCHEMA}]),
        _of("functions", [{"name": "look", "parameters": SCHEMA}], group="tools"),
        _of("logit_bias", {"50256": -100}),
        _of("logprobs", True),
        _of("max_completion_tokens", 32, group="cap"),
        _of("max_tokens", 32, group="cap"),
        _of("modalities", ["text", "audio"]),
        _of("n", 2),
        _of("parallel_tool_calls", False, group="tools", **_CHAT_TOOLS),
        _of("prediction", {"type": "content", "content": "x"}),
        _of("presence_penalty", 0.5, -1),
        _of("reasoning_effort", "low", "none", group="thinking"),
        _of("response_format", {"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "c", "schema": SCHEMA}}),
        _of("seed", 7),
        _of("stop", "END", ["END", "STOP"]),
        _of("stream_options.include_obfuscation", False, stream=True),
        _of("stream_options.include_usage", True, stream=True),
        _of("tool_choice", "required", "none", {"type": "function", "function": {"name": "look"}}, group="tools", **_CHAT_TOOLS),
        _of("tools", _CHAT_TOOLS["tools"]),
        _of("top_logprobs", 2, logprobs=True),
        _of("verbosity", "low"),
        _of("web_search_options", {}, {"search_context_size": "low", "user_location": {"type": "approximate", "approximate": {}}}),
        _of("top_k", 5),
        _of("reasoning", {"effort": "low"}, {"max_tokens": 2000}, group="thinking"),
        _of("thinking", {"type": "enabled", "budget_tokens": 2000}, group="thinking"),
    ),
    "openai_responses": (
        *_OPENAI,
        _of("access_programs", {"cyber": "standard"}),
        _of("background", True),
        _of("context_management", [{"type": "compaction", "compact_threshold": 9000}]),
        _of("conversation", "conv_1", group="state"),
        _of("image", {"context_compression": "enabled"}),
        _of("include", ["message.output_text.logprobs"]),
        _of("instructions", "Be brief."),
        _of("max_output_tokens", 32),
        _of("max_tool_calls", 3),
        _of("parallel_tool_calls", False, group="tools", **_FLAT_TOOLS),
        _of("previous_response_id", "resp_1", group="state"),
        _of("prompt", {"id": "pmpt_1", "variables": {"a": "b"}, "version": "2"}),
        _of("prompt_cache_options.comparison_response_id", "resp_1", group="prompt_cache_options"),
        _of("prompt_cache_options.prewarm", True, group="prompt_cache_options"),
        _of("reasoning.context", "all_turns", group="thinking"),
        _of("reasoning.effort", "low", "none", group="thinking"),
        _of("reasoning.generate_summary", "concise", group="thinking"),
        _of("reasoning.mode", "pro", group="thinking"),
        _of("reasoning.summary", "auto", group="thinking"),
        _of("stream_options.include_obfuscation", False, stream=True),
        _of("text.format", {"type": "json_object"}, {"type": "json_schema", "name": "c", "schema": STRICT}),
        _of("text.verbosity", "low"),
        _of("tool_choice", "required", "none", {"type": "function", "name": "look"}, group="tools", **_FLAT_TOOLS),
        _of("tools", _FLAT_TOOLS["tools"]),
        _of("top_logprobs", 2),
        _of("truncation", "auto"),
    ),
    "anthropic": (
        _of("billing_policy", {"type": "bill_to", "bill_to": "caller"}),
        _of("cache_control", {"type": "ephemeral", "ttl": "1h"}),
        _of("compaction", {"type": "auto", "instructions": "Be brief."}),
        _of("container", "c1"),
        _of("context_management", {"edits": []}),
        _of("diagnostics", {"previous_message_id": "msg_1"}),
        _of("fallback_credit_token", "t1"),
        _of("fallbacks", "default"),
        _of("inference_geo", "us"),
        _of("max_tokens", 32, 2000),
        _of("mcp_servers", [{"type": "url", "url": "https://example.com", "name": "x"}]),
        _of("metadata.user_id", "u1"),
        _of("output_config.effort", "low", group="thinking"),
        _of("output_config.format", {"type": "json_schema", "schema": STRICT}),
        _of("output_config.task_budget", {"type": "tokens", "total": 20000}),
        _of("output_format", {"type": "json_schema", "schema": STRICT}, group="output_config.format"),
        _of("service_tier", "auto", "standard_only"),
        _of("speed", "fast"),
        _of("stop_sequences", ["END"]),
        _of("stream", True),
        _of("system", "Be brief.", [{"type": "text", "text": "Be brief."}]),
        _of("temperature", 0.5, 0),
        _of("thinking", {"type": "enabled", "budget_tokens": 1024}, {"type": "disabled"}, group="thinking", max_tokens=4000),
        _of("thread", {"id": "thread_1"}),
        _of("tool_choice", {"type": "any"}, {"type": "none"}, {"type": "tool", "name": "look"}, group="tools", **_CLAUDE_TOOLS),
        _of("tool_choice.disable_parallel_tool_use", True, group="tools", tool_choice={"type": "auto"}, **_CLAUDE_TOOLS),
        _of("tools", _CLAUDE_TOOLS["tools"]),
        _of("top_k", 5),
        _of("top_p", 0.5, 0),
        _of("user_profile_id", "p1"),
        _of("workspace_id", "w1"),
    ),
    "gemini": (
        _of("cachedContent", "cachedContents/1"),
        _of("continuationToken", "dA=="),
        _of("generationOutputConfig", {"gcsDestination": {"uri": "gs://b/o"}}),
        _of("labels", {"a": "b"}),
        _of("modelArmorConfig", {"promptTemplateName": "x"}),
        _of("safetySettings", [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]),
        _of("serviceTier", "flex"),
        _of("store", True),
        _of("systemInstruction", {"parts": [{"text": "Be brief."}]}),
        _of("toolConfig.functionCallingConfig", {"mode": "ANY"}, {"mode": "NONE"}, group="tools", **_GEMINI_TOOLS),
        _of("toolConfig.includeServerSideToolInvocations", True, **_GEMINI_TOOLS),
        _of("toolConfig.retrievalConfig", {"languageCode": "en"}, **_GEMINI_TOOLS),
        _of("tools", _GEMINI_TOOLS["tools"]),
        *(
            Field(name=f"generationConfig.{name}", values=values, group=group or name)
            for name, values, group in (
                ("audioTimestamp", (True,), ""),
                ("audioTranscriptionConfig", ({"diarization": True},), ""),
                ("candidateCount", (2,), ""),
                ("enableAffectiveDialog", (True,), ""),
                ("enableEnhancedCivicAnswers", (True,), ""),
                ("frequencyPenalty", (0.5, -1), ""),
                ("imageConfig", ({"aspectRatio": "1:1"},), ""),
                ("maxOutputTokens", (32,), ""),
                ("mediaResolution", ("MEDIA_RESOLUTION_LOW",), ""),
                ("modelSelectionConfig", ({"featureSelectionPreference": "BALANCED"},), ""),
                ("presencePenalty", (0.5, -1), ""),
                ("responseFormat", ([{"text": {"mimeType": "APPLICATION_JSON"}}],), "output"),
                ("responseJsonSchema", (SCHEMA,), "output"),
                ("responseLogprobs", (True,), ""),
                ("responseMimeType", ("application/json", "text/x.enum"), "output"),
                ("responseModalities", (["TEXT", "IMAGE"],), ""),
                ("responseSchema", ({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},), "output"),
                ("routingConfig", ({"autoMode": {}},), ""),
                ("seed", (7,), ""),
                ("speechConfig", ({"languageCode": "en"},), ""),
                ("stopSequences", (["END"],), ""),
                ("temperature", (0.5, 0), ""),
                ("thinkingConfig.thinkingBudget", (2048, 0), "thinking"),
                ("thinkingConfig.thinkingLevel", ("LOW",), "thinking"),
                ("thinkingConfig.includeThoughts", (True,), "thinking"),
                ("topK", (5,), ""),
                ("topP", (0.5, 0), ""),
                ("translationConfig", ({"targetLanguageCode": "de"},), ""),
            )
        ),
        Field(name="generationConfig.logprobs", values=(2,), beside={"generationConfig": {"responseLogprobs": True}}, group="logprobs"),
    ),
}  # fmt: skip


def merged(body: Body, more: Body) -> Body:
    """Merge objects at every depth; `more` wins."""
    result = dict(body)
    for key, value in more.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result


def fragment(name: str, value: Any) -> Body:
    """Return the body that holds nothing but one field."""
    for step in reversed(name.split(".")):
        value = {step: value}
    assert isinstance(value, dict)
    return value
