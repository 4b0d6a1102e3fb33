"""Interactions as documents of the cassette format, and back to the exact bytes.

The format is vcrpy's version 1 with one more key, `response.setu`: keys under `response` are the only ones that
vcrpy keeps on a re-save and that its users' tools tolerate.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from setu.cassette.bodies import Stored, decompress, restore, store
from setu.cassette.emit import emit_item
from setu.cassette.model import Interaction, Recording, Timing, Wire
from setu.cassette.pieces import arrivals_of, pieces_of, timing_of
from setu.cassette.redact_names import storable_request_header, storable_response_header
from setu.errors import CassetteDecodeError
from setu.http import HOP_BY_HOP, Ending, Exchange, Headers, Request

HEADER = "version: 1\ninteractions:\n"

# Foreign recorders keep what was true of one connection and one encoding; served again it would be wrong.
_OF_THE_CONNECTION = (*(name.decode() for name in HOP_BY_HOP), "content-length", "date")


def render_block(interaction: Interaction, *, binary: bool = False) -> str:
    """Return the interaction as one `- request:` item; the same interaction gives the same text.

    `binary` stores both bodies as base64, for a body whose text some YAML reader would not give back.
    """
    return emit_item(to_document(interaction, binary=binary))


def to_document(interaction: Interaction, *, binary: bool = False) -> dict[str, Any]:
    """Return the interaction as plain values in the order of the file; only allow-listed headers are kept."""
    exchange = interaction.exchange
    request = exchange.request
    assert isinstance(request.body, bytes)
    asked = Stored(request.body) if binary else store(request.body, normalise_eol=False)
    answered = Stored(exchange.body) if binary else store(exchange.body)
    wire = Wire(
        json_req=asked.json,
        json_resp=answered.json,
        eol=answered.eol,
        enc=interaction.recording.wire.enc,
        # It vouches for the bytes that were meant; nobody vouches for what was edited afterwards.
        sha256=sha256(exchange.body).hexdigest() if interaction.recording.provenance != "edited" else None,
    )
    return {
        "request": {
            "method": request.method,
            "uri": request.url,
            "headers": _header_lists(request.headers, storable_request_header),
            "body": asked.text,
        },
        "response": {
            "status": {"code": exchange.status, "message": interaction.reason or reason_of(exchange.status)},
            "headers": _header_lists(exchange.headers, storable_response_header),
            "body": {"string": answered.text},
            "setu": _recording_document(interaction, wire),
        },
    }


def reason_of(status: int) -> str:
    """Return the reason phrase of a status; empty for one that has none (529)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def from_document(document: Any, place: str = "") -> Interaction:
    """Read one interaction, of Setu or of vcrpy.

    `place` is its `file:line`, for the error and for the interaction.

    Raises:
        CassetteDecodeError: a key is missing or of the wrong kind; names place and key.
    """
    reader = _Reader(place)
    asked = reader.mapping(document, "request")
    answered = reader.mapping(document, "response")
    recording = reader.recording(answered.get("setu"))
    notes: list[str] = []
    headers = reader.headers(answered, "response.headers")
    headers.remove(*_OF_THE_CONNECTION)
    body = reader.response_body(answered, recording.wire, notes)
    encoding = headers.get("content-encoding")
    if encoding and (plain := _decoded(answered, body, encoding)) is not None:
        headers.remove("content-encoding")
        recording = msgspec.structs.replace(recording, wire=msgspec.structs.replace(recording.wire, enc=encoding))
        body = plain
    if recording.wire.sha256 not in (None, sha256(body).hexdigest()):
        notes.append(f"{place}: the response body was edited after it was recorded")
    status, reason = reader.status(answered)
    exchange = Exchange(
        request=reader.request(asked, recording.wire, notes),
        status=status,
        headers=headers,
        body=body,
        end=reader.ending(answered.get("setu")),
    )
    exchange = _with_arrivals(exchange, recording.timing, place, notes)
    return Interaction(exchange=exchange, recording=recording, reason=reason, place=place, notes=tuple(notes))


def _decoded(answered: Mapping[str, Any], body: bytes, encoding: str) -> bytes | None:
    """Undo a content encoding that a foreign recorder left in place; text was decoded without the header's knowing."""
    stored = answered.get("body", answered.get("content"))
    text = stored.get("string") if isinstance(stored, Mapping) else stored
    return body if isinstance(text, str) else decompress(body, encoding)


def _with_arrivals(exchange: Exchange, timing: Timing | None, place: str, notes: list[str]) -> Exchange:
    if timing is None:
        return exchange
    pieces = pieces_of(exchange)
    arrivals = arrivals_of(pieces, timing)
    if arrivals is None:
        counts = f"{len(timing.events_ms)} events, the body has {len(pieces)}"
        notes.append(f"{place}: timing ignored: it counts {counts}")
        return exchange
    return msgspec.structs.replace(exchange, arrivals=arrivals)


def _recording_document(interaction: Interaction, wire: Wire) -> dict[str, Any]:
    recording = interaction.recording
    timing = recording.timing or timing_of(interaction.exchange)
    optional: dict[str, Any] = {
        "dialect": recording.dialect,
        "op": recording.op,
        "key": recording.key,
        "recorded": recording.recorded,
        "provenance": "" if recording.provenance == "recorded" else recording.provenance,
        "twin": recording.twin,
        "wire": msgspec.to_builtins(wire),
        "timing": {"ttfb_ms": timing.ttfb_ms, "events_ms": timing.events_ms} if timing else None,
        "chunks": recording.chunks,
        "end": interaction.exchange.end.value,
        "redacted": recording.redacted,
    }
    return {"v": recording.v, "side": recording.side} | {key: value for key, value in optional.items() if value}


def _header_lists(headers: Headers, keep: Any) -> dict[str, list[str]]:
    names = sorted({name for name, _ in headers.items() if keep(name)})
    return {name: headers.getall(name) for name in names}


class _Reader:
    """Reads one document; every complaint names its place."""

    def __init__(self, place: str) -> None:
        self._place = place

    def error(self, problem: str) -> CassetteDecodeError:
        return CassetteDecodeError(f"{self._place}: {problem}" if self._place else problem)

    def mapping(self, owner: Any, key: str) -> Mapping[str, Any]:
        value = owner.get(key) if isinstance(owner, Mapping) else None
        if not isinstance(value, Mapping):
            raise self.error(f"an interaction needs a {key!r} mapping")
        return value

    def text(self, owner: Mapping[str, Any], key: str, name: str) -> str:
        value = owner.get(key)
        if not isinstance(value, str):
            raise self.error(f"{name!r} must be text")
        return value

    def request(self, asked: Mapping[str, Any], wire: Wire, notes: list[str]) -> Request:
        method = self.text(asked, "method", "request.method")
        uri = self.text(asked, "uri", "request.uri")
        try:
            split = urlsplit(uri)
        except ValueError as error:
            raise self.error(f"'request.uri' is not a URI: {error}") from None
        origin = f"{split.scheme}://{split.netloc}" if split.netloc else ""
        headers = self.headers(asked, "request.headers")
        body = self.body(asked.get("body"), "request.body", Wire(json_req=wire.json_req), wire.json_req, notes)
        return Request(
            method=method, path=split.path or "/", origin=origin, query=split.query, headers=headers, body=body
        )

    def headers(self, owner: Mapping[str, Any], name: str) -> Headers:
        fields = owner.get("headers") or {}
        if not isinstance(fields, Mapping):
            raise self.error(f"{name!r} must be a mapping")
        headers = Headers()
        for key, values in fields.items():
            for value in values if isinstance(values, (list, tuple)) else [values]:
                text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                headers.raw.append((str(key).lower().encode("latin-1", "replace"), text.encode("latin-1", "replace")))
        return headers

    def response_body(self, answered: Mapping[str, Any], wire: Wire, notes: list[str]) -> bytes:
        if "content" in answered and "body" not in answered:  # vcrpy before 5, httpx
            return self.body(answered["content"], "response.content", wire, None, notes)
        body = answered.get("body")
        if isinstance(body, Mapping):
            if "string" not in body:
                raise self.error("'response.body' needs a 'string'")
            body = body["string"]
        return self.body(body, "response.body.string", wire, wire.json_resp, notes)

    def body(self, value: Any, name: str, wire: Wire, style: str | None, notes: list[str]) -> bytes:
        if value is None:
            return b""
        if isinstance(value, Mapping):  # vcrpy's aiohttp hook keeps a JSON request parsed
            return msgspec.json.encode(value)
        if not isinstance(value, (str, bytes)):
            raise self.error(f"{name!r} must be text or binary")
        try:
            return restore(Stored(value, style, wire.eol))
        except ValueError:
            notes.append(f"{self._place}: {name} is no longer JSON; it is served as it stands")
            return restore(Stored(value, None, wire.eol))

    def status(self, answered: Mapping[str, Any]) -> tuple[int, str]:
        status: Any = answered.get("status", {"code": answered.get("status_code")})
        code = status.get("code") if isinstance(status, Mapping) else status
        if not isinstance(code, int) or not 100 <= code <= 599:
            raise self.error("'response.status.code' must be an HTTP status")
        message = status.get("message") if isinstance(status, Mapping) else None
        return code, str(message or "")

    def ending(self, extra: Any) -> Ending:
        named = extra.get("end", "complete") if isinstance(extra, Mapping) else "complete"
        try:
            return Ending(named)
        except ValueError:
            raise self.error(f"'response.setu.end' is {named!r}; known are {_listed(Ending)}") from None

    def recording(self, extra: Any) -> Recording:
        if extra is None:
            return Recording()
        if not isinstance(extra, Mapping):
            raise self.error("'response.setu' must be a mapping")
        plain = {key: value.isoformat() if isinstance(value, date) else value for key, value in extra.items()}
        try:
            return msgspec.convert(plain, Recording)
        except msgspec.ValidationError as error:
            raise self.error(f"'response.setu': {error}") from None


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))
