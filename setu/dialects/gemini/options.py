"""`generationConfig`, both ways: scalar options as a table, thinking and the form of the answer as code.

Source: ai.google.dev/api/generate-content#GenerationConfig and ai.google.dev/gemini-api/docs/thinking, read
2026-11-20.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from setu import schema
from setu._json import Json, JsonError, Raw, kind_of
from setu.chat.request import ChatRequest, Options, Output, Thinking
from setu.dialects.efforts import BUDGETS, LADDER, effort_of, nearest
from setu.dialects.gemini.proto import Fields
from setu.dialects.gemini.render import Scribe, own_members
from setu.dialects.params import Param, read_options, write_options
from setu.dialects.record import Target

PARAMS: tuple[Param, ...] = (
    Param(field="max_tokens", wire="maxOutputTokens", kind="integer", low=1),
    Param(field="temperature", wire="temperature", kind="number", low=0, high=2),
    Param(field="top_p", wire="topP", kind="number", low=0, high=1),
    Param(field="top_k", wire="topK", kind="number", low=0),
    Param(field="stop", wire="stopSequences", kind="texts", most=5),
    Param(field="n", wire="candidateCount", kind="integer", low=1, high=8),
    Param(field="seed", wire="seed", kind="integer"),
    Param(field="presence_penalty", wire="presencePenalty", kind="number", low=-2, high=2),
    Param(field="frequency_penalty", wire="frequencyPenalty", kind="number", low=-2, high=2),
    Param(field="logprobs", wire="responseLogprobs", kind="flag"),
    Param(field="top_logprobs", wire="logprobs", kind="integer", low=0, high=20),
    Param(field="modalities", wire="responseModalities", kind="texts"),
)

_SAFETY = Param(field="safety", wire="safetySettings", kind="json")

POINTERS: Mapping[str, str] = {param.field: f"/generationConfig/{param.wire}" for param in PARAMS} | {
    "safety": "/safetySettings",
    "system": "/systemInstruction",
    "messages": "/contents",
    "tool_choice": "/toolConfig/functionCallingConfig",
    "output": "/generationConfig/responseMimeType",
    "thinking": "/generationConfig/thinkingConfig",
    "thinking/budget": "/generationConfig/thinkingConfig/thinkingBudget",
    "thinking/effort": "/generationConfig/thinkingConfig/thinkingLevel",
    "thinking/show": "/generationConfig/thinkingConfig/includeThoughts",
    "generationConfig.": "/generationConfig/",
    "toolConfig.": "/toolConfig/",
}
"""Where a Gemini client wrote each canonical field."""


_FLASH_MOST = 24576
"""The largest budget of the 2.5 Flash models; 2.5 Pro takes 32768."""

_LEVELS = ("minimal", "low", "medium", "high")
"""The levels of Gemini 3; those above are for models that say so in their facts."""


def parse_options(config: Fields | None, root: Fields) -> Options:
    """Take the scalar options from `generationConfig` and the body.

    Raises:
        LocalDialectError: a wrong type, or a value out of the documented range.
    """
    values = read_options(root, (_SAFETY,))
    if config is not None:
        values |= read_options(config, PARAMS)
    if values.get("modalities") is not None:
        values["modalities"] = tuple(word.lower() for word in values["modalities"])
    return Options(**values)


def parse_output(config: Fields) -> Output | None:
    """Take the form of the answer; a MIME type other than JSON and plain text stays with its schema in the extra."""
    mime = config.members.get("responseMimeType")
    if mime not in (None, b'"application/json"', b'"text/plain"'):
        if config.members.get("responseMimeType", b"")[:1] != b'"':
            raise config.wrong("responseMimeType", "a string")
        return None
    config.raw("responseMimeType")
    exact = config.raw("responseJsonSchema")
    native = config.raw("responseSchema") if exact is None else None
    if native is not None and kind_of(native) != "object":
        raise config.wrong("responseSchema", "an object")
    if native is not None:
        try:
            exact = schema.from_openapi(native)
        except JsonError as error:
            where = config.at("responseSchema")
            raise config.error(f"'{where}': {error}", param=where) from None
    if exact is not None:
        return Output(kind="schema", schema=exact, native=native, dialect="gemini" if native else None)
    if mime is None:
        return None
    return Output(kind="json" if mime == b'"application/json"' else "text")


def parse_thinking(config: Fields) -> tuple[Thinking | None, dict[str, Json]]:
    """Take `thinkingConfig`; also return what only Gemini knows of it, by path."""
    thinking = config.obj("thinkingConfig")
    if thinking is None:
        return None, {}
    budget = thinking.integer("thinkingBudget")
    level = thinking.enum("thinkingLevel", {1: "LOW", 2: "HIGH", 3: "MEDIUM", 4: "MINIMAL"})
    include = thinking.flag("includeThoughts")
    rest = thinking.rest("generationConfig.thinkingConfig")
    if budget is not None and budget < -1:
        where = thinking.at("thinkingBudget")
        raise thinking.error(f"'{where}' must be at least -1", param=where)
    if level == "THINKING_LEVEL_UNSPECIFIED":
        level = None
    if budget is None and level is None and include is None:
        return None, rest
    mode: Literal["off", "on", "adaptive"] | None = None
    if budget is not None:
        mode = "off" if budget == 0 else "adaptive" if budget == -1 else "on"
    elif level is not None:
        mode = "on"
    show: Literal["none", "summary"] | None = None if include is None else "summary" if include else "none"
    return Thinking(mode=mode, effort=level.lower() if level else None, budget=budget, show=show), rest


def render_config(request: ChatRequest, target: Target, scribe: Scribe) -> dict[str, Any]:
    """Return the members `generationConfig` and `safetySettings`, each only when there is something in it."""
    options = _upper(request.options)
    if options.top_k == 0:  # no limit to others; Gemini answers 400, "top_k: must be positive"
        scribe.lose("/top_k", "Gemini takes no top_k of 0", "info")
        options = msgspec.structs.replace(options, top_k=UNSET)
    written, losses = write_options(options, (*PARAMS, _SAFETY))
    for loss in losses:
        scribe.lose(loss.pointer, loss.reason, loss.severity)
    members: dict[str, Any] = {}
    if "safetySettings" in written:
        members["safetySettings"] = written.pop("safetySettings")
    written |= _output(request.output, scribe)
    thinking = _thinking(request.thinking, target, scribe) if request.thinking is not None else {}
    thinking |= own_members(request.extra, "generationConfig.thinkingConfig")
    if thinking:
        written["thinkingConfig"] = thinking
    for key, value in own_members(request.extra, "generationConfig").items():
        if not key.startswith("thinkingConfig."):
            written.setdefault(key, value)
    if written:
        members["generationConfig"] = written
    return members


def _upper(options: Options) -> Options:
    if options.modalities is UNSET or options.modalities is None:
        return options
    return msgspec.structs.replace(options, modalities=tuple(word.upper() for word in options.modalities))


def _output(output: Output | None, scribe: Scribe) -> dict[str, Any]:
    if output is None:
        return {}
    if output.kind == "grammar":
        scribe.lose("/output", "Gemini takes no grammars")
        return {}
    if output.kind == "text":
        return {"responseMimeType": "text/plain"}
    if output.description:
        scribe.lose("/output/description", "Gemini takes a schema without a description of it", "info")
    members: dict[str, Any] = {"responseMimeType": "application/json"}
    if output.native is not None and output.dialect == "gemini":
        members["responseSchema"] = Raw(output.native)
    elif (
        output.schema is not None
    ):  # takes `additionalProperties` and the rest, which responseSchema refuses (B-SCH-12)
        members["responseJsonSchema"] = Raw(output.schema)
    return members


def _thinking(thinking: Thinking, target: Target, scribe: Scribe) -> dict[str, Any]:
    form = _form(thinking, target)
    if form == "none":
        scribe.lose("/thinking", "the model does not think")
        return {}
    members: dict[str, Any] = {}
    if form == "effort":
        level = _level(thinking, target, scribe)
        if level is not None:
            members["thinkingLevel"] = level.upper()
    else:
        budget = _budget(thinking, target.model)
        if budget is not None:
            members["thinkingBudget"] = budget
    if thinking.show is not None:
        members["includeThoughts"] = thinking.show != "none"
    return members


def _form(thinking: Thinking, target: Target) -> Literal["budget", "effort", "none"]:
    """Decide how to ask: as the facts say, else as the source did, else by the model's generation."""
    match target.facts.thinking:
        case "budget" | "effort" | "none" as form:
            return form
        case _:
            if thinking.budget is not None:
                return "budget"
            return "budget" if "gemini-2" in target.model else "effort"


def _budget(thinking: Thinking, model: str) -> int | None:
    if thinking.mode == "off" or thinking.effort == "none":
        return 0
    if thinking.budget is not None:
        return thinking.budget
    if thinking.effort is not None:
        budget = BUDGETS.get(thinking.effort)
        return min(budget, _FLASH_MOST) if budget is not None and "flash" in model else budget
    return None if thinking.mode is None else -1


def _level(thinking: Thinking, target: Target, scribe: Scribe) -> str | None:
    """Return the level to ask for, bent to those the model has; a Gemini 3 model cannot stop thinking."""
    wanted = thinking.effort
    if thinking.mode == "off" or wanted == "none":
        wanted = "minimal" if "minimal" in target.facts.efforts else "low"
        scribe.lose("/thinking", "the model always thinks: asked for as little as it can")
    elif wanted is None and thinking.budget is not None and thinking.budget > 0:
        wanted = effort_of(thinking.budget)
    if wanted is None:
        return None
    levels = tuple(effort for effort in target.facts.efforts if effort in LADDER) or _LEVELS
    if wanted in levels:
        return wanted
    if wanted not in LADDER:
        scribe.lose("/thinking", f"Gemini has no effort {wanted}: left to the model", "info")
        return None
    bent = nearest(wanted, levels, LADDER)
    scribe.lose("/thinking", f"the effort {wanted} became {bent}", "info")
    return bent
