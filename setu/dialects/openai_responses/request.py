"""Requests: `POST /v1/responses` to the model and back."""

from typing import Any

from msgspec import UNSET

from setu import _json
from setu._json import Raw
from setu.chat.parts import Text
from setu.chat.request import ChatRequest, State
from setu.chat.seals import Extra
from setu.dialects.client_text import check_text
from setu.dialects.extras import lose, put_back
from setu.dialects.openai_responses.content import PartWriter
from setu.dialects.openai_responses.extras import give_back, known
from setu.dialects.openai_responses.items import parse_input
from setu.dialects.openai_responses.options import (
    ENCRYPTED,
    own_reasoning,
    parse_options,
    parse_output,
    parse_thinking,
    render_options,
    render_output,
    render_thinking,
)
from setu.dialects.openai_responses.tools import parse_tool_choice, parse_tools, render_tool_choice, render_tools
from setu.dialects.openai_responses.turns import TurnWriter
from setu.dialects.openai_responses.words import NAME
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, Rendered, Route, Target
from setu.errors import LocalDialectError


def parse_request(body: bytes, route: Route) -> ChatRequest:
    """Read a request strictly; members this version does not know stay in `extra`.

    Raises:
        LocalDialectError: it is not JSON in UTF-8, or a member is missing, of the wrong type or out of range.
    """
    try:
        check_text(body)
        return _parse(Obj(body), route)
    except _json.JsonError as error:
        raise LocalDialectError(f"the body is not valid JSON: {error}") from None
    except RecursionError:
        raise LocalDialectError("the body is nested too deeply") from None


def _parse(obj: Obj, route: Route) -> ChatRequest:
    model = obj.text("model") or route.model  # Azure and gateways name the model in the path
    state = _state(obj)
    held = (state.previous, state.conversation, state.prompt)
    if not model and state.prompt is None:
        raise obj.missing("model")
    messages = parse_input(obj, whole=held == (None, None, None))
    instructions = obj.text("instructions")
    tools = parse_tools(obj)
    tool_choice = parse_tool_choice(obj, tools)
    include = obj.texts("include") or []
    text = obj.obj("text")
    output = parse_output(text)
    thinking = parse_thinking(obj, include)
    options = parse_options(obj, text, include)
    if text is not None:
        put_back(obj, "text", text)
    if include:
        obj.members["include"] = _json.encode(include)
    return ChatRequest(
        model=model or "",
        system=(Text(text=instructions),) if instructions else (),
        messages=messages,
        tools=tools,
        tool_choice=tool_choice,
        parallel=obj.flag("parallel_tool_calls"),
        output=output,
        thinking=thinking,
        options=options,
        state=state,
        stream=obj.flag("stream") or False,
        extra=_extra(obj),
    )


def _extra(obj: Obj) -> Extra | None:
    """Keep what nobody took; null is this API's word for absent."""
    for key in [key for key in obj.members if obj.is_null(key)]:
        obj.raw(key)
    return obj.extra(NAME)


def _state(obj: Obj) -> State:
    """Take what the host is asked to remember. Always there: this API keeps an answer unless told not to."""
    store = obj.flag("store")
    return State(
        store=UNSET if store is None else store,
        previous=obj.text("previous_response_id") or None,
        conversation=obj.raw("conversation"),
        background=obj.flag("background"),
        prompt=obj.raw("prompt"),
    )


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write a request for a target; what it cannot say are losses.

    Raises:
        LocalDialectError: the request asks for several answers, or holds text that no JSON can carry.
    """
    losses: list[Loss] = []
    if isinstance(request.options.n, int) and request.options.n > 1:
        # One answer where two were asked for looks like success (B-PRM-07).
        message = "the Responses API gives one answer; ask with n 1"
        raise LocalDialectError(message, param="n", code="unsupported_parameter")
    turns = TurnWriter(request, PartWriter(target, losses))
    body: dict[str, Any] = {"model": target.model}
    instructions = turns.instructions()
    if instructions is not None:
        body["instructions"] = instructions
    items = turns.write()
    if items or not _held(request.state):
        body["input"] = items
    body |= _tools(request, losses)
    include: list[str] = []
    body |= _text(request, losses)
    body |= render_options(request.options, include, losses)
    if request.thinking is not None:
        reasoning = render_thinking(request.thinking, own_reasoning(request.extra), target, losses)
        body |= {"reasoning": reasoning} if reasoning else {}
    body |= _stored(request, target, include)
    if request.stream:
        body["stream"] = True
    include += _json.decode(known(request.extra).get("include", b"[]"))
    if include:
        body["include"] = include
    give_back(body, request.extra, (), losses)
    try:
        return Rendered(body=_json.encode(body), losses=tuple(losses))
    except _json.JsonError as error:
        raise LocalDialectError(f"the request cannot be written as JSON: {error}") from None


def _held(state: State | None) -> bool:
    """Tell whether the host holds the conversation, so that a request may do without input."""
    return state is not None and (state.previous, state.conversation, state.prompt) != (None, None, None)


def _tools(request: ChatRequest, losses: list[Loss]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    tools = render_tools(request, losses)
    if tools:
        members["tools"] = tools
    choice = render_tool_choice(request)
    if choice is not None and (tools or choice == "none" or request.state is not None):
        members["tool_choice"] = choice
    elif choice is not None:
        lose(losses, ("tool_choice",), "there is no tool to choose", info=choice == "auto")
    if request.parallel is not None:  # B-RSP-11
        members["parallel_tool_calls"] = request.parallel
    return members


def _text(request: ChatRequest, losses: list[Loss]) -> dict[str, Any]:
    text: dict[str, Any] = {}
    if request.output is not None and (form := render_output(request.output, losses)) is not None:
        text["format"] = form
    verbosity = request.options.verbosity
    if isinstance(verbosity, str):
        text["verbosity"] = verbosity
    return {"text": text} if text else {}


def _stored(request: ChatRequest, target: Target, include: list[str]) -> dict[str, Any]:
    """Return the members about what the host keeps.

    No other API keeps an answer by itself, so a client of one that did not ask for it is not kept here either; then
    a model's thinking has to travel with the conversation, and asks for its proof (B-THK-17).
    """
    state = request.state
    if request.thinking is not None and request.thinking.sealed:
        include.append(ENCRYPTED)
    if state is None:
        if target.facts.thinking not in {None, "none"} and ENCRYPTED not in include:
            include.append(ENCRYPTED)
        return {"store": False}
    members: dict[str, Any] = {"store": state.store} if isinstance(state.store, bool) else {}
    if state.previous is not None:
        members["previous_response_id"] = state.previous
    if state.conversation is not None:
        members["conversation"] = Raw(state.conversation)
    if state.background is not None:
        members["background"] = state.background
    if state.prompt is not None:
        members["prompt"] = Raw(state.prompt)
    return members
