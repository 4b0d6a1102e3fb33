"""The examples of predecessor 001's README (AI Gateway Proxy): `setu start --profile ai-gateway-proxy`."""

from collections.abc import Iterator

import pytest

from tests.docs.session import free_port
from tests.e2e.predecessors.serving import CHAT, Started, events, text_of

pytestmark = pytest.mark.slow

FILE = """
[providers.openai]
base_url = "$UPSTREAM/v1"
[providers.anthropic]
base_url = "$UPSTREAM"
"""
HELLO = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Its two providers without any key of the gateway's own: clients bring theirs."""
    variables = {"HOST": "127.0.0.1", "PORT": str(free_port()), "RUST_LOG": "debug"}
    folder = tmp_path_factory.mktemp("seed001")
    with Started(folder, FILE, "--profile", "ai-gateway-proxy", port=False, environ=variables) as gateway:
        assert gateway.url.endswith(variables["PORT"])
        yield gateway


@pytest.fixture
def gateway(started: Started) -> Started:
    started.play()
    return started


def test_an_openai_request(gateway: Started) -> None:
    fields = [("x-provider", "openai"), ("authorization", "Bearer your-api-key")]
    answer = gateway.ask({"model": "gpt-4", "messages": HELLO}, fields=fields)
    (exchange,) = gateway.reached()

    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["role"] == "assistant"
    assert exchange.request.path == "/v1/chat/completions"
    assert exchange.request.headers.get("authorization") == "Bearer your-api-key"
    assert answer.body == exchange.body


def test_an_anthropic_request(gateway: Started) -> None:
    """It is sent on as it is; 001 dropped the key and every other field."""
    body = b'{"model": "claude-3-opus-20240229", "messages": [{"role": "user", "content": "Hello!"}]}'
    fields = [("x-provider", "anthropic"), ("x-api-key", "your-api-key"), ("anthropic-version", "2023-06-01")]
    gateway.ask(body, "/v1/complete", fields)
    (exchange,) = gateway.reached()

    assert (exchange.request.path, exchange.request.body) == ("/v1/complete", body)
    assert exchange.request.headers.get("x-api-key") == "your-api-key"
    assert exchange.request.headers.get("anthropic-version") == "2023-06-01"


def test_without_the_header_it_is_openai(gateway: Started) -> None:
    answer = gateway.ask({"model": "gpt-4", "messages": HELLO}, fields=[("authorization", "Bearer your-api-key")])
    (exchange,) = gateway.reached()

    assert answer.status == 200
    assert exchange.request.headers.get("authorization") == "Bearer your-api-key"


def test_a_stream_is_asked_for_in_the_accept_header(gateway: Started) -> None:
    fields = [("authorization", "Bearer your-api-key"), ("accept", "text/event-stream")]
    answer = gateway.ask({"model": "gpt-4", "messages": [{"role": "user", "content": "nonce:acc"}]}, CHAT, fields)

    assert (answer.field("content-type") or "").startswith("text/event-stream")
    assert "nonce:acc" in text_of(events(answer))


def test_an_unknown_provider_is_said(gateway: Started) -> None:
    """001 answered an empty 500."""
    answer = gateway.ask({"model": "gpt-4", "messages": HELLO}, fields=[("x-provider", "nobody")])

    assert answer.status == 400
    assert answer.error["code"] == "provider_not_found"
    assert "openai" in str(answer.error)


def test_health(gateway: Started) -> None:
    assert gateway.get("/health").status == 200


def test_pages_of_any_origin_may_ask(gateway: Started) -> None:
    """Its CORS let any origin, method and field through."""
    fields = [("origin", "https://app.example"), ("access-control-request-method", "POST"), ("access-control-request-headers", "x-provider")]  # fmt: skip
    answer = gateway.ask(path=CHAT, fields=fields, method="OPTIONS")

    assert answer.status in (200, 204)
    assert answer.field("access-control-allow-origin") in ("*", "https://app.example")
