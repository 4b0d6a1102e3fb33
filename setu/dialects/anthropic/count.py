"""Counting a message's tokens, both ways.

Source: platform.claude.com/docs/en/api/messages-count-tokens, read 2026-11-20. The body is that of a message without
what only an answer needs; any of that is an error there ("Extra inputs are not permitted").
"""

import msgspec
from msgspec import UNSET

from setu import _json
from setu._json import JsonError
from setu.chat.count import TokenCount
from setu.chat.ids import Mint
from setu.chat.request import ChatRequest, Options
from setu.dialects.anthropic.request import parse_request as parse_chat
from setu.dialects.anthropic.request import render_request as render_chat
from setu.dialects.anthropic.words import NAME
from setu.dialects.reader import Obj
from setu.dialects.record import Rendered, Reply, Route, Target
from setu.errors import LocalDialectError, RemoteDialectError

_ONLY_FOR_ANSWERS = (
    "max_tokens",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "metadata",
    "service_tier",
)


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint; the model is in the body."""
    return "/v1/messages/count_tokens", ""


def parse_request(body: bytes, route: Route) -> ChatRequest:
    """Read a message that nobody is to answer.

    Raises:
        LocalDialectError: as for a message, but for `max_tokens`.
    """
    members = Obj(body).members
    if "max_tokens" in members:
        return parse_chat(body, route)
    try:
        request = parse_chat(_json.splice(body, {"max_tokens": b"1"}), route)
    except JsonError as error:
        raise LocalDialectError(f"the body is not valid JSON: {error}") from None
    options = msgspec.structs.replace(request.options, max_tokens=UNSET)
    return msgspec.structs.replace(request, options=options)


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write what counts: messages, system prompt, tools, thinking, form of the answer.

    Raises:
        LocalDialectError: as for a message.
    """
    own = request.extra is not None and request.extra.dialect == NAME
    extra = request.extra if own else None
    counted = msgspec.structs.replace(request, options=Options(), state=None, stream=False, extra=extra)
    rendered = render_chat(counted, target)
    return Rendered(body=_json.without(rendered.body, _ONLY_FOR_ANSWERS), losses=rendered.losses)


def parse_response(body: bytes, _mint: Mint) -> TokenCount:
    """Read a count.

    Raises:
        RemoteDialectError: there is none.
    """
    total = Obj(body.strip(), lenient=True).integer("input_tokens")
    if total is None:
        raise RemoteDialectError("the upstream's answer has no 'input_tokens'", param="input_tokens")
    return TokenCount(total=total)


def render_response(count: TokenCount, _reply: Reply) -> Rendered:
    """Write a count."""
    return Rendered(body=_json.encode({"input_tokens": count.total}))
