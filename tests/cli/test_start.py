"""What `setu start` refuses and warns of, and that each predecessor's profile serves."""

import asyncio
import http.client
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from setu.errors import ConfigError
from setu.server.serve import address
from tests.processes import Serving, setu
from tests.servers import RawServer, read_request

pytestmark = pytest.mark.slow
LIMITED = "[limits]\nrequests_per_minute = 5\n"
ASK = {"messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize(
    ("options", "text", "says"),
    [
        ("--workers 2", LIMITED, "--workers: each worker would count limits for itself: set state.redis_url, or say"),
        ("--workers 2", "[providers.openai.rate_limit]\nconcurrency = 1\n", "would count limits for itself"),
        ("--workers 2 --record x", "", "--workers: recordings are written and replayed by one process"),
        ("--workers 0", "", "Invalid value for '--workers'"),
        ("--strict --listen 0.0.0.0:0", "", "anybody who reaches 0.0.0.0 can spend the keys of its providers"),
        ("--listen here", "", "cannot listen on 'here': write ADDRESS:PORT"),
        ("--listen 1:1 --port 3", "", "--listen stands for --host and --port: give one or the other"),
        ("--profile nginx", "", "there is no profile 'nginx'"),
        ("--strict", "[providers.openai]\napi_key = '${NOPE}'\n", "setu.toml:2: providers.openai.api_key: the env"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(tmp_path: Path, options: str, text: str, says: str) -> None:
    (tmp_path / "setu.toml").write_text(text)
    ended = setu("start", "--port", "0", *options.split(), cwd=tmp_path) if "--listen" not in options else setu(
        "start", *options.split(), cwd=tmp_path
    )  # fmt: skip

    assert ended.returncode in (2, 78)
    assert says in ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


def test_limits_of_each_worker_are_allowed_when_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "setu.toml").write_text(LIMITED)
    with Serving("start", "--port", "0", "--workers", "2", "--allow-per-process-limits", cwd=tmp_path) as server:
        pass

    assert server.status == 0


def test_an_open_gateway_that_others_reach_is_warned_of(tmp_path: Path) -> None:
    with Serving("start", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path) as server:
        pass

    assert "setu: note: anybody who reaches 0.0.0.0 can spend the keys of its providers" in server.errors


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:80", ("::1", 80)),
        ("80", ("127.0.0.1", 80)),
        (":80", ("127.0.0.1", 80)),
        ("a.b:0", ("a.b", 0)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, place: tuple[str, int]) -> None:
    assert address(text) == place


@pytest.mark.parametrize("text", ["", "a", "a:", "::1:80", "a:65536", "a:-1", "[]:1", "a:b:1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="write ADDRESS:PORT"):
        address(text)


class Upstream:
    """A chat completions host that keeps what it was sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.server = RawServer(self._answer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, headers, body = await read_request(reader)
        self.seen.append((line, headers, json.loads(body or b"null")))
        message = {"role": "assistant", "content": "Hi"}
        answer = json.dumps(
            {
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        ).encode()  # fmt: skip
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(answer)}\r\n\r\n"
        writer.write(head.encode() + answer)
        await writer.drain()


def post(url: str, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    fields = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    try:
        connection.request("POST", path, json.dumps(body), fields)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    "name", ["setu", "ai-gateway-proxy", "responses-proxy", "ai-gateway", "semaroute"]
)  # fmt: skip
def test_each_profile_starts(tmp_path: Path, name: str) -> None:
    with Serving("start", "--profile", name, "--port", "0", cwd=tmp_path, HOME=str(tmp_path)) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("GET", "/health")
        found = json.loads(connection.getresponse().read())
        connection.close()

    assert found["service"] == "setu"
    assert server.status == 0


def test_the_responses_proxys_backend_is_asked(tmp_path: Path) -> None:
    upstream = Upstream()
    with upstream.server as raw:
        backend = f"{raw.url}/v1/chat/completions"
        options = ("start", "--profile", "responses-proxy", "--port", "0")
        environ = {"BACKEND_URL": backend, "SETU_AUTH_MODE": "open", "HOME": str(tmp_path)}
        with Serving(*options, cwd=tmp_path, **environ) as server:
            status, body = post(server.url, "/v1/responses", {"model": "any/model", "input": "Hello"})

    assert (status, body.get("status")) == (200, "completed")
    assert upstream.seen[0][0] == "POST /v1/chat/completions HTTP/1.1"


def test_dotenv_gives_a_profile_its_variables(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_KEY=mock\nTOKENS_PER_MINUTE=60000\n")
    options = ("start", "--profile", "ai-gateway", "--port", "0")
    with Serving(*options, cwd=tmp_path, HOME=str(tmp_path)) as server:
        ask = {**ASK, "model": "gpt-4o-mini", "metadata": {"tenant": "acme", "use_case": "support"}}
        status, body = post(server.url, "/v1/chat/completions", ask)

    assert (status, body["object"]) == (200, "chat.completion")
    assert re.search(r"openai", server.output)
