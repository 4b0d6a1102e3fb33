"""One request through a gateway to a provider that exists only here: what it was sent, what the client got."""

import asyncio
import json
from typing import Any

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.dialects.registry import DIALECTS
from setu.http import Headers, Request, Response
from tests.clocks import RealClock

ENVIRON = {
    "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/",
    "GOOGLE_CLOUD_PROJECT": "p-1",
    "CLOUDFLARE_ACCOUNT_ID": "acc",
    "DATABRICKS_HOST": "https://w.example",
    "SNOWFLAKE_ACCOUNT": "org-acc",
}
ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
}


class Upstream:
    """A transport with one answer; it keeps what it was sent."""

    def __init__(self, body: bytes, content_type: str, status: int = 200) -> None:
        self._answer = (body, content_type, status)
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Response:
        await request.read()
        self.sent.append(request)
        body, content_type, status = self._answer
        return Response(status, Headers.of({"content-type": content_type}), body)

    async def aclose(self) -> None:
        return None

    @property
    def body(self) -> Any:
        body = self.sent[0].body
        assert isinstance(body, bytes)
        return json.loads(body)


def ask(
    provider: str,
    body: dict[str, Any] | bytes,
    *,
    path: str = "/v1/chat/completions",
    answer: bytes | None = None,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
    **section: Any,
) -> tuple[Upstream, Response, bytes]:
    """Ask a provider of its default configuration; the model goes there because the provider is named."""
    upstream = Upstream(json.dumps(ANSWER).encode() if answer is None else answer, content_type)
    config = Config(providers={provider: ProviderConfig(**({"api_key": "k"} | section))})
    gateway = build.gateway(
        build.deployments(config, ENVIRON | (environ or {})),
        upstream,
        dialects=DIALECTS,
        clock=RealClock(),
        mint=lambda prefix: prefix + "1",
        on_call=lambda _call: None,
    )
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json", "x-setu-provider": provider, **(headers or {})}
    request = Request(method="POST", path=path, headers=Headers.of(fields), body=raw)

    async def exchange() -> tuple[Response, bytes]:
        response = await gateway.send(request)
        return response, await response.read()

    response, data = asyncio.run(exchange())
    return upstream, response, data
