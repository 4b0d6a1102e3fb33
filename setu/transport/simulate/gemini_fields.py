"""The messages of Gemini's request as data: which names each may have and of which kind their values are.

Kinds: a message's name, `[…]` for a list, `text`, `integer`, `number`, `flag`, `any` for free-form JSON. Source:
ai.google.dev/api (v1beta discovery document, 2026-11).
"""

import re
from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.refused import RefusedError, is_integer, is_number

Json = dict[str, Any]

_FIELDS: Mapping[str, Mapping[str, str]] = {
    "Request": {
        "contents": "[Content]",
        "systemInstruction": "Content",
        "tools": "[Tool]",
        "toolConfig": "ToolConfig",
        "safetySettings": "any",
        "generationConfig": "GenerationConfig",
        "cachedContent": "text",
        "model": "text",
        "store": "flag",
        "serviceTier": "text",
    },
    "Content": {"role": "text", "parts": "[Part]"},
    "Part": {
        "text": "text",
        "thought": "flag",
        "thoughtSignature": "text",
        "inlineData": "Blob",
        "fileData": "FileData",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "executableCode": "any",
        "codeExecutionResult": "any",
        "toolCall": "any",
        "toolResponse": "any",
        "videoMetadata": "any",
        "mediaResolution": "any",
        "partMetadata": "any",
    },
    "Blob": {"mimeType": "text", "data": "text", "displayName": "text"},
    "FileData": {"mimeType": "text", "fileUri": "text", "displayName": "text"},
    "FunctionCall": {"id": "text", "name": "text", "args": "object"},
    "FunctionResponse": {
        "id": "text",
        "name": "text",
        "response": "object",
        "parts": "any",
        "willContinue": "flag",
        "scheduling": "text",
    },
    "Tool": {
        "functionDeclarations": "[FunctionDeclaration]",
        "googleSearch": "any",
        "googleSearchRetrieval": "any",
        "codeExecution": "any",
        "urlContext": "any",
        "computerUse": "any",
        "fileSearch": "any",
        "googleMaps": "any",
        "mcpServers": "any",
    },
    "FunctionDeclaration": {
        "name": "text",
        "description": "text",
        "behavior": "text",
        "parameters": "Schema",
        "parametersJsonSchema": "any",
        "response": "Schema",
        "responseJsonSchema": "any",
    },
    "Schema": {
        "type": "any",
        "format": "text",
        "title": "text",
        "description": "text",
        "nullable": "flag",
        "enum": "any",
        "maxItems": "int64",
        "minItems": "int64",
        "properties": "{Schema}",
        "required": "[text]",
        "minProperties": "int64",
        "maxProperties": "int64",
        "minLength": "int64",
        "maxLength": "int64",
        "pattern": "text",
        "example": "any",
        "anyOf": "[Schema]",
        "propertyOrdering": "[text]",
        "default": "any",
        "items": "Schema",
        "minimum": "number",
        "maximum": "number",
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig",
        "retrievalConfig": "any",
        "includeServerSideToolInvocations": "flag",
    },
    "FunctionCallingConfig": {"mode": "text", "allowedFunctionNames": "[text]", "streamFunctionCallArguments": "flag"},
    "GenerationConfig": {
        "stopSequences": "[text]",
        "responseMimeType": "text",
        "responseSchema": "Schema",
        "responseJsonSchema": "any",
        "responseFormat": "any",
        "responseModalities": "[text]",
        "candidateCount": "integer",
        "maxOutputTokens": "integer",
        "temperature": "number",
        "topP": "number",
        "topK": "number",
        "seed": "integer",
        "presencePenalty": "number",
        "frequencyPenalty": "number",
        "responseLogprobs": "flag",
        "logprobs": "integer",
        "enableEnhancedCivicAnswers": "flag",
        "speechConfig": "any",
        "thinkingConfig": "ThinkingConfig",
        "imageConfig": "any",
        "mediaResolution": "text",
    },
    "ThinkingConfig": {"includeThoughts": "flag", "thinkingBudget": "integer", "thinkingLevel": "text"},
}
_SNAKE = re.compile(r"_([a-z0-9])")
_SCALARS: Mapping[str, str] = {
    "text": "TYPE_STRING",
    "flag": "TYPE_BOOL",
    "integer": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "number": "TYPE_FLOAT",
}


def normalised(body: Json) -> Json:
    """Return a request with every name in camelCase; free-form values stay as they are."""
    return _message(body, "Request", "")


def _message(value: Any, kind: str, path: str) -> Json:
    if not isinstance(value, dict):
        raise _wrong(value, path, f"type.googleapis.com/google.ai.generativelanguage.v1beta.{kind}")
    fields = _FIELDS[kind]
    made: Json = {}
    for name, inner in value.items():
        camel = _SNAKE.sub(lambda found: found[1].upper(), name)
        if camel not in fields:
            where = f" at '{path}'" if path else ""
            raise RefusedError(f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.')
        if inner is not None:  # proto JSON: null is the default value
            made[camel] = _value(inner, fields[camel], f"{path}.{name}" if path else name)
    return made


def _value(value: Any, kind: str, path: str) -> Any:
    if kind == "any":
        return value
    if kind == "object":
        if not isinstance(value, dict):
            raise _wrong(value, path, "type.googleapis.com/google.protobuf.Struct")
        return value
    if kind.startswith("["):
        # proto JSON takes a lone message for a list of one
        items = value if isinstance(value, list) else [value]
        return [_value(item, kind[1:-1], f"{path}[{index}]") for index, item in enumerate(items)]
    if kind.startswith("{"):
        if not isinstance(value, dict):
            raise _wrong(value, path, "map")
        return {name: _message(inner, kind[1:-1], f"{path}[{name}]") for name, inner in value.items()}
    return _scalar(value, kind, path) if kind in _SCALARS else _message(value, kind, path)


def _scalar(value: Any, kind: str, path: str) -> Any:
    match kind:
        case "text":
            fits = isinstance(value, str)
        case "flag":
            fits = isinstance(value, bool)
        case "number":
            fits = is_number(value)
        case _:
            if kind == "int64" and isinstance(value, str) and value.isdigit():
                return int(value)  # proto JSON writes 64-bit integers as text
            fits = is_integer(value)
    if not fits:
        raise _wrong(value, path, _SCALARS[kind])
    return int(value) if kind in ("integer", "int64") else value


def _wrong(value: Any, path: str, kind: str) -> RefusedError:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return RefusedError(f"Invalid value at '{path}' ({kind}), {shown[:80]}")
