"""Scalar options, structured output and thinking, both ways."""

from typing import Any, Literal

from setu._json import Raw, kind_of
from setu.chat.request import Options, Output, Thinking
from setu.dialects.efforts import effort_of, nearest
from setu.dialects.extras import put_back
from setu.dialects.openai_chat.words import NAME
from setu.dialects.params import Param, write_options
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, Target, pointer

PARAMS = (
    # The newer name wins where a client sends both (B-PRM-05).
    Param(field="max_tokens", wire="max_completion_tokens", aliases=("max_tokens",), kind="integer", low=1),
    Param(field="temperature", wire="temperature", kind="number", low=0, high=2),
    Param(field="top_p", wire="top_p", kind="number", low=0, high=1),
    Param(field="stop", wire="stop", kind="texts", most=4),
    Param(field="seed", wire="seed", kind="integer"),
    Param(field="n", wire="n", kind="integer", low=1, high=128),
    Param(field="frequency_penalty", wire="frequency_penalty", kind="number", low=-2, high=2),
    Param(field="presence_penalty", wire="presence_penalty", kind="number", low=-2, high=2),
    Param(field="logit_bias", wire="logit_bias", kind="json"),
    Param(field="logprobs", wire="logprobs", kind="flag"),
    Param(field="top_logprobs", wire="top_logprobs", kind="integer", low=0, high=20),
    Param(field="modalities", wire="modalities", kind="texts"),
    Param(field="audio", wire="audio", kind="json"),
    Param(field="service_tier", wire="service_tier", kind="text"),
    Param(field="user", wire="user", kind="text"),
    Param(field="metadata", wire="metadata", kind="labels"),
    Param(field="cache_key", wire="prompt_cache_key", kind="text"),
    Param(field="cache_retention", wire="prompt_cache_retention", kind="text"),
    Param(field="cache_options", wire="prompt_cache_options", kind="json"),
    Param(field="safety_identifier", wire="safety_identifier", kind="text"),
    Param(field="moderation", wire="moderation", kind="json"),
    Param(field="verbosity", wire="verbosity", kind="text"),
)
"""https://platform.openai.com/docs/api-reference/chat/create, 2026-11."""

TOP_K = Param(field="top_k", wire="top_k", kind="number", low=0)
"""Not OpenAI's, but most compatible hosts take it."""

_TIERS = {"standard_only": "default"}
"""Anthropic's word for what OpenAI calls its default tier; `auto` means the same to both."""


def render_options(options: Options, target: Target) -> tuple[dict[str, Any], list[Loss]]:
    """Return the wire members of the options, under the names that the target takes."""
    table = (*PARAMS, TOP_K) if "top_k" in target.capabilities else PARAMS
    members, losses = write_options(options, table)
    if "service_tier" in members:
        members["service_tier"] = _TIERS.get(members["service_tier"], members["service_tier"])
    # Compatible hosts know the older name, OpenAI's reasoning models the newer one only.
    if "max_completion_tokens" in members and "max_completion_tokens" not in target.capabilities:
        members["max_tokens"] = members.pop("max_completion_tokens")
    top_k = members.get("top_k")
    if isinstance(top_k, float) and top_k.is_integer():
        members["top_k"] = int(top_k)
    return members, losses


def parse_output(obj: Obj) -> Output | None:
    """Take `response_format`; a kind this version does not know stays with the request's extra."""
    raw = obj.members.get("response_format")
    if raw is None or raw == b"null":
        obj.raw("response_format")
        return None
    form = Obj(raw, obj.at("response_format"), lenient=obj.lenient)
    kind = form.text("type")
    if kind is None:
        raise form.missing("type")
    if kind not in _OUTPUTS:
        return None
    obj.raw("response_format")
    output = _OUTPUTS[kind](form)
    put_back(obj, "response_format", form)
    return output


def _schema(form: Obj) -> Output:
    described = form.obj("json_schema")
    if described is None:
        # Together puts the schema beside the type.
        schema = form.raw("schema")
        if schema is None:
            raise form.missing("json_schema")
        return Output(kind="schema", schema=schema, dialect=NAME)
    schema = described.raw("schema")
    if schema is not None and kind_of(schema) != "object":
        raise described.wrong("schema", "an object")
    output = Output(
        kind="schema",
        name=described.text("name"),
        schema=schema,
        strict=described.flag("strict"),
        description=described.text("description"),
        dialect=NAME,
    )
    put_back(form, "json_schema", described)
    return output


_OUTPUTS = {
    "text": lambda _: Output(kind="text"),
    "json_object": lambda _: Output(kind="json"),
    "json_schema": _schema,
}


def render_output(output: Output, losses: list[Loss]) -> dict[str, Any] | None:
    """Return `response_format`."""
    match output.kind:
        case "text":
            return {"type": "text"}
        case "json":
            return {"type": "json_object"}
        case "grammar":
            losses.append(Loss(phase="request", pointer="/output", reason="chat takes no grammar for the answer"))
            return None
    # OpenAI demands a name; hosts that do not are given back what their client said.
    name = output.name if output.dialect == NAME else output.name or "response"
    described: dict[str, Any] = {}
    if name is not None:
        described["name"] = name
    if output.description is not None:
        described["description"] = output.description
    if output.schema is not None:
        described["schema"] = Raw(output.schema)
    if output.strict is not None:
        described["strict"] = output.strict
    return {"type": "json_schema", "json_schema": described}


def parse_thinking(obj: Obj) -> Thinking | None:
    """Take the thinking request in any of its three forms: effort, OpenRouter's object, `{type, budget_tokens}`."""
    said: dict[str, Any] = {}
    if obj.members.get("reasoning_effort") == _LEFT_TO_THE_MODEL:
        said["mode"], effort = "on", None
    else:
        effort = obj.text("reasoning_effort")
    reasoning = obj.obj("reasoning")
    if reasoning is not None:
        effort = reasoning.text("effort") or effort
        said["budget"] = reasoning.integer("max_tokens")
        enabled, exclude = reasoning.flag("enabled"), reasoning.flag("exclude")
        said["mode"] = said.get("mode") if enabled is None else "on" if enabled else "off"
        said["show"] = None if exclude is None else "none" if exclude else "full"
        put_back(obj, "reasoning", reasoning)
    _parse_switch(obj, said)
    if effort is not None:
        said["effort"] = effort
        if effort == "none":
            said["mode"] = "off"
    said = {key: value for key, value in said.items() if value is not None}
    return Thinking(**said) if said else None


_LEFT_TO_THE_MODEL = b'"default"'
"""Groq's word for thinking as much as the model does by itself (console.groq.com/docs/reasoning). It stays among the
members that only this wire knows: no other API has it as an effort."""

_MODES = {"enabled": "on", "disabled": "off", "adaptive": "adaptive"}


def _parse_switch(obj: Obj, said: dict[str, Any]) -> None:
    if kind_of(obj.members.get("thinking", b"")) != "object":
        return
    switch = Obj(obj.members["thinking"], obj.at("thinking"), lenient=obj.lenient)
    kind = switch.text("type")
    if kind not in _MODES:
        return
    obj.raw("thinking")
    said["mode"] = _MODES[kind]
    budget = switch.integer("budget_tokens")
    said["budget"] = said.get("budget") if budget is None else budget
    put_back(obj, "thinking", switch)


def render_thinking(thinking: Thinking, target: Target, losses: list[Loss]) -> dict[str, Any]:
    """Return the members that ask for thinking, in the form that the target takes."""
    if target.facts.thinking == "none":
        if thinking.mode != "off":
            losses.append(Loss(phase="request", pointer="/thinking", reason="the model does not think"))
        return {}
    if "reasoning" in target.capabilities:
        return {"reasoning": members} if (members := _reasoning(thinking)) else {}
    members = {}
    effort = thinking.effort
    if "thinking" in target.capabilities and thinking.mode is not None and effort != "none":
        members["thinking"] = {"type": _SWITCHES[thinking.mode]}
        if thinking.budget is not None:
            members["thinking"]["budget_tokens"] = thinking.budget
    elif thinking.mode == "off":
        # Models disagree whether "none" is an effort; a client of this wire has said so itself.
        effort = "none" if effort == "none" or "none" in target.facts.efforts else None
        if effort is None:
            reason = "thinking cannot be switched off"
            severity: Literal["info", "warn"] = "info" if target.facts.thinking is None else "warn"
            losses.append(Loss(phase="request", pointer="/thinking/mode", reason=reason, severity=severity))
    elif effort is None and thinking.budget is not None and thinking.budget > 0:
        effort = effort_of(thinking.budget)
        reason = f"a budget of {thinking.budget} tokens became effort {effort}"
        losses.append(Loss(phase="request", pointer="/thinking/budget", reason=reason, severity="info"))
    if thinking.show is not None:
        reason = "chat does not say whether thinking is shown"
        losses.append(Loss(phase="request", pointer="/thinking/show", reason=reason, severity="info"))
    if effort is not None:
        members["reasoning_effort"] = _allowed(effort, target, losses)
    return members


_SWITCHES = {"on": "enabled", "off": "disabled", "adaptive": "adaptive"}


def _reasoning(thinking: Thinking) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if thinking.effort is not None:
        members["effort"] = thinking.effort
    if thinking.budget is not None and thinking.budget >= 0:
        members["max_tokens"] = thinking.budget
    if thinking.mode is not None and thinking.effort != "none":
        members["enabled"] = thinking.mode != "off"
    if thinking.show is not None:
        members["exclude"] = thinking.show == "none"
    return members


def _allowed(effort: str, target: Target, losses: list[Loss]) -> str:
    """Return the effort, or the nearest that the model knows (B-PRM-12)."""
    efforts = target.facts.efforts
    found = None if effort in efforts else nearest(effort, efforts)
    if found is None:
        return effort
    reason = f"effort {effort} became {found}"
    losses.append(Loss(phase="request", pointer=pointer("thinking", "effort"), reason=reason))
    return found


def stream_options(options: Options, target: Target, *, stream: bool) -> dict[str, Any]:
    """Return `stream_options`: as the client asked, or always where the target understands it (B-PRM-11)."""
    if stream and "stream_usage" in target.capabilities:
        return {"include_usage": True}
    return {"include_usage": options.stream_usage} if isinstance(options.stream_usage, bool) else {}
