"""The last look before a disk: is there a secret in what is about to be written?

Redaction has been there before; whatever is found here makes the writer refuse.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from setu._json import JsonError, decode
from setu.cassette.model import Interaction
from setu.cassette.pieces import pieces_of
from setu.cassette.redact import Finding, find_secrets
from setu.framing.sse import parse_block


def leaks(interaction: Interaction, block: str, known: Collection[str] = ()) -> list[Finding]:
    """Return the secrets in an interaction and in the text that is to stand for it."""
    exchange = interaction.exchange
    assert isinstance(exchange.request.body, bytes)
    found = find_secrets(block, known)
    # A body stored as base64 hides from a search of the text.
    as_bytes = [value.encode("utf-8", "surrogatepass").decode("latin-1") for value in known]
    for body in (exchange.request.body, exchange.body):
        found += find_secrets(body.decode("latin-1"), as_bytes)
    for pieces in ([exchange.request.body], pieces_of(exchange)):
        found += find_secrets(_said(pieces), known)
    return found


def _said(pieces: Iterable[bytes]) -> str:
    """Return the texts of a JSON body without their escapes, those of a stream joined over its events.

    A model that echoes a key spells it in pieces.
    """
    said: dict[str, list[str]] = {}
    for piece in pieces:
        data = parse_block(piece).data or piece.strip(b"[],\r\n ")
        try:
            for path, text in _texts(decode(data), ""):
                said.setdefault(path, []).append(text)
        except (JsonError, RecursionError):
            continue
    return "\n".join("".join(texts) for texts in said.values())


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}/{index}")
