"""JSON lines, one exchange each: how a corpus of recordings is kept, read with one exchange in memory at a time.

`request_body` is parsed JSON, text or null; `response_body` text, or base64 where `response_body_encoding` says so;
`response_chunk_sizes` the transport's chunks in bytes. `flags` tell what is not as it was on the wire.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from setu.cassette.formats.intake import DEFAULT, Data, Found, Intake, Skipped, each, lines, request_of
from setu.cassette.model import Interaction, Recording, Wire
from setu.errors import CassetteDecodeError
from setu.http import Exchange, Headers

SUFFIXES = (".jsonl",)

NOTES: Mapping[str, str] = {
    "host_inferred": "the host is inferred",
    "maybe_synthetic": "perhaps written or edited by hand",
    "media_truncated": "long media were cut",
    "request_json_reserialized": "the request was kept as parsed JSON: key order and whitespace are not the wire's",
    "response_json_reserialized": "the answer was kept as parsed JSON: key order and whitespace are not the wire's",
    "response_scrubbed": "identifiers and most headers of the answer were taken out",
    "sse_framing_inferred": "only the payloads of the stream were kept, its framing is rebuilt",
    "status_inferred": "the status is inferred",
}
"""By flag, what is not as it was on the wire."""

UNUSABLE: Mapping[str, str] = {
    "request_missing": "there is no request to match",
    "framing_lost": "the stream has lost its framing, no client could read it",
}
"""By flag, why an exchange cannot be replayed."""

_EDITED = frozenset({"response_json_reserialized", "response_scrubbed", "media_truncated", "maybe_synthetic"})
_REBUILT = frozenset({"sse_framing_inferred"})


class Listed(NamedTuple):
    """An exchange with what its corpus says about it: its name, who answered, and what is not as it was sent."""

    id: str
    provider: str
    flags: frozenset[str]
    interaction: Interaction


def sniff(head: bytes) -> bool:
    line = head.partition(b"\n")[0]
    return re.match(rb'\s*\{"id":', line) is not None and b'"request_body":' in head and b'"path":' in head


def read(data: Data, name: str, intake: Intake = DEFAULT) -> Iterator[Found]:
    """Read the lines in their order; a line that cannot be read is skipped with what is wrong with it."""
    places = ((f"{name}:{number}", line) for number, line in enumerate(lines(data), 1) if not line.isspace())
    return each(places, _line, intake)


def listed(data: Data, name: str) -> Iterator[Listed | Skipped]:
    """Read the lines in their order, as they are; what cannot be read is skipped as `read` does."""
    for number, line in enumerate(lines(data), 1):
        if not line.isspace():
            try:
                yield _listed(line, f"{name}:{number}")
            except CassetteDecodeError as error:
                yield Skipped(f"{name}:{number}", str(error))


def _line(line: bytes, place: str) -> Iterator[Found]:
    found = _listed(line, place)
    yield found if isinstance(found, Skipped) else found.interaction


def _listed(line: bytes, place: str) -> Listed | Skipped:
    try:
        entry = json.loads(line.decode("utf-8", "surrogatepass"))
        flags = frozenset(entry.get("flags", ()))
        reason = next((UNUSABLE[flag] for flag in entry.get("flags", ()) if flag in UNUSABLE), "")
        if reason:
            return Skipped(place, reason)
        return Listed(str(entry["id"]), str(entry.get("provider") or ""), flags, _interaction(entry, place))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise CassetteDecodeError(f"not an exchange: {type(error).__name__}: {error}") from None


def _interaction(entry: Mapping[str, Any], place: str) -> Interaction:
    url = (f"https://{entry['host']}" if entry.get("host") else "") + entry["path"]
    query = entry.get("query")
    exchange = Exchange(
        request=request_of(
            entry["method"],
            f"{url}?{query}" if query else url,
            _headers(entry.get("request_headers")),
            _asked(entry["request_body"]),
        ),
        status=entry["status"],
        headers=_headers(entry.get("response_headers")),
        body=_answered(entry),
    )
    flags = frozenset(entry.get("flags", ()))
    recording = Recording(
        provenance="reconstructed" if flags & _REBUILT else "edited" if flags & _EDITED else "recorded",
        wire=Wire(enc=entry.get("orig_content_encoding") or None),
        chunks=tuple(entry.get("response_chunk_sizes") or ()),
    )
    notes = tuple(f"{place}: {entry['id']}: {NOTES[flag]}" for flag in sorted(flags & NOTES.keys()))
    return Interaction(exchange=exchange, recording=recording, place=place, notes=notes)


def _headers(fields: Mapping[str, Any] | None) -> Headers:
    headers = Headers()
    for name, values in (fields or {}).items():
        for value in values if isinstance(values, list) else [values]:
            headers.raw.append((name.lower().encode("latin-1", "replace"), str(value).encode("latin-1", "replace")))
    return headers


def _asked(body: Any) -> bytes:
    """Return a request body; parsed JSON is written compactly, as most SDKs send it."""
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate is JSON only as an escape
        return text.encode("utf-8", "surrogatepass") if text is body else json.dumps(body).encode()


def _answered(entry: Mapping[str, Any]) -> bytes:
    text = entry["response_body"] or ""
    if entry.get("response_body_encoding") == "base64":
        return base64.b64decode(text)
    return bytes(text.encode("utf-8", "surrogatepass"))
