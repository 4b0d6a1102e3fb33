"""The breakages that only a gateway with retries, fallbacks, a cache and stored usage can have: each by its row."""

import http.client
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from setu.cassette.script import Script, script
from setu.http import Exchange, Headers
from tests.e2e.predecessors.serving import CHAT, MESSAGES, RESPONSES, Started, events, said, text_of, until

pytestmark = pytest.mark.slow

TWO = """
[providers.claude]
type = "anthropic"
base_url = "$UPSTREAM"
api_key = "sk-ant-0123456789"
models = ["claude-sonnet-4-6"]
[providers.gpt]
type = "openai"
base_url = "$UPSTREAM/v1"
api_key = "sk-first-0123456789"
models = ["gpt-5"]
[providers.azure]
type = "openai"
base_url = "$UPSTREAM/other/v1"
api_key = "sk-second-0123456789"
models = ["gpt-5"]

[resilience.retry]
max_attempts = 1

[routing.models]
"both" = ["claude/claude-sonnet-4-6", "gpt/gpt-5"]
"twins" = ["gpt/gpt-5", "azure/gpt-5"]
"""
ANTHROPIC = [("anthropic-version", "2023-06-01")]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with Started(tmp_path_factory.mktemp("rows"), TWO) as gateway:
        yield gateway


@pytest.fixture
def gateway(started: Started) -> Started:
    started.play()
    return started


def answer(status: int, body: object) -> Script:
    return script(status, Headers.of({"content-type": "application/json"}), json.dumps(body).encode())


def stream(*data: str) -> Script:
    frames = [f"data: {text}\n\n".encode() for text in data]
    return script(200, Headers.of({"content-type": "text/event-stream"}), *frames)


def sent(exchange: Exchange) -> Any:
    assert isinstance(exchange.request.body, bytes)
    return json.loads(exchange.request.body)


def test_msg_14_a_fallback_replays_the_original_messages_and_the_first_error_is_told(gateway: Started) -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "The first one is overloaded."}}
    refused = {"error": {"message": "This model does not support assistant message prefill.", "code": None}}
    gateway.play(answer(529, overloaded), answer(400, refused))
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Count."},
    ]

    got = gateway.ask({"model": "both", "messages": turns})
    first, second = gateway.reached()

    assert [(turn["role"], _text(turn)) for turn in sent(first)["messages"]] == [
        (t["role"], t["content"]) for t in turns
    ]
    assert sent(second)["messages"] == turns
    assert got.status in (503, 529)
    assert got.error["message"] == "The first one is overloaded."


def _text(turn: Any) -> str:
    content = turn["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@pytest.mark.parametrize("model", ["both", "twins"])
def test_str_23_a_stream_is_never_begun_again_after_content(gateway: Started, model: str) -> None:
    gateway.play("rst@event=6")
    got = gateway.ask(said("at length", model, max_tokens=500, stream=True))
    found = events(got)
    cut = [event for event in found if isinstance(event, dict) and "error" in event]

    assert len(gateway.reached()) == 1
    assert text_of(event for event in found if isinstance(event, dict) and "choices" in event)
    assert len(cut) == 1
    assert "[DONE]" not in found


def test_str_23_before_content_another_one_may_begin_it_once(gateway: Started) -> None:
    gateway.play("rst@event=0")
    body = {"model": "both", "max_tokens": 50, "stream": True, "messages": [{"role": "user", "content": "nonce:once"}]}
    kinds = [event["type"] for event in events(gateway.ask(body, MESSAGES, ANTHROPIC))]

    assert len(gateway.reached()) == 2
    assert kinds.count("message_start") == 1
    assert kinds[-1] == "message_stop"


def test_sse_21_an_error_as_the_first_event_is_a_status_and_another_one_is_asked(gateway: Started) -> None:
    limited = '{"type":"error","error":{"type":"rate_limit_error","message":"Slow down."}}'
    gateway.play(stream(limited))
    saved = gateway.ask(said("nonce:saved", "both", max_tokens=50, stream=True))
    asked = len(gateway.reached())
    gateway.play(stream(limited))
    told = gateway.ask(said("x", "claude/claude-sonnet-4-6", max_tokens=50, stream=True))

    assert (saved.status, asked) == (200, 2)
    assert "nonce:saved" in text_of(events(saved))
    assert (told.status, told.error["message"]) == (429, "Slow down.")


def test_hdr_03_a_cached_answer_has_the_form_that_was_asked_for(tmp_path: Path) -> None:
    with Started(tmp_path, f"{TWO}\n[cache]\nenabled = true\n") as started:
        asks = [said("nonce:form", "gpt/gpt-5", stream=stream) for stream in (False, True, False, True)]
        got = [started.ask(ask) for ask in asks]
        reached = len(started.reached())

    assert reached == 2
    assert [each.field("x-setu-cache") for each in got] == ["miss", "miss", "hit", "hit"]
    assert [(each.field("content-type") or "").partition(";")[0] for each in got] == [
        "application/json", "text/event-stream", "application/json", "text/event-stream",
    ]  # fmt: skip
    assert got[2].json["choices"] == got[0].json["choices"]
    assert text_of(events(got[3])) == text_of(events(got[1]))
    assert events(got[3])[-1] == "[DONE]"


def test_hdr_04_no_client_gets_what_another_ones_key_paid_for(tmp_path: Path) -> None:
    keys = "[auth]\nmode = 'passthrough'\n[cache]\nenabled = true\n"
    with Started(tmp_path, f"{TWO}\n{keys}") as started:
        body = said("nonce:mine", "gpt/gpt-5")
        mine = [("authorization", "Bearer sk-of-mine-0123456789")]
        other = [("authorization", "Bearer sk-of-another-0123456789")]
        states = [started.ask(body, fields=fields).field("x-setu-cache") for fields in (mine, mine, other)]
        private = [
            started.ask(said("nonce:p", "gpt/gpt-5"), fields=[*mine, ("cache-control", "no-store")]) for _ in range(2)
        ]

    assert states == ["miss", "hit", "miss"]
    assert [each.field("x-setu-cache") for each in private] == ["bypass", "bypass"]


_OF_THE_CONNECTION = {"host", "content-length"}


def test_hdr_05_every_attempt_has_the_headers_of_its_own_target(tmp_path: Path) -> None:
    retry = "[resilience.retry]\nmax_attempts = 2\ninitial_interval = '1ms'\n"
    config = TWO.replace("[resilience.retry]\nmax_attempts = 1\n", retry)
    fields = [*ANTHROPIC, ("anthropic-beta", "context-1m-2025-08-07"), ("x-trace", "t1")]
    body = {"model": "both", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi."}]}
    with Started(tmp_path, config) as started:
        started.play("503", "503")
        assert started.ask(body, MESSAGES, fields).status == 200
        first, again, other = (_fields(exchange) for exchange in started.reached())

    assert first == again
    assert ("x-api-key", "sk-ant-0123456789") in first
    assert ("x-trace", "t1") in first
    assert ("authorization", "Bearer sk-first-0123456789") in other
    assert not {"x-api-key", "anthropic-version", "anthropic-beta"} & {name for name, _ in other}


def _fields(exchange: Exchange) -> list[tuple[str, str]]:
    return [(name, value) for name, value in exchange.request.headers.items() if name not in _OF_THE_CONNECTION]


def test_thk_18_sealed_thinking_of_another_deployment_is_taken_out_once(gateway: Started) -> None:
    refused = {"error": {"message": "The encrypted content gAAA...== could not be verified.", "type": "invalid_request_error", "param": None, "code": "invalid_encrypted_content"}}  # fmt: skip
    turns: list[dict[str, Any]] = [
        {"type": "message", "role": "user", "content": "Weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAB"},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "Sun"},
    ]
    gateway.play(answer(400, refused))
    got = gateway.ask({"model": "gpt/gpt-5", "input": turns}, RESPONSES)
    first, second = gateway.reached()
    gateway.play(answer(400, refused), answer(400, refused))
    hopeless = gateway.ask({"model": "gpt/gpt-5", "input": turns}, RESPONSES)

    assert got.status == 200
    assert [item["type"] for item in sent(first)["input"]] == [item["type"] for item in turns]
    assert [item["type"] for item in sent(second)["input"]] == ["message", "function_call", "function_call_output"]
    assert (hopeless.status, len(gateway.reached())) == (400, 2)
    assert hopeless.error["code"] == "invalid_encrypted_content"


def test_usg_14_what_was_streamed_before_a_client_left_is_accounted_for(tmp_path: Path) -> None:
    database = tmp_path / "usage.db"
    with Started(tmp_path, f"{TWO}\n[usage]\ndatabase_url = 'sqlite:///{database}'\n") as started:
        started.play("stall=5s@event=12")
        line = http.client.HTTPConnection(urlsplit(started.url).netloc, timeout=20)
        line.request("POST", CHAT, json.dumps(said("at length", "claude/claude-sonnet-4-6", stream=True)))
        got = line.getresponse()
        got.read1(65536)
        line.close()
        got.close()
        until(lambda: bool(_rows(database)))
        (row,) = _rows(database)

    prompt, completion, end = row
    assert prompt > 0
    assert completion > 0
    assert end == "closed-by-client"


def _rows(database: Path) -> list[Any]:
    if not database.is_file():
        return []
    with sqlite3.connect(database) as found:
        try:
            return found.execute("select prompt_tokens, completion_tokens, end from requests").fetchall()
        except sqlite3.OperationalError:
            return []  # not created yet
