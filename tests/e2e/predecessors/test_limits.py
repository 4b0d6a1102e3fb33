"""How much, by whom, and what is remembered of it."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.predecessors.serving import THREE, Started, events, said, text_of, until
from tests.processes import setu

pytestmark = pytest.mark.slow


def test_rate_limit_rpm_burst(tmp_path: Path) -> None:
    limit = "[providers.openai.rate_limit]\nrequests_per_minute = 3\nburst_size = 2\n"
    with Started(tmp_path, f"{THREE}\n{limit}") as gateway:
        answers = [gateway.ask(said()) for _ in range(7)]
        other = gateway.ask(said(model="anthropic/claude-sonnet-4-5"))

    assert [answer.status for answer in answers] == [200] * 5 + [429] * 2
    assert answers[-1].error["message"].startswith("Rate limit exceeded for provider openai")
    assert answers[-1].error["code"] == "rate_limit_exceeded"
    assert int(answers[-1].field("retry-after") or 0) >= 1
    assert other.status == 200


def test_rate_limit_tpm_tenant(tmp_path: Path) -> None:
    """Each tenant has its own minute; what was really used counts, not what was feared."""
    limit = "[limits.default_tenant]\ntokens_per_minute = 3000\n"
    with Started(tmp_path, f"{THREE}\n{limit}") as gateway:
        body = said(max_tokens=1000)  # five such fears are more than a minute has
        mine = [gateway.ask(body, fields=[("x-setu-tenant", "mine")]) for _ in range(5)]
        long, endless = said("word " * 2000, max_tokens=1), said("word " * 3000, max_tokens=1)
        greedy = [gateway.ask(each, fields=[("x-setu-tenant", "greedy")]) for each in (long, long, endless)]
        neighbour = gateway.ask(body, fields=[("x-setu-tenant", "mine")])

    assert [answer.status for answer in mine] == [200] * 5
    assert [answer.status for answer in greedy] == [200, 429, 400]  # the last would fit into no minute
    assert "token" in str(greedy[1].error).lower()
    assert greedy[1].field("retry-after")
    assert neighbour.status == 200


def test_response_cache(tmp_path: Path) -> None:
    with Started(tmp_path, f"{THREE}\n[cache]\nenabled = true\n") as gateway:
        first, second = gateway.ask(said("nonce:c1")), gateway.ask(said("nonce:c1"))
        reached = len(gateway.reached())
        streams = [gateway.ask(said("nonce:c1", stream=True)) for _ in range(2)]
        fresh = gateway.ask(said("nonce:c1"), fields=[("cache-control", "no-cache")])
        apart = gateway.ask(said("nonce:c1"), fields=[("cache-control", "no-store")])

    assert [answer.field("x-setu-cache") for answer in (first, second)] == ["miss", "hit"]
    assert (reached, second.body) == (1, first.body)
    assert [answer.field("x-setu-cache") for answer in streams] == ["miss", "hit"]
    assert (streams[1].field("content-type") or "").startswith("text/event-stream")
    assert text_of(events(streams[1])) == text_of(events(streams[0]))
    assert [answer.field("x-setu-cache") for answer in (fresh, apart)] == ["miss", "bypass"]


def test_pii_masking(tmp_path: Path) -> None:
    """The upstream never sees it; the client's answer has it again."""
    text = "nonce:anna.smith@example.org 4111 1111 1111 1111"
    with Started(tmp_path, f"{THREE}\n[privacy]\nenabled = true\n") as gateway:
        answer = gateway.ask(said(text))
        (exchange,) = gateway.reached()
    assert isinstance(exchange.request.body, bytes)

    assert answer.status == 200
    assert b"anna.smith@example.org" not in exchange.request.body
    assert b"4111 1111 1111 1111" not in exchange.request.body
    assert b"[EMAIL_1]" in exchange.request.body


def test_usage_db_attempts(tmp_path: Path) -> None:
    """One row a request and one a try, streams and failures too."""
    database = tmp_path / "usage.db"
    config = f"{THREE}\n[usage]\ndatabase_url = 'sqlite:///{database}'\n[resilience.retry]\nmax_attempts = 2\ninitial_interval = '1ms'\n"
    with Started(tmp_path, config) as gateway:
        gateway.play("503")
        gateway.ask(said(), fields=[("x-request-id", "one")])
        gateway.ask(said(stream=True), fields=[("x-request-id", "two")])
        gateway.play("400")
        gateway.ask(said(), fields=[("x-request-id", "three")])
    with sqlite3.connect(database) as found:
        rows = found.execute(
            "select request_id, provider, model, upstream_model, status_code, stream from requests order by created_at"
        ).fetchall()
        tries = found.execute(
            "select attempt_no, provider, status_code from provider_attempts order by created_at, attempt_no"
        ).fetchall()

    models = ("openai/gpt-4o", "gpt-4o")
    assert [(*row[:5], bool(row[5])) for row in rows] == [
        ("one", "openai", *models, 200, False),
        ("two", "openai", *models, 200, True),
        ("three", "openai", *models, 400, False),
    ]
    assert tries == [(1, "openai", 503), (2, "openai", 200), (1, "openai", 200), (1, "openai", 400)]


def test_cost_estimate(tmp_path: Path) -> None:
    """By the price list that the configuration has, or by the one that comes with Setu."""
    database = f"sqlite:///{tmp_path / 'usage.db'}"
    price = "[prices.'gpt-4o']\ninput_per_1m = 1000.0\noutput_per_1m = 2000.0\n"
    with Started(tmp_path, f"{THREE}\n[usage]\ndatabase_url = '{database}'\n{price}") as gateway:
        usage = gateway.ask(said()).json["usage"]
        gateway.ask(said(model="anthropic/claude-sonnet-4-5"))
    done = setu("usage", "--by", "model", "--json", "--database", database, cwd=tmp_path)
    rows = {row["group"]: row for row in json.loads(done.stdout)["rows"]}

    expected = (usage["prompt_tokens"] * 1000 + usage["completion_tokens"] * 2000) / 1e6
    assert rows["openai/gpt-4o"]["cost_usd"] == pytest.approx(expected, rel=1e-6)
    assert rows["anthropic/claude-sonnet-4-5"]["cost_usd"] > 0


def test_request_body_limits(tmp_path: Path) -> None:
    """10 MB by default, a clear 413 above; what fits is not touched."""
    with Started(tmp_path, THREE) as gateway:
        fits = gateway.ask(said("x" * (9 * 1024 * 1024)))
        too_long = gateway.ask(said("x" * (10 * 1024 * 1024)))
        reached = len(gateway.reached())

    assert (fits.status, too_long.status, reached) == (200, 413, 1)
    assert too_long.field("content-type") == "application/json"
    assert too_long.error["message"]


def test_structured_errors(gateway: Started) -> None:
    """JSON in the words of the endpoint's dialect, with the id of the request."""
    gateway.play("503", "503", "503")
    failed = gateway.ask(said(model="anthropic/claude-sonnet-4-5"), fields=[("x-request-id", "theirs")])
    missing = gateway.ask({"model": "no-model-of-anybody", "messages": []}, fields=[("x-request-id", "mine")])
    native = gateway.ask({"model": "no-model-of-anybody", "max_tokens": 1, "messages": []}, "/v1/messages")
    google = gateway.ask({"contents": []}, "/v1beta/models/no-model-of-anybody:generateContent")
    nowhere = gateway.ask({}, "/v1/nowhere")

    assert (failed.status, failed.error["status_code"], failed.error["retryable"]) == (503, 503, True)
    assert failed.json["request_id"] == failed.error["request_id"] == "theirs"
    assert missing.status == 400
    assert set(missing.error) >= {"message", "type", "code", "param", "status_code", "retryable", "request_id"}
    assert (missing.json["request_id"], missing.error["retryable"]) == ("mine", False)
    assert missing.field("x-request-id") == "mine"
    assert (native.json["type"], set(native.error) >= {"type", "message"}) == ("error", True)
    assert google.error["status"]
    assert (nowhere.status, nowhere.field("content-type")) == (404, "application/json")
    until(lambda: gateway.stand.under_way == 0)
