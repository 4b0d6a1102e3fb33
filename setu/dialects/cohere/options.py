"""Scalar options, structured output and thinking.

Source: docs.cohere.com/reference/chat, read 2026-11-20; the upper end of `temperature` from
github.com/cohere-ai/cohere-developer-experience/pull/523.
"""

from typing import Any

from setu import schema
from setu._json import JsonError, Raw
from setu.chat.request import ChatRequest, Output, Thinking
from setu.dialects.cohere.words import HOST
from setu.dialects.efforts import BUDGETS
from setu.dialects.outward import Writer
from setu.dialects.params import Param, write_options

PARAMS = (
    Param(field="max_tokens", wire="max_tokens", kind="integer", low=1),
    Param(field="temperature", wire="temperature", kind="number", low=0, high=1),
    Param(field="top_p", wire="p", kind="number", low=0.01, high=0.99),
    Param(field="top_k", wire="k", kind="number", low=0, high=500),
    Param(field="stop", wire="stop_sequences", kind="texts", most=5),
    Param(field="seed", wire="seed", kind="integer", low=0),
    Param(field="frequency_penalty", wire="frequency_penalty", kind="number", low=0, high=1),
    Param(field="presence_penalty", wire="presence_penalty", kind="number", low=0, high=1),
    Param(field="logprobs", wire="logprobs", kind="flag"),
)

_NEUTRAL: dict[str, Any] = {"n": 1, "modalities": ("text",)}
"""Values that ask for what Cohere does anyway."""


def render_options(request: ChatRequest, writer: Writer) -> dict[str, Any]:
    """Return the members of the scalar options."""
    members, losses = write_options(request.options, PARAMS)
    neutral = {f"/{field}" for field, value in _NEUTRAL.items() if getattr(request.options, field) == value}
    writer.losses += [loss for loss in losses if loss.pointer not in neutral]
    if "k" in members:
        members["k"] = int(members["k"])
    return members


def render_output(output: Output, request: ChatRequest, writer: Writer) -> dict[str, Any]:
    """Return `response_format`; Cohere refuses it beside tools, which weigh more."""
    if output.kind == "text":
        return {}
    if output.kind == "grammar":
        writer.lose(("output",), f"{HOST} takes no grammar for the answer")
        return {}
    if output.description:
        writer.lose(("output", "description"), f"{HOST} takes a schema without a description of it", info=True)
    if request.tools:
        writer.lose(("output",), f"{HOST} takes no response format beside tools")
        return {}
    form: dict[str, Any] = {"type": "json_object"}
    if output.kind == "schema" and output.schema is not None:
        try:
            form["json_schema"] = Raw(schema.rooted(output.schema))
        except JsonError as error:
            raise writer.refused(f"is not a JSON object: {error}", ("response_format",)) from None
    return {"response_format": form}


def render_thinking(thinking: Thinking, writer: Writer) -> dict[str, Any]:
    """Return `thinking`: on or off, and how many tokens it may take."""
    off = thinking.mode == "off" or thinking.budget == 0
    if writer.target.facts.thinking == "none":
        if not off:
            writer.lose(("thinking", "effort"), "the model does not think")
        return {}
    if off:
        return {"thinking": {"type": "disabled"}}
    if thinking.show is not None:
        writer.lose(("thinking", "show"), f"{HOST} always shows its thinking", info=True)
    budget = thinking.budget if thinking.budget is not None and thinking.budget > 0 else None
    if budget is None and thinking.effort is not None:
        budget = BUDGETS.get(thinking.effort)
        writer.lose(("thinking", "effort"), f"effort {thinking.effort} became a budget of {budget} tokens", info=True)
    return {"thinking": {"type": "enabled"} | ({} if budget is None else {"token_budget": budget})}
