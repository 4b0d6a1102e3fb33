"""Chat requests, both ways."""

from typing import Any

from msgspec import UNSET

from setu import _json
from setu._json import kind_of
from setu.chat.request import ChatRequest, Options, State
from setu.dialects.client_text import check_text
from setu.dialects.extras import put_back
from setu.dialects.openai_chat.extras import give_back
from setu.dialects.openai_chat.media import PartWriter
from setu.dialects.openai_chat.messages import parse_messages
from setu.dialects.openai_chat.options import (
    PARAMS,
    TOP_K,
    parse_output,
    parse_thinking,
    render_options,
    render_output,
    render_thinking,
    stream_options,
)
from setu.dialects.openai_chat.tools import parse_tool_choice, parse_tools, render_tool_choice, render_tools
from setu.dialects.openai_chat.turns import TurnWriter
from setu.dialects.openai_chat.words import NAME
from setu.dialects.params import read_options
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, Rendered, Route, Target
from setu.errors import LocalDialectError


def parse_request(body: bytes, route: Route) -> ChatRequest:
    """Read a chat request strictly; members this version does not know stay in `extra`."""
    check_text(body)
    try:
        return _parse(Obj(body), route)
    except _json.JsonError as error:
        raise LocalDialectError(f"the body is not valid JSON: {error}") from None


def _parse(obj: Obj, route: Route) -> ChatRequest:
    model = obj.text("model") or route.model  # Azure and gateways name the model in the path
    if not model:
        raise obj.missing("model")
    messages = parse_messages(obj)
    tools = parse_tools(obj)
    tool_choice = parse_tool_choice(obj, tools)
    parallel = obj.flag("parallel_tool_calls")
    output = parse_output(obj)
    thinking = parse_thinking(obj)
    stream = obj.flag("stream") or False
    options = _options(obj)
    store = obj.flag("store")
    return ChatRequest(
        model=model,
        messages=messages,
        tools=tools,
        tool_choice=tool_choice,
        parallel=parallel,
        output=output,
        thinking=thinking,
        options=options,
        state=None if store is None else State(store=store),
        stream=stream,
        extra=obj.extra(NAME),
    )


def _options(obj: Obj) -> Options:
    # Together counts log probabilities where OpenAI has a flag: a member of its own, not a wrong type.
    counted = obj.members.pop("logprobs") if kind_of(obj.members.get("logprobs", b"")) == "number" else None
    values = read_options(obj, (*PARAMS, TOP_K))
    if counted is not None:
        obj.members["logprobs"] = counted
    wanted = obj.obj("stream_options")
    if wanted is not None:
        usage = wanted.flag("include_usage")
        values["stream_usage"] = UNSET if usage is None else usage
        put_back(obj, "stream_options", wanted)
    return Options(**values)


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write a chat request for a target; what it cannot say are losses."""
    losses: list[Loss] = []
    writer = PartWriter(target, losses)
    body: dict[str, Any] = {"model": target.model, "messages": TurnWriter(request, writer).messages()}
    body |= _tools(request, writer)
    if request.output is not None and (form := render_output(request.output, losses)) is not None:
        body["response_format"] = form
    if request.thinking is not None:
        body |= render_thinking(request.thinking, target, losses)
    options, lost = render_options(request.options, target)
    body |= options
    losses += lost
    body |= _state(request.state, losses)
    if request.stream:
        body["stream"] = True
    if wanted := stream_options(request.options, target, stream=request.stream):
        body["stream_options"] = wanted
    give_back(body, request.extra, (), losses)
    try:
        return Rendered(body=_json.encode(body), losses=tuple(losses))
    except _json.JsonError as error:
        raise LocalDialectError(f"the request cannot be written as JSON: {error}") from None


def _tools(request: ChatRequest, writer: PartWriter) -> dict[str, Any]:
    members: dict[str, Any] = {}
    tools = render_tools(request, writer)
    if tools:  # B-TOOL-10: an empty list is a 400 at some hosts
        members["tools"] = tools
    choice = render_tool_choice(request)
    if choice is not None and (tools or choice == "none"):
        members["tool_choice"] = choice
    elif choice is not None:
        writer.lose(("tool_choice",), "there is no tool to choose", info=choice == "auto")
    if request.parallel is not None:
        if tools:
            members["parallel_tool_calls"] = request.parallel
        else:
            writer.lose(("parallel",), "there is no tool to call", info=True)
    return members


def _state(state: State | None, losses: list[Loss]) -> dict[str, Any]:
    """Return `store`.

    Raises:
        LocalDialectError: words of the conversation are kept where chat cannot point at.
    """
    if state is None:
        return {}
    if state.elsewhere is not None:
        raise LocalDialectError("chat keeps no conversation: send all of its messages", param=state.elsewhere)
    if state.background:
        losses.append(Loss(phase="request", pointer="/background", reason="chat answers in the foreground only"))
    return {"store": state.store} if isinstance(state.store, bool) else {}
