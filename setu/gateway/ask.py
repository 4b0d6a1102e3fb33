"""From a request to the question that routing answers. On the way of every request: a body is searched, not parsed.

It is taken apart only where the table goes by what is in it, or the client wrote `metadata` or named fallbacks.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from setu import _json
from setu._json import Json
from setu.access.caller import Caller
from setu.access.said import tenant_named
from setu.chat.count import BYTES_A_TOKEN, TOKENS_A_MEDIUM
from setu.dialects.record import Route
from setu.http import Headers, Request
from setu.routing.plan import Ask
from setu.routing.table import Table
from setu.translate.splice import Head

_FIELDS: Mapping[bytes, str] = {
    b"x-setu-provider": "x-setu-provider",
    b"x-provider": "x-provider",
    b"x-setu-fallback": "x-setu-fallback",
    b"x-setu-strategy": "x-setu-strategy",
    b"x-setu-tenant": "x-setu-tenant",
    b"x-project-id": "x-project-id",
}
_NAMING = ("x-setu-provider", "x-provider")
_WITH_METADATA = frozenset({"openai_chat", "openai_responses", "anthropic"})
_NOTHING: Mapping[str, str] = {}
_NO_MEMBERS: Mapping[str, Json] = {}
_LONG = 4096
"""Bytes of a string without a space, from which on it is a medium and no text."""


def ask_of(request: Request, route: Route, head: Head, caller: Caller, table: Table, *, sized: bool = False) -> Ask:
    """Return what routing may look at in a request; `sized` where the length that it allows its answer counts, too.

    A tenant that the client only claims counts where its key has none. The query's `model` goes before the body's.
    """
    said = _said(request.headers)
    query = _query(request.query)
    fallbacks = tuple(name for each in said.get("x-setu-fallback", "").split(",") if (name := each.strip()))
    body = head.body
    commented = table.directives and b"<!--" in body
    inside = table.looks_inside or bool(fallbacks)
    described = route.dialect in _WITH_METADATA and b'"metadata"' in body
    members = _json.split(body, trusted=True) if inside or described or commented or sized else _NO_MEMBERS
    metadata = {**caller.metadata, **_labels(members.get("metadata"))} if described else caller.metadata
    provider, named_by = _named(route, said, query)
    tenant = caller.tenant or _claimed(said) or tenant_named(metadata.get("tenant", ""))
    return Ask(
        model=query.get("model") or head.model,
        operation=route.operation,
        dialect=route.dialect,
        stream=head.stream,
        provider=provider,
        named_by=named_by,
        fallbacks=fallbacks,
        strategy=_strategy(said.get("x-setu-strategy")),
        directive=directive(route.dialect, members) if commented else None,
        use_case=metadata.get("use_case"),
        tenant=tenant,
        key=caller.key,
        metadata=metadata,
        tokens=tokens_of(body),
        max_tokens=_longest(members) if inside or sized else None,
        needs=needs_of(members) if inside else frozenset(),
        require=caller.require,
        sticky=(_user(members, metadata) if inside else "") or caller.key or tenant,
    )


def raw_ask(request: Request, provider: str, caller: Caller) -> Ask:
    """Return what routing may look at in a request that nobody reads, to the provider that it names."""
    tenant = caller.tenant or _claimed(_said(request.headers))
    return Ask(
        model=None,
        provider=provider,
        operation="raw",
        tenant=tenant,
        key=caller.key,
        metadata=caller.metadata,
        max_tokens=0,
        require=caller.require,
    )


def _claimed(said: Mapping[str, str]) -> str:
    """Return the tenant that a client says it is."""
    return tenant_named(said.get("x-setu-tenant") or said.get("x-project-id") or "")


def _said(headers: Headers) -> dict[str, str]:
    """Return our own fields in one pass; of repeated ones the first."""
    said: dict[str, str] = {}
    for name, value in headers.raw:
        if name in _FIELDS:
            said.setdefault(_FIELDS[name], value.decode("latin-1").strip())
    return said


def _query(query: str) -> Mapping[str, str]:
    if "provider=" not in query and "model=" not in query:
        return _NOTHING
    return {name: values[0] for name, values in parse_qs(query).items() if name in {"provider", "model"}}


def _named(route: Route, said: Mapping[str, str], query: Mapping[str, str]) -> tuple[str | None, str]:
    """Return the provider that a request names, and where: in its path, in a header field, in the query."""
    if route.provider is not None:
        return route.provider, "path"
    for name in _NAMING:
        if said.get(name):
            return said[name], name
    return (query["provider"], "query") if "provider" in query else (None, "")


def _strategy(name: str | None) -> str | None:
    """Return a strategy's name; those of ours may be written with hyphens and capitals, an import string is exact."""
    return None if not name else name if ":" in name else name.lower().replace("-", "_")


def _labels(raw: Json | None) -> dict[str, str]:
    """Return the members of `metadata` that are texts or numbers."""
    if raw is None or _json.kind_of(raw) != "object":
        return {}
    found: dict[str, str] = {}
    for name, value in _json.split(raw, trusted=True).items():
        if _json.kind_of(value) in {"string", "number"}:
            found[name] = str(_json.decode(value))
    return found


def tokens_of(body: bytes) -> int:
    """Guess the tokens of a prompt by its bytes; a medium in base64 counts as one medium."""
    size = len(body)
    if size <= _LONG or not (b";base64," in body or b'"data"' in body):
        return size // BYTES_A_TOKEN
    media = [len(piece) for piece in body.split(b'"') if len(piece) > _LONG and b" " not in piece]
    return (size - sum(media)) // BYTES_A_TOKEN + len(media) * TOKENS_A_MEDIUM


_KINDS = re.compile(rb'"(?:type|mimeType|mime_type)"\s*:\s*"([a-z_]+)')
"""Parts of chat, Responses and Anthropic; the blobs of Gemini. Quotes inside a text are escaped, and do not match."""

_NEED_OF_KIND: Mapping[str, str] = {
    "image_url": "vision",
    "input_image": "vision",
    "image": "vision",
    "input_audio": "audio",
    "audio": "audio",
    "input_file": "files",
    "file": "files",
    "document": "files",
    "application": "files",
    "json_schema": "json_schema",
}
_CONTENT = ("messages", "input", "contents", "response_format", "text", "output_format", "output_config")


def needs_of(members: Mapping[str, Json]) -> frozenset[str]:
    """Return what a target must be able to do for a body: `tools`, `vision`, `audio`, `files`, `json_schema`."""
    kinds = {
        (found[1] or found[2]).decode()
        for name in _CONTENT
        if name in members
        for found in _KINDS.finditer(members[name])
    }
    needs = {_NEED_OF_KIND[kind] for kind in kinds & _NEED_OF_KIND.keys()}
    if members.get("tools", b"").translate(None, b" \t\r\n") not in {b"", b"[]", b"null"}:
        needs.add("tools")
    if b'"responseSchema"' in (config := members.get("generationConfig", b"")) or b'"responseJsonSchema"' in config:
        needs.add("json_schema")
    return frozenset(needs)


_LENGTHS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def _longest(members: Mapping[str, Json]) -> int | None:
    """Return the longest answer that a body allows."""
    found = [members[name] for name in _LENGTHS if name in members]
    if _json.kind_of(config := members.get("generationConfig", b"")) == "object":
        found += [value for name, value in _json.split(config, trusted=True).items() if name == "maxOutputTokens"]
    return next((int(raw) for raw in found if raw.isdigit() and len(raw) < 10), None)


def _user(members: Mapping[str, Json], metadata: Mapping[str, str]) -> str:
    """Return for whom a body says that it is, so that a split keeps them on one side."""
    for name in ("user", "safety_identifier"):
        if _json.kind_of(raw := members.get(name, b"")) == "string":
            return str(_json.decode(raw))
    return metadata.get("user_id", "")


_DIRECTIVE = re.compile(r"<!--\s*(\S+)\s*-->")


def directive(dialect: str, members: Mapping[str, Json]) -> str | None:
    """Return the model string of a comment that is the first line of the system prompt (Anthropic, chat)."""
    raw = members.get("system") if dialect == "anthropic" else _first_system(members.get("messages"))
    text = _first_text(raw)
    line = next((line for line in text.splitlines() if line.strip()), "")
    found = _DIRECTIVE.fullmatch(line.strip())
    return found[1] if found else None


def _first_system(messages: Json | None) -> Json | None:
    if messages is None or _json.kind_of(messages) != "array":
        return None
    for message in _json.items(messages, trusted=True):
        if _json.kind_of(message) == "object":
            fields = _json.split(message, trusted=True)
            if fields.get("role") in {b'"system"', b'"developer"'}:
                return fields.get("content")
    return None


def _first_text(content: Json | None) -> str:
    """Return a content's text: its own, or its first part's."""
    if content is None:
        return ""
    if _json.kind_of(content) == "array":
        parts = (_json.split(part, trusted=True) for part in _json.items(content) if _json.kind_of(part) == "object")
        content = next((part["text"] for part in parts if "text" in part), b"")
    return str(_json.decode(content)) if _json.kind_of(content) == "string" else ""
