"""Requests: `POST /v1/messages` to the model and back."""

from typing import Any

import msgspec

from setu import _json
from setu.chat.parts import AnyPart, Opaque, Text
from setu.chat.request import ChatRequest, Options
from setu.dialects.anthropic.blocks import Known, read_content
from setu.dialects.anthropic.messages import Conversation, read_messages, system_member
from setu.dialects.anthropic.options import PARAMS, read_output, read_thinking, write_settings
from setu.dialects.anthropic.tools import read_choice, read_tools, write_tools
from setu.dialects.anthropic.words import NAME
from setu.dialects.anthropic.writing import own_extra
from setu.dialects.losses import Losses
from setu.dialects.params import read_options
from setu.dialects.reader import Obj
from setu.dialects.record import Rendered, Route, Target
from setu.errors import LocalDialectError


def parse_request(body: bytes, route: Route) -> ChatRequest:
    """Read a request.

    Raises:
        LocalDialectError: it is not JSON in UTF-8, or a member is missing, of the wrong type or out of range.
    """
    try:
        body.decode()
        return _parse(body, route)
    except UnicodeDecodeError as error:
        raise LocalDialectError(f"the body is not valid UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise LocalDialectError("the body is nested too deeply") from None


def _parse(raw: bytes, route: Route) -> ChatRequest:
    body = Obj(raw)
    # Vertex and Bedrock name the model in the path.
    model = body.text("model") or route.model
    if not model:
        raise body.missing("model")
    if not body.has("max_tokens") or body.is_null("max_tokens"):
        raise body.missing("max_tokens")
    stream = body.flag("stream")
    choice, parallel = read_choice(body)
    config = body.obj("output_config")
    output = read_output(body, config)
    thinking = read_thinking(body, config)
    if config is not None and config.members:
        body.members["output_config"] = _json.encode({key: _json.Raw(value) for key, value in config.members.items()})
    return ChatRequest(
        model=model,
        system=_read_system(body),
        messages=read_messages(body),
        tools=read_tools(body),
        tool_choice=choice,
        parallel=parallel,
        output=output,
        thinking=thinking,
        options=Options(**read_options(body, PARAMS), **_read_user(body)),
        stream=route.stream if route.stream is not None else bool(stream),
        extra=body.extra(NAME),
    )


def _read_system(body: Obj) -> tuple[AnyPart, ...]:
    parts = read_content(body, "system", Known())
    for index, part in enumerate(parts):
        if not isinstance(part, (Text, Opaque)):
            where = f"{body.at('system')}[{index}]"
            raise body.error(f"'{where}' must be a text block", param=where)
    return tuple(_private(part) for part in parts)


_BILLING = "x-anthropic-billing-header:"


def _private(part: AnyPart) -> AnyPart:
    """Claude Code tells Anthropic about billing in a system block; no other host's model should read it (B-MSG-19)."""
    if not isinstance(part, Text) or not part.text.startswith(_BILLING):
        return part
    return Opaque(dialect=NAME, kind="billing", raw=_json.encode({"type": "text", "text": part.text}))


def _read_user(body: Obj) -> dict[str, Any]:
    metadata = body.obj("metadata")
    if metadata is None:
        return {}
    user = metadata.text("user_id")
    if metadata.members:
        body.members["metadata"] = _json.encode({key: _json.Raw(value) for key, value in metadata.members.items()})
    return {"user": user} if user is not None else {}


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write a request, whatever dialect it came from.

    Raises:
        LocalDialectError: it holds what may neither be sent nor left out.
    """
    losses = Losses("request")
    conversation = Conversation(target, losses)
    conversation.write(request)
    settings = write_settings(request, target, losses)
    if not _may_think(conversation):
        _stop_thinking(settings, losses)
    thinks = settings.get("thinking", {}).get("type") == "enabled"
    members: dict[str, Any] = {"model": target.model}
    members |= system_member(conversation.system)
    members["messages"] = conversation.messages()
    members |= write_tools(request, thinks, losses)
    members |= settings
    if request.stream:
        members["stream"] = True
    _write_state(request, losses)
    _join(members, own_extra(request.extra, "", losses, "warn"))
    try:
        return Rendered(body=_json.encode(members), losses=tuple(losses))
    except _json.JsonError as error:
        raise LocalDialectError(f"the request cannot be written as JSON: {error}") from None


def _join(members: dict[str, Any], extra: dict[str, Any]) -> None:
    """Add the extras; an object that was read in part is put together again."""
    for key, value in extra.items():
        if isinstance(members.get(key), dict):
            members[key] = members[key] | {name: _json.Raw(raw) for name, raw in _json.split(bytes(value)).items()}
        else:
            members[key] = value


def _may_think(conversation: Conversation) -> bool:
    """Say whether the last tool turn lets the model think by budget.

    "Expected `thinking` or `redacted_thinking`, but found `tool_use`": when a call's answer comes back, the turn
    that made the call must begin with its signed thinking (B-THK-07).
    """
    turns = [turn for turn in conversation.turns if turn.role != "system"]
    if len(turns) < 2 or turns[-1].role != "user" or turns[-2].role != "assistant":
        return True
    asked = turns[-2].blocks
    calls = any(block.get("type") == "tool_use" for block in asked)
    return not calls or asked[0].get("type") in ("thinking", "redacted_thinking")


def _stop_thinking(settings: dict[str, Any], losses: Losses) -> None:
    if settings.get("thinking", {}).get("type") == "enabled":
        del settings["thinking"]
        losses.note("/thinking", "the tool turn came back without its signed thinking")


def _write_state(request: ChatRequest, losses: Losses) -> None:
    """Note what Anthropic does not keep.

    Raises:
        LocalDialectError: the conversation lives at another provider.
    """
    state = request.state
    if state is None:
        return
    if state.elsewhere is not None:
        raise LocalDialectError("Anthropic keeps no conversation; send all of its messages", param=state.elsewhere)
    if state.store not in (msgspec.UNSET, None, False):
        losses.note("/store", "Anthropic stores no answers", "info")
    if state.background:
        losses.note("/background", "Anthropic answers only in the foreground")
