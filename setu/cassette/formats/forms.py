"""The many forms of vcrpy's family as the one that Setu reads.

Cassettes of pydantic-ai (`parsed_body`), cassetter (`body: {type, content}`, `status: 200`), Ruby VCR (`string` and
`base64_string` with an `encoding`) and go-vcr (`url`, `code`) differ from vcrpy's in a few members each.
Read 2026-11-20: cassetter SPECIFICATION.md and its conformance files.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from setu.cassette.formats import pydantic_ai
from setu.errors import CassetteDecodeError

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_KINDS = frozenset({"json", "text", "binary", "none"})


class Plain(NamedTuple):
    """An interaction in vcrpy's form; `notes` say what of it is not as it was sent, `edited` that the answer is not."""

    document: Any
    recorded: str = ""
    edited: bool = False
    notes: tuple[str, ...] = ()


def plain(document: Any) -> Plain:
    """Return an interaction of any of the forms in vcrpy's; what is none of them comes back as it is.

    Raises:
        CassetteDecodeError: a body is not what its form says.
    """
    if not isinstance(document, Mapping):
        return Plain(document)
    asked, answered = document.get("request"), document.get("response")
    if not isinstance(asked, Mapping) or not isinstance(answered, Mapping):
        return Plain(document)
    request, answer = _with_text(_named(asked), "request"), _with_text(_named(answered), "response")
    notes = tuple(
        f"the {side}: {pydantic_ai.NOTE}"
        for side, members in (("request", asked), ("response", answered))
        if _was_parsed(members)
    )
    found = _ISO_DATE.match(str(document.get("recorded_at", "")))
    return Plain({"request": request, "response": answer}, found.group() if found else "", _was_parsed(answered), notes)


def _named(side: Mapping[str, Any]) -> dict[str, Any]:
    """Give members the names that vcrpy has for them."""
    members = dict(side)
    if "url" in members and "uri" not in members:  # go-vcr
        members["uri"] = members.pop("url")
    if isinstance(members.get("method"), str):
        members["method"] = members["method"].upper()  # Ruby VCR has symbols
    if isinstance(members.get("code"), int):  # go-vcr: `status` is "200 OK" and `code` 200
        phrase = str(members.get("status", "")).removeprefix(str(members["code"])).strip()
        members["status"] = {"code": members.pop("code"), "message": phrase}
    return members


def _was_parsed(side: Mapping[str, Any]) -> bool:
    body = side.get("body")
    return "parsed_body" in side or (isinstance(body, Mapping) and _is_typed(body) and body["type"] == "json")


def _with_text(side: dict[str, Any], name: str) -> dict[str, Any]:
    """Put the body where vcrpy has it, as text or bytes."""
    body = side.get("body")
    if side.get("parsed_body") is not None:
        text: Any = pydantic_ai.body_of(side.pop("parsed_body"), _content_type(side))
    else:
        side.pop("parsed_body", None)
        form = next((read for fits, read in _BODIES if fits(body)), None)
        if form is None:
            if name == "response" and isinstance(body, (str, bytes)):  # go-vcr
                side["body"] = {"string": body}
            return side
        try:
            text = form(body, _content_type(side))
        except (ValueError, TypeError, binascii.Error) as error:
            raise CassetteDecodeError(f"'{name}.body' is not what it says it is: {error}") from None
    side["body"] = {"string": text} if name == "response" else text
    return side


def _content_type(side: Mapping[str, Any]) -> str:
    headers = side.get("headers")
    for name, values in headers.items() if isinstance(headers, Mapping) else ():
        if str(name).lower() == "content-type":
            return str(values[0] if isinstance(values, list) and values else values)
    return ""


def _is_typed(body: Any) -> bool:
    return isinstance(body, Mapping) and body.get("type") in _KINDS and body.keys() <= {"type", "content"}


def _typed(body: Any, content_type: str) -> str | bytes:
    content = body.get("content")
    match body["type"]:
        case "json":
            return pydantic_ai.body_of(content, content_type)
        case "text" if isinstance(content, str):
            return content
        case "binary" if isinstance(content, str):
            return bytes.fromhex(content)
        case "none":
            return ""
    raise ValueError(f"{body['type']} content of the wrong kind")


def _is_base64(body: Any) -> bool:
    return isinstance(body, Mapping) and isinstance(body.get("base64_string"), str)


def _base64(body: Any, _: str) -> bytes:
    return base64.b64decode(body["base64_string"])


def _is_encoded(body: Any) -> bool:
    return isinstance(body, Mapping) and "string" in body and body.keys() <= {"string", "encoding"}


def _encoded(body: Any, _: str) -> str | bytes:
    """Return Ruby VCR's text as the bytes of its encoding; most name UTF-8 or none (ASCII-8BIT)."""
    text, encoding = body["string"], str(body.get("encoding") or "utf-8")
    if not isinstance(text, str) or encoding.upper() in ("ASCII-8BIT", "UTF-8", "US-ASCII"):
        return text if isinstance(text, (str, bytes)) else ""
    try:
        return text.encode(encoding)
    except LookupError:
        return text


_BODIES: tuple[tuple[Callable[[Any], bool], Callable[[Any, str], str | bytes]], ...] = (
    (_is_typed, _typed),
    (_is_base64, _base64),
    (_is_encoded, _encoded),
)
