"""Chat requests for Cohere."""

from typing import Any

from setu import _json
from setu._json import Raw
from setu.chat.request import ChatRequest, FunctionTool, ToolChoice
from setu.dialects.cohere.messages import Conversation
from setu.dialects.cohere.options import render_options, render_output, render_thinking
from setu.dialects.cohere.words import HOST, OWN
from setu.dialects.outward import Writer, functions, offered
from setu.dialects.record import Rendered, Target
from setu.errors import LocalDialectError


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write the body of `POST /v2/chat`.

    Raises:
        LocalDialectError: what Cohere cannot be asked (several answers, a hosted tool, media it cannot read).
    """
    writer = Writer(HOST, target)
    writer.need_one_answer(request)
    writer.need_no_state(request)
    body: dict[str, Any] = {"model": target.model, "stream": request.stream}
    conversation = Conversation(request, writer)
    try:
        body["messages"] = conversation.messages()
        body |= _tools(request, writer)
        body |= _documents(conversation)
        if request.output is not None:
            body |= render_output(request.output, request, writer)
        if request.thinking is not None:
            body |= render_thinking(request.thinking, writer)
        body |= render_options(request, writer)
        for key, value in writer.own_members(request.extra, OWN).items():
            body.setdefault(key, Raw(value))
        return Rendered(body=_json.encode(body), losses=tuple(writer.losses))
    except _json.JsonError as error:
        raise LocalDialectError(f"the request cannot be written as JSON: {error}") from None


def _documents(conversation: Conversation) -> dict[str, Any]:
    return {"documents": conversation.documents} if conversation.documents else {}


def _tools(request: ChatRequest, writer: Writer) -> dict[str, Any]:
    tools = functions(offered(request), writer)
    choice = request.tool_choice
    if not tools:  # B-TOOL-10: an empty list is refused, and without tools there is nothing to choose
        if choice is not None and choice.mode not in ("none", "auto"):
            writer.lose(("tool_choice",), "there is no tool to choose")
        return {}
    members: dict[str, Any] = {"tools": tools}
    strict = [tool.strict for tool in request.tools if isinstance(tool, FunctionTool)]
    if strict and all(strict):
        members["strict_tools"] = True
    elif any(strict):
        writer.lose(("tools",), f"{HOST} holds to the schemas of all tools or of none", info=True)
    word = _word(choice, writer)
    if word is not None:
        members["tool_choice"] = word
    if request.parallel is False:
        writer.lose(("parallel",), f"{HOST} cannot be held to one call at a time")
    return members


def _word(choice: ToolChoice | None, writer: Writer) -> str | None:
    """Return `tool_choice`; Cohere's own default is what others call auto."""
    match choice:
        case None | ToolChoice(mode="auto") | ToolChoice(mode="allowed", must=False):
            return None
        case ToolChoice(mode="none"):
            return "NONE"
        case ToolChoice(mode="named" | "allowed"):
            writer.lose(("tool_choice",), "only the chosen tools are offered", info=True)
    return "REQUIRED"
