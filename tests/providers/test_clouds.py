"""Azure and Vertex: one host, many addresses, and bodies that are nearly somebody else's."""

import json

import pytest

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.dialects.openai_errors import parse_error
from setu.errors import ConfigError
from tests.cassettes.bundled import bundled
from tests.providers.asking import ask

HELLO = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Hi."}]}
CLAUDE = {"model": "claude-sonnet-4-5@20250929", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]}
MESSAGE = json.dumps(
    {
        "id": "msg_vrtx_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": "Hi."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
).encode()
CONTENT = json.dumps(
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi."}]}, "finishReason": "STOP"}]}
).encode()
PLACE = "https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/publishers"


def test_azure_names_the_deployment_in_the_path_and_the_version_in_the_query() -> None:
    upstream, response, _ = ask("azure", HELLO)

    (sent,) = upstream.sent
    assert response.status == 200
    assert sent.url == (
        "https://r.openai.azure.com/openai/deployments/gpt-4.1-mini/chat/completions?api-version=2024-10-21"
    )
    assert (sent.headers.get("api-key"), sent.headers.get("authorization")) == ("k", None)


def test_azure_s_version_comes_from_the_environment_or_the_configuration() -> None:
    newer = ask("azure", HELLO, environ={"OPENAI_API_VERSION": "2025-04-01-preview"})[0]
    own = ask("azure", HELLO, variables={"api_version": "v9", "endpoint": "https://own.example"})[0]

    assert newer.sent[0].query == "api-version=2025-04-01-preview"
    assert own.sent[0].url.startswith("https://own.example/openai/deployments/")
    assert own.sent[0].query == "api-version=v9"


def test_azure_s_newer_address_has_neither_deployment_nor_version() -> None:
    upstream, _, _ = ask("azure", HELLO, base_url="https://r.openai.azure.com/openai/v1")

    assert upstream.sent[0].url == "https://r.openai.azure.com/openai/v1/chat/completions"
    assert upstream.body["model"] == "gpt-4.1-mini"


def test_an_entra_token_is_a_bearer_token() -> None:
    environ = {"AZURE_OPENAI_AD_TOKEN": "ad", "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com"}

    found = build.deployments(Config(providers={"azure": ProviderConfig()}), environ)["azure"]

    assert (found.key, found.scheme) == ("ad", "bearer")


def test_azure_without_an_endpoint_says_what_is_missing() -> None:
    with pytest.raises(ConfigError, match=r"providers.azure: variables.endpoint is required \(AZURE_OPENAI_ENDPOINT"):
        build.deployments(Config(providers={"azure": ProviderConfig()}), {})


def test_a_deployment_s_name_cannot_leave_the_path() -> None:
    stepping, refused, _ = ask("azure", HELLO | {"model": "a/../../evil?x=1"})
    upstream, _, _ = ask("azure", HELLO | {"model": "a/evil?x=1"})

    assert (refused.status, stepping.sent) == (400, [])
    assert upstream.sent[0].path == "/openai/deployments/a%2Fevil%3Fx%3D1/chat/completions"


def test_an_openai_client_does_not_see_azure_s_first_chunk() -> None:
    """B-STR-22, dd-trace-py-a377dd5975."""
    recorded = bundled("azure", "text-stream").exchange.body

    upstream, _, seen = ask("azure", HELLO | {"stream": True}, answer=recorded, content_type="text/event-stream")

    chunks = [json.loads(line[6:]) for line in seen.decode().splitlines() if line.startswith("data: {")]
    assert upstream.body["stream_options"] == {"include_usage": True}
    assert b'"object":""' in recorded
    assert all(chunk["id"] and chunk["object"] == "chat.completion.chunk" and chunk["choices"] for chunk in chunks)
    assert seen.endswith(b"data: [DONE]\n\n")


def test_azure_s_filter_error_keeps_its_code_for_another_client() -> None:
    found = bundled("azure", "error-400-content-filter").exchange

    info = parse_error(400, found.headers, found.body)

    assert (info.kind, info.code, info.param) == ("invalid_request", "content_filter", "prompt")


def test_gemini_on_vertex_is_gemini_s_body_below_google_s_publisher() -> None:
    upstream, response, _ = ask("vertex", HELLO | {"model": "gemini-2.5-flash"}, answer=CONTENT)

    assert response.status == 200
    assert upstream.sent[0].url == f"{PLACE}/google/models/gemini-2.5-flash:generateContent"
    assert upstream.sent[0].headers.get("authorization") == "Bearer k"
    assert upstream.body["contents"]


def test_a_stream_from_vertex_is_asked_for_as_events() -> None:
    body = b"data: " + CONTENT + b"\r\n\r\n"
    asked = HELLO | {"model": "gemini-2.5-flash", "stream": True}

    upstream, _, seen = ask("vertex", asked, answer=body, content_type="text/event-stream")

    assert upstream.sent[0].url == f"{PLACE}/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert b'"content":"Hi."' in seen


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/chat/completions", HELLO | {"model": CLAUDE["model"]}), ("/v1/messages", CLAUDE)]
)
def test_claude_on_vertex_is_anthropic_s_body_without_the_model(path, body) -> None:
    upstream, response, _ = ask("vertex", body, path=path, answer=MESSAGE)

    assert response.status == 200
    assert upstream.sent[0].url == f"{PLACE}/anthropic/models/claude-sonnet-4-5@20250929:rawPredict"
    assert upstream.body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in upstream.body


def test_only_flags_that_vertex_knows_go_on() -> None:
    """B-HDR-01."""
    known, unknown = "interleaved-thinking-2025-05-14", "claude-code-20250219"
    both = {"anthropic-beta": f"{unknown},{known}", "anthropic-version": "2023-06-01"}

    some = ask("vertex", CLAUDE, path="/v1/messages", answer=MESSAGE, headers=both)[0]
    none = ask("vertex", CLAUDE, path="/v1/messages", answer=MESSAGE, headers={"anthropic-beta": unknown})[0]

    assert some.sent[0].headers.get("anthropic-beta") == known
    assert "anthropic-beta" not in none.sent[0].headers


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("us-east5", "us-east5-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_the_host_follows_the_location(location, host) -> None:
    upstream, _, _ = ask(
        "vertex", HELLO | {"model": "gemini-2.5-pro"}, answer=CONTENT, environ={"GOOGLE_CLOUD_LOCATION": location}
    )

    assert upstream.sent[0].origin == f"https://{host}"
    assert f"/locations/{location}/" in upstream.sent[0].path


def test_a_client_of_vertex_s_own_paths_is_understood() -> None:
    path = "/v1/projects/x/locations/y/publishers/google/models/vertex/gemini-2.5-flash:generateContent"
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi."}]}]}

    upstream, response, data = ask("vertex", body, path=path, answer=CONTENT)

    assert (response.status, data) == (200, CONTENT)
    assert upstream.sent[0].url == f"{PLACE}/google/models/gemini-2.5-flash:generateContent"
