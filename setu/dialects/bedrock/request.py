"""Requests: the model to `POST /model/{id}/converse` and `…/converse-stream`."""

from typing import Any

import msgspec

from setu import _json
from setu._json import Raw
from setu.chat.request import ChatRequest
from setu.dialects.bedrock.messages import Conversation
from setu.dialects.bedrock.options import write_settings
from setu.dialects.bedrock.tools import write_tools
from setu.dialects.bedrock.words import NAME
from setu.dialects.losses import Losses
from setu.dialects.record import Rendered, Target, pointer
from setu.errors import LocalDialectError


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write a request, whatever dialect it came from; model and streaming are said by the path.

    Raises:
        LocalDialectError: it holds what may neither be sent nor left out.
    """
    losses = Losses("request")
    conversation = Conversation(target, losses)
    conversation.write(request)
    settings = write_settings(request, target, losses, may_think=conversation.may_think())
    members: dict[str, Any] = {"messages": conversation.messages()}
    if conversation.system:
        members["system"] = conversation.system
    members |= write_tools(request, target, settings, losses)
    members |= settings.members()
    _write_state(request, losses)
    _join_extra(members, request, losses)
    try:
        return Rendered(body=_json.encode(members), losses=tuple(losses))
    except _json.JsonError as error:
        raise LocalDialectError(f"the request cannot be written as JSON: {error}") from None


def _join_extra(members: dict[str, Any], request: ChatRequest, losses: Losses) -> None:
    """Add Bedrock's own further members (a guardrail); another dialect's are lost."""
    if request.extra is None:
        return
    for key, raw in request.extra.members.items():
        if request.extra.dialect != NAME:
            losses.note(pointer(key), f"only {request.extra.dialect} knows it")
        elif isinstance(members.get(key), dict):
            members[key] = members[key] | {name: Raw(value) for name, value in _json.split(raw).items()}
        else:
            members[key] = Raw(raw)


def _write_state(request: ChatRequest, losses: Losses) -> None:
    """Note what Bedrock does not keep.

    Raises:
        LocalDialectError: the conversation lives at another provider.
    """
    state = request.state
    if state is None:
        return
    if state.elsewhere is not None:
        raise LocalDialectError("Bedrock keeps no conversation; send all of its messages", param=state.elsewhere)
    if state.store not in (msgspec.UNSET, None, False):
        losses.note("/store", "Bedrock stores no answers", "info")
    if state.background:
        losses.note("/background", "Bedrock answers only in the foreground")
