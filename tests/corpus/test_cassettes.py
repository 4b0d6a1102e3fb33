"""Every real exchange survives a cassette byte for byte, is found again, and holds nothing that looks like a key."""

import base64
import json
from typing import Any

import pytest

from setu.cassette.library import Library
from setu.cassette.model import Interaction
from setu.cassette.redact import find_secrets, redact_request, redact_response
from setu.cassette.serialize import HEADER, from_document, render_block
from setu.cassette.yamlfile import parse_cassette
from setu.http import Exchange, Headers, Request, Response
from tests.corpus.reader import exchanges, needs_corpus

pytestmark = [pytest.mark.corpus, needs_corpus]

APIS = ["openai.chat", "anthropic.messages", "gemini.stream", "bedrock.converse_stream", "ollama.chat", "models.list"]


def interaction_of(exchange: dict[str, Any]) -> Interaction:
    """Return what a recorder would have kept."""
    asked = Request(
        method=exchange["method"],
        origin=f"https://{exchange['host']}",
        path=exchange["path"],
        query=exchange["query"] if isinstance(exchange["query"], str) else "",
        headers=Headers.of({"content-type": "application/json"}),
        body=_request_body(exchange["request_body"]),
    )
    headers = Headers.of({name: _one(value) for name, value in (exchange["response_headers"] or {}).items()})
    request, _ = redact_request(asked)
    response, _ = redact_response(Response(exchange["status"], headers, _response_body(exchange)))
    assert isinstance(response.body, bytes)
    return Interaction(
        exchange=Exchange(request=request, status=response.status, headers=response.headers, body=response.body)
    )


def _one(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _request_body(body: Any) -> bytes:
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _response_body(exchange: dict[str, Any]) -> bytes:
    text = exchange["response_body"] or ""
    if exchange.get("response_body_encoding") == "base64":
        return base64.b64decode(text)
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("api", APIS)
def test_real_exchanges_survive_a_cassette(api: str) -> None:
    count = 0
    for exchange in exchanges(api):
        kept = interaction_of(exchange)
        block = render_block(kept)
        [(_, document)] = parse_cassette(HEADER + block, exchange["id"])
        found = from_document(document, exchange["id"])
        assert found.exchange.body == kept.exchange.body, exchange["id"]
        assert found.exchange.request == kept.exchange.request, exchange["id"]
        assert found.notes == (), exchange["id"]
        assert find_secrets(block) == [], exchange["id"]
        assert render_block(found) == block, exchange["id"]
        count += 1
    print(f"{api}: {count} exchanges survive a cassette")


@pytest.mark.parametrize("api", APIS)
def test_real_requests_find_their_answers(api: str) -> None:
    kept = [interaction_of(exchange) for exchange in exchanges(api)]
    library = Library(kept)

    for interaction in kept:
        # Equal requests are answered in the order of their recordings, so each finds its own answer.
        assert library.take(interaction.exchange.request).interaction is interaction

    assert library.unused() == ()
    print(f"{api}: {len(kept)} requests find their answers")
