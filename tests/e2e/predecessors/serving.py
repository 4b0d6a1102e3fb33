"""`setu start` as its users start it, in front of upstreams whose every answer a test decides."""

import http.client
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from setu.conformance.stand import Plan, Stand
from setu.conformance.two_sided import Standing
from setu.http import Exchange
from tests.live import Answer, ask
from tests.processes import Serving

JSON = ("content-type", "application/json")
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"

THREE = """
[providers.openai]
base_url = "$UPSTREAM/v1"
api_key = "sk-openai-0123456789abcdef"
models = ["gpt-4o", "gpt-4o-mini"]
[providers.anthropic]
base_url = "$UPSTREAM"
api_key = "sk-ant-0123456789abcdef"
models = ["claude-sonnet-4-5"]
[providers.gemini]
base_url = "$UPSTREAM"
api_key = "AIza-0123456789abcdef"
models = ["gemini-2.5-flash"]
"""
"""Three providers at the same upstream, which tells them by their paths."""


class Started:
    """A gateway process and its scripted upstream, for as long as the block lasts.

    `config` is a `setu.toml`, with `$UPSTREAM` for the upstream's address; `environ` has its variables, which may
    name it, too. `files` are written beside it. Without `port` something else says where to listen.
    """

    def __init__(
        self,
        folder: Path,
        config: str | None = THREE,
        *arguments: str,
        files: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        port: bool = True,
    ) -> None:
        self.folder = folder
        self._texts = {**({"setu.toml": config} if config is not None else {}), **(files or {})}
        self._arguments = ("start", *arguments, *(("--port", "0") if port else ()))
        self._variables = environ or {}
        self._stack = ExitStack()
        self.stand: Stand

    def __enter__(self) -> Self:
        standing = self._stack.enter_context(Standing())
        self.stand = standing.stand
        for name, text in self._texts.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("$UPSTREAM", standing.url), encoding="utf-8")
        variables = {name: value.replace("$UPSTREAM", standing.url) for name, value in self._variables.items()}
        home = {"HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        self.serving = Serving(*self._arguments, cwd=self.folder, **{**home, **variables})
        self._stack.enter_context(self.serving)
        self.url = self.serving.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def ask(
        self,
        body: Mapping[str, Any] | bytes = b"",
        path: str = CHAT,
        fields: Iterable[tuple[str, str]] = (),
        method: str = "POST",
    ) -> Answer:
        """Send a request as curl does, and return the whole answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return ask(self.url, data, path, [JSON, *fields] if data else list(fields), method)

    def get(self, path: str, *fields: tuple[str, str]) -> Answer:
        return self.ask(path=path, fields=fields, method="GET")

    def play(self, *plans: Plan) -> None:
        """Let the upstream answer the next requests so, after forgetting what has been."""
        self.stand.clear()
        self.stand.play(*plans)

    def reached(self) -> list[Exchange]:
        """Return what has reached the upstream since the last call, once all of it has ended."""
        until(lambda: self.stand.under_way == 0)
        return list(self.stand.taken())


def said(text: str = "Hello!", model: str | None = "openai/gpt-4o", **extra: Any) -> dict[str, Any]:
    """Return the least chat request."""
    named = {} if model is None else {"model": model}
    return {**named, "messages": [{"role": "user", "content": text}], **extra}


def events(answer: Answer) -> list[Any]:
    """Return the JSON of a stream's data lines, and other data as it stands."""
    lines = [line.removeprefix("data: ") for line in answer.body.decode().split("\n") if line.startswith("data: ")]
    return [json.loads(line) if line.startswith("{") else line for line in lines]


def text_of(chunks: Iterable[Any]) -> str:
    """Return what the chunks of a chat stream say."""
    found = (
        choice["delta"].get("content") for chunk in chunks if isinstance(chunk, dict) for choice in chunk["choices"]
    )
    return "".join(piece or "" for piece in found)


def model_asked(exchange: Exchange) -> str:
    """Return the model that an upstream was asked for."""
    assert isinstance(exchange.request.body, bytes)
    name = json.loads(exchange.request.body)["model"]
    assert isinstance(name, str)
    return name


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that is about to be so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.02)


def connection(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)


def terminate(started: Started) -> None:
    """Ask the process to stop, as a service manager does."""
    os.kill(started.serving.pid, 15)
