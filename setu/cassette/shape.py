"""How a recording is kept: what is left out of it, and what is renamed, before it reaches a file."""

import re
from collections.abc import Callable
from hashlib import sha256

import msgspec

from setu import _json
from setu.cassette.match import BASE64
from setu.cassette.model import Interaction
from setu.cassette.scrub import Names, scrub

Shape = Callable[[Interaction], Interaction]

_BASE64 = re.compile(rb'"(%b)"' % BASE64.encode())
PLACEHOLDER = "sha256:"


def shape_of(
    *,
    timing: bool = True,
    chunks: bool = False,
    media: Callable[[str, bytes], bytes | None] | None = None,
    rename: Callable[[Interaction], str] | None = None,
) -> Shape:
    """Return what shapes every recording of one run.

    Without `timing` no times are kept, with `chunks` the boundaries of the transport's chunks are. `media` is handed
    the SHA-256 and the text of each large base64 string; what it returns stands in its place, None: nothing does.
    `rename` gives match keys and has identifiers renamed.
    """
    names = Names()

    def shape(interaction: Interaction) -> Interaction:
        recording = interaction.recording
        if not timing:
            recording = msgspec.structs.replace(recording, timing=None)
        if not chunks:
            recording = msgspec.structs.replace(recording, chunks=())
        interaction = msgspec.structs.replace(interaction, recording=recording)
        if media is not None:
            interaction = without_media(interaction, media)
        return interaction if rename is None else scrub(interaction, names, rename)

    return shape


def without_media(interaction: Interaction, media: Callable[[str, bytes], bytes | None]) -> Interaction:
    """Return the interaction with a digest in the place of each large base64 string, request and answer.

    The digest is what matching compares, so such a recording still answers the request with the media in it. Of a
    request that is not JSON matching compares the whole: it stays.
    """

    def digest(found: re.Match[bytes]) -> bytes:
        name = sha256(found[1]).hexdigest()
        kept = media(name, found[1])
        return found[0] if kept is None else b'"' + kept + b'"'

    exchange = interaction.exchange
    assert isinstance(exchange.request.body, bytes)
    request = exchange.request
    if _BASE64.search(exchange.request.body) and _is_json(exchange.request.body):
        request = msgspec.structs.replace(request, body=_BASE64.sub(digest, exchange.request.body))
    body = _BASE64.sub(digest, exchange.body)
    chunks = interaction.recording.chunks if body == exchange.body else ()
    recording = msgspec.structs.replace(interaction.recording, chunks=chunks)
    return msgspec.structs.replace(
        interaction, exchange=msgspec.structs.replace(exchange, request=request, body=body), recording=recording
    )


def _is_json(body: bytes) -> bool:
    try:
        _json.decode(body)
    except (_json.JsonError, RecursionError):
        return False
    return True


def strip(name: str, _data: bytes) -> bytes:
    """Keep nothing of media but its digest."""
    return f"{PLACEHOLDER}{name}".encode()
