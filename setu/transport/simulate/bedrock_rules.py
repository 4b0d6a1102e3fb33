"""What Bedrock's Converse refuses, as far as a client may be told before a model is asked.

Source: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
…/userguide/tool-use.html (2026-11). AWS validates against its service model first, then by rules of its own.
"""

import re
from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.refused import RefusedError, is_number
from setu.transport.simulate.schema_rules import malformed

Json = dict[str, Any]

_TOP = frozenset(
    {
        *("messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields"),
        *("promptVariables", "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig"),
        *("serviceTier", "outputConfig"),
    }
)
_BLOCKS = frozenset(
    {
        *("text", "image", "document", "video", "audio", "toolUse", "toolResult", "guardContent", "cachePoint"),
        *("reasoningContent", "citationsContent", "searchResult", "toolAddition", "toolRemoval"),
    }
)
_RESULT_BLOCKS = frozenset({"text", "json", "image", "document", "video", "searchResult"})
_FORMATS: Mapping[str, frozenset[str]] = {
    "image": frozenset({"png", "jpeg", "gif", "webp"}),
    "document": frozenset({"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}),
    "video": frozenset({"mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"}),
}
_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DOCUMENT_NAME = re.compile(r"(?!.*\s{2})[a-zA-Z0-9\s\-()\[\]]{1,200}")


def checked(body: Any) -> Json:
    """Return the request; raise RefusedError for the first rule it breaks."""
    if not isinstance(body, dict):
        raise RefusedError(
            "Unexpected token at the start of the body; expected an object", type="SerializationException"
        )
    for key in body:
        if key not in _TOP:
            raise RefusedError(f"Malformed input request: extraneous key [{key}] is not permitted")
    _system(_list(body, "system"))
    _messages(_list(body, "messages"))
    _config(_object(body, "inferenceConfig"))
    _tools(body)
    _thinking(body)
    return body


def _object(owner: Json, key: str) -> Json:
    value = owner.get(key)
    if value is not None and not isinstance(value, dict):
        raise RefusedError(f"Start of structure or map found where not expected: {key}", type="SerializationException")
    return value or {}


def _list(owner: Json, key: str) -> list[Any]:
    value = owner.get(key)
    if value is not None and not isinstance(value, list):
        raise RefusedError(f"Start of list found where not expected: {key}", type="SerializationException")
    return value or []


def _union(block: Any, known: frozenset[str], path: str) -> str:
    """Return the one member that a union has."""
    if not isinstance(block, dict) or len(block) != 1:
        keys = ", ".join(sorted(block)) if isinstance(block, dict) else "none"
        raise RefusedError(f"The value at {path} can only set one of the following keys: {keys}.")
    (kind,) = block
    if kind not in known:
        raise RefusedError(f"The value at {path} has the unknown member {kind}.")
    return str(kind)


def _system(blocks: list[Any]) -> None:
    for index, block in enumerate(blocks):
        kind = _union(block, frozenset({"text", "guardContent", "cachePoint"}), f"system.{index}")
        if kind == "text":
            _text(block["text"], f"system.{index}")


def _text(text: Any, path: str) -> None:
    if not isinstance(text, str):
        raise RefusedError(f"{path}.text is not a string", type="SerializationException")
    if not text:  # most models take white space
        raise RefusedError(
            f"The text field in the ContentBlock object at {path} is blank. Add text to the text field, and try again."
        )


def _messages(messages: list[Any]) -> None:
    if not messages:
        raise RefusedError("The messages field is empty. Add at least one message, and try again.")
    pending: list[str] = []
    before: str | None = None
    for index, message in enumerate(messages):
        path = f"messages.{index}"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant"):
            raise RefusedError(
                f"Value '{role}' at '{path}.role' failed to satisfy constraint: Member must satisfy enum value set: "
                "[user, assistant]"
            )
        if role == before:
            raise RefusedError(
                "A conversation must alternate between user and assistant roles. Make sure the conversation "
                "alternates between user and assistant roles and try again."
            )
        before = role
        pending = _turn(message, path, pending)
    if pending:
        raise RefusedError(
            f"Expected toolResult blocks at messages.{len(messages)}.content for the following Ids: "
            f"{', '.join(pending)}"
        )


def _turn(message: Json, path: str, pending: list[str]) -> list[str]:
    """Check a message; return the ids that the next one has to answer."""
    blocks = _list(message, "content")
    if not blocks:
        raise RefusedError(
            f"The content field in the Message object at {path} is empty. Add a ContentBlock object to the "
            "content field and try again."
        )
    kinds = [_block(block, f"{path}.content.{number}") for number, block in enumerate(blocks)]
    if "document" in kinds and "text" not in kinds:
        raise RefusedError(f"The content at {path} has a document and no text. Add a text block.")
    if message["role"] == "assistant":
        uses = [block["toolUse"] for block in blocks if "toolUse" in block]
        return [use["toolUseId"] for use in uses if use.get("type") != "server_tool_use"]
    answered = [block["toolResult"]["toolUseId"] for block in blocks if "toolResult" in block]
    missing = [one for one in pending if one not in answered]
    if missing:
        raise RefusedError(f"Expected toolResult blocks at {path}.content for the following Ids: {', '.join(missing)}")
    if len(answered) > len(pending):
        raise RefusedError(
            f"The number of toolResult blocks at {path}.content exceeds the number of toolUse blocks of previous turn."
        )
    return []


def _block(block: Any, path: str) -> str:
    kind = _union(block, _BLOCKS, path)
    value = block[kind]
    if kind == "text":
        _text(value, path)
    elif kind in _FORMATS:
        _media(kind, value, path)
    elif kind in ("toolUse", "toolResult"):
        _tool_block(kind, value, path)
    return kind


def _media(kind: str, value: Any, path: str) -> None:
    form = value.get("format") if isinstance(value, dict) else None
    if form not in _FORMATS[kind] and not (kind == "document" and form is None):
        raise RefusedError(
            f"Value '{form}' at '{path}.{kind}.format' failed to satisfy constraint: Member must satisfy enum "
            f"value set: {sorted(_FORMATS[kind])}"
        )
    _union(value.get("source"), frozenset({"bytes", "s3Location", "text", "content"}), f"{path}.{kind}.source")
    if kind == "document" and not _DOCUMENT_NAME.fullmatch(str(value.get("name"))):
        raise RefusedError(
            "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, "
            "parentheses, and square brackets. The name can't contain more than one consecutive whitespace "
            "character."
        )


def _tool_block(kind: str, value: Any, path: str) -> None:
    identity = value.get("toolUseId") if isinstance(value, dict) else None
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise RefusedError(
            f"Value '{identity}' at '{path}.{kind}.toolUseId' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: [a-zA-Z0-9_.:-]+"
        )
    if kind == "toolUse":
        if not _NAME.fullmatch(str(value.get("name"))) or not isinstance(value.get("input"), dict):
            raise RefusedError(
                f"The format of the value at {path}.toolUse.input is invalid. Provide a json object for the field "
                "and try again."
            )
        return
    for number, inner in enumerate(_list(value, "content")):
        at = f"{path}.toolResult.content.{number}"
        if _union(inner, _RESULT_BLOCKS, at) == "text":
            _text(inner["text"], at)
        if "json" in inner and _has_empty_key(inner["json"]):
            raise RefusedError(f"The format of the value at {at}.json is invalid: a key is empty.")


def _has_empty_key(value: Any) -> bool:
    if isinstance(value, dict):
        return "" in value or any(map(_has_empty_key, value.values()))
    return isinstance(value, list) and any(map(_has_empty_key, value))


def _config(config: Json) -> None:
    for key in config:
        if key not in ("maxTokens", "temperature", "topP", "stopSequences"):
            raise RefusedError(f"Malformed input request: #/inferenceConfig: extraneous key [{key}] is not permitted")
    for key, low, high in (("temperature", 0, 1), ("topP", 0, 1), ("maxTokens", 1, 2**31)):
        value = config.get(key)
        if value is not None and (not is_number(value) or not low <= value <= high):
            bound = (
                f"greater than or equal to {low}"
                if is_number(value) and value < low
                else f"less than or equal to {high}"
            )
            raise RefusedError(
                f"Value '{value}' at 'inferenceConfig.{key}' failed to satisfy constraint: Member must have value "
                f"{bound}"
            )
    for stop in _list(config, "stopSequences"):
        if not isinstance(stop, str) or not stop:
            raise RefusedError(
                "Value at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must have length "
                "greater than or equal to 1"
            )


def _tools(body: Json) -> None:
    config = _object(body, "toolConfig")
    names: list[str] = []
    for index, tool in enumerate(_list(config, "tools")):
        path = f"toolConfig.tools.{index}"
        if _union(tool, frozenset({"toolSpec", "systemTool", "cachePoint"}), path) == "toolSpec":
            names.append(_spec(tool["toolSpec"], path))
    if config and not config.get("tools"):
        raise RefusedError(
            "Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or "
            "equal to 1"
        )
    if len(set(names)) != len(names):
        raise RefusedError("The toolConfig field has tools with the same name. Rename them, and try again.")
    used = any("toolUse" in block or "toolResult" in block for turn in body["messages"] for block in turn["content"])
    if used and not config:
        raise RefusedError("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    choice = _object(config, "toolChoice")
    if choice and _union(choice, frozenset({"auto", "any", "tool"}), "toolConfig.toolChoice") == "tool":
        named = choice["tool"].get("name")
        if named not in names:
            raise RefusedError(f"The toolChoice names the tool {named}, which is not in the toolConfig.")


def _spec(spec: Any, path: str) -> str:
    name = spec.get("name") if isinstance(spec, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RefusedError(
            f"Value '{name}' at '{path}.member.toolSpec.name' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: [a-zA-Z0-9_-]+"
        )
    if spec.get("description") == "":
        raise RefusedError(
            f"Value at '{path}.member.toolSpec.description' failed to satisfy constraint: Member must have length "
            "greater than or equal to 1"
        )
    schema = (spec.get("inputSchema") or {}).get("json")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise RefusedError(f"The value at {path}.toolSpec.inputSchema.json.type must be one of the following: object.")
    problem = malformed(schema)
    if problem is not None:
        raise RefusedError(f"The value at {path}.toolSpec.inputSchema.json is not a valid JSON schema: {problem}")
    return name


def _thinking(body: Json) -> None:
    """Claude's own rules of thinking, which come back in Anthropic's words."""
    thinking = _object(_object(body, "additionalModelRequestFields"), "thinking")
    if thinking.get("type") != "enabled":
        return
    cap = _object(body, "inferenceConfig").get("maxTokens")
    budget = thinking.get("budget_tokens")
    if not is_number(budget) or budget < 1024:
        raise RefusedError(
            "The model returned the following errors: thinking.enabled.budget_tokens: Input should be greater "
            "than or equal to 1024"
        )
    if cap is not None and budget >= cap:
        raise RefusedError(
            "The model returned the following errors: `max_tokens` must be greater than `thinking.budget_tokens`."
        )
    choice = _object(_object(body, "toolConfig"), "toolChoice")
    if "any" in choice or "tool" in choice:
        raise RefusedError(
            "The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use."
        )
