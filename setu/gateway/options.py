"""The settings of a model string, written into a client's body in the client's own words.

They go in before translation, so that every pair of dialects takes them the way it takes the client's: what they set
wins over what the body says. All other bytes stay.
"""

from collections.abc import Callable, Mapping

import msgspec

from setu import _json
from setu._json import Json
from setu.dialects.efforts import BUDGETS, effort_of
from setu.dialects.record import Dialect, Loss, Rendered
from setu.errors import LocalDialectError
from setu.translate.session import Destination

THINKING = frozenset({"think", "thoughts", "effort", "reasoning"})
"""The options that ask for thinking; each dialect has its own form for the four together."""

_LEAST_BUDGET = 1024
"""Anthropic's least budget (platform.claude.com/docs, extended thinking)."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a model string says of thinking: on, off, or neither; a budget in tokens, an effort, whether it shows."""

    on: bool | None = None
    budget: int | None = None
    effort: str | None = None
    show: bool | None = None

    @property
    def level(self) -> str | None:
        """Return the effort that stands for the wish where there are no budgets; None when nothing is said."""
        if self.on is False:
            return "none"
        if self.effort is not None:
            return self.effort
        if self.budget is not None:
            return effort_of(self.budget)
        return "medium" if self.on else None


def wish_of(options: Mapping[str, object]) -> Wish:
    """Read the thinking options: `think=0`, `effort=none` and `reasoning=false` switch it off, `think=-1` only on."""
    think, effort, reasoning, show = (options.get(name) for name in ("think", "effort", "reasoning", "thoughts"))
    budget = think if isinstance(think, int) and think > 0 else None
    off = think == 0 or effort == "none" or (reasoning is False and think is None and effort is None)
    said = think is not None or effort is not None or reasoning is not None
    return Wish(
        on=False if off else True if said else None,
        budget=None if off else budget,
        effort=effort if isinstance(effort, str) and not off else None,
        show=show if isinstance(show, bool) else None,
    )


def with_options(body: Json, client: Dialect, options: Mapping[str, object], to: Destination) -> Rendered:
    """Write options into a body of the client's dialect.

    Where the target speaks that dialect, too, thinking is written in the form that its model takes; else in the form
    that says most. What the client's dialect has no word for is a loss.

    Raises:
        LocalDialectError: the body holds a member twice that is to be set.
    """
    if not options:
        return Rendered(body=body)
    page = _Page(body)
    for name, value in options.items():
        if name not in THINKING:
            _scalar(page, client, name, value, to)
    if not THINKING.isdisjoint(options):
        write = _THINKING.get(client.name)
        if write is None:
            page.lose("thinking", client)
        else:
            write(page, wish_of(options), to, to.dialect.name == client.name)
    return page.rendered()


def with_members(body: Json, members: Mapping[str, Json]) -> Json:
    """Set raw members of an upstream's body; of an object that is there already, only the members named.

    Raises:
        LocalDialectError: the body holds one of them twice.
    """
    page = _Page(body)
    for name, value in members.items():
        if _json.kind_of(value) == _json.kind_of(page.get(name)) == "object":
            for inner, raw in _json.split(value).items():
                page.put(f"/{name}/{inner}", raw)
        else:
            page.put(f"/{name}", value)
    return page.rendered().body


class _Page:
    """A body and the changes to it, one or two steps deep."""

    def __init__(self, body: Json) -> None:
        self._body = body
        self._members = _json.split(body)
        self._changes: dict[str, Json] = {}
        self._gone: set[str] = set()
        self.losses: list[Loss] = []

    def get(self, *path: str) -> Json:
        """Return a member's text; empty where there is none."""
        found = self._changes.get(path[0], self._members.get(path[0], b""))
        for step in path[1:]:
            found = _json.split(found).get(step, b"") if _json.kind_of(found) == "object" else b""
        return found

    def put(self, pointer: str, value: Json) -> None:
        first, *rest = pointer[1:].split("/")
        if len(rest) > 1:
            value = _inserted(self.get(first, rest[0]), rest[1], value)
        self._changes[first] = _inserted(self.get(first), rest[0], value) if rest else value

    def drop(self, first: str, inner: str | None = None) -> None:
        """Take a member out; one that is not there is out already."""
        raw = self.get(first, inner) if inner else self.get(first)
        if raw and inner:
            self._changes[first] = _json.without(self.get(first), {inner})
        elif raw:
            self._gone.add(first)

    def lose(self, option: str, client: Dialect, reason: str | None = None) -> None:
        reason = reason or f"{client.name} has no word for the model string's '{option}'"
        self.losses.append(Loss(phase="request", pointer="/model", reason=reason))

    def noted(self, reason: str) -> None:
        self.losses.append(Loss(phase="request", pointer="/model", reason=reason, severity="info"))

    def rendered(self) -> Rendered:
        try:
            body = _json.splice(self._body, self._changes)
            return Rendered(body=_json.without(body, self._gone) if self._gone else body, losses=tuple(self.losses))
        except _json.JsonError as error:
            raise LocalDialectError(str(error), code="duplicate_key") from None


def _inserted(raw: Json, name: str, value: Json) -> Json:
    """Set a member of an object; what is no object becomes one."""
    return (
        _json.splice(raw, {name: value}) if _json.kind_of(raw) == "object" else b"{%s:%s}" % (_json.encode(name), value)
    )


def _scalar(page: _Page, client: Dialect, name: str, value: object, to: Destination) -> None:
    if client.name == "openai_chat" and name == "max_tokens":
        _chat_length(page, _json.encode(value), to)
        return
    pointer = client.params.get(name) or _BESIDE.get((client.name, name))
    if pointer is None:
        page.lose(name, client)
        return
    page.put(pointer, _json.encode(value))
    if name == "top_logprobs" and (switch := _LOGPROBS.get(client.name)):
        page.put(switch, b"true")


_BESIDE = {("openai_chat", "top_k"): "/top_k"}
"""Members that are not the dialect's own, but that most of its hosts take."""

_LOGPROBS = {"openai_chat": "/logprobs", "gemini": "/generationConfig/responseLogprobs"}
"""What must be on for the most likely alternatives to be told."""


def _chat_length(page: _Page, value: Json, to: Destination) -> None:
    """Replace the one of chat's two names that the client used; else write the one that the host takes."""
    used = [name for name in ("max_completion_tokens", "max_tokens") if page.get(name)]
    own = "max_completion_tokens" if "max_completion_tokens" in to.capabilities else "max_tokens"
    for name in used or [own]:
        page.put(f"/{name}", value)


def _chat(page: _Page, wish: Wish, to: Destination, same: bool) -> None:
    """Write OpenRouter's `reasoning`, which our parser reads whole, unless the host itself takes something else."""
    if not same or "reasoning" in to.capabilities:
        _chat_object(page, wish)
        return
    if "thinking" in to.capabilities and wish.effort is None and wish.on is not None:
        budget = {} if wish.budget is None else {"budget_tokens": wish.budget}
        page.put("/thinking", _json.encode({"type": "enabled" if wish.on else "disabled"} | budget))
    elif wish.level is not None:
        page.put("/reasoning_effort", _json.encode(wish.level))
        _budgetless(page, wish)
    if wish.show is not None:
        page.noted("chat does not say whether thinking is shown")


def _chat_object(page: _Page, wish: Wish) -> None:
    if wish.on is not None:
        for name in ("effort", "max_tokens", "enabled"):
            page.drop("reasoning", name)
        page.drop("reasoning_effort")
        page.drop("thinking")
    if wish.on is False:
        page.put("/reasoning/enabled", b"false")
    elif wish.budget is not None:
        page.put("/reasoning/max_tokens", _json.encode(wish.budget))
    elif wish.effort is not None:
        page.put("/reasoning/effort", _json.encode(wish.effort))
    elif wish.on:
        page.put("/reasoning/enabled", b"true")
    if wish.show is not None:
        page.put("/reasoning/exclude", _json.encode(not wish.show))


def _responses(page: _Page, wish: Wish, _to: Destination, _same: bool) -> None:
    if wish.level is not None:
        page.put("/reasoning/effort", _json.encode(wish.level))
        _budgetless(page, wish)
    if wish.show:
        page.put("/reasoning/summary", b'"auto"')
    elif wish.show is False:
        page.drop("reasoning", "summary")


def _anthropic(page: _Page, wish: Wish, to: Destination, same: bool) -> None:
    adaptive = not same or to.facts.thinking == "adaptive"
    if wish.on is False:
        page.put("/thinking", b'{"type":"disabled"}')
        return
    if wish.on:
        _anthropic_on(page, wish, adaptive=adaptive, budgets=not same or to.facts.thinking != "adaptive")
    if wish.show is None:
        return
    if adaptive and page.get("thinking"):
        page.put("/thinking/display", b'"summarized"' if wish.show else b'"omitted"')
    else:
        page.noted("the model does not say whether thinking is shown")


def _anthropic_on(page: _Page, wish: Wish, *, adaptive: bool, budgets: bool) -> None:
    """Write a budget where it was given and may be, else the adaptive mode with an effort, else a budget for it."""
    if wish.budget is not None and budgets:
        budget = max(wish.budget, _LEAST_BUDGET)
        if budget != wish.budget:
            page.noted(f"a budget of {wish.budget} tokens became {budget}")
        page.put("/thinking", _json.encode({"type": "enabled", "budget_tokens": budget}))
    elif adaptive:
        page.put("/thinking", b'{"type":"adaptive"}')
        if wish.effort is not None or wish.budget is not None:
            page.put("/output_config/effort", _json.encode(wish.level))
            _budgetless(page, wish)
    else:
        budget = BUDGETS.get(wish.level or "medium", BUDGETS["medium"])
        page.put("/thinking", _json.encode({"type": "enabled", "budget_tokens": budget}))


def _gemini(page: _Page, wish: Wish, to: Destination, same: bool) -> None:
    where = "/generationConfig/thinkingConfig"
    budget = 0 if wish.on is False else wish.budget
    if budget is None and wish.effort is not None and same and to.facts.thinking == "budget":
        budget = BUDGETS.get(wish.effort)
    if wish.on is not None:
        _thinkless(page)
    if budget is not None:
        page.put(f"{where}/thinkingBudget", _json.encode(budget))
    elif wish.effort is not None:
        page.put(f"{where}/thinkingLevel", _json.encode(wish.effort))
    elif wish.on and to.facts.thinking != "effort":
        page.put(f"{where}/thinkingBudget", b"-1")
    if wish.show is not None:
        page.put(f"{where}/includeThoughts", _json.encode(wish.show))


def _thinkless(page: _Page) -> None:
    """Take out what a Gemini body says of how much to think: budget and level may not come together."""
    said = page.get("generationConfig", "thinkingConfig")
    if _json.kind_of(said) == "object":
        page.put("/generationConfig/thinkingConfig", _json.without(said, {"thinkingBudget", "thinkingLevel"}))


def _budgetless(page: _Page, wish: Wish) -> None:
    if wish.budget is not None and wish.effort is None:
        page.noted(f"a budget of {wish.budget} tokens became effort {wish.level}")


_THINKING: Mapping[str, Callable[[_Page, Wish, Destination, bool], None]] = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}
