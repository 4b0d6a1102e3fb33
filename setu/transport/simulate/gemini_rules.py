"""What Gemini's generateContent refuses, in its own words.

Source: ai.google.dev/api/generate-content and …/caching (v1beta, 2026-11). The endpoint parses protobuf JSON: names in
lowerCamelCase or snake_case, unknown ones refused wherever they stand outside free-form structures.
"""

import re
from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.gemini_fields import Json, normalised
from setu.transport.simulate.refused import RefusedError, is_integer
from setu.transport.simulate.schema_rules import malformed

_FUNCTION_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DATA = (
    *("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode"),
    *("codeExecutionResult", "toolCall", "toolResponse"),
)
_JSON_TYPES = ("application/json", "text/x.enum")
_MODES = ("AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED")
_RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "topP": (0, 1),
    "candidateCount": (1, 8),
    "presencePenalty": (-2, 2),
    "frequencyPenalty": (-2, 2),
    "logprobs": (0, 20),
}
_TYPE_NUMBERS = dict(enumerate(("string", "number", "integer", "boolean", "array", "object", "null"), start=1))
"""The Type enum, for clients that send its numbers."""
_POSITIVE = ("maxOutputTokens", "topK")


def checked(body: Any) -> Json:
    """Return the request with camelCase names; raise RefusedError for the first rule it breaks."""
    if not isinstance(body, dict):
        raise RefusedError('Invalid JSON payload received. Unknown name "": Root element must be a message.')
    request = normalised(body)
    _contents(request.get("contents") or [])
    _config(request.get("generationConfig") or {})
    _tools(request)
    return request


def json_schema(schema: Json) -> Json:
    """Return Gemini's OpenAPI-like Schema as JSON Schema: lower-case types, `nullable` as a type."""
    made = {key: value for key, value in schema.items() if key not in ("nullable", "propertyOrdering", "example")}
    if isinstance(made.get("type"), str | int):
        kind = _TYPE_NUMBERS.get(made["type"]) or str(made["type"]).lower()
        made["type"] = [kind, "null"] if schema.get("nullable") else kind
    if "properties" in made:
        made["properties"] = {name: json_schema(inner) for name, inner in made["properties"].items()}
    if "items" in made:
        made["items"] = json_schema(made["items"])
    if "anyOf" in made:
        made["anyOf"] = [json_schema(inner) for inner in made["anyOf"]]
    return made


def words(name: str) -> str:
    """Return a name as the API's messages write it: snake_case."""
    return _CAMEL.sub("_", name).lower()


def _contents(contents: list[Json]) -> None:
    if not contents:
        raise RefusedError("* GenerateContentRequest.contents: contents is not specified\n")
    for index, content in enumerate(contents):
        if content.get("role") not in (None, "", "user", "model", "function"):
            raise RefusedError("Please use a valid role: user, model.")
        if not content.get("parts"):
            raise RefusedError(f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n")
        for place, part in enumerate(content["parts"]):
            _part(part, f"GenerateContentRequest.contents[{index}].parts[{place}]")
    _turns(contents)


def _part(part: Json, path: str) -> None:
    data = [name for name in _DATA if name in part]
    if not data:
        raise RefusedError(f"* {path}.data: required oneof field 'data' must have one initialized field\n")
    if len(data) > 1:
        raise RefusedError(
            f"Invalid value at '{path.removeprefix('GenerateContentRequest.')}' (oneof), oneof field 'data' is already "
            f"set. Cannot set '{data[1]}'"
        )
    for kind in ("functionCall", "functionResponse"):
        if kind in part and not part[kind].get("name"):
            raise RefusedError(f"* {path}.{words(kind)}.name: Name cannot be empty.\n")


def _turns(contents: list[Json]) -> None:
    """A turn of calls follows the user or results, and is followed by as many results as it has calls."""
    previous: Json | None = None
    for content in _merged(contents):
        calls, results = _count(content, "functionCall"), _count(content, "functionResponse")
        if calls and previous is None:
            raise RefusedError(
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            )
        expected = 0 if previous is None else _count(previous, "functionCall")
        if results and not expected:
            raise RefusedError(
                "Please ensure that function response turn comes immediately after a function call turn."
            )
        if expected and results != expected:
            raise RefusedError(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        previous = content
    if previous is not None and _count(previous, "functionCall"):
        raise RefusedError(
            "Please ensure that the number of function response parts is equal to the number of function call parts "
            "of the function call turn."
        )


def _merged(contents: list[Json]) -> list[Json]:
    """Consecutive contents of a role are one turn."""
    merged: list[Json] = []
    for content in contents:
        role = "model" if content.get("role") == "model" else "user"
        if merged and merged[-1]["role"] == role:
            merged[-1] = {"role": role, "parts": [*merged[-1]["parts"], *content["parts"]]}
        else:
            merged.append({"role": role, "parts": content["parts"]})
    return merged


def _count(content: Json, kind: str) -> int:
    return sum(1 for part in content["parts"] if kind in part)


def _config(config: Json) -> None:
    for name, (low, high) in _RANGES.items():
        value = config.get(name)
        if value is not None and not low <= value <= high:
            raise RefusedError(
                f"* GenerateContentRequest.generation_config.{words(name)}: {words(name)} must be in the range "
                f"[{low}, {high}].\n"
            )
    for name in _POSITIVE:
        if config.get(name) is not None and config[name] < 1:
            raise RefusedError(f"* GenerateContentRequest.generation_config.{words(name)}: must be positive.\n")
    if len(config.get("stopSequences") or ()) > 5:
        raise RefusedError("* GenerateContentRequest.generation_config.stop_sequences: at most 5 are supported.\n")
    if config.get("logprobs") is not None and not config.get("responseLogprobs"):
        raise RefusedError("Response logprobs must be enabled to set logprobs.")
    mime = config.get("responseMimeType")
    if mime not in (None, "", "text/plain", *_JSON_TYPES):
        raise RefusedError(
            "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are `text/plain`, "
            "`application/json`, `application/xml`, `application/yaml` and `text/x.enum`.\n"
        )
    if ("responseSchema" in config or "responseJsonSchema" in config) and mime not in _JSON_TYPES:
        raise RefusedError("Response schema is only supported with response mime type `application/json`.")
    if "responseSchema" in config and "responseJsonSchema" in config:
        raise RefusedError("Only one of response_schema and response_json_schema may be set.")
    _schema(config, "responseSchema", "responseJsonSchema", "generation_config")
    _thinking(config.get("thinkingConfig") or {})


def _schema(owner: Json, openapi: str, plain: str, path: str) -> None:
    """Check a schema in either of its two forms."""
    schema = json_schema(owner[openapi]) if openapi in owner else owner.get(plain, True)
    problem = malformed(schema)
    if problem is not None:
        raise RefusedError(f"* {path}.{words(openapi)}: schema is invalid: {problem}\n")


def _thinking(thinking: Json) -> None:
    budget = thinking.get("thinkingBudget")
    if budget is not None and (not is_integer(budget) or not -1 <= budget <= 32768):
        raise RefusedError("The thinking budget is invalid. Please choose a value between 0 and 32768.")
    if budget is not None and thinking.get("thinkingLevel") is not None:
        raise RefusedError("You can only set only one of thinking budget and thinking level.")


def _tools(request: Json) -> None:
    names: list[str] = []
    for index, tool in enumerate(request.get("tools") or ()):
        for place, function in enumerate(tool.get("functionDeclarations") or ()):
            path = f"GenerateContentRequest.tools[{index}].function_declarations[{place}]"
            names.append(_declaration(function, path))
    for name in names:
        if names.count(name) > 1:
            raise RefusedError(f"Duplicate function declaration found: {name}")
    config = (request.get("toolConfig") or {}).get("functionCallingConfig") or {}
    mode = str(config.get("mode") or "AUTO").upper()
    if mode not in _MODES:
        raise RefusedError(
            "Invalid value at 'tool_config.function_calling_config.mode' "
            f'(type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode), "{mode}"'
        )
    if config.get("allowedFunctionNames") and mode not in ("ANY", "VALIDATED"):
        raise RefusedError(
            "Function calling config: allowed_function_names should only be set when mode is ANY or VALIDATED."
        )
    for name in config.get("allowedFunctionNames") or ():
        if name not in names:
            raise RefusedError(f"Allowed function name '{name}' is not among the function declarations.")


def _declaration(function: Json, path: str) -> str:
    name = function.get("name") or ""
    if not _FUNCTION_NAME.fullmatch(name):
        raise RefusedError(
            f"* {path}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric "
            "(a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.\n"
        )
    if "parameters" in function and "parametersJsonSchema" in function:
        raise RefusedError(f"* {path}: only one of parameters and parameters_json_schema may be set.\n")
    _schema(function, "parameters", "parametersJsonSchema", path)
    return str(name)
