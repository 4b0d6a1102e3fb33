"""HAR 1.2, read and written: what browsers, Charles, mitmproxy, Playwright and Polly.JS export.

A HAR keeps text, not bytes: `content.text` is decoded, base64 where it is no text. It has no place for the times of a
stream's events but Chrome's `_eventSourceMessages`. Members that HAR does not know start with an underscore.
Read 2026-11-20: mitmproxy/io/har.py, cypress-har-generator #154, Polly.JS' examples of recordings.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from setu.cassette.formats.intake import (
    DEFAULT,
    Data,
    Found,
    Intake,
    Skipped,
    each,
    request_of,
    whole_timing,
    without_encoding,
)
from setu.cassette.formats.pull import entries
from setu.cassette.model import Interaction, Recording, Timing, Wire
from setu.cassette.pieces import pieces_of
from setu.errors import CassetteDecodeError
from setu.framing.frame import Frame
from setu.framing.sse import SseEncoder, parse_block
from setu.http import HOP_BY_HOP, Ending, Exchange, Headers

SUFFIXES = (".har",)
REBUILT = "the stream is rebuilt from the events that the browser counted: comments and spacing are lost"
UNTIMED = "the times of its events were not kept"

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CHARSET = re.compile(r"charset=[\"']?([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_OF_THE_CONNECTION = (*(name.decode() for name in HOP_BY_HOP), "content-length")


def sniff(head: bytes) -> bool:
    return re.match(rb'(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:\s*\{', head) is not None


def read(data: Data, name: str, intake: Intake = DEFAULT) -> Iterator[Found]:
    """Read the entries of a HAR in their order, one at a time.

    Raises:
        CassetteDecodeError: not JSON, or no HAR.
    """
    return each(entries(data, name, "a HAR", "log", "entries"), _entry, intake)


def write(interactions: Iterable[Interaction]) -> str:
    """Return a HAR of the interactions; headers and bodies are written as they are, so redact first."""
    log = {
        "version": "1.2",
        "creator": {"name": "Setu", "version": "1"},
        "entries": [_written(interaction) for interaction in interactions],
    }
    return json.dumps({"log": log}, ensure_ascii=False, indent=2) + "\n"


def _entry(entry: Any, place: str) -> Iterator[Found]:
    try:
        asked, answered = entry["request"], entry["response"]
        reason = _unusable(str(asked["url"]), answered)
        yield Skipped(place, reason) if reason else _interaction(entry, asked, answered, place)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, msgspec.ValidationError) as error:
        raise CassetteDecodeError(f"a member is missing or of the wrong kind: {error}") from None


def _unusable(url: str, answered: Mapping[str, Any]) -> str:
    scheme = url.partition(":")[0].lower()
    if "://" in url and scheme not in ("http", "https"):
        return "a WebSocket" if scheme in ("ws", "wss") else "not HTTP"
    if not 100 <= answered["status"] <= 599:
        return "no response was recorded"
    return ""


def _interaction(entry: Any, asked: Any, answered: Any, place: str) -> Found:
    content = answered.get("content") or {}
    events = entry.get("_eventSourceMessages") or []
    rebuilt = "text" not in content and bool(events)
    if "text" not in content and not events and content.get("size", 0) > 0:
        return Skipped(place, "the body was not exported")
    headers, body, encoding = _answer(answered, content, events)
    exchange = Exchange(
        request=request_of(asked["method"], asked["url"], _headers(asked), _asked_body(asked.get("postData"))),
        status=answered["status"],
        headers=headers,
        body=body,
        end=_ending(answered),
    )
    timing = _timing(entry, exchange, events)
    notes = [REBUILT] if rebuilt else []
    if timing is None and len(pieces_of(exchange)) > 1:
        notes.append(UNTIMED)
    recording = Recording(
        recorded=_date(entry.get("startedDateTime")),
        provenance="edited" if rebuilt else "recorded",
        wire=Wire(enc=encoding),
        timing=timing,
    )
    return Interaction(
        exchange=exchange,
        recording=recording,
        reason=str(answered.get("statusText") or ""),
        place=place,
        notes=tuple(f"{place}: {note}" for note in notes),
    )


def _headers(side: Mapping[str, Any]) -> Headers:
    """Return the fields; HTTP/2's pseudo-fields (`:path`) are none. Slack's HARs have pairs for objects."""
    pairs = [
        (field["name"], field["value"]) if isinstance(field, Mapping) else (field[0], field[1])
        for field in side.get("headers") or []
    ]
    headers = Headers(
        (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in pairs
        if not name.startswith(":")
    )
    headers.remove(*_OF_THE_CONNECTION)
    return headers


def _asked_body(post: Any) -> bytes:
    if not post:
        return b""
    text = post.get("text")
    if text is None:
        return urlencode([(field["name"], field.get("value", "")) for field in post.get("params") or []]).encode()
    if post.get("_encoding") == "base64" or post.get("encoding") == "base64":
        return _unpacked(text)
    return _bytes(text, post.get("mimeType") or "")


def _answer(answered: Any, content: Any, events: list[Any]) -> tuple[Headers, bytes, str | None]:
    """Return headers, body, and the content encoding that the body had.

    The text of a HAR is decoded, whatever `content-encoding` says. Polly.JS alone keeps encoded bytes, as a JSON array
    of base64 (before version 4: hex) chunks.
    """
    headers = _headers(answered)
    text = content.get("text")
    if text is None:
        return _unencoded(headers, b"".join(map(_event, events)))
    if content.get("encoding") == "base64" or content.get("_isBinary"):
        if text.startswith("["):
            unpack = _unpacked if content.get("encoding") == "base64" else bytes.fromhex
            return without_encoding(headers, b"".join(map(unpack, json.loads(text))))
        return _unencoded(headers, _unpacked(text))
    return _unencoded(headers, _bytes(text, content.get("mimeType") or ""))


def _unpacked(text: str) -> bytes:
    """Return base64's bytes; some tools break its lines, nothing else may be in it."""
    return base64.b64decode("".join(text.split()), validate=True)


def _unencoded(headers: Headers, body: bytes) -> tuple[Headers, bytes, str | None]:
    encoding = headers.get("content-encoding")
    headers.remove("content-encoding")
    return headers, body, encoding


def _bytes(text: str, media_type: str) -> bytes:
    found = _CHARSET.search(media_type)
    try:
        return text.encode(found.group(1) if found else "utf-8")
    except (LookupError, UnicodeError):
        return text.encode("utf-8", "surrogatepass")


def _event(message: Any) -> bytes:
    name, identity = message.get("eventName"), message.get("eventId")
    event = name if name and name != "message" else None
    return SseEncoder().encode(Frame(data=message["data"].encode(), event=event, id=identity or None))


def _ending(answered: Mapping[str, Any]) -> Ending:
    """Return how the answer ended; Chrome keeps the error of a connection that broke after the head."""
    own = answered.get("_setu")
    if isinstance(own, Mapping) and own.get("end") in list(Ending):
        return Ending(own["end"])
    error = answered.get("_error")
    if not error:
        return Ending.COMPLETE
    return Ending.CLOSED_BY_CLIENT if "ABORTED" in str(error) else Ending.TRUNCATED


def _timing(entry: Mapping[str, Any], exchange: Exchange, events: list[Any]) -> Timing | None:
    own = entry["response"].get("_setu")
    if isinstance(own, Mapping) and isinstance(own.get("timing"), Mapping):
        timing = msgspec.convert(own["timing"], Timing)
        return timing if len(timing.events_ms) == len(pieces_of(exchange)) else None
    timings = entry.get("timings") or {}
    if timings.get("wait", -1) < 0:
        return None
    ttfb = timings["wait"] + max(timings.get("send", 0), 0)
    if events:
        return _event_timing(exchange, ttfb, [message["time"] for message in events])
    return whole_timing(exchange, ttfb, timings.get("receive", 0))


def _event_timing(exchange: Exchange, ttfb: float, seconds: list[float]) -> Timing | None:
    """Return when each piece came, the ones without data (comments, pings) with the event before them."""
    ahead: list[int] = []
    at = 0
    for piece in pieces_of(exchange):
        has_data = parse_block(piece).data is not None
        if has_data and at == len(seconds):
            return None
        at += has_data
        ahead.append(round((seconds[max(at - 1, 0)] - seconds[0]) * 200) * 5)
    return Timing(ttfb_ms=round(ttfb / 5) * 5, events_ms=tuple(ahead)) if at == len(seconds) else None


def _date(started: Any) -> str:
    found = _ISO_DATE.match(str(started or ""))
    return found.group() if found and not found.group().startswith("1970") else ""


def _written(interaction: Interaction) -> dict[str, Any]:
    exchange, recording = interaction.exchange, interaction.recording
    timing = recording.timing or Timing()
    received = max(timing.events_ms, default=0)
    return {
        "startedDateTime": f"{recording.recorded or '1970-01-01'}T00:00:00.000Z",
        "time": timing.ttfb_ms + received,
        "request": _written_request(interaction),
        "response": _written_response(interaction),
        "cache": {},
        "timings": {"send": 0, "wait": timing.ttfb_ms if recording.timing else -1, "receive": received},
        "comment": ", ".join(filter(None, (recording.op, exchange.end.value, recording.provenance))),
    }


def _written_request(interaction: Interaction) -> dict[str, Any]:
    request = interaction.exchange.request
    assert isinstance(request.body, bytes)
    media_type = request.headers.get("content-type") or ""
    members: dict[str, Any] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _fields(request.headers),
        "queryString": [
            {"name": name, "value": value}
            for name, _, value in (member.partition("=") for member in request.query.split("&") if member)
        ],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        members["postData"] = {"mimeType": media_type, **_kept(request.body, media_type, "_encoding")}
    return members


def _written_response(interaction: Interaction) -> dict[str, Any]:
    exchange, recording = interaction.exchange, interaction.recording
    media_type = exchange.headers.get("content-type") or ""
    own: dict[str, Any] = {"end": exchange.end.value}
    if recording.timing:
        own["timing"] = msgspec.to_builtins(recording.timing)
    return {
        "status": exchange.status,
        "statusText": interaction.reason,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _fields(exchange.headers),
        "content": {
            "size": len(exchange.body),
            "mimeType": media_type,
            **_kept(exchange.body, media_type, "encoding"),
        },
        "redirectURL": exchange.headers.get("location") or "",
        "headersSize": -1,
        "bodySize": len(exchange.body),
        "_setu": own,
    }


def _fields(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def _kept(body: bytes, media_type: str, mark: str) -> dict[str, str]:
    """Return the body as text where the text gives the bytes back, else as base64."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    if _bytes(text, media_type) == body:
        return {"text": text}
    return {"text": base64.b64encode(body).decode(), mark: "base64"}
