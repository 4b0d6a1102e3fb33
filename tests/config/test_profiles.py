"""What the five gateways before this one were configured with, read as it was."""

from pathlib import Path
from typing import Any

import pytest

from setu.config.load import Loaded, Options, parse, read
from setu.config.model import Config
from setu.config.profiles import PROFILES, SIMULATED, profile_of
from setu.errors import ConfigError

SEMAROUTE = """
server:
  port: 8181
  read_timeout: 30s
  write_timeout: 30s
  idle_timeout: 60s
  shutdown_timeout: 10s
providers:
  openai:
    name: openai
    enabled: true
    api_key: "${OPENAI_API_KEY}"
    base_url: https://api.openai.com/v1
    timeout: 20s
    max_retries: 3
    retry_delay: 500ms
    health_check_url: https://api.openai.com/v1/models
    health_check_interval: 45s
  anthropic:
    name: anthropic
    enabled: false
    api_key: "${ANTHROPIC_API_KEY}"
    base_url: https://api.anthropic.com
routing_policy:
  type: failover
  config:
    cost_weight: 0.5
    latency_weight: 0.4
    health_weight: 0.1
    max_latency_threshold: 4s
    primary_provider: openai
    backup_providers: [anthropic]
    failover_delay: 20s
health_check:
  interval: 30s
  timeout: 5s
cache:
  type: memory
  ttl: 1h
  max_size: 500
  max_memory: 100MB
  cleanup_interval: 10m
observability:
  logging: {level: info, format: json, output_path: logs/app.log, error_path: logs/error.log, development: false}
  metrics: {enabled: true, port: 9090, path: /metrics, collect_interval: 15s}
  tracing: {enabled: false, service_name: semaroute, environment: development}
"""

ROUTES = """
routes:
  - name: support_summary
    match: {use_case: support_summary}
    primary: {provider: openai, model: gpt-4o-mini}
    fallbacks:
      - {provider: anthropic, model: claude-3-5-sonnet}
    timeout_ms: 10000
    retries: 1
  - name: default
    match: {}
    primary: {provider: anthropic, model: claude-opus-4}
    timeout_ms: 15000
    retries: 1
"""

SETU = """
[server]
host = "127.0.0.1"
port = 3743
log_level = "debug"
log_file_enabled = true
log_rotation = "daily"
log_dir = "/var/log/setu"
log_file_prefix = "setu"
max_connections = 100
connection_pool_size = 10
enable_streaming = true
buffer_size = 8192

[routing]
default_provider = "openrouter"
strategy = "composite"
enable_fallback = true
min_confidence = 0.5
provider_priorities = ["anthropic", "openrouter"]

[routing.rules]
"openai/*" = "openrouter"
"claude-*" = "anthropic"

[routing.provider_aliases]
claude = "anthropic"

[routing.model_aliases]
"gpt-4" = "openrouter/openai/gpt-4"

[routing.models]
fast = ["openrouter/a", "anthropic/b"]

[providers.openrouter]
type = "openrouter"
endpoint = "https://openrouter.ai/api/v1"
models = ["openai/gpt-4"]
timeout_seconds = 60
api_key = "${OPENROUTER_API_KEY}"

[providers.openrouter.rate_limit]
requests_per_minute = 50
burst_size = 10

[providers.openrouter.retry]
max_attempts = 3
backoff_multiplier = 2

[providers.anthropic]
type = "anthropic"
endpoint = "https://api.anthropic.com/v1"
models = ["claude-3-sonnet"]
api_key_fallback = false
fallback_on_errors = [429]

[providers.anthropic.retry]
max_retries = 3
initial_interval_ms = 500
max_interval_ms = 20000
multiplier = 1.5

[providers.anthropic.auth]
oauth_access_token = "tok-of-nobody"
oauth_expires = 0
"""


def reading(profile: str, **environ: str) -> Loaded:
    return read(None, environ, Options(profile=profile))


def reading_file(profile: str, path: Path, text: str, **environ: str) -> Loaded:
    path.write_text(text)
    return read(path, environ, Options(profile=profile))


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_alone_is_a_configuration_without_warnings(name: str) -> None:
    loaded = reading(name)

    assert (loaded.config.profile, loaded.warnings, loaded.profile.name) == (name, (), name)


@pytest.mark.parametrize(
    ("name", "port"),
    [("setu", 3742), ("ai-gateway-proxy", 3000), ("responses-proxy", 8282), ("ai-gateway", 8080), ("semaroute", 8080)],
)
def test_a_profile_listens_where_its_predecessor_did_but_on_loopback(name: str, port: int) -> None:
    server = reading(name).config.server

    assert (server.host, server.port) == ("127.0.0.1", port)


def test_semaroutes_file_means_what_it_said(tmp_path: Path) -> None:
    loaded = reading_file("semaroute", tmp_path / "config.yaml", SEMAROUTE, OPENAI_API_KEY="sk-x")
    config = loaded.config
    openai = config.providers["openai"]

    assert (config.server.port, config.server.idle_timeout, config.server.shutdown_timeout) == (8181, 60, 10)
    assert (openai.timeout, openai.retry.max_attempts, openai.retry.initial_interval) == (20, 4, 0.5)
    assert (openai.health_check.url, openai.health_check.interval) == ("https://api.openai.com/v1/models", 45)
    assert config.providers["anthropic"].enabled is False
    assert (config.routing.strategy, config.routing.primary_provider) == ("failover", "openai")
    assert (config.routing.backup_providers, config.routing.failover_delay) == (("anthropic",), 20)
    assert (config.routing.cost_weight, config.routing.max_latency_threshold) == (0.5, 4)
    assert (config.health_check.interval, config.health_check.timeout) == (30, 5)
    assert (config.cache.ttl, config.cache.max_memory, config.cache.max_size) == (3600, 100_000_000, 500)
    assert len([one for one in loaded.warnings if "has no effect" in one]) == 5


@pytest.mark.parametrize("name", ["SEMAROUTE_SERVER_PORT", "SETU_SERVER_PORT"])
def test_semaroutes_variables_name_keys(name: str, tmp_path: Path) -> None:
    environ = {name: "9999", "SEMAROUTE_ROUTING_POLICY_TYPE": "cost_based", "OPENAI_API_KEY": "x"}
    config = reading_file("semaroute", tmp_path / "config.yaml", SEMAROUTE, **environ).config

    assert (config.server.port, config.routing.strategy) == (9999, "cost_based")


def test_the_ai_gateways_routes_and_variables_are_read(tmp_path: Path) -> None:
    routes = tmp_path / "routes.yaml"
    routes.write_text(ROUTES)
    loaded = reading(
        "ai-gateway",
        PORT="8081",
        ROUTES_CONFIG=str(routes),
        REDIS_URL="redis://redis:6379/0",
        DATABASE_URL="postgres://u:p@postgres:5432/aigw?sslmode=disable",
        TOKENS_PER_MINUTE="7000",
        OPENAI_API_URL="https://proxy.example/v1",
        OPENAI_API_VERSION="v1",
        ANTHROPIC_API_VERSION="2023-06-01",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://otel-collector:4318",
    )
    config = loaded.config
    secrets: list[Any] = [config.state.redis_url, config.usage.database_url]

    assert (config.server.port, config.server.gw_headers) == (8081, True)
    assert [one.get_secret_value() for one in secrets] == [
        "redis://redis:6379/0",
        "postgres://u:p@postgres:5432/aigw?sslmode=disable",
    ]
    assert config.limits.default_tenant.tokens_per_minute == 7000
    assert config.providers["openai"].base_url == "https://proxy.example/v1"
    assert [(one.name, one.timeout_ms, one.retries) for one in config.routing.routes] == [
        ("support_summary", 10_000, 1),
        ("default", 15_000, 1),
    ]
    assert config.routing.routes[0].fallbacks[0].text() == "anthropic/claude-3-5-sonnet"
    assert loaded.files == (routes,)


def test_a_version_of_an_api_that_is_not_spoken_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^ANTHROPIC_API_VERSION: '2022-01-01' is not spoken; 2023-06-01 is$"):
        reading("ai-gateway", ANTHROPIC_API_VERSION="2022-01-01")


def test_without_routes_the_ai_gateways_own_one_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    built_in = reading("ai-gateway").config.routing.routes
    usual = tmp_path / "configs" / "routes.yaml"
    usual.parent.mkdir()
    usual.write_text(ROUTES)
    found = reading("ai-gateway").config.routing.routes

    assert [(one.name, one.primary.text()) for one in built_in] == [("default", "openai/gpt-4o-mini")]
    assert [one.name for one in found] == ["support_summary", "default"]


def test_a_file_of_routes_that_is_named_must_exist() -> None:
    with pytest.raises(ConfigError, match=r"ROUTES_CONFIG: file not found: /nowhere/routes\.yaml"):
        reading("ai-gateway", ROUTES_CONFIG="/nowhere/routes.yaml")


def test_an_error_in_a_route_names_its_line(tmp_path: Path) -> None:
    routes = tmp_path / "routes.yaml"
    routes.write_text(ROUTES.replace("timeout_ms: 15000", "timeout_ms: soon"))

    with pytest.raises(ConfigError, match=r"routes\.yaml:13: routes\.1\.timeout_ms: Input should be a valid integer"):
        reading("ai-gateway", ROUTES_CONFIG=str(routes))


def test_the_key_mock_means_the_simulated_upstream_under_its_profile_only() -> None:
    environ = {"OPENAI_API_KEY": "mock", "ANTHROPIC_API_KEY": "sk-ant-x", "OPENAI_API_URL": "https://api.openai.com/v1"}
    config = reading("ai-gateway", **environ).config

    assert config.providers["openai"].base_url == f"{SIMULATED}/v1"
    assert config.providers["anthropic"].base_url is None
    assert reading("setu", **environ).config.providers == {}


@pytest.mark.parametrize(
    "url", ["https://b.example/v1/chat/completions", "https://b.example/v1", "https://b.example/v1/chat/completions/"]
)
def test_the_responses_proxys_backend_is_a_base_url(url: str) -> None:
    config = reading(
        "responses-proxy",
        BACKEND_URL=url,
        BACKEND_TIMEOUT_SECS="120",
        HOST_PORT="8283",
        ENABLE_CIRCUIT_BREAKER="false",
    ).config
    backend = config.providers["backend"]

    assert (backend.base_url, backend.timeout, backend.type) == ("https://b.example/v1", 120, "openai_compatible")
    assert (config.server.port, config.breaker.enabled, config.responses.legacy_events) == (8283, False, True)
    assert (config.routing.default_provider, config.auth.mode) == ("backend", "passthrough")


def test_the_ai_gateway_proxy_forwards_its_clients_keys() -> None:
    config = reading("ai-gateway-proxy", HOST="127.0.0.9", PORT="3001").config

    assert (config.server.host, config.server.port) == ("127.0.0.9", 3001)
    assert (config.auth.mode, config.routing.default_provider) == ("passthrough", "openai")
    assert config.cors.allow_origins == ("*",)
    assert list(config.providers) == ["openai", "anthropic"]


def test_every_key_of_the_first_setu_is_read() -> None:
    config = parse(SETU, "setu.toml", {"OPENROUTER_API_KEY": "sk-or-x"})
    openrouter, anthropic = config.providers["openrouter"], config.providers["anthropic"]

    assert (config.server.port, config.routing.min_confidence) == (3743, 0.5)
    assert (openrouter.base_url, openrouter.timeout) == ("https://openrouter.ai/api/v1", 60)
    assert openrouter.rate_limit is not None
    assert (openrouter.rate_limit.requests_per_minute, openrouter.rate_limit.burst_size) == (50, 10)
    assert (openrouter.retry.max_attempts, openrouter.retry.multiplier) == (3, 2)
    assert (anthropic.retry.max_attempts, anthropic.retry.initial_interval) == (4, 0.5)
    assert anthropic.retry.max_interval == 20
    assert config.routing.models["fast"] == ("openrouter/a", "anthropic/b")


def test_the_first_setus_name_for_geminis_key_stands_for_todays() -> None:
    profile = profile_of("setu")

    assert profile.environ({"GOOGLE_AI_API_KEY": "a"})["GEMINI_API_KEY"] == "a"
    assert profile.environ({"GOOGLE_AI_API_KEY": "a", "GEMINI_API_KEY": "b"})["GEMINI_API_KEY"] == "b"
    assert "GEMINI_API_KEY" not in profile_of("semaroute").environ({"GOOGLE_AI_API_KEY": "a"})


def test_what_a_file_says_overrules_its_profile(tmp_path: Path) -> None:
    text = "[server]\nport = 1\n[auth]\nmode = 'open'\n"
    config: Config = reading_file("ai-gateway-proxy", tmp_path / "setu.toml", text).config

    assert (config.server.port, config.auth.mode, config.routing.default_provider) == (1, "open", "openai")
