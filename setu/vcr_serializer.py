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

from setu.cassette.redact import known_secrets, redact_request, redact_response
from setu.cassette.serialize import HEADER, from_document, reason_of
from setu.cassette.shelf import verified_block, whole
from setu.http import Request, Response


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
    exchange = interaction.exchange
    request, asked = redact_request(exchange.request, known)
    response, answered = redact_response(Response(exchange.status, exchange.headers, exchange.body), known)
    assert isinstance(request, Request)
    assert isinstance(response.body, bytes)
    redacted = (*interaction.recording.redacted, *asked, *answered)
    recording = msgspec.structs.replace(interaction.recording, redacted=tuple(dict.fromkeys(redacted)))
    safe = msgspec.structs.replace(exchange, request=request, headers=response.headers, body=response.body, arrivals=())
    return verified_block(msgspec.structs.replace(interaction, exchange=safe, recording=recording))


def _lists(pairs: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
