"""Take secrets out of streamed answers: within each message of Amazon's event stream, and where events spell one
together.

A model that echoes a key spells it in pieces, of which none looks like a key. The events stay where they are, and as
many: the first of them gets the mark, the others lose their part.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec

from setu._json import JsonError, decode
from setu.cassette import spots
from setu.cassette.edits import Edit, Rules, applied, as_latin, edits_of
from setu.framing.eventstream import EventStreamDecoder, EventStreamEncoder
from setu.framing.frame import Frame
from setu.framing.sse import parse_block


class _Said(NamedTuple):
    """A string of an event: which event, where between which quotes, and what it says."""

    event: int
    start: int
    end: int
    text: str


def each_message(body: bytes, redacted: Callable[[bytes], bytes]) -> bytes:
    """Return an event stream with its payloads redacted and its checksums right again."""
    decoder = EventStreamDecoder()
    return b"".join(_message(frame, redacted) for frame in (*decoder.feed(body), *decoder.close()))


def payloads_of(body: bytes) -> list[bytes]:
    """Return what each message carries; of a damaged one, or of its rest, all of it."""
    decoder = EventStreamDecoder()
    frames = (*decoder.feed(body), *decoder.close())
    return [frame.raw if frame.data is None else frame.data for frame in frames]


def inner(payload: bytes) -> bytes:
    """Return the event that Bedrock's InvokeModelWithResponseStream wraps in base64; other payloads as they are."""
    found = _WRAPPED.search(payload)
    if found is None:
        return payload
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return payload


def wrapped(event: bytes, payload: bytes) -> bytes:
    """Return a payload with another event in it."""
    found = _WRAPPED.search(payload)
    if found is None or inner(payload) == payload:
        return event
    return payload[: found.start(1)] + base64.b64encode(event) + payload[found.end(1) :]


_WRAPPED = re.compile(rb'\A\s*\{\s*"bytes"\s*:\s*"([A-Za-z0-9+/=]+)"')


def spelt_in_pieces(pieces: Sequence[bytes], rules: Rules) -> list[str]:
    """Return the kinds of secrets in the texts of a JSON body, or of a stream joined over its events."""
    return [edit.what for text in _joined(pieces) for edit in edits_of(text, rules)]


def without_spelt(pieces: Sequence[bytes], rules: Rules) -> list[bytes]:
    """Return the events of a stream without what they spell together."""
    said: dict[str, list[_Said]] = {}
    for index, piece in enumerate(pieces):
        for spot in spots.strings(piece.decode("latin-1")):
            text = _value(piece, spot)
            if text is not None:
                said.setdefault(spot.pointer, []).append(_Said(index, spot.start, spot.end, text))
    cuts: dict[int, list[Edit]] = {}
    for parts in said.values():
        for part, text in _rewritten(parts, rules):
            written = as_latin(msgspec.json.encode(text).decode()[1:-1])
            cuts.setdefault(part.event, []).append(Edit(part.start, part.end, written, ""))
    return [
        applied(piece.decode("latin-1"), sorted(cuts[index])).encode("latin-1") if index in cuts else piece
        for index, piece in enumerate(pieces)
    ]


def _message(frame: Frame, redacted: Callable[[bytes], bytes]) -> bytes:
    if frame.data is None:  # damaged, or cut short: searched as it stands
        return redacted(frame.raw)
    data = redacted(frame.data)
    if data == frame.data:
        return frame.raw
    return EventStreamEncoder().encode(msgspec.structs.replace(frame, data=data, raw=b""))


def _rewritten(parts: list[_Said], rules: Rules) -> Iterator[tuple[_Said, str]]:
    """Yield each string that changes, and what it is to say."""
    whole = "".join(part.text for part in parts)
    edits = edits_of(whole, rules)
    starts = [0, *accumulate(len(part.text) for part in parts)]
    for part, start in zip(parts, starts, strict=False):
        end = start + len(part.text)
        inner = [
            Edit(max(e.start, start) - start, min(e.end, end) - start, e.text if start <= e.start else "", e.what)
            for e in edits
            if e.start < end and start < e.end
        ]
        if inner:
            yield part, applied(part.text, inner).encode("utf-8", "replace").decode()


def _value(piece: bytes, spot: spots.Spot) -> str | None:
    try:
        value = decode(b'"' + piece.decode("latin-1")[spot.start : spot.end].encode("latin-1") + b'"')
    except JsonError:
        return None
    return value if isinstance(value, str) else None


def _joined(pieces: Sequence[bytes]) -> Iterator[str]:
    said: dict[str, list[str]] = {}
    for piece in pieces:
        data = parse_block(piece).data or piece.strip(b"[],\r\n ")
        try:
            for path, text in _texts(decode(data), ""):
                said.setdefault(path, []).append(text)
        except (JsonError, RecursionError):
            continue
    return ("".join(texts) for texts in said.values())


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}/{index}")
