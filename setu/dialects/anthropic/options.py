"""Settings: the table of scalars, thinking, structured output, and the rules that bind them to each other."""

from typing import Any

import msgspec
from msgspec import UNSET

from setu import _json
from setu._json import Raw
from setu.chat.request import ChatRequest, Options, Output, Thinking
from setu.dialects.anthropic.words import NAME
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

MIN_BUDGET = 1024

BUDGET_OF_EFFORT = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}
"""Thinking tokens for an effort level, and back by the nearest not above."""

_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_ORDER = tuple(BUDGET_OF_EFFORT)
_SAMPLERS = ("temperature", "top_p", "top_k")
_SHOW_OF_DISPLAY = {"summarized": "summary", "omitted": "none"}
_DISPLAY_OF_SHOW = {"summary": "summarized", "full": "summarized", "none": "omitted"}
_TIERS = {"auto": "auto", "standard_only": "standard_only", "default": "standard_only", "priority": "auto"}
_NEUTRAL: dict[str, Any] = {"n": 1, "frequency_penalty": 0, "presence_penalty": 0, "modalities": ("text",)}
"""Values that ask for what happens anyway: leaving them out loses nothing."""


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
    return members | thinking | ({"output_config": config} if config else {})


def _scalars(options: Options, losses: list[Loss]) -> dict[str, Any]:
    if isinstance(options.n, int) and options.n > 1:
        # One answer where two were asked for looks like success (B-PRM-07).
        raise LocalDialectError("Anthropic gives one answer; ask with n 1", param="n", code="unsupported_parameter")
    neutral: dict[str, Any] = {name: UNSET for name, value in _NEUTRAL.items() if getattr(options, name) == value}
    user, stop, tier, top_k = options.user, options.stop, options.service_tier, options.top_k
    if isinstance(top_k, float):  # Gemini's is a number, Anthropic's an integer
        neutral["top_k"] = round(top_k)
    options = msgspec.structs.replace(options, user=UNSET, stop=_stops(stop, losses), **neutral)
    if isinstance(tier, str):
        options = msgspec.structs.replace(options, service_tier=_TIERS.get(tier, UNSET))
        if tier not in _TIERS:
            losses.append(_loss("service_tier", f"Anthropic has no tier {tier!r}"))
    members, more = write_options(options, PARAMS)
    losses += more
    if isinstance(user, str):
        members["metadata"] = {"user_id": user}
    return members


def _stops(stop: Any, losses: list[Loss]) -> Any:
    """Drop stop sequences of nothing but space: Anthropic refuses them (B-PRM-04)."""
    if not isinstance(stop, tuple):
        return stop
    kept = tuple(text for text in stop if text.strip())
    if len(kept) < len(stop):
        losses.append(_loss("stop", "stop sequences must contain non-whitespace"))
    return kept or UNSET


def _settle_samplers(members: dict[str, Any], thinking: dict[str, Any], facts: Facts, losses: list[Loss]) -> None:
    """Drop the samplers that the model takes not at all, not together (B-PRM-06), or not beside thinking.

    docs.anthropic.com/en/docs/build-with-claude/extended-thinking (2026-11): no temperature but 1, no top_k, and
    top_p from 0.95 to 1. Claude refuses all three since Opus 4.7, whatever their value.
    """
    unfit: dict[str, str] = {}
    if facts.sampling == "none":
        unfit |= dict.fromkeys(_SAMPLERS, "the model takes no sampling parameters")
    if thinking.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        tame = {"temperature": members.get("temperature", 1) == 1, "top_p": members.get("top_p", 1) >= 0.95}
        unfit |= {name: "thinking does not go with it" for name in _SAMPLERS if not tame.get(name)}
    if facts.sampling != "both" and "temperature" in members and "temperature" not in unfit:
        unfit.setdefault("top_p", "temperature and top_p may not both be set")
    for name, reason in unfit.items():
        if members.pop(name, None) is not None:
            losses.append(_loss(name, reason))


def write_thinking(
    thinking: Thinking | None, facts: Facts, max_tokens: int | None, losses: list[Loss]
) -> dict[str, Any]:
    """Return `thinking` and `output_config.effort` for what is asked, in the form that the model takes.

    Without facts a request is taken at its word: a budget is a budget, an effort an effort.
    """
    if thinking is None:
        return {}
    if facts.thinking == "none":
        if thinking.mode != "off":
            losses.append(_loss("thinking", "the model does not think"))
        return {}
    if thinking.mode == "off" or thinking.effort == "none":
        return {"thinking": {"type": "disabled"}} | _effort(thinking, facts, losses)
    if facts.thinking == "budget" or (facts.thinking is None and _by_budget(thinking)):
        return _budget(thinking, max_tokens, losses)
    members = _effort(thinking, facts, losses)
    if thinking.mode is not None or facts.thinking == "adaptive":
        members["thinking"] = {"type": "adaptive"} | _display(thinking)
    elif thinking.show is not None:
        reason = "what is shown of thinking can be said only where thinking is asked for"
        losses.append(Loss(phase="request", pointer="/thinking/show", reason=reason, severity="info"))
    return members


def _by_budget(thinking: Thinking) -> bool:
    return thinking.mode == "on" or (thinking.mode is None and (thinking.budget or 0) > 0)


def _budget(thinking: Thinking, max_tokens: int | None, losses: list[Loss]) -> dict[str, Any]:
    """Ask for thinking by tokens: at least 1,024 and fewer than `max_tokens`, whose cap stays (B-PRM-13)."""
    wanted = thinking.budget
    exact = wanted is not None and wanted > 0
    budget = wanted if exact and wanted is not None else BUDGET_OF_EFFORT.get(thinking.effort or "medium", 8192)
    bent = max(budget, MIN_BUDGET)
    if max_tokens is not None and bent >= max_tokens:
        bent = max(max_tokens // 2, MIN_BUDGET)
    if max_tokens is not None and bent >= max_tokens:
        losses.append(_loss("thinking", f"thinking needs more than {MIN_BUDGET} max_tokens"))
        return {}
    if bent != budget:
        losses.append(_loss("thinking", f"budget bent from {budget} to {bent} tokens"))
    effort = {"output_config": {"effort": thinking.effort}} if exact and thinking.effort in _EFFORTS else {}
    # A model that takes a budget shows its thinking anyway, and an older one does not know `display`.
    display = {} if thinking.show == "full" else _display(thinking)
    return {"thinking": {"type": "enabled", "budget_tokens": bent} | display} | effort


def _display(thinking: Thinking) -> dict[str, Any]:
    return {"display": _DISPLAY_OF_SHOW[thinking.show]} if thinking.show else {}


def _effort(thinking: Thinking, facts: Facts, losses: list[Loss]) -> dict[str, Any]:
    """Ask for an effort: the source's word, or that of its budget, or the nearest that the model has (B-PRM-12)."""
    effort = thinking.effort
    if effort == "none":
        return {}
    if effort is None and thinking.budget is not None and thinking.budget > 0:
        effort = effort_of(thinking.budget)
    if effort is None:
        return {}
    known = facts.efforts or _EFFORTS
    if effort in known:
        return {"output_config": {"effort": effort}}
    nearest = _nearest(effort, known)
    if nearest is None:
        losses.append(_loss("thinking", f"Anthropic has no effort {effort!r}"))
        return {}
    losses.append(_loss("thinking", f"effort {effort!r} became {nearest!r}"))
    return {"output_config": {"effort": nearest}}


def effort_of(budget: int) -> str:
    """Name the highest effort whose budget is not above this one."""
    return next((effort for effort in reversed(_ORDER) if BUDGET_OF_EFFORT[effort] <= budget), "minimal")


def _nearest(effort: str, known: tuple[str, ...]) -> str | None:
    """Find the next effort down that is known, else the lowest known one."""
    if effort not in _ORDER:
        return None
    ranked = [word for word in _ORDER if word in known]
    below = [word for word in ranked if _ORDER.index(word) <= _ORDER.index(effort)]
    return next(reversed(below or ranked[:1]), None)


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
