"""A gateway on a real socket between a client and an upstream whose every byte a test controls."""

import asyncio
import http.client
import json
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from setu import build
from setu.config.limits import BreakerConfig
from setu.config.model import Config, ProviderConfig
from setu.config.resilience import ResilienceConfig, RetryConfig
from setu.config.routing import Routing
from setu.server.serve import Background
from setu.signals import Call
from setu.transport.httpx_ import HttpxTransport
from tests.servers import Handler, RawServer

KEY = "sk-upstream-0123456789abcdef"
"""The key of every configured upstream."""

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
PATHS = {"openai_chat": CHAT, "anthropic": MESSAGES, "gemini": "/v1beta/models/MODEL:generateContent"}


ONCE = ResilienceConfig(retry=RetryConfig(max_attempts=1))
"""Each request is one request upstream, so that a test can count them."""


class Sent(NamedTuple):
    """A request as it reached the upstream: its first line, its fields in order, its body."""

    line: str
    fields: list[tuple[str, str]]
    body: bytes

    def field(self, name: str) -> str | None:
        return next((value for field, value in self.fields if field == name), None)


class Answer(NamedTuple):
    """What the client got: status, fields in order, body."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def field(self, name: str) -> str | None:
        return next((value for field, value in self.fields if field == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        error = self.json["error"]
        assert isinstance(error, dict)
        return error


async def read_exactly_as_sent(reader: asyncio.StreamReader) -> Sent:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in head[1:] if line)
    fields = [(name.lower(), value) for name, _, value in pairs]
    length = next((value for name, value in fields if name == "content-length"), "0")
    return Sent(head[0], fields, await reader.readexactly(int(length)))


def reply(body: bytes, status: str = "200 OK", kind: str = "application/json", *more: str) -> bytes:
    """Write a whole HTTP answer."""
    fields = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", "connection: close", *more]
    return "\r\n".join(fields).encode("latin-1") + b"\r\n\r\n" + body


class Upstream:
    """Answers each request with `answer` and closes; keeps what it was sent."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.sent: list[Sent] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sent.append(await read_exactly_as_sent(reader))
        writer.write(self.answer)
        await writer.drain()


class Live:
    """The gateway with one provider of each kind at the same upstream: `oa`, `an`, `ge`, `local`, and a `dead` one.

    `calls` are what it reported.
    """

    def __init__(self, handler: Handler, *, routing: Routing | None = None, max_body: int = 10 * 1024 * 1024) -> None:
        self._raw = RawServer(handler)
        self._routing = routing or Routing()
        self._max_body = max_body
        self.calls: list[Call] = []

    def __enter__(self) -> Self:
        self._raw.__enter__()
        url = self._raw.url
        named = {"oa": ("openai", f"{url}/v1"), "an": ("anthropic", url), "ge": ("gemini", url), "dead": ("openai", "http://127.0.0.1:9/v1")}  # fmt: skip
        sections = {
            name: ProviderConfig.model_validate({"type": kind, "base_url": base, "api_key": KEY})
            for name, (kind, base) in named.items()
        }
        sections["local"] = ProviderConfig(type="openai_compatible", base_url=f"{url}/v1")
        sections["keyless"] = ProviderConfig(type="anthropic", base_url=url)
        config = Config(
            providers=sections, routing=self._routing, breaker=BreakerConfig(enabled=False), resilience=ONCE
        )
        config = config.model_copy(update={"server": config.server.model_copy(update={"max_body": self._max_body})})
        deployed = build.deployments(config, {})
        gateway = build.gateway(deployed, HttpxTransport(), config=config, on_call=self.calls.append)
        self._server = Background(build.app(gateway, config, build.describe_gateway(deployed)))
        self._server.__enter__()
        self.url = self._server.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)
        self._raw.__exit__(kind, error, trace)

    def ask(
        self,
        body: Mapping[str, Any] | bytes = b"",
        path: str = CHAT,
        fields: Iterable[tuple[str, str]] = (),
        method: str = "POST",
    ) -> Answer:
        """Send a request with exactly these fields (and a length); return the whole answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return ask(self.url, data, path, fields, method)


def ask(url: str, data: bytes, path: str, fields: Iterable[tuple[str, str]] = (), method: str = "POST") -> Answer:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in fields:
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(data)))
        connection.endheaders(data)
        got = connection.getresponse()
        pairs = [(name.lower(), value) for name, value in got.getheaders()]
        return Answer(got.status, pairs, got.read())
    finally:
        connection.close()


def asked(model: str, dialect: str = "openai_chat", **extra: Any) -> tuple[bytes, str]:
    """Return the smallest legal request of a dialect and its path; `stream=True` means what the dialect means by it."""
    stream = bool(extra.pop("stream", False))
    if dialect == "gemini":
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **extra}
        return json.dumps(body).encode(), f"/v1beta/models/{model}:{method}"
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **extra}
    if dialect == "anthropic":
        body = {"max_tokens": 9, **body}
    if stream:
        body["stream"] = True
    return json.dumps(body).encode(), PATHS[dialect]


def sse(*events: Mapping[str, Any] | str, named: bool = False) -> bytes:
    """Write server-sent events; `named` gives each its `type` as its event's name."""
    lines = []
    for event in events:
        text = event if isinstance(event, str) else json.dumps(event, separators=(",", ":"))
        lead = f"event: {event['type']}\n" if named and not isinstance(event, str) else ""
        lines.append(f"{lead}data: {text}\n\n")
    return "".join(lines).encode()
