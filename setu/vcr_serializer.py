"""Our format for plain vcrpy and pytest-recording: existing suites read and write it with one line.

def pytest_recording_configure(config, vcr):
    vcr.register_serializer("setu", setu.vcr_serializer)

@pytest.fixture(scope="module")
def vcr_config():
    return {"serializer": "setu"}
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from setu.cassette.gate import redact_exchange
from setu.cassette.redact import known_secrets
from setu.cassette.serialize import HEADER, from_document, reason_of
from setu.cassette.shelf import verified_block, whole


def deserialize(text: str) -> dict[str, Any]:
    """Return the interactions as vcrpy has them, bodies as the exact bytes that were recorded."""
    documents = []
    for interaction in whole(text, "the cassette"):
        exchange = interaction.exchange
        documents.append(
            {
                "request": {
                    "method": exchange.request.method,
                    "uri": exchange.request.url,
                    "headers": _lists(exchange.request.headers.items()),
                    "body": exchange.request.body,
                },
                "response": {
                    "status": {
                        "code": exchange.status,
                        "message": interaction.reason or reason_of(exchange.status),
                    },
                    "headers": _lists(exchange.headers.items()),
                    "body": {"string": exchange.body},
                    "setu": msgspec.to_builtins(interaction.recording) | {"end": exchange.end.value},
                },
            }
        )
    return {"version": 1, "interactions": documents}


def serialize(cassette: Mapping[str, Any]) -> str:
    """Return vcrpy's interactions as a cassette of Setu's, without secrets."""
    import os

    known = known_secrets(os.environ)
    return HEADER + "".join(_block(document, known) for document in cassette["interactions"])


def _block(document: Mapping[str, Any], known: tuple[str, ...]) -> str:
    interaction = from_document(document)
    kept, taken = redact_exchange(interaction.exchange, known)
    redacted = (*interaction.recording.redacted, *taken)
    recording = msgspec.structs.replace(interaction.recording, redacted=tuple(dict.fromkeys(redacted)))
    safe = msgspec.structs.replace(kept, arrivals=())
    return verified_block(msgspec.structs.replace(interaction, exchange=safe, recording=recording))


def _lists(pairs: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
