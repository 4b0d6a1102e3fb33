"""The examples of predecessor 002's guide (OpenAI Responses proxy): `setu start --profile responses-proxy`."""

import json
from collections.abc import Iterator

import pytest

from tests.docs.session import free_port
from tests.e2e.predecessors.serving import RESPONSES, Started, events

pytestmark = pytest.mark.slow

KEY = ("authorization", "Bearer cpk_client_key_0123456789")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Its four variables, and nothing else."""
    variables = {
        "BACKEND_URL": "$UPSTREAM/v1/chat/completions",
        "HOST_PORT": str(free_port()),
        "RUST_LOG": "info",
        "BACKEND_TIMEOUT_SECS": "600",
    }
    folder = tmp_path_factory.mktemp("seed002")
    with Started(folder, None, "--profile", "responses-proxy", port=False, environ=variables) as gateway:
        assert gateway.url.endswith(variables["HOST_PORT"])
        yield gateway


@pytest.fixture
def gateway(started: Started) -> Started:
    started.play()
    return started


def test_a_streamed_response(gateway: Started) -> None:
    answer = gateway.ask({"model": "gpt-4o", "input": "nonce:res1", "stream": True}, RESPONSES, [KEY])
    (exchange,) = gateway.reached()
    kinds = [event["type"] for event in events(answer)]

    assert answer.status == 200
    assert (answer.field("content-type") or "").startswith("text/event-stream")
    assert kinds[0] == "response.created"
    assert "response.output_text.delta" in kinds
    assert "response.completed" in kinds
    assert "nonce:res1" in "".join(
        event["delta"] for event in events(answer) if event["type"] == "response.output_text.delta"
    )
    assert exchange.request.path == "/v1/chat/completions"
    assert exchange.request.headers.get("authorization") == KEY[1]


def test_its_own_event_still_ends_a_stream(gateway: Started) -> None:
    """Clients written for it wait for `response.done`."""
    answer = gateway.ask({"model": "gpt-4o", "input": "nonce:res2", "stream": True}, RESPONSES, [KEY])
    found = events(answer)

    assert found[-1]["type"] == "response.done"
    assert found[-1]["response"] == found[-2]["response"]


def test_its_events_of_a_tool_call_are_there_beside_openais(gateway: Started) -> None:
    tool = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}  # fmt: skip
    body = {"model": "gpt-4o", "input": "call:weather", "tools": [tool], "stream": True}
    found = events(gateway.ask(body, RESPONSES, [KEY]))
    own = [event for event in found if event["type"].startswith("response.output_tool_call.")]
    whole = next(event for event in found if event["type"] == "response.function_call_arguments.done")

    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert (own[0]["type"].rpartition(".")[2], own[0]["name"]) == ("begin", "weather")
    assert "".join(event["delta"] for event in own[1:-1]) == whole["arguments"]
    assert (own[-1]["type"].rpartition(".")[2], own[-1]["arguments"]) == ("end", whole["arguments"])
    assert len({event["call_id"] for event in own}) == 1


def test_a_response_without_a_stream(gateway: Started) -> None:
    answer = gateway.ask({"model": "gpt-4o", "input": "nonce:res3"}, RESPONSES, [KEY])

    assert answer.field("content-type") == "application/json"
    assert answer.json["status"] == "completed"
    assert "nonce:res3" in json.dumps(answer.json["output"])


def test_the_documented_tool_loop_keeps_its_call(gateway: Started) -> None:
    """A call and its result reach the backend as such; 002 lost the call."""
    turns = [
        {"type": "message", "role": "user", "content": "Weather?"},
        {"type": "message", "role": "assistant", "content": ""},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "Sun"},
    ]
    tool = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": None}
    answer = gateway.ask({"model": "gpt-4o", "input": turns, "tools": [tool]}, RESPONSES, [KEY])
    (exchange,) = gateway.reached()
    assert isinstance(exchange.request.body, bytes)
    sent = json.loads(exchange.request.body)["messages"]

    assert answer.status == 200
    assert [call["id"] for message in sent for call in message.get("tool_calls") or ()] == ["call_1"]
    assert sent[-1] == {"role": "tool", "tool_call_id": "call_1", "content": "Sun"}


def test_health_shows_the_breaker(gateway: Started) -> None:
    health = gateway.get("/health")

    assert health.status == 200
    assert health.json["status"] == "healthy"
    assert set(health.json["circuit_breaker"]) >= {"enabled", "is_open", "consecutive_failures"}
    assert health.json["circuit_breaker"]["is_open"] is False
    assert health.json["circuit_breaker"]["consecutive_failures"] == 0


def test_a_request_without_a_key_is_a_401(gateway: Started) -> None:
    answer = gateway.ask({"model": "gpt-4o", "input": "hi"}, RESPONSES)

    assert answer.status == 401
    assert gateway.reached() == []


def test_what_it_could_not_do_is_refused_in_json_with_its_code(gateway: Started) -> None:
    """002 wrote its codes as plain text."""
    answer = gateway.ask({"model": "gpt-4o", "input": "hi", "background": True}, RESPONSES, [KEY])

    assert (answer.status, answer.field("content-type")) == (400, "application/json")
    assert answer.error["code"] == "background_not_supported"
    assert gateway.reached() == []


def test_the_log_line_is_there_and_no_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("seed002log")
    variables = {"BACKEND_URL": "$UPSTREAM/v1/chat/completions", "RUST_LOG": "info"}
    with Started(folder, None, "--profile", "responses-proxy", environ=variables) as gateway:
        gateway.ask({"model": "gpt-4o", "input": "hi"}, RESPONSES, [KEY])
    log = gateway.serving.errors

    assert "request_completed: model=gpt-4o, duration_ms=" in log
    assert "cpk_client_key_0123456789" not in log
