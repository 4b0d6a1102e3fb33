"""What a request says to the gateway alone, and what it leaves for the gateway to say."""

import msgspec

from setu import _json
from setu._json import Json
from setu.dialects.record import Route
from setu.errors import LocalDialectError
from setu.http import Headers
from setu.translate.splice import Head

_OURS = ("tenant", "use_case")
_LONGEST_ID = 128
_STREAM = "text/event-stream"
_SAY_STREAM = frozenset({"openai_chat", "openai_responses", "anthropic"})
"""Clients that say in the body whether they want a stream, and mean none when they say nothing."""
_STRIPPED = frozenset({"openai_chat", "anthropic"})
"""Clients whose `metadata` means something to their host; a Responses answer repeats it, so there it stays."""


def accepted(head: Head, route: Route, headers: Headers) -> Head:
    """Return the head of a stream for a client that says nothing of it in the body, and accepts nothing else."""
    accept = headers.get("accept")
    if accept is None or _STREAM not in accept or head.stream or route.stream is not None:
        return head
    kinds = {each.partition(";")[0].strip() for each in accept.split(",")}
    if kinds != {_STREAM} or route.dialect not in _SAY_STREAM or route.operation not in {"chat", "complete"}:
        return head
    if "stream" in _json.split(head.body, trusted=True):
        return head
    return msgspec.structs.replace(head, body=_json.splice(head.body, {"stream": b"true"}), stream=True)


def identified(head: Head) -> tuple[Head, str]:
    """Return the head without the `request_id` that semaroute's clients write into a body, and that id; "" for none.

    Raises:
        LocalDialectError: it cannot be printed, or is too long.
    """
    raw = _json.split(head.body, trusted=True).get("request_id") if b'"request_id"' in head.body else None
    if raw is None:
        return head, ""
    said = _json.decode(raw) if _json.kind_of(raw) == "string" else ""
    if not (said.isascii() and said.isprintable() and len(said) <= _LONGEST_ID):
        raise LocalDialectError("request_id must be printable ASCII of at most 128 characters", param="request_id")
    return msgspec.structs.replace(head, body=_json.without(head.body, ["request_id"])), said


def prepared(head: Head, route: Route, model: str) -> Head:
    """Return the head that targets are asked with: without labels that are ours, with a model if it named none.

    Raises:
        LocalDialectError: the body holds the member twice.
    """
    changes: dict[str, Json] = {}
    gone: list[str] = []
    if head.model is None and route.model is None and route.operation != "models":
        changes["model"] = _json.encode(model)
    if route.dialect in _STRIPPED and b'"metadata"' in head.body:
        _strip(head.body, changes, gone)
    if not changes and not gone:
        return head
    try:
        body = _json.splice(_json.without(head.body, gone) if gone else head.body, changes)
    except _json.JsonError as error:
        raise LocalDialectError(str(error), code="duplicate_key") from None
    return msgspec.structs.replace(head, body=body, model=head.model if head.model is not None else model)


def _strip(body: Json, changes: dict[str, Json], gone: list[str]) -> None:
    metadata = _json.split(body, trusted=True).get("metadata")
    if metadata is None or _json.kind_of(metadata) != "object":
        return
    members = _json.split(metadata, trusted=True)
    if members.keys().isdisjoint(_OURS):
        return
    if members.keys() <= set(_OURS):
        gone.append("metadata")
    else:
        changes["metadata"] = _json.without(metadata, [name for name in _OURS if name in members])
