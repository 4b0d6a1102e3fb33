"""Settings: `inferenceConfig`, what each family takes as additional fields, and structured output.

Converse has four settings; the rest are the model's own, by family: Claude's are those of its own API
(docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html), Nova's `topK` and
`reasoningConfig` stand in its own objects (docs.aws.amazon.com/nova/latest/userguide), gpt-oss has
`reasoning_effort`, Qwen `reasoning_config` (2026-11).
"""

from typing import Any

import msgspec
from msgspec import UNSET

from setu import _json
from setu.chat.request import ChatRequest, Options, Output, Thinking
from setu.dialects.bedrock.words import Family, family_of
from setu.dialects.claude import SAMPLERS, need_one_answer, neutral, stops, unfit_samplers, write_thinking
from setu.dialects.efforts import LADDER, effort_of, nearest
from setu.dialects.losses import Losses
from setu.dialects.params import Param, write_options
from setu.dialects.record import Target, json_text, pointer
from setu.errors import LocalDialectError

PARAMS: tuple[Param, ...] = (
    Param(field="max_tokens", wire="maxTokens", kind="integer", low=1),
    Param(field="temperature", wire="temperature", kind="number", low=0, high=1),
    Param(field="top_p", wire="topP", kind="number", low=0, high=1),
    Param(field="stop", wire="stopSequences", kind="texts", most=2500),
)
WIRE = {param.field: pointer("inferenceConfig", param.wire) for param in PARAMS} | {"service_tier": "/serviceTier"}

_TIERS = {"default": "default", "standard_only": "default", "priority": "priority", "flex": "flex", "auto": None}
_LEVELS = ("low", "medium", "high")

_NO_SCHEMA_OUTPUT = (
    *("claude-3", "claude-v2", "claude-instant", "claude-sonnet-4-2025", "claude-opus-4-2025", "claude-opus-4-1"),
    *("amazon.", "meta.", "cohere.", "ai21.", "writer.", "deepseek.r1", "mistral-7b", "mixtral", "pixtral"),
    *("mistral-large-24", "mistral-small-24"),
)
"""Models without structured output of their own (docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html):
a forced call of a tool gives the same answer (B-SCH-15, B-SCH-16)."""


class Settings(msgspec.Struct):
    """Members of a request for its settings; `answer_tool` is the schema that a forced call has to stand in for."""

    inference: dict[str, Any]
    additional: dict[str, Any]
    tier: str | None = None
    output: dict[str, Any] | None = None
    answer_tool: bytes | None = None

    @property
    def thinks(self) -> bool:
        """Tell whether the answer will begin with Claude's thinking, which forbids forced calls and samplers."""
        return self.additional.get("thinking", {}).get("type") in ("enabled", "adaptive")

    def members(self) -> dict[str, Any]:
        """Return what there is, by the names of the request."""
        members: dict[str, Any] = {}
        if self.inference:
            members["inferenceConfig"] = self.inference
        if self.additional:
            members["additionalModelRequestFields"] = self.additional
        if self.output is not None:
            members["outputConfig"] = self.output
        if self.tier is not None:
            members["serviceTier"] = {"type": self.tier}
        return members


def write_settings(request: ChatRequest, target: Target, losses: Losses, *, may_think: bool) -> Settings:
    """Return the settings, bent to what the target takes.

    Raises:
        LocalDialectError: something is asked that Bedrock cannot promise.
    """
    family = family_of(target.model)
    settings = _scalars(request.options, family, losses)
    cap, asked = target.facts.max_output, settings.inference.get("maxTokens")
    if asked is not None and cap is not None and asked > cap:
        losses.note("/max_tokens", f"the model puts out at most {cap} tokens")
        settings.inference["maxTokens"] = cap
    _write_output(request.output, target.model, settings, losses)
    thinking = request.thinking
    if thinking is not None and settings.answer_tool is not None and thinking.mode != "off":
        losses.note("/thinking", "thinking does not go with the forced call that stands for the schema")
        thinking = None
    if thinking is not None and not may_think and thinking.mode != "off" and family in ("claude", "opaque"):
        losses.note("/thinking", "the tool turn came back without its signed thinking")
        thinking = None
    _write_thinking(thinking, family, target, settings, losses)
    _settle_samplers(settings, target, losses)
    return settings


def _scalars(options: Options, family: Family, losses: Losses) -> Settings:
    need_one_answer(options, "Bedrock")
    tier, top_k = options.service_tier, options.top_k
    stop = stops(options.stop, losses)
    options = msgspec.structs.replace(options, top_k=UNSET, service_tier=UNSET, stop=stop, **neutral(options))
    inference, more = write_options(options, PARAMS)
    losses += more
    settings = Settings(inference=inference, additional={})
    if isinstance(tier, str):
        settings.tier = _TIERS.get(tier)
        if tier not in _TIERS:
            losses.note("/service_tier", f"Bedrock has no tier {tier!r}")
    if isinstance(top_k, (int, float)):
        settings.additional |= _top_k(round(top_k), family, losses)
    return settings


def _top_k(top_k: int, family: Family, losses: Losses) -> dict[str, Any]:
    if family == "claude":
        return {"top_k": top_k}
    if family == "nova":
        return {"inferenceConfig": {"topK": top_k}}
    losses.note("/top_k", "the model takes no top_k on Bedrock")
    return {}


def _write_thinking(
    thinking: Thinking | None, family: Family, target: Target, settings: Settings, losses: Losses
) -> None:
    """Ask for thinking in the words of the model's family."""
    if thinking is None:
        return
    if family == "claude" or (family == "opaque" and target.facts.thinking is not None):
        # An unnamed deployment thinks as Claude does where its facts say that it thinks.
        settings.additional |= write_thinking(thinking, target.facts, settings.inference.get("maxTokens"), losses)
        return
    if thinking.show is not None:
        losses.note("/thinking/show", "the model decides what it shows of its thinking", "info")
    level = _level(thinking)
    if level is None:
        return
    if family == "gpt-oss":
        settings.additional["reasoning_effort"] = level
    elif family == "qwen":
        settings.additional["reasoning_config"] = level
    elif family == "nova":
        settings.additional["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": level}
    else:
        losses.note("/thinking", "nothing is known of how the model is asked to think", "info")


def _level(thinking: Thinking) -> str | None:
    """Return one of three efforts; None when thinking is off or nothing is asked."""
    if thinking.mode == "off" or thinking.effort == "none":
        return None
    effort = thinking.effort
    if effort is None and thinking.budget is not None and thinking.budget > 0:
        effort = effort_of(thinking.budget)
    if effort is None:
        return "medium" if thinking.mode is not None else None
    if effort in _LEVELS:
        return effort
    return nearest(effort, _LEVELS, LADDER)


_OWN_NAMES = {"top_p": "topP"}


def _settle_samplers(settings: Settings, target: Target, losses: Losses) -> None:
    """Drop the samplers that Claude does not take."""
    given = {
        name: value for name in SAMPLERS if (value := settings.inference.get(_OWN_NAMES.get(name, name))) is not None
    }
    alone = target.facts.sampling == "one"
    for name, reason in unfit_samplers(given, target.facts, thinks=settings.thinks, alone=alone).items():
        holder = settings.additional if name == "top_k" else settings.inference
        if holder.pop(_OWN_NAMES.get(name, name), None) is not None:
            losses.note(pointer(name), reason)


def _write_output(output: Output | None, model: str, settings: Settings, losses: Losses) -> None:
    """Ask for a form of answer: natively, or by a call that has to be made.

    Raises:
        LocalDialectError: a form that Bedrock cannot promise; an invented schema gives `{}`, and best effort would
            look like success (B-SCH-13, B-SCH-20).
    """
    if output is None or output.kind == "text":
        return
    schema = output.schema
    if output.kind != "schema" or schema is None or _json.kind_of(schema) != "object":
        raise LocalDialectError(
            f"Bedrock cannot promise an answer of the form {output.kind!r}; give a JSON schema instead",
            param="response_format",
            code="unsupported_parameter",
        )
    if any(word in model for word in _NO_SCHEMA_OUTPUT):
        losses.note("/response_format", "the model has no structured output; a forced tool call gives it", "info")
        settings.answer_tool = schema
        return
    form: dict[str, Any] = {"schema": json_text(schema), "name": output.name, "description": output.description}
    structure = {"jsonSchema": {key: value for key, value in form.items() if value}}
    settings.output = {"textFormat": {"type": "json_schema", "structure": structure}}
