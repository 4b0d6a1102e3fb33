"""mitmproxy's flow files, read: the HTTP flows in them.

A flow is a dictionary of the flow format (versions 4 to 21 and the mitmproxy releases before it agree on what is read
here). Bodies are as they came over the wire, compressed ones too. Read 2026-11-20: mitmproxy/io/{io,compat}.py.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from setu.cassette.formats.har import UNTIMED
from setu.cassette.formats.intake import (
    DEFAULT,
    Data,
    Found,
    Intake,
    Skipped,
    each,
    lines,
    request_of,
    whole_timing,
    without_encoding,
)
from setu.cassette.formats.tnetstring import values
from setu.cassette.model import Interaction, Recording, Timing, Wire
from setu.cassette.pieces import pieces_of
from setu.errors import CassetteDecodeError
from setu.http import HOP_BY_HOP, Ending, Exchange, Headers

SUFFIXES = (".mitm", ".flow", ".flows")

_PORTS = {"http": 80, "https": 443}
_OF_THE_CONNECTION = (*(name.decode() for name in HOP_BY_HOP), "content-length")


def sniff(head: bytes) -> bool:
    return re.match(rb"\d{1,12}:\d{1,2}:[a-z_]+[,;]", head) is not None


def read(data: Data, name: str, intake: Intake = DEFAULT) -> Iterator[Found]:
    """Read the HTTP flows of a file in their order, one in memory at a time.

    A file that ends within a flow (mitmproxy was killed) gives what is whole, and a word about the rest.

    Raises:
        CassetteDecodeError: not a flow file.
    """
    number = 0
    try:
        for number, flow in enumerate(values(lines(data)), 1):
            yield from each([(f"{name}#{number}", flow)], _flow, intake)
    except (ValueError, RecursionError) as error:
        if not number:
            raise CassetteDecodeError(f"{name}: not a mitmproxy flow file: {error}") from None
        yield Skipped(f"{name}#{number + 1}", "damaged or cut off")


def _flow(flow: Any, place: str) -> Iterator[Found]:
    try:
        reason = _unusable(flow)
        yield Skipped(place, reason) if reason else _interaction(flow, place)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError) as error:
        raise CassetteDecodeError(f"a member is missing or of the wrong kind: {error}") from None


def _unusable(flow: Mapping[str, Any]) -> str:
    kind = _text(flow.get("type", "http"))
    if kind != "http":
        return f"a {kind} flow"
    if flow.get("websocket") is not None:
        return "a WebSocket"
    if flow.get("response") is None:
        return "no response was recorded"
    # mitmproxy keeps no body that it streams through (`stream_large_bodies`).
    if flow["request"].get("content") is None or flow["response"].get("content") is None:
        return "the body was not kept"
    return ""


def _interaction(flow: Mapping[str, Any], place: str) -> Interaction:
    asked, answered = flow["request"], flow["response"]
    headers, body, encoding = without_encoding(_headers(answered), answered["content"])
    exchange = Exchange(
        request=request_of(_text(asked["method"]), _url(asked), _headers(asked), asked["content"]),
        status=answered["status_code"],
        headers=headers,
        body=body,
        end=Ending.TRUNCATED if flow.get("error") else Ending.COMPLETE,
    )
    timing = _timing(asked, answered, exchange)
    untimed = timing is None and len(pieces_of(exchange)) > 1
    started = asked.get("timestamp_start")
    return Interaction(
        exchange=exchange,
        recording=Recording(
            recorded=datetime.fromtimestamp(started, UTC).date().isoformat() if started else "",
            wire=Wire(enc=encoding),
            timing=timing,
        ),
        reason=_text(answered.get("reason") or ""),
        place=place,
        notes=(f"{place}: {UNTIMED}",) if untimed else (),
    )


def _url(asked: Mapping[str, Any]) -> str:
    """Return where the request went; in transparent mode the host is an address and only the header has the name."""
    scheme, host, port = _text(asked["scheme"]), _text(asked["host"]), asked["port"]
    named = _text(asked.get("authority") or "") or _headers(asked).get("host") or ""
    authority = host if port == _PORTS.get(scheme) else f"{host}:{port}"
    return f"{scheme}://{named if named and _is_address(host) else authority}{_text(asked['path'])}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _headers(side: Mapping[str, Any]) -> Headers:
    headers = Headers((bytes(name).lower(), bytes(value)) for name, value in side["headers"])
    headers.remove(*_OF_THE_CONNECTION)
    return headers


def _timing(asked: Mapping[str, Any], answered: Mapping[str, Any], exchange: Exchange) -> Timing | None:
    sent = asked.get("timestamp_end") or asked.get("timestamp_start")
    first, last = answered.get("timestamp_start"), answered.get("timestamp_end")
    if not sent or not first or not last:
        return None
    return whole_timing(exchange, (first - sent) * 1000, (last - first) * 1000)


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
