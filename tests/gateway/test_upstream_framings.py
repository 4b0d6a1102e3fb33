"""An upstream's framing is told by its content-type; the client's stream is its own dialect's whatever that was."""

import asyncio
import json

import pytest

from setu import build
from setu.cassette.script import Bytes, End, Head, Script
from setu.config.model import Config, ProviderConfig
from setu.conformance.target import Target
from setu.dialects.registry import DIALECTS
from setu.framing.sse import SseDecoder
from setu.http import Exchange, Headers, Request
from setu.transport.play import Playlist
from setu.transport.simulate.simulator import Simulator

HEAD = {"model": "m", "created_at": "2026-11-20T09:00:00Z"}
LINES = (
    {**HEAD, "message": {"role": "assistant", "content": "Hel"}, "done": False},
    {**HEAD, "message": {"role": "assistant", "content": "lo"}, "done": False},
    {**HEAD, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "eval_count": 2},
)
EVENTS = (
    {"type": "message-start", "id": "i", "delta": {"message": {"role": "assistant", "content": []}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hello"}}}},
    {"type": "content-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {}}},
)


def asked(provider: str, upstream: Script | None) -> Exchange:
    """Ask for a stream as a chat client; without a script the simulator answers."""
    config = Config(providers={provider: ProviderConfig()})
    deployed = build.deployments(config, {}, offline_key="k")
    transport = Simulator if upstream is None else lambda clock: Playlist([upstream], clock)
    body = {"model": f"{provider}/some-model", "stream": True, "messages": [{"role": "user", "content": "Hi."}]}
    request = Request(
        method="POST",
        path="/v1/chat/completions",
        query="",
        headers=Headers.of({"content-type": "application/json"}),
        body=json.dumps(body).encode(),
    )
    return asyncio.run(Target(DIALECTS, deployed, transport).exchange(request))


def script(media_type: str, *pieces: bytes) -> Script:
    return (Head(status=200, headers=Headers.of({"content-type": media_type})), *map(Bytes, pieces), End())


def text_of(exchange: Exchange) -> str:
    decoder = SseDecoder()
    datas = [frame.data for frame in (*decoder.feed(exchange.body), *decoder.close()) if frame.data is not None]
    assert datas[-1] == b"[DONE]"
    chunks = [json.loads(data) for data in datas[:-1]]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


@pytest.mark.parametrize(
    ("provider", "upstream"),
    [
        ("ollama", script("application/x-ndjson", *(lines(line) for line in LINES))),
        ("ollama", script("application/x-ndjson; charset=utf-8", lines(*LINES)[:150], lines(*LINES)[150:])),
        ("cohere", script("application/stream+json", lines(*EVENTS))),
        ("cohere", script("text/event-stream", *(b"data: " + lines(event) + b"\n" for event in EVENTS))),
    ],
    ids=["ollama", "ollama cut anywhere", "cohere in lines", "cohere"],
)
def test_a_chat_client_gets_server_sent_events(provider: str, upstream: Script) -> None:
    exchange = asked(provider, upstream)

    assert (exchange.headers.get("content-type") or "").startswith("text/event-stream")
    assert text_of(exchange) == "Hello"


@pytest.mark.parametrize("provider", ["ollama", "cohere"])
def test_a_simulated_upstream_streams_through_the_gateway(provider: str) -> None:
    exchange = asked(provider, None)

    assert exchange.status == 200
    assert text_of(exchange)


def test_a_success_whose_only_line_is_an_error_is_a_bad_gateway() -> None:
    exchange = asked("ollama", script("application/x-ndjson", lines({"error": "image: unknown format"})))

    assert exchange.status == 502
    assert json.loads(exchange.body)["error"]["message"] == "image: unknown format"
