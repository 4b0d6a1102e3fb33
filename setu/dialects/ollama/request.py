"""Chat requests for Ollama."""

import re
from typing import Any

from setu import _json
from setu._json import Json, Raw
from setu.chat.request import ChatRequest, FunctionTool
from setu.dialects.ollama.messages import Conversation
from setu.dialects.ollama.options import render_options, render_output, render_thinking
from setu.dialects.ollama.words import HOST, OWN, RUNNER_OPTIONS
from setu.dialects.outward import Writer, functions, offered
from setu.dialects.record import Rendered, Target
from setu.errors import LocalDialectError

_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
"""Ollama takes any name, but it stands in a prompt and comes back as a model spells it."""


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write the body of `POST /api/chat`.

    Raises:
        LocalDialectError: what Ollama cannot be asked (several answers, a hosted tool, media it cannot read).
    """
    writer = Writer(HOST, target)
    writer.need_one_answer(request)
    writer.need_no_state(request)
    # Ollama streams unless told otherwise.
    body: dict[str, Any] = {"model": target.model, "stream": request.stream}
    try:
        body["messages"] = Conversation(request, writer).messages()
        body |= _tools(request, writer)
        if request.output is not None:
            body |= render_output(request.output, writer)
        if request.thinking is not None:
            body |= render_thinking(request.thinking, writer)
        body |= render_options(request, writer)
        _give_on(body, writer.own_members(request.extra, OWN), writer)
        return Rendered(body=_json.encode(body), losses=tuple(writer.losses))
    except _json.JsonError as error:
        raise LocalDialectError(f"the request cannot be written as JSON: {error}") from None


def _give_on(body: dict[str, Any], own: dict[str, Json], writer: Writer) -> None:
    """Add Ollama's own members as they came; of its `options` those that no other setting filled."""
    for key, value in own.items():
        if key == "options" and _json.kind_of(value) == "object":
            _give_options(body, _json.split(value), writer)
            continue
        given = body.get(key)
        if isinstance(given, dict) and _json.kind_of(value) == "object":
            body[key] = {name: Raw(raw) for name, raw in _json.split(value).items()} | given
        else:
            body.setdefault(key, Raw(value))


def _give_options(body: dict[str, Any], given: dict[str, Json], writer: Writer) -> None:
    for name in given.keys() - RUNNER_OPTIONS:
        writer.lose(("options", name), f"{HOST} has no such option")
    options = {name: Raw(raw) for name, raw in given.items() if name in RUNNER_OPTIONS} | body.get("options", {})
    if options:
        body["options"] = options


def _tools(request: ChatRequest, writer: Writer) -> dict[str, Any]:
    """Return `tools`, at the top of the body and never below `options` (B-TOOL-30); there is no choice among them."""
    choice = request.tool_choice
    if choice is not None and choice.mode == "none":
        return {}  # a model that sees no tools calls none
    tools = functions(offered(request), writer)
    for index, tool in enumerate(request.tools):
        if not _NAME.fullmatch(tool.name or ""):
            raise writer.refused("has a name that no model could call", ("tools", index, "name"))
    if choice is not None and (choice.mode in ("required", "named") or choice.must):
        writer.lose(("tool_choice",), f"{HOST} cannot force a call")
    if not tools:
        return {}  # B-TOOL-10
    if any(tool.strict for tool in request.tools if isinstance(tool, FunctionTool)):
        writer.lose(("tools",), f"{HOST} cannot promise strict arguments", info=True)
    if request.parallel is False:
        writer.lose(("parallel",), f"{HOST} cannot be held to one call at a time")
    return {"tools": tools}
