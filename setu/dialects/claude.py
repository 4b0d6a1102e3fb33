"""What Claude is told alike on every host: Anthropic's own API, and Bedrock's Converse in other words.

Sources: docs.anthropic.com/en/api/messages, docs.anthropic.com/en/docs/build-with-claude/extended-thinking and
docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html (2026-11).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from msgspec import UNSET

from setu import _json
from setu._json import Raw
from setu.chat.parts import HostedCall, HostedResult, Opaque, Reasoning, ToolCall
from setu.chat.request import Options, Thinking
from setu.dialects.efforts import BUDGETS, LADDER, effort_of, nearest
from setu.dialects.extras import lose
from setu.dialects.losses import Losses
from setu.dialects.record import Facts, Loss
from setu.errors import LocalDialectError

ISSUER: Final = "anthropic"
"""Whose seals Claude gives and takes, wherever it runs: its signatures are documented as valid on all platforms."""

MIN_BUDGET: Final = 1024

SAMPLERS: Final = ("temperature", "top_p", "top_k")

NEUTRAL: Final[Mapping[str, Any]] = {
    "n": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "modalities": ("text",),
}
"""Values that ask for what happens anyway: leaving them out loses nothing."""

_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_DISPLAY_OF_SHOW = {"summary": "summarized", "full": "summarized", "none": "omitted"}

Piece = TypeVar("Piece")


def need_one_answer(options: Options, host: str) -> None:
    """Refuse to be asked for several answers.

    Raises:
        LocalDialectError: `n` above 1; one answer where two were asked for looks like success (B-PRM-07).
    """
    if isinstance(options.n, int) and options.n > 1:
        raise LocalDialectError(f"{host} gives one answer; ask with n 1", param="n", code="unsupported_parameter")


def neutral(options: Options) -> dict[str, Any]:
    """Return the changes that leave out what asks for nothing."""
    return {name: UNSET for name, value in NEUTRAL.items() if getattr(options, name) == value}


def stops(stop: Any, losses: list[Loss]) -> Any:
    """Drop stop sequences of nothing but space: Claude refuses them, and Converse an empty one (B-PRM-04)."""
    if not isinstance(stop, tuple):
        return stop
    kept = tuple(text for text in stop if text.strip())
    if len(kept) < len(stop):
        lose(losses, ("stop",), "stop sequences must contain non-whitespace")
    return kept or UNSET


def unfit_samplers(given: Mapping[str, Any], facts: Facts, *, thinks: bool, alone: bool) -> dict[str, str]:
    """Return why samplers may not be sent: not at all, not beside thinking, not together (B-PRM-06).

    Beside thinking there may be no temperature but 1, no top_k, and top_p from 0.95 to 1. Claude refuses all three
    since Opus 4.7, whatever their value. `alone` says that temperature and top_p exclude each other.
    """
    if facts.sampling == "none":
        return dict.fromkeys(SAMPLERS, "the model takes no sampling parameters")
    unfit: dict[str, str] = {}
    if thinks:
        tame = {"temperature": given.get("temperature", 1) == 1, "top_p": given.get("top_p", 1) >= 0.95}
        unfit = {name: "thinking does not go with it" for name in SAMPLERS if not tame.get(name)}
    if alone and "temperature" in given and "temperature" not in unfit:
        unfit.setdefault("top_p", "temperature and top_p may not both be set")
    return unfit


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
            lose(losses, ("thinking",), "the model does not think")
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
        lose(losses, ("thinking", "show"), reason, info=True)
    return members


def _by_budget(thinking: Thinking) -> bool:
    return thinking.mode == "on" or (thinking.mode is None and (thinking.budget or 0) > 0)


def _budget(thinking: Thinking, max_tokens: int | None, losses: list[Loss]) -> dict[str, Any]:
    """Ask for thinking by tokens: at least 1,024 and fewer than `max_tokens`, whose cap stays (B-PRM-13)."""
    wanted = thinking.budget
    exact = wanted is not None and wanted > 0
    budget = wanted if exact and wanted is not None else BUDGETS.get(thinking.effort or "medium", 8192)
    bent = max(budget, MIN_BUDGET)
    if max_tokens is not None and bent >= max_tokens:
        bent = max(max_tokens // 2, MIN_BUDGET)
    if max_tokens is not None and bent >= max_tokens:
        lose(losses, ("thinking",), f"thinking needs more than {MIN_BUDGET} max_tokens")
        return {}
    if bent != budget:
        lose(losses, ("thinking",), f"budget bent from {budget} to {bent} tokens")
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
    found = nearest(effort, known, LADDER)
    if found is None:
        lose(losses, ("thinking",), f"Anthropic has no effort {effort!r}")
        return {}
    lose(losses, ("thinking",), f"effort {effort!r} became {found!r}")
    return {"output_config": {"effort": found}}


def thinking_text(part: Reasoning) -> str:
    """Return a reasoning's text as one: its own words, or else their summary."""
    return "\n\n".join(part.text or part.summary)


def call_input(call: ToolCall, where: str, losses: Losses) -> Raw | dict[str, Any]:
    """Return a call's arguments as an object, exactly as written; an empty one for what is none (B-TOOL-11)."""
    if call.kind == "custom":
        return {"input": call.arguments}
    if not call.arguments.strip():
        return {}
    try:
        text = call.arguments.encode()
        if isinstance(_json.decode(text), dict):
            return Raw(text)
    except (_json.JsonError, UnicodeEncodeError):
        pass
    losses.note(where, "the arguments are not a JSON object")
    return {}


def is_own(part: HostedCall | HostedResult | Opaque, dialect: str, where: str, losses: Losses) -> bool:
    """Tell a dialect's own parts from those of others, which are noted as lost."""
    if part.dialect == dialect:
        return True
    kind = part.kind if isinstance(part, Opaque) else part.tool
    losses.note(where, f"only {part.dialect} knows {kind!r}")
    return False


def unique_calls(pieces: Iterable[Piece], call_id: Callable[[Piece], str | None]) -> list[Piece]:
    """Drop the second copy of a call that a client sent in two spellings (B-MSG-11)."""
    seen: set[str] = set()
    kept: list[Piece] = []
    for piece in pieces:
        identity = call_id(piece)
        if identity is None or identity not in seen:
            kept.append(piece)
        if identity is not None:
            seen.add(identity)
    return kept
