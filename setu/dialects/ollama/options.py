"""Model options, structured output and thinking.

Most settings stand below `options` (docs.ollama.com/modelfile, "Valid parameters and values"); log probabilities,
`format` and `think` stand beside it. Source: docs.ollama.com/api/chat, read 2026-11-20.
"""

from typing import Any

from setu._json import Raw, kind_of
from setu.chat.request import ChatRequest, Output, Thinking
from setu.dialects.ollama.words import HOST
from setu.dialects.outward import Writer
from setu.dialects.params import Param, write_options

PARAMS = (
    Param(field="max_tokens", wire="num_predict", kind="integer", low=1),
    Param(field="temperature", wire="temperature", kind="number", low=0),
    Param(field="top_p", wire="top_p", kind="number", low=0, high=1),
    Param(field="top_k", wire="top_k", kind="number", low=0),
    Param(field="stop", wire="stop", kind="texts"),
    Param(field="seed", wire="seed", kind="integer"),
    Param(field="frequency_penalty", wire="frequency_penalty", kind="number", low=-2, high=2),
    Param(field="presence_penalty", wire="presence_penalty", kind="number", low=-2, high=2),
)

BESIDE = (
    Param(field="logprobs", wire="logprobs", kind="flag"),
    Param(field="top_logprobs", wire="top_logprobs", kind="integer", low=0, high=20),
)

_NEUTRAL: dict[str, Any] = {"n": 1, "modalities": ("text",)}
"""Values that ask for what Ollama does anyway."""

_EXACT = 2**53 - 1
_LEVELS = ("low", "medium", "high")
_NEAREST = {"minimal": "low", "xhigh": "high", "max": "high"}
_FROM_BUDGET = ((16384, "high"), (8192, "medium"))


def render_options(request: ChatRequest, writer: Writer) -> dict[str, Any]:
    """Return `options` and the settings that stand beside it."""
    seed = request.options.seed
    if isinstance(seed, int) and abs(seed) > _EXACT:
        raise writer.refused(f"must be within ±{_EXACT}: {HOST} reads it as a double", ("seed",))
    members, losses = write_options(request.options, (*PARAMS, *BESIDE))
    neutral = {f"/{field}" for field, value in _NEUTRAL.items() if getattr(request.options, field) == value}
    writer.losses += [loss for loss in losses if loss.pointer not in neutral]
    if "top_k" in members:
        members["top_k"] = int(members["top_k"])
    beside = {param.wire: members.pop(param.wire) for param in BESIDE if param.wire in members}
    return beside | ({"options": members} if members else {})


def render_output(output: Output, writer: Writer) -> dict[str, Any]:
    """Return `format`: the word `json`, or a schema."""
    if output.kind == "text":
        return {}
    if output.kind == "grammar":
        writer.lose(("output",), f"{HOST} takes no grammar for the answer")
        return {}
    if output.description:
        writer.lose(("output", "description"), f"{HOST} takes a schema without a description of it", info=True)
    if output.kind == "json" or output.schema is None:
        return {"format": "json"}
    if kind_of(output.schema) != "object":
        raise writer.refused("has a schema that is not a JSON object", ("response_format",))
    return {"format": Raw(output.schema)}


def render_thinking(thinking: Thinking, writer: Writer) -> dict[str, Any]:
    """Return `think`: a flag, or a level for the models that have levels (gpt-oss)."""
    facts = writer.target.facts
    off = thinking.mode == "off" or thinking.budget == 0
    if facts.thinking == "none":  # any `think` is an error there, `true` and `false` alike
        if not off:
            writer.lose(("thinking", "effort"), "the model does not think")
        return {}
    if thinking.show is not None:
        writer.lose(("thinking", "show"), f"{HOST} always shows its thinking", info=True)
    if facts.thinking == "effort":
        return _level(thinking, writer, off=off)
    if not off and (thinking.effort is not None or (thinking.budget or 0) > 0):
        writer.lose(("thinking",), "the model thinks as much as it likes", info=True)
    return {"think": not off}


def _level(thinking: Thinking, writer: Writer, *, off: bool) -> dict[str, Any]:
    if off:
        writer.lose(("thinking", "mode"), "the model's thinking cannot be switched off")
        return {"think": "low"}
    wanted = thinking.effort
    if wanted is None:
        budget = thinking.budget
        if budget is None or budget < 0:
            return {}
        wanted = next((level for least, level in _FROM_BUDGET if budget >= least), "low")
    level = wanted if wanted in _LEVELS else _NEAREST.get(wanted, "medium")
    if level != thinking.effort:
        writer.lose(("thinking",), f"the thinking asked for became level {level}", info=True)
    return {"think": level}
