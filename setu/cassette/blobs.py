"""Large media beside the cassettes: `.blobs/<sha256>`, a placeholder in the recording.

Plain vcrpy sees the placeholder; Setu puts the media back when it loads the recording.
"""

import os
import re
import threading
from hashlib import sha256
from pathlib import Path

import msgspec

from setu.cassette.model import Interaction
from setu.cassette.pieces import arrivals_of, pieces_of
from setu.cassette.shape import PLACEHOLDER
from setu.errors import CassetteError

FOLDER = ".blobs"

_PLACED = re.compile(rb'"' + PLACEHOLDER.encode() + rb'([0-9a-f]{64})"')


def blobs_of(path: Path) -> "Blobs | None":
    """Return the media that belong to a cassette file: those of the nearest directory above it that has any."""
    return next((Blobs(parent) for parent in path.absolute().parents if (parent / FOLDER).is_dir()), None)


class Blobs:
    """The media of one directory of cassettes."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / FOLDER

    def keep(self, name: str, data: bytes) -> bytes:
        """Store media under its digest, once, and return what stands for it.

        Raises:
            CassetteError: it cannot be written.
        """
        path = self._folder / name
        if not path.exists():
            beside = path.with_name(f"{name}.{os.getpid()}.{threading.get_ident()}.tmp")
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                beside.write_bytes(data)
                beside.replace(path)
            except OSError as error:
                raise CassetteError(f"{path} cannot be written: {error.strerror or error}") from None
        return f"{PLACEHOLDER}{name}".encode()

    def restore(self, interaction: Interaction) -> Interaction:
        """Return the interaction with its media in their places; what is not there is noted and stays a digest."""
        exchange = interaction.exchange
        assert isinstance(exchange.request.body, bytes)
        notes = list(interaction.notes)
        request = msgspec.structs.replace(
            exchange.request, body=self._filled(exchange.request.body, interaction, notes)
        )
        filled = msgspec.structs.replace(
            exchange, request=request, body=self._filled(exchange.body, interaction, notes)
        )
        timing = interaction.recording.timing
        if filled.body != exchange.body and timing is not None:
            filled = msgspec.structs.replace(filled, arrivals=arrivals_of(pieces_of(filled), timing) or ())
        return msgspec.structs.replace(interaction, exchange=filled, notes=tuple(notes))

    def _filled(self, body: bytes, interaction: Interaction, notes: list[str]) -> bytes:
        if PLACEHOLDER.encode() not in body:
            return body

        def found(match: re.Match[bytes]) -> bytes:
            name = match[1].decode()
            try:
                data = (self._folder / name).read_bytes()
            except OSError:
                return match[0]
            if sha256(data).hexdigest() != name:
                notes.append(f"{interaction.place}: {self._folder / name} is not what was recorded; it is left out")
                return match[0]
            return b'"' + data + b'"'

        return _PLACED.sub(found, body)
