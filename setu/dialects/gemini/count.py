"""`countTokens`, both ways. Source: ai.google.dev/api/tokens (v1beta), read 2026-11-20."""

from typing import Any
from urllib.parse import quote

import msgspec

from setu import _json
from setu._json import JsonError, Raw
from setu.chat.count import TokenCount
from setu.chat.ids import Mint
from setu.chat.request import ChatRequest, Options
from setu.dialects.gemini.errors import error_in
from setu.dialects.gemini.proto import NAME, Fields
from setu.dialects.gemini.request import parse_request as parse_chat
from setu.dialects.gemini.request import render_request as render_chat
from setu.dialects.record import Rendered, Reply, Route, Target
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError

_WHOLE = "generateContentRequest"


def path(model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint; a model may be named with its collection."""
    return f"/v1beta/{quote(_full(model), safe='/')}:countTokens", ""


def _full(model: str) -> str:
    return model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"


def parse_request(body: bytes, route: Route) -> ChatRequest:
    """Read what is to be counted: bare `contents`, a whole `generateContentRequest`, or Vertex's form beside them.

    Settings of the answer do not count and are left out.

    Raises:
        LocalDialectError: as for `generateContent`.
    """
    try:
        whole = Fields(body).raw(_WHOLE)
    except JsonError as error:
        raise LocalDialectError(f"the body is not valid JSON: {error}") from None
    request = parse_chat(body if whole is None else whole, route)
    extra = request.extra
    if extra is not None and "model" in extra.members:
        members = {key: value for key, value in extra.members.items() if key != "model"}
        extra = msgspec.structs.replace(extra, members=members) if members else None
    return msgspec.structs.replace(request, options=Options(), extra=extra)


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write a whole `generateContentRequest`: system prompt and tools count, settings do not.

    Raises:
        LocalDialectError: as for `generateContent`.
    """
    own = request.extra is not None and request.extra.dialect == NAME
    extra = request.extra if own else None
    counted = msgspec.structs.replace(request, options=Options(), state=None, extra=extra)
    rendered = render_chat(counted, target)
    body = _json.splice(rendered.body, {"model": _json.encode(_full(target.model))})
    return Rendered(body=_json.encode({_WHOLE: Raw(body)}), losses=rendered.losses)


def parse_response(body: bytes, _mint: Mint) -> TokenCount:
    """Read a count.

    Raises:
        ProviderError: the body holds an error.
        RemoteDialectError: there is no count in it.
    """
    try:
        info = error_in(body)
        if info is not None:
            raise ProviderError(info)
        obj = Fields(body.strip(), lenient=True)
        total = obj.integer("totalTokens")
        cached = obj.integer("cachedContentTokenCount")
        details = obj.raw("promptTokensDetails")
    except JsonError as error:
        raise RemoteDialectError(f"the upstream's answer is not valid JSON: {error}") from None
    if total is None:
        raise RemoteDialectError("the upstream's answer has no 'totalTokens'", param="totalTokens")
    return TokenCount(total=total, cached=cached, details=details)


def render_response(count: TokenCount, _reply: Reply) -> Rendered:
    """Write a count."""
    body: dict[str, Any] = {"totalTokens": count.total}
    if count.cached is not None:
        body["cachedContentTokenCount"] = count.cached
    if count.details is not None:
        body["promptTokensDetails"] = Raw(count.details)
    return Rendered(body=_json.encode(body))
