"""What the gateway says of itself: models, health, readiness."""

import json
from typing import Any

import pytest

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.http import Request, Response
from setu.providers import lookup
from setu.providers.openai import PROVIDER as OPENAI
from setu.server.serve import Background
from tests.live import Live, ask


def get(live: Live, path: str) -> tuple[int, Any]:
    answer = live.ask(b"", path, method="GET")
    return answer.status, answer.json


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/"])
def test_the_list_is_one_that_openais_and_anthropics_clients_read(live: Live, path: str) -> None:
    status, body = get(live, path)

    entries = {entry["id"]: entry for entry in body["data"]}
    assert (status, body["object"], body["has_more"]) == (200, "list", False)
    assert (body["first_id"], body["last_id"]) == (body["data"][0]["id"], body["data"][-1]["id"])
    assert set(entries) == {f"{name}/{model}" for name, d in _deployed().items() for model in d}
    entry = entries["oa/gpt-4o"]
    assert (entry["object"], entry["type"], entry["owned_by"], entry["provider"]) == ("model", "model", "openai", "oa")
    assert (entry["context_length"], entry["max_output_tokens"]) == (128_000, 16_384)
    assert {"chat", "tools", "vision"} <= set(entry["capabilities"])
    assert entry["created_at"].endswith("Z")


def _deployed() -> dict[str, Any]:
    kinds = {"oa": "openai", "an": "anthropic", "ge": "gemini", "dead": "openai", "keyless": "anthropic"}
    return {name: lookup.find(kind).models for name, kind in kinds.items()} | {"local": {}}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("oa/gpt-4o", "oa/gpt-4o"),
        ("gpt-4o", "gpt-4o"),
        ("oa%2Fgpt-4o", "oa/gpt-4o"),
        ("ge/gemini-2.5-pro", "ge/gemini-2.5-pro"),
        ("keyless/claude-opus-4-5", "keyless/claude-opus-4-5"),
    ],
)
def test_one_model_is_found_by_its_prefixed_or_bare_id(live: Live, asked: str, found: str) -> None:
    status, body = get(live, f"/v1/models/{asked}")

    assert (status, body["id"], body["object"]) == (200, found, "model")


def test_an_unknown_model_is_404_and_says_which_there_are(live: Live) -> None:
    status, body = get(live, "/v1/models/meta-llama/llama-3/8b")

    assert (status, body["error"]["code"]) == (404, "model_not_found")
    assert "meta-llama/llama-3/8b" in body["error"]["message"]
    assert "oa/gpt-4o" in body["error"]["available_models"]


def test_gemini_clients_get_their_own_list(live: Live) -> None:
    status, body = get(live, "/v1beta/models?pageSize=50")

    found = {entry["name"]: entry for entry in body["models"]}
    assert status == 200
    assert found["models/ge/gemini-2.5-pro"] == {
        "name": "models/ge/gemini-2.5-pro",
        "displayName": "gemini-2.5-pro",
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
    }


@pytest.mark.parametrize("asked", ["ge/gemini-2.5-pro", "gemini-2.5-pro"])
def test_gemini_clients_find_one_model(live: Live, asked: str) -> None:
    assert get(live, f"/v1beta/models/{asked}")[1]["name"] == "models/ge/gemini-2.5-pro"


def test_gemini_clients_get_their_own_404(live: Live) -> None:
    status, body = get(live, "/v1beta/models/local/llama3:8b")

    assert (status, body["error"]["code"], body["error"]["status"]) == (404, 404, "NOT_FOUND")


def test_a_probe_with_head_is_answered(live: Live) -> None:
    answer = live.ask(b"", "/", method="HEAD")

    assert (answer.status, answer.body) == (200, b"")


class Silent:
    """A transport that nobody asks."""

    async def send(self, request: Request) -> Response:
        raise AssertionError(request)

    async def aclose(self) -> None:
        pass


def probed(providers: dict[str, ProviderConfig], environ: dict[str, str]) -> dict[str, tuple[int, bytes]]:
    config = Config(providers=providers)
    deployed = build.deployments(config, environ)
    gateway = build.gateway(deployed, Silent(), config=config)
    with Background(build.app(gateway, config, build.describe_gateway(deployed))) as server:
        paths = ("/health", "/readyz", "/livez")
        return {path: ask(server.url, b"", path, method="GET")[::2] for path in paths}


@pytest.mark.parametrize(
    ("providers", "environ", "status"),
    [
        ({}, {}, 503),
        ({"openai": ProviderConfig()}, {}, 503),
        ({}, {"OPENAI_API_KEY": "k"}, 200),
        ({"openai": ProviderConfig(), "local": ProviderConfig(base_url="http://x/v1")}, {}, 200),
    ],
)
def test_a_gateway_without_a_usable_provider_is_alive_and_not_ready(
    providers: dict[str, ProviderConfig], environ: dict[str, str], status: int
) -> None:
    found = probed(providers, environ)

    body = json.loads(found["/health"][1])
    assert {path: code for path, (code, _) in found.items()} == {"/health": status, "/readyz": status, "/livez": 200}
    assert body["status"] == ("healthy" if status == 200 else "unhealthy")
    assert body["service"] == "setu"


def test_health_tells_what_is_configured_but_no_key() -> None:
    found = probed(
        {"openai": ProviderConfig.model_validate({"api_key": "sk-secret-0001"}), "anthropic": ProviderConfig()}, {}
    )

    body = json.loads(found["/health"][1])
    assert body["providers"]["openai"] == {
        "status": "unknown",
        "base_url": OPENAI.base_url,
        "models": len(OPENAI.models),
    }
    assert body["providers"]["anthropic"]["status"] == "no key"
    assert b"sk-secret" not in found["/health"][1]
