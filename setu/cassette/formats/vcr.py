"""Cassettes of vcrpy, pytest-recording and their relatives, read; plain vcrpy, written."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from setu.cassette.emit import emit_item
from setu.cassette.formats.forms import plain
from setu.cassette.formats.intake import DEFAULT, Found, Intake, each
from setu.cassette.model import Interaction
from setu.cassette.serialize import HEADER, from_document, to_document
from setu.errors import CassetteDecodeError

SUFFIXES = (".yaml", ".yml", ".json")


def read(documents: Iterable[tuple[int, Any]], name: str, intake: Intake = DEFAULT) -> Iterator[Found]:
    """Read parsed interactions, each with its line."""
    return each(((f"{name}:{line}", value) for line, value in documents), _read, intake)


def loaded(document: Any, place: str) -> Interaction:
    """Return the interaction of a document in any form of the family, as it is, nothing taken out.

    Raises:
        CassetteDecodeError: names place and key.
    """
    try:
        form = plain(document)
    except CassetteDecodeError as error:
        raise CassetteDecodeError(f"{place}: {error}" if place else str(error)) from None
    found = from_document(form.document, place)
    if not form.notes and not form.recorded:
        return found
    recording = msgspec.structs.replace(
        found.recording,
        recorded=found.recording.recorded or form.recorded,
        provenance="edited" if form.edited else found.recording.provenance,
    )
    notes = (*found.notes, *(f"{place}: {note}" for note in form.notes))
    return msgspec.structs.replace(found, recording=recording, notes=notes)


def write(interactions: Iterable[Interaction]) -> str:
    """Return a cassette that plain vcrpy plays byte for byte; what only Setu knows (timing, endings) is left out."""
    return HEADER + "".join(map(_plain_block, interactions))


def _read(document: Any, place: str) -> Iterator[Found]:
    yield loaded(document, place)


def _plain_block(interaction: Interaction) -> str:
    document = to_document(interaction, binary=True)
    del document["response"]["setu"]
    document["request"]["body"] = _text(document["request"]["body"])
    document["response"]["body"]["string"] = _text(document["response"]["body"]["string"])
    return emit_item(document)


def _text(body: bytes) -> str | bytes:
    """Return the body as it is: vcrpy knows no indentation to undo."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
