"""Rename the identifiers that providers mint, so that recording again shows changes of meaning only.

`msg_01AbC…` becomes `msg_setu_1a2b_1`: its kind, the request that brought it, and which one of that request it was.
The same identifier has the same new name wherever it comes again, in later requests too.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import msgspec

from setu._json import JsonError, decode
from setu.cassette.model import Interaction
from setu.cassette.pieces import pieces_of
from setu.framing.sse import parse_block
from setu.http import Headers

_MEMBERS = frozenset(
    {
        "call_id",
        "generation_id",
        "id",
        "item_id",
        "previous_response_id",
        "requestId",
        "request_id",
        "responseId",
        "response_id",
        "system_fingerprint",
        "toolUseId",
        "tool_call_id",
        "tool_use_id",
    }
)
_HEADERS = frozenset({"apim-request-id", "request-id", "x-amzn-requestid", "x-generation-id", "x-request-id"})
# What a model or a tool wrote is data: an `id` in there belongs to somebody else.
_OPAQUE = frozenset({"args", "arguments", "input", "input_schema", "json_schema", "parameters", "response"})
_PREFIX = re.compile(r"[A-Za-z]+(?:[_-](?=[^_-]*[_-])[A-Za-z]+)*(?=[_-])")
_RANDOM = re.compile(r"(?=.*[0-9])[A-Za-z0-9_.:/+=-]{8,}|[A-Za-z0-9]{9,}")
_MINTED = re.compile(r"(?:[A-Za-z]+[_-])*setu_[0-9a-f]{4}_[0-9]+")


class Names:
    """The new names that were given so far; one for all that is recorded together."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self._lock = threading.Lock()  # recordings are shaped in threads

    def give(self, identity: str, source: str) -> str:
        """Return the name of an identifier; a new one is named after the request (`source`, hex) that brought it."""
        with self._lock:
            return self._names.get(identity) or self._new(identity, source)

    def _new(self, identity: str, source: str) -> str:
        prefix = _PREFIX.match(identity)
        lead = f"{prefix.group()}_" if prefix else ""
        fresh = (f"{lead}setu_{source[:4]}_{number}" for number in count(1))
        name = self._names[identity] = next(name for name in fresh if name not in self._taken)
        self._taken.add(name)
        return name


def scrub(interaction: Interaction, names: Names, key_of: Callable[[Interaction], str]) -> Interaction:
    """Return an interaction with renamed identifiers.

    `key_of` gives the key of an interaction whose request is renamed already, so that a conversation's keys are the
    same in every run.
    """
    asked = interaction.exchange.request
    assert isinstance(asked.body, bytes)
    body = _renamed(asked.body, [*_identifiers([asked.body])], names, "0000")
    request = msgspec.structs.replace(asked, body=body)
    renamed = _with(interaction, request=request)
    source = key_of(renamed)
    found = [*_identifiers(pieces_of(interaction.exchange))]
    headers = Headers()
    for field, value in interaction.exchange.headers.items():
        headers.add(field, names.give(value, source) if field in _HEADERS and not _MINTED.fullmatch(value) else value)
    answered = _renamed(interaction.exchange.body, found, names, source)
    recording = msgspec.structs.replace(interaction.recording, key=source if interaction.recording.key else "")
    return msgspec.structs.replace(_with(renamed, headers=headers, body=answered), recording=recording)


def _with(interaction: Interaction, **changes: Any) -> Interaction:
    return msgspec.structs.replace(interaction, exchange=msgspec.structs.replace(interaction.exchange, **changes))


def _renamed(body: bytes, found: list[str], names: Names, source: str) -> bytes:
    """Replace identifiers where they stand as whole JSON strings; every other byte stays."""
    for identity in dict.fromkeys(found):
        body = body.replace(f'"{identity}"'.encode(), f'"{names.give(identity, source)}"'.encode())
    return body


def _identifiers(pieces: list[bytes]) -> Iterator[str]:
    for piece in pieces:
        data = parse_block(piece).data or piece.strip(b"[],\r\n ")
        try:
            yield from _minted(decode(data))
        except (JsonError, RecursionError):
            continue


def _minted(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name in _MEMBERS and isinstance(item, str) and _looks_minted(item):
                yield item
            elif name not in _OPAQUE or isinstance(item, list):
                yield from _minted(item)
    elif isinstance(value, list):
        for item in value:
            yield from _minted(item)


def _looks_minted(text: str) -> bool:
    """Tell an identifier from a name that somebody chose; those written with escapes are left alone."""
    return _RANDOM.fullmatch(text) is not None and not _MINTED.fullmatch(text) and json.dumps(text)[1:-1] == text
