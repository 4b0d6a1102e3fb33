"""The examples of predecessor 003's README (AI Gateway, in Go): `setu start --profile ai-gateway`."""

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.session import free_port
from tests.e2e.predecessors.serving import CHAT, Started, connection, events, model_asked, text_of, until
from tests.live import Answer

pytestmark = pytest.mark.slow

ROUTES = """
routes:
  - name: support_summary
    match: {use_case: support_summary}
    primary: {provider: openai, model: gpt-4o-mini}
    fallbacks: [{provider: anthropic, model: claude-3-5-sonnet}]
    timeout_ms: 10000
    retries: 1
  - name: code_review
    match: {use_case: code_review}
    primary: {provider: anthropic, model: claude-3-5-sonnet}
    fallbacks: [{provider: openai, model: gpt-4o}]
    timeout_ms: 30000
    retries: 2
  - name: default
    primary: {provider: anthropic, model: claude-opus-4}
    timeout_ms: 15000
    retries: 1
"""
MOCKED = {"OPENAI_API_KEY": "mock", "ANTHROPIC_API_KEY": "mock"}
LIVE = {
    "OPENAI_API_KEY": "sk-openai-0123456789",
    "OPENAI_API_URL": "$UPSTREAM/v1",
    "ANTHROPIC_API_KEY": "sk-ant-0123456789",
    "ANTHROPIC_API_URL": "$UPSTREAM/v1",
    "ANTHROPIC_API_VERSION": "2023-06-01",
}
HELLO = {
    "messages": [{"role": "user", "content": "Hello!"}],
    "metadata": {"tenant": "test", "use_case": "support_summary"},
}
STORY = {**HELLO, "stream": True, "messages": [{"role": "user", "content": "Tell me a long story."}]}


def gateway_of(folder: Path, **environ: str) -> Started:
    """The gateway with its routes file where 003 has it."""
    files = {"configs/routes.yaml": ROUTES}
    variables = {"PORT": str(free_port()), "DATABASE_URL": f"sqlite:///{folder}/usage.db", **environ}
    return Started(folder, None, "--profile", "ai-gateway", files=files, port=False, environ=variables)


@pytest.fixture(scope="module")
def mocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Both keys are `mock`: nothing is asked of anybody."""
    with gateway_of(tmp_path_factory.mktemp("seed003"), **MOCKED) as started:
        yield started


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with gateway_of(tmp_path_factory.mktemp("seed003live"), **LIVE) as started:
        yield started


def test_a_request_without_a_model_goes_by_its_use_case(mocked: Started) -> None:
    answer = mocked.ask(HELLO)

    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == "OpenAI Mock: Hello!"
    assert answer.json["usage"]["total_tokens"] == 30
    assert answer.field("x-gw-route") == "support_summary"
    assert answer.field("x-gw-provider") == "openai"
    assert answer.field("x-gw-model") == "gpt-4o-mini"
    assert answer.field("x-request-id")


def test_a_stream_comes_word_by_word(mocked: Started) -> None:
    line = connection(mocked.url)
    line.request("POST", CHAT, json.dumps(STORY), {"content-type": "application/json", "x-request-id": "mine-1"})
    answer = line.getresponse()
    started = time.monotonic()
    body = answer.read()
    seconds = time.monotonic() - started
    line.close()

    assert answer.getheader("x-request-id") == "mine-1"
    assert "OpenAI Mock: Tell me a long story." in text_of(events(Answer(200, [], body)))
    assert body.endswith(b"data: [DONE]\n\n")
    assert seconds > 0.2


@pytest.mark.parametrize("metadata", [{"use_case": "unheard_of"}, {}])
def test_what_no_route_is_for_goes_to_the_default_one(mocked: Started, metadata: dict[str, str]) -> None:
    answer = mocked.ask({"messages": [{"role": "user", "content": "Hello!"}], "metadata": metadata})

    assert answer.json["choices"][0]["message"]["content"] == "Anthropic Mock: Hello!"
    assert answer.field("x-gw-route") == "default"
    assert answer.json["usage"]["prompt_tokens"] == 15


def test_health(mocked: Started) -> None:
    assert mocked.get("/health", ("accept", "text/plain")).body == b"ok"


def test_the_variables_of_its_upstreams_count(live: Started) -> None:
    live.play()
    answer = live.ask({**HELLO, "temperature": 0})
    (exchange,) = live.reached()

    assert answer.status == 200
    assert exchange.request.headers.get("authorization") == "Bearer sk-openai-0123456789"
    assert model_asked(exchange) == "gpt-4o-mini"
    assert isinstance(exchange.request.body, bytes)
    assert b"use_case" not in exchange.request.body


@pytest.mark.parametrize("stream", [False, True])
def test_it_falls_back_also_for_streams(live: Started, stream: bool) -> None:
    """003 asked 429 and 5xx once, and never fell back for a stream."""
    live.play("503", "503")
    answer = live.ask({**HELLO, "stream": stream})
    paths = [exchange.request.path.rpartition("/")[2] for exchange in live.reached()]

    assert answer.status == 200
    assert paths == ["completions", "completions", "messages"]
    assert answer.field("x-gw-provider") == "anthropic"
    assert answer.field("x-gw-model") == "claude-3-5-sonnet"


def test_tokens_a_minute_are_limited_by_tenant(tmp_path: Path) -> None:
    body = {**HELLO, "max_tokens": 10}
    with gateway_of(tmp_path, **MOCKED, TOKENS_PER_MINUTE="60") as started:
        answers = [started.ask(body) for _ in range(4)]
        other = started.ask({**body, "metadata": {"tenant": "other", "use_case": "support_summary"}})

    refused = [answer for answer in answers if answer.status != 200]
    assert answers[0].status == 200
    assert refused
    assert refused[0].status == 429
    assert "rate limit" in refused[0].error["message"].lower()
    assert refused[0].field("retry-after")
    assert other.status == 200


def test_its_tables_are_written(tmp_path: Path) -> None:
    """One row a request, one an attempt, failures with their status: the columns that 003 documents."""
    with gateway_of(tmp_path, **LIVE) as started:
        started.play("503", "503")
        started.ask(HELLO)
        until(lambda: _count(tmp_path / "usage.db", "provider_attempts") == 3)

    with sqlite3.connect(tmp_path / "usage.db") as database:
        request = database.execute(
            "select tenant, use_case, route_name, provider, model, status_code, total_tokens > 0 from requests"
        ).fetchall()
        attempts = database.execute(
            "select attempt_no, provider, status_code from provider_attempts order by attempt_no"
        ).fetchall()
    assert request == [("test", "support_summary", "support_summary", "anthropic", "claude-3-5-sonnet", 200, 1)]
    assert attempts == [(1, "openai", 503), (2, "openai", 503), (3, "anthropic", 200)]


def _count(path: Path, table: str) -> int:
    if not path.is_file():
        return 0
    with sqlite3.connect(path) as database:
        try:
            found: int = database.execute(f"select count(*) from {table}").fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # not created yet
    return found
