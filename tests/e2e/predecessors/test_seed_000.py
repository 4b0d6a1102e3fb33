"""The examples of predecessor 000's README (Setu, in Rust), as its users would run them: `setu start`."""

from collections.abc import Iterator

import pytest

from tests.docs.session import free_port
from tests.e2e.predecessors.serving import CHAT, Started, events, model_asked, text_of

pytestmark = pytest.mark.slow

FILE = """
[server]
max_connections = 100
connection_pool_size = 10
enable_streaming = true
buffer_size = 8192

[routing]
[routing.model_aliases]
"gpt-4" = "openrouter/openai/gpt-4"

[providers.openrouter]
type = "openrouter"
endpoint = "$UPSTREAM/api/v1"
models = ["openai/gpt-4o", "openai/gpt-4", "google/gemini-flash-1.5", "anthropic/claude-3-haiku"]

[providers.anthropic]
type = "anthropic"
endpoint = "$UPSTREAM"
models = ["claude-3-sonnet"]
timeout_seconds = 60
[providers.anthropic.rate_limit]
requests_per_minute = 50
burst_size = 10
[providers.anthropic.retry]
max_attempts = 3
backoff_multiplier = 2

[providers.gemini]
type = "gemini"
endpoint = "$UPSTREAM/v1beta"
models = ["gemini-1.5-flash"]
"""
KEYS = {"OPENROUTER_API_KEY": "sk-or-0123456789", "ANTHROPIC_API_KEY": "sk-ant-0123456789", "GEMINI_API_KEY": "AIza0"}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The file where that README puts it, the keys where it exports them, the port in the variable that it names."""
    folder = tmp_path_factory.mktemp("seed000")
    files = {".config/setu/setu.toml": FILE}
    home = {"XDG_CONFIG_HOME": str(folder / ".config"), "SETU_SERVER_PORT": str(free_port())}
    arguments = ("--profile", "setu", "--verbose")
    with Started(folder, None, *arguments, files=files, port=False, environ={**KEYS, **home}) as gateway:
        yield gateway


@pytest.fixture
def gateway(started: Started) -> Started:
    started.play()
    return started


def test_it_says_where_it_listens(started: Started) -> None:
    assert "127.0.0.1:" in started.serving.output


def test_the_quick_example(gateway: Started) -> None:
    messages = [{"role": "user", "content": "What is the purpose of Setu?"}]
    answer = gateway.ask({"model": "openrouter/openai/gpt-4o", "messages": messages, "max_tokens": 200})
    (exchange,) = gateway.reached()

    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"]
    assert model_asked(exchange) == "openai/gpt-4o"
    assert exchange.request.headers.get("authorization") == "Bearer sk-or-0123456789"


def test_chat_completions_with_a_key_nobody_asked_for(gateway: Started) -> None:
    body = {
        "model": "anthropic/claude-3-sonnet",
        "messages": [{"role": "user", "content": "Explain quantum computing"}],
        "max_tokens": 1000,
        "temperature": 0.7,
        "stream": False,
    }
    answer = gateway.ask(body, fields=[("authorization", "Bearer sk-setu-your-api-key")])
    (exchange,) = gateway.reached()

    assert answer.json["object"] == "chat.completion"
    assert set(answer.json["usage"]) >= {"prompt_tokens", "completion_tokens", "total_tokens"}
    assert answer.json["choices"][0]["finish_reason"] == "stop"
    assert "sk-setu-your-api-key" not in str(exchange.request.headers.raw)


def test_streaming(gateway: Started) -> None:
    messages = [{"role": "user", "content": "Write a poem nonce:poem"}]
    answer = gateway.ask({"model": "openrouter/openai/gpt-4", "messages": messages, "stream": True})
    found = events(answer)

    assert (answer.field("content-type") or "").startswith("text/event-stream")
    assert found[0]["choices"][0]["delta"]["role"] == "assistant"
    assert "nonce:poem" in text_of(found)
    assert found[-1] == "[DONE]"


def test_the_list_of_models_and_one_of_them(gateway: Started) -> None:
    listed = gateway.get("/v1/models").json
    by_id = {entry["id"]: entry for entry in listed["data"]}
    one = gateway.get("/v1/models/anthropic/claude-3-sonnet").json

    assert listed["object"] == "list"
    assert by_id["openrouter/openai/gpt-4"]["provider"] == "openrouter"
    assert one == by_id["anthropic/claude-3-sonnet"]
    assert set(one) >= {"id", "object", "created", "owned_by", "provider", "capabilities", "context_length", "pricing"}
    assert "chat" in one["capabilities"]


def test_health(gateway: Started) -> None:
    health = gateway.get("/health").json

    assert health["status"] == "healthy"
    assert isinstance(health["uptime"], int)
    assert isinstance(health["version"], str)
    assert set(health["providers"]) == {"openrouter", "anthropic", "gemini"}
    assert set(health["providers"]["anthropic"]) >= {"status", "last_check", "response_time_ms"}


def test_the_headers_that_route(gateway: Started) -> None:
    """The second example has a model that the fallbacks do not have: they are asked for their own."""
    fields = [("x-setu-provider", "anthropic"), ("x-setu-fallback", "openrouter,gemini")]
    body = {"model": "claude-3-sonnet", "messages": [{"role": "user", "content": "Hello"}]}
    answer = gateway.ask(body, fields=fields)
    (exchange,) = gateway.reached()

    assert answer.status == 200
    assert exchange.request.path.endswith("/messages")
    assert answer.field("x-setu-provider") == "anthropic"
    assert "x-setu-provider" in (answer.field("x-setu-route") or "")


def test_an_alias_and_a_strategy(gateway: Started) -> None:
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}
    answer = gateway.ask(body, fields=[("x-setu-strategy", "round_robin")])
    (exchange,) = gateway.reached()

    assert answer.status == 200
    assert model_asked(exchange) == "openai/gpt-4"


def test_a_model_that_nobody_has(gateway: Started) -> None:
    answer = gateway.ask({"model": "gpt-5", "messages": [{"role": "user", "content": "Hello"}]})

    assert answer.status == 400
    assert answer.error["message"] == "Model 'gpt-5' not found in any configured provider"
    assert answer.error["type"] == "invalid_request_error"
    assert answer.error["code"] == "model_not_found"
    assert "anthropic/claude-3-sonnet" in answer.error["available_models"]


def test_the_rate_limit_of_the_troubleshooting_section(gateway: Started) -> None:
    """50 a minute and 10 at once: the 61st is refused, with what 000 said of it."""
    body = {"model": "anthropic/claude-3-sonnet", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    statuses = []
    for _ in range(62):
        answer = gateway.ask(body, path=CHAT)
        statuses.append(answer.status)
        if answer.status != 200:
            break

    assert set(statuses[:-1]) == {200}
    assert answer.status == 429
    assert answer.error["message"].startswith("Rate limit exceeded for provider anthropic")
    assert (answer.error["type"], answer.error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert answer.error["provider"] == "anthropic"
    assert answer.error["retry_after"] == pytest.approx(int(answer.field("retry-after") or 0), abs=1.5)
    assert set(answer.error) >= {"limit", "reset"}
