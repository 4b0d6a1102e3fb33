"""What fuzzing has found, kept as examples: requests that were taken, or broke something, and are refused now."""

import asyncio
import contextlib
import json
import socket
import threading
from typing import Any

import pytest

from setu import build
from setu.config.model import Config
from setu.conformance import fuzz
from setu.conformance.tally import Tally
from setu.http import Headers, Request
from setu.server.openapi import document
from setu.transport.simulate.simulator import Simulator

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
ASKED = {"messages": [{"role": "user", "content": "hi"}]}
GENERATE = "/v1beta/models/openai/gpt-4o:generateContent"
CONTENTS = {"contents": [{"parts": [{"text": "hi"}]}]}


async def answered(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    deployed = build.deployments(Config(), {}, offline_key="k")
    gateway = build.gateway(deployed, Simulator(build.SystemClock()), on_call=lambda _call: None)
    request = Request(method="POST", path=path, headers=Headers.of({"content-type": "application/json"}))
    request.body = json.dumps(body).encode()
    response = await gateway.send(request)
    whole = b"".join([chunk async for chunk in response.chunks()])
    return response.status, json.loads(whole)


OPENAI, CLAUDE, GEMINI = (
    {"model": "openai/gpt-4o"},
    {"model": "anthropic/claude-sonnet-4-5"},
    {"model": "gemini/gemini-2.5-flash"},
)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (MESSAGES, OPENAI | ASKED | {"max_tokens": 9, "tools": [{"name": "", "input_schema": {}}]}),
        (MESSAGES, GEMINI | ASKED | {"max_tokens": 9, "tools": [{"name": "", "input_schema": {}}]}),
        (MESSAGES, CLAUDE | ASKED | {"max_tokens": 9, "metadata": {"user_id": {}}}),
        (MESSAGES, CLAUDE | ASKED | {"max_tokens": 9, "tools": [{"name": "a", "description": {}, "input_schema": {"type": "object"}}]}),
        (GENERATE, CONTENTS | {"tools": [{"functionDeclarations": [{"name": ""}]}]}),
        (GENERATE, CONTENTS | {"tools": [{"functionDeclarations": [{"name": "a", "parameters": 0}]}]}),
        (GENERATE, CONTENTS | {"generationConfig": {"responseMimeType": "application/json", "responseSchema": 0}}),
        (RESPONSES, CLAUDE | {"input": "hi", "truncation": "_"}),
        (RESPONSES, CLAUDE | {"input": "hi", "metadata": {"a": None}}),
        (RESPONSES, OPENAI | {"input": "hi", "metadata": {"a": []}}),
        (RESPONSES, OPENAI | {"input": [{"role": "user", "type": False, "content": "hi"}]}),
        (RESPONSES, OPENAI | {"input": "hi", "tools": [{"type": "function", "name": "a", "strict": 0.0}]}),
        (RESPONSES, OPENAI | {"input": "hi", "tools": [{"type": "function", "name": "a", "description": True}]}),
        (CHAT, CLAUDE | ASKED | {"metadata": {"a": 1}}),
        ("/v1/completions", OPENAI | {"prompt": "hi", "stop": 2.5}),
        ("/v1/completions", OPENAI | {"prompt": "hi", "stream": True, "stream_options": -1}),
        ("/v1/completions", OPENAI | {"prompt": "hi", "presence_penalty": 3}),
        ("/v1/completions", GEMINI | {"prompt": "hi", "suffix": False}),
        ("/v1/embeddings", {"model": "openai/text-embedding-3-small", "input": "hi", "user": 4.5}),
    ],
)  # fmt: skip
def test_an_illegal_request_is_refused(path: str, body: dict[str, Any]) -> None:
    status, said = asyncio.run(answered(path, body))

    assert (status, bool(said["error"]["message"])) == (400, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RESPONSES, OPENAI | {"input": "hi", "max_output_tokens": 16.0}),
        (MESSAGES, GEMINI | ASKED | {"max_tokens": 9, "top_k": 0}),
        ("/v1/completions", GEMINI | {"prompt": "hi", "suffix": "", "echo": False, "stop": [], "logit_bias": {}}),
    ],
    ids=["a whole number with a point", "no limit on candidates", "members that ask for nothing"],
)
def test_a_legal_request_is_answered(path: str, body: dict[str, Any]) -> None:
    status, _ = asyncio.run(answered(path, body))

    assert status == 200


def test_embeddings_have_no_stream_to_be_asked_for() -> None:
    status, told = asyncio.run(answered("/v1/embeddings", {"model": "cohere/embed-v4.0", "input": "x", "stream": True}))

    assert (status, told["object"]) == (200, "list")


def test_an_answer_that_breaks_off_in_its_body_is_a_finding() -> None:
    """A gateway that closed its connection in the middle of a chunked answer once ended the run."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(head + b'5\r\n{"a":')

    tally = Tally()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        fuzz.run(url, "m", document(), tally, seed=0, examples=2)

    assert {seen.check for seen in tally.observations if seen.findings} >= {"FUZ-001", "FUZ-002"}
