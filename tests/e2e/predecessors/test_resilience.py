"""What happens when an upstream does not answer as it should."""

import time
from pathlib import Path

import pytest

from tests.e2e.predecessors.serving import Started, said, until

pytestmark = pytest.mark.slow

ONE = """
[providers.openai]
base_url = "$UPSTREAM/v1"
api_key = "sk-openai-0123456789"
models = ["gpt-4o"]
"""
ADMIN = "sk-setu-admin-0123456789"


def test_retry_backoff(tmp_path: Path) -> None:
    """429, 5xx and a lost connection are tried again; what the client did wrong is not."""
    config = f"{ONE}\n[providers.openai.retry]\nmax_attempts = 3\ninitial_interval = '200ms'\n"
    with Started(tmp_path, config) as gateway:
        for plans in (("429", "503"), ("rst@event=0", "500")):
            gateway.play(*plans)
            assert gateway.ask(said()).status == 200
            assert len(gateway.reached()) == 3
        gateway.play("429 retry-after=1")
        began = time.monotonic()
        assert gateway.ask(said()).status == 200
        assert time.monotonic() - began >= 0.9
        gateway.reached()
        gateway.play("400")
        assert gateway.ask(said()).status == 400
        assert len(gateway.reached()) == 1
        gateway.play("503", "503", "503")
        assert gateway.ask(said()).status == 503
        assert len(gateway.reached()) == 3


def test_circuit_breaker(tmp_path: Path) -> None:
    """Opens after failures in a row, answers at once, closes by one probe; a client's 4xx never counts."""
    config = f"{ONE}\n[providers.openai.retry]\nmax_attempts = 1\n[breaker]\nfailures = 3\nopen_for = '1s'\n"
    with Started(tmp_path, config) as gateway:
        gateway.play(*["401"] * 5)
        assert [gateway.ask(said()).status for _ in range(5)] == [401] * 5
        gateway.play("503", "503", "503")
        assert [gateway.ask(said()).status for _ in range(3)] == [503] * 3
        gateway.reached()
        refused = gateway.ask(said())
        assert (refused.status, gateway.reached()) == (503, [])
        assert refused.error["code"] == "provider_unavailable"
        assert refused.error["message"].startswith("Provider openai is currently unavailable")
        assert (refused.error["provider"], refused.field("retry-after") is not None) == ("openai", True)
        assert gateway.get("/health").json["circuit_breaker"]["is_open"] is True
        time.sleep(1.1)
        assert gateway.ask(said()).status == 200
        assert gateway.get("/health").json["circuit_breaker"]["is_open"] is False


def test_active_health_checks(tmp_path: Path) -> None:
    """They ask the upstream itself: 004's could not fail."""
    config = f"{ONE}\n[providers.openai.health_check]\nurl = '$UPSTREAM/v1/models'\ninterval = '1s'\n[auth]\nadmin_keys = ['{ADMIN}']\n"
    with Started(tmp_path, config) as gateway:
        admin = ("authorization", f"Bearer {ADMIN}")
        until(lambda: gateway.get("/health").json["providers"]["openai"]["status"] == "healthy")
        health = gateway.get("/admin/providers/openai/health", admin).json
        checked = gateway.ask({}, "/admin/providers/openai/health-check", [admin])

    assert health["healthy"] is True
    assert health["last_check"]
    assert checked.status == 200


def test_graceful_shutdown(tmp_path: Path) -> None:
    """A stream under way is finished after SIGTERM, and the process ends with 0."""
    from tests.e2e.predecessors.draining import drained

    body, status = drained(tmp_path, ONE)

    assert body.endswith(b"data: [DONE]\n\n")
    assert status == 0


def test_hot_reload(tmp_path: Path) -> None:
    """A changed file counts without a restart; a broken one changes nothing."""
    with Started(tmp_path, ONE) as gateway:
        path = tmp_path / "setu.toml"
        text = path.read_text()
        path.write_text(text.replace('"gpt-4o"]', '"gpt-4o", "new-model"]'))
        until(lambda: gateway.get("/v1/models/openai/new-model").status == 200)
        path.write_text("this is = not [toml")
        time.sleep(1.0)

        assert gateway.ask(said(model="openai/new-model")).status == 200
    assert gateway.serving.status == 0
    assert "setu.toml" in gateway.serving.errors
