"""A whole request, both ways."""

from typing import Any

from msgspec import UNSET

from setu import _json
from setu._json import Json, JsonError, Raw
from setu.chat.request import ChatRequest
from setu.chat.seals import Extra
from setu.dialects.gemini.messages import Contents, parse_contents, parse_system
from setu.dialects.gemini.options import parse_options, parse_output, parse_thinking, render_config
from setu.dialects.gemini.parts import own_extra
from setu.dialects.gemini.proto import NAME, Fields
from setu.dialects.gemini.render import Scribe
from setu.dialects.gemini.tools import parse_choice, parse_tools, render_tools
from setu.dialects.record import Rendered, Route, Target
from setu.errors import LocalDialectError

_PLACED = ("generationConfig.", "toolConfig.")
"""Extras that stand below a member of the body; the others are members themselves."""


def parse_request(body: bytes, route: Route) -> ChatRequest:
    """Read a body of `generateContent` or `streamGenerateContent`; model and stream are in the path.

    Raises:
        LocalDialectError: not JSON, a wrong type, role or range, two kinds of data in a part.
    """
    try:
        return _parse(Fields(body), route)
    except (JsonError, RecursionError) as error:
        raise LocalDialectError(f"the body is not valid JSON: {error}") from None


def _parse(obj: Fields, route: Route) -> ChatRequest:
    named = obj.text("model")
    model = route.model or (named or "").removeprefix("models/")
    if not model:
        raise obj.missing("model")
    system = parse_system(obj)
    messages = parse_contents(obj)
    tools = parse_tools(obj)
    choice, extra = parse_choice(obj)
    config = obj.obj("generationConfig")
    options = parse_options(config, obj)
    output = thinking = None
    if config is not None:
        output = parse_output(config)
        thinking, rest = parse_thinking(config)
        extra |= rest | config.rest("generationConfig")
    extra |= obj.members
    if not messages:
        raise LocalDialectError("'contents' must hold at least one content", param="contents")
    return ChatRequest(
        model=model,
        system=system,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        output=output,
        thinking=thinking,
        options=options,
        stream=bool(route.stream),
        extra=Extra(dialect=NAME, members=extra) if extra else None,
    )


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write the body; model and stream go into the path.

    Raises:
        LocalDialectError: what Gemini cannot be asked (a foreign file, an unknown hosted tool, nothing at all).
    """
    try:
        return _render(request, target)
    except JsonError as error:
        raise LocalDialectError(f"the request cannot be written as JSON: {error}") from None


def _render(request: ChatRequest, target: Target) -> Rendered:
    scribe = Scribe(phase="request", media=target.media)
    members: dict[str, Any] = Contents(request, target, scribe).render()
    members |= render_tools(request, scribe)
    members |= render_config(request, target, scribe)
    _lose_state(request, scribe)
    for key, value in _own_members(request, scribe).items():
        members.setdefault(key, Raw(value))
    return Rendered(body=_json.encode(members), losses=tuple(scribe.losses))


def _own_members(request: ChatRequest, scribe: Scribe) -> dict[str, Json]:
    extra = request.extra
    if extra is not None and extra.dialect != NAME:
        for key in extra.members:
            scribe.lose(f"/{key}", f"only {extra.dialect} knows this member")
    return {key: value for key, value in own_extra(extra).items() if not key.startswith(_PLACED)}


def _lose_state(request: ChatRequest, scribe: Scribe) -> None:
    """Say what Gemini does not keep.

    Raises:
        LocalDialectError: the conversation lives at another provider; an answer without it would look right.
    """
    state = request.state
    if state is None:
        return
    if state.store is not UNSET and state.store:
        scribe.lose("/store", "Gemini keeps no answers", "info")
    if state.background:
        scribe.lose("/background", "Gemini answers in the foreground only")
    if state.elsewhere is not None:
        raise LocalDialectError("Gemini keeps no conversation: send all of its messages", param=state.elsewhere)
