"""The examples of predecessor 004's README (semaroute): `setu start --profile semaroute`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.session import free_port
from tests.e2e.predecessors.serving import Started, model_asked

pytestmark = pytest.mark.slow

FILE = """
server:
  port: 8080

providers:
  openai:
    enabled: true
    api_key: "${OPENAI_API_KEY}"
    timeout: 30s
    base_url: "$UPSTREAM/v1"
  anthropic:
    enabled: true
    api_key: "${ANTHROPIC_API_KEY}"
    base_url: "$UPSTREAM"

routing_policy:
  type: "cost_based"
  config:
    cost_weight: 0.6
    latency_weight: 0.3
    health_weight: 0.1

cache:
  type: memory
  ttl: 1h
  max_size: 1000
  max_memory: 100MB

observability:
  logging:
    level: "info"
  metrics:
    enabled: true
    port: 9090
"""
FAILOVER = """
providers:
  openai:
    enabled: true
    api_key: "${OPENAI_API_KEY}"
    base_url: "$UPSTREAM/v1"
    models: [gpt-4]
  anthropic:
    enabled: true
    api_key: "${ANTHROPIC_API_KEY}"
    base_url: "$UPSTREAM"
    models: [gpt-4]

routing_policy:
  type: "failover"
  config:
    primary_provider: "openai"
    backup_providers: ["anthropic"]
    failover_delay: 30s
"""
KEYS = {"OPENAI_API_KEY": "sk-openai-0123456789", "ANTHROPIC_API_KEY": "sk-ant-0123456789"}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """`config.yaml` in the working directory, the port in the variable that 004 ignored."""
    variables = {**KEYS, "SEMAROUTE_SERVER_PORT": str(free_port())}
    folder = tmp_path_factory.mktemp("seed004")
    arguments = ("--profile", "semaroute", "--config", "config.yaml")
    with Started(folder, None, *arguments, files={"config.yaml": FILE}, port=False, environ=variables) as gateway:
        assert gateway.url.endswith(variables["SEMAROUTE_SERVER_PORT"])
        yield gateway


@pytest.fixture
def gateway(started: Started) -> Started:
    started.play()
    return started


@pytest.mark.parametrize("more", [{}, {"temperature": 0.7, "max_tokens": 100}, {"max_tokens": 500}])
def test_a_chat_completion(gateway: Started, more: dict[str, float]) -> None:
    """004 answered 503 to all of them; the last one even had its routing broken."""
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello, how are you?"}], **more}
    answer = gateway.ask(body)
    (exchange,) = gateway.reached()

    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"]
    assert (model_asked(exchange), exchange.request.path) == ("gpt-4", "/v1/chat/completions")


def test_a_stream(gateway: Started) -> None:
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}], "stream": True}

    assert gateway.ask(body).body.endswith(b"data: [DONE]\n\n")


def test_the_decision_can_be_looked_up(gateway: Started) -> None:
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}
    gateway.ask(body, fields=[("x-request-id", "sema-1")])
    info = gateway.get("/v1/routing/info?request_id=sema-1")

    assert info.status == 200
    assert info.json["request_id"] == "sema-1"
    assert info.json["routing_policy"] == "cost_based"
    assert info.json["decision"]["provider_name"] == "openai"
    assert info.json["decision"]["model"] == "gpt-4"


def test_the_id_in_the_body_is_the_requests(gateway: Started) -> None:
    """004 had it there, and told it and the provider in the answer's body, too; OpenAI would refuse the member."""
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}], "request_id": "sema-2"}
    answer = gateway.ask(body)
    (exchange,) = gateway.reached()
    gateway.play("400")
    failed = gateway.ask(body)

    assert (answer.json["request_id"], answer.json["provider"]) == ("sema-2", "openai")
    assert answer.field("x-request-id") == "sema-2"
    assert b"sema-2" not in bytes(exchange.request.body)  # type: ignore[arg-type]  # it is bytes
    assert gateway.get("/v1/routing/info?request_id=sema-2").status == 200
    assert failed.field("x-request-id") == "sema-2"


def test_the_metrics_count(gateway: Started) -> None:
    """004's were all zero."""
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}
    before = gateway.get("/v1/metrics").json["requests"]
    statuses = [gateway.ask(body).status]
    gateway.play("400")
    statuses.append(gateway.ask(body).status)
    metrics = gateway.get("/v1/metrics").json
    after = metrics["requests"]

    assert statuses == [200, 400]
    assert [after[name] - before[name] for name in ("total", "successful", "failed")] == [2, 1, 1]
    assert set(metrics) >= {"requests", "providers", "routing", "cache", "timestamp"}


def test_health(gateway: Started) -> None:
    health = gateway.get("/health").json

    assert health["status"] == "healthy"
    assert {"timestamp", "uptime", "version"} <= set(health)
    assert set(health["providers"]) == {"openai", "anthropic"}


def test_the_models_have_its_members_too(gateway: Started) -> None:
    listed = gateway.get("/v1/models").json

    assert listed["total"] == len(listed["models"]) == len(listed["data"])
    assert set(listed["providers"]) == {"openai", "anthropic"}
    assert set(listed["models"][0]) >= {"id", "name", "provider", "type"}


def test_a_providers_health(gateway: Started) -> None:
    health = gateway.get("/admin/providers/openai/health")

    assert health.status == 200
    assert health.json["name"] == "openai"
    assert health.json["healthy"] is True
    assert gateway.get("/admin/providers/nobody/health").status == 404


def test_failover_takes_the_backup(tmp_path: Path) -> None:
    """004's backups were never found."""
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}
    arguments = ("--profile", "semaroute")
    with Started(tmp_path, None, *arguments, files={"config.yaml": FAILOVER}, environ=KEYS) as gateway:
        first = gateway.ask(body)
        gateway.play("503", "503", "503")
        second = gateway.ask(body)
        paths = [exchange.request.path.rpartition("/")[2] for exchange in gateway.reached()]

    assert (first.status, second.status) == (200, 200)
    assert paths[-1] == "messages"
    assert set(paths[:-1]) == {"completions"}
