"""Settings: the table of scalars, thinking, structured output, and the rules that bind them to each other."""

from typing import Any

import msgspec
from msgspec import UNSET

from setu import _json
from setu._json import Raw
from setu.chat.request import ChatRequest, Options, Output, Thinking
from setu.dialects.anthropic.words import NAME
from setu.dialects.claude import MIN_BUDGET, need_one_answer, neutral, stops, unfit_samplers, write_thinking
from setu.dialects.params import Param, write_options
from setu.dialects.reader import Obj
from setu.dialects.record import Facts, Loss, Target, pointer
from setu.errors import LocalDialectError

PARAMS: tuple[Param, ...] = (
    Param(field="max_tokens", wire="max_tokens", kind="integer", low=1, clamp=True),
    Param(field="temperature", wire="temperature", kind="number", low=0, high=1),
    Param(field="top_p", wire="top_p", kind="number", low=0, high=1),
    Param(field="top_k", wire="top_k", kind="integer", low=0),
    Param(field="stop", wire="stop_sequences", kind="texts"),
    Param(field="service_tier", wire="service_tier", kind="text"),
)

WIRE = {param.field: pointer(param.wire) for param in PARAMS} | {
    "user": "/metadata/user_id",
    "thinking": "/thinking",
    "thinking/effort": "/output_config/effort",
    "output": "/output_config/format",
    "parallel": "/tool_choice/disable_parallel_tool_use",
}
"""Where an Anthropic client wrote each canonical field."""

DEFAULT_MAX_TOKENS = 4096
"""What every Claude model can put out; sent when neither the client nor the model's facts say more (B-PRM-05)."""

_SHOW_OF_DISPLAY = {"summarized": "summary", "omitted": "none"}
_TIERS = {"auto": "auto", "standard_only": "standard_only", "default": "standard_only", "priority": "auto"}


def read_thinking(body: Obj, config: Obj | None) -> Thinking | None:
    """Take `thinking` and `output_config.effort`; a mode this version does not know stays behind as an extra."""
    effort = config.text("effort") if config else None
    raw = body.members.get("thinking")
    if raw is None or raw == b"null":
        body.raw("thinking")
        return Thinking(effort=effort) if effort else None
    thinking = Obj(raw, body.at("thinking"))
    kind = thinking.need_text("type")
    display = thinking.text("display")
    budget = thinking.integer("budget_tokens")
    if kind == "enabled" and budget is None:
        raise thinking.missing("budget_tokens")
    if kind == "enabled" and budget is not None and budget < MIN_BUDGET:
        raise thinking.wrong("budget_tokens", f"at least {MIN_BUDGET}")
    mode: Any = {"enabled": "on", "disabled": "off", "adaptive": "adaptive"}.get(kind)
    show: Any = _SHOW_OF_DISPLAY.get(display) if display else None
    if mode is None or thinking.members or (display and show is None):
        return Thinking(effort=effort) if effort else None
    del body.members["thinking"]
    return Thinking(mode=mode, effort=effort, budget=budget, show=show)


def read_output(body: Obj, config: Obj | None) -> Output | None:
    """Take the answer's form: `output_config.format`, or `output_format` as the beta spelt it."""
    holder = config if config is not None and config.has("format") else body
    key = "format" if holder is config else "output_format"
    form = holder.obj(key)
    if form is None:
        return None
    if form.need_text("type") != "json_schema":
        raise form.error(f"'{form.at('type')}' must be 'json_schema'", param=form.at("type"))
    schema = form.raw("schema")
    if schema is None:
        raise form.missing("schema")
    return Output(kind="schema", schema=schema, dialect=NAME)


def write_settings(request: ChatRequest, target: Target, losses: list[Loss]) -> dict[str, Any]:
    """Return the members for every setting, bent to what the target takes."""
    members = _scalars(request.options, losses)
    asked = members.get("max_tokens")
    cap = target.facts.max_output
    if asked is not None and cap is not None and asked > cap:
        losses.append(_loss("max_tokens", f"the model puts out at most {cap} tokens"))
        members["max_tokens"] = asked = cap
    thinking = write_thinking(request.thinking, target.facts, asked, losses)
    if asked is None:
        budget = thinking.get("thinking", {}).get("budget_tokens", 0)
        members["max_tokens"] = cap or DEFAULT_MAX_TOKENS + budget
    _settle_samplers(members, thinking, target.facts, losses)
    config = thinking.pop("output_config", {}) | write_output(request.output)
    if request.output is not None and request.output.description:
        reason = "Anthropic takes a schema without a description of it"
        losses.append(Loss(phase="request", pointer="/output/description", reason=reason, severity="info"))
    return members | thinking | ({"output_config": config} if config else {})


def _scalars(options: Options, losses: list[Loss]) -> dict[str, Any]:
    need_one_answer(options, "Anthropic")
    changes = neutral(options)
    user, stop, tier, top_k = options.user, options.stop, options.service_tier, options.top_k
    if not isinstance(user, str):
        # What OpenAI has put in the place of `user` serves the same end here: to find who abuses the model.
        user, changes["safety_identifier"] = options.safety_identifier, UNSET
    if isinstance(top_k, float):  # Gemini's is a number, Anthropic's an integer
        changes["top_k"] = round(top_k)
    options = msgspec.structs.replace(options, user=UNSET, stop=stops(stop, losses), **changes)
    if isinstance(tier, str):
        options = msgspec.structs.replace(options, service_tier=_TIERS.get(tier, UNSET))
        if tier not in _TIERS:
            losses.append(_loss("service_tier", f"Anthropic has no tier {tier!r}"))
    members, more = write_options(options, PARAMS)
    losses += more
    if isinstance(user, str):
        members["metadata"] = {"user_id": user}
    return members


def _settle_samplers(members: dict[str, Any], thinking: dict[str, Any], facts: Facts, losses: list[Loss]) -> None:
    """Drop the samplers that the model does not take."""
    thinks = thinking.get("thinking", {}).get("type") in ("enabled", "adaptive")
    for name, reason in unfit_samplers(members, facts, thinks=thinks, alone=facts.sampling != "both").items():
        if members.pop(name, None) is not None:
            losses.append(_loss(name, reason))


def write_output(output: Output | None) -> dict[str, Any]:
    """Return the members of `output_config` that ask for a form of answer.

    Raises:
        LocalDialectError: a form that Anthropic cannot promise; best effort would look like success (B-SCH-20).
    """
    if output is None or output.kind == "text":
        return {}
    if output.kind == "schema" and output.schema is not None and _json.kind_of(output.schema) == "object":
        return {"format": {"type": "json_schema", "schema": Raw(output.schema)}}
    raise LocalDialectError(
        f"Anthropic cannot promise an answer of the form {output.kind!r}; give a JSON schema instead",
        param="response_format",
        code="unsupported_parameter",
    )


def _loss(field: str, reason: str) -> Loss:
    return Loss(phase="request", pointer=pointer(field), reason=reason)
