"""What Anthropic's messages endpoint refuses, in its own words.

Source: platform.claude.com/docs/en/api/messages and the tool use, extended thinking, structured outputs and prompt
caching guides (2026-11). Its validation is closed: a key it does not know is an error wherever it stands.
"""

from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.anthropic_message_rules import check_messages, check_system
from setu.transport.simulate.anthropic_wording import TOOL_NAME, Json, a_list, a_string, an_object, closed, one_of
from setu.transport.simulate.refused import RefusedError, is_integer, is_number
from setu.transport.simulate.schema_rules import malformed

_RANGES: Mapping[str, tuple[float, float]] = {"temperature": (0, 1), "top_p": (0, 1)}
_CHOICES = ("auto", "any", "tool", "none")
_THINKING = ("enabled", "disabled", "adaptive", "between_tools")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
LEAST_BUDGET = 1024


def check(body: Json) -> None:
    """Raise RefusedError for the first rule the request breaks."""
    closed(body, "", "")
    for name in ("model", "messages", "max_tokens"):
        if name not in body:
            raise RefusedError(f"{name}: Field required")
    if not isinstance(body["model"], str) or not body["model"]:
        raise RefusedError("model: String should have at least 1 character")
    if not is_integer(body["max_tokens"]):
        raise RefusedError("max_tokens: Input should be a valid integer")
    if body["max_tokens"] < 0:
        raise RefusedError("max_tokens: Input should be greater than or equal to 0")
    _scalars(body)
    check_system(body.get("system"))
    check_messages(body["messages"])
    _tools(body)
    _thinking(body)
    _output(body)
    _cache_marks(body)


def _scalars(body: Json) -> None:
    for name, (low, high) in _RANGES.items():
        value = body.get(name)
        if value is None:
            continue
        if not is_number(value):
            raise RefusedError(f"{name}: Input should be a valid number")
        if not low <= value <= high:
            raise RefusedError(f"{name}: range: {low}..{high}")
    top_k = body.get("top_k")
    if top_k is not None and (not is_integer(top_k) or top_k < 0):
        raise RefusedError("top_k: Input should be a valid integer greater than or equal to 0")
    if body.get("stream") is not None and not isinstance(body["stream"], bool):
        raise RefusedError("stream: Input should be a valid boolean")
    for index, stop in enumerate(a_list(body.get("stop_sequences") or [], "stop_sequences")):
        if not a_string(stop, f"stop_sequences.{index}").strip():
            raise RefusedError("stop_sequences: each stop sequence must contain non-whitespace")
    if body.get("metadata") is not None:
        closed(an_object(body["metadata"], "metadata"), "metadata", "metadata")
        if body["metadata"].get("user_id") is not None:
            a_string(body["metadata"]["user_id"], "metadata.user_id")
    if body.get("service_tier") is not None:
        one_of(body["service_tier"], "service_tier", ("auto", "standard_only"))


def _tools(body: Json) -> None:
    names: list[str] = []
    for index, tool in enumerate(a_list(body.get("tools") or [], "tools")):
        path = f"tools.{index}"
        if an_object(tool, path).get("type", "custom") != "custom":
            names.append(str(tool.get("name")))
            continue
        closed(tool, "tool", f"{path}.custom")
        for name in ("name", "input_schema"):
            if name not in tool:
                raise RefusedError(f"{path}.custom.{name}: Field required")
        if not TOOL_NAME.fullmatch(a_string(tool["name"], f"{path}.custom.name")):
            raise RefusedError(f"{path}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if tool.get("description") is not None:
            a_string(tool["description"], f"{path}.custom.description")
        if an_object(tool["input_schema"], f"{path}.custom.input_schema").get("type") != "object":
            raise RefusedError(f"{path}.custom.input_schema.type: Input should be 'object'")
        if malformed(tool["input_schema"]) is not None:
            raise RefusedError(
                f"{path}.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12."
            )
        names.append(tool["name"])
    if len(set(names)) < len(names):
        raise RefusedError("tools: Tool names must be unique.")
    _tool_choice(body.get("tool_choice"), names)


def _tool_choice(choice: Any, names: list[str]) -> None:
    if choice is None:
        return
    kind = an_object(choice, "tool_choice").get("type")
    if kind not in _CHOICES:
        raise RefusedError(
            f"tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags: "
            "'any', 'auto', 'none', 'tool'"
        )
    allowed = {"type"} | ({"name"} if kind == "tool" else set()) | ({"disable_parallel_tool_use"} - ({kind} & {"none"}))
    for key in choice:
        if key not in allowed:
            raise RefusedError(f"tool_choice.{kind}.{key}: Extra inputs are not permitted")
    if not names and kind != "none":
        raise RefusedError("tool_choice: tool_choice may only be specified while providing tools.")
    if kind == "tool" and choice.get("name") not in names:
        raise RefusedError(f"tool_choice.tool.name: Tool '{choice.get('name')}' not found in provided tools")


def _thinking(body: Json) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    kind = an_object(thinking, "thinking").get("type")
    if kind not in _THINKING:
        raise RefusedError(
            f"thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags: "
            "'adaptive', 'disabled', 'enabled'"
        )
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        if not is_integer(budget):
            raise RefusedError("thinking.enabled.budget_tokens: Field required")
        if budget < LEAST_BUDGET:
            raise RefusedError("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        if budget >= body["max_tokens"]:
            raise RefusedError("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if kind == "disabled":
        return
    # Adaptive thinking stands back when a tool is forced; only a fixed budget clashes.
    if kind == "enabled" and (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        raise RefusedError("Thinking may not be enabled when tool_choice forces tool use.")
    if body.get("temperature") not in (None, 1):
        raise RefusedError("`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_k") is not None:
        raise RefusedError("`top_k` must be unset when thinking is enabled.")


def _output(body: Json) -> None:
    config = body.get("output_config")
    if config is not None:
        closed(an_object(config, "output_config"), "output_config", "output_config")
        if config.get("effort") is not None:
            one_of(config["effort"], "output_config.effort", _EFFORTS)
    form = (config or {}).get("format") or body.get("output_format")
    if form is None:
        return
    if an_object(form, "output_config.format").get("type") != "json_schema":
        raise RefusedError("output_config.format.type: Input should be 'json_schema'")
    schema = an_object(form.get("schema"), "output_config.format.schema")
    problem = malformed(schema)
    if problem is not None:
        raise RefusedError(f"output_config.format.schema: Invalid schema: {problem}")
    _closed_schema(schema)


def _closed_schema(schema: Any) -> None:
    if isinstance(schema, list):
        for item in schema:
            _closed_schema(item)
    elif isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            raise RefusedError(
                "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
            )
        for inner in schema.values():
            _closed_schema(inner)


def _cache_marks(body: Json) -> None:
    """At most four marks (prompt caching guide)."""
    found = _marks([body.get("system"), body.get("tools"), body["messages"]])
    if found > 4:
        raise RefusedError(f"A maximum of 4 blocks with cache_control may be provided. Found {found}.")


def _marks(value: Any) -> int:
    if isinstance(value, list):
        return sum(_marks(item) for item in value)
    if isinstance(value, dict):
        here = 1 if value.get("cache_control") is not None else 0
        return here + (_marks(value["content"]) if isinstance(value.get("content"), list) else 0)
    return 0
