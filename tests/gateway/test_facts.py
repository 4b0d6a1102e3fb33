"""What a translation needs is fetched, and what cannot be expressed can be refused."""

import asyncio
import json

import pytest

from setu import build
from setu.chat.ids import counter
from setu.chat.parts import Inline
from setu.config.model import Config
from setu.config.routing import Routing
from setu.errors import LocalDialectError
from setu.gateway.facts import MAX_URLS, gather, tenant_of
from setu.http import Headers, Request, Response
from setu.store.seals import MemorySeals
from setu.translate.session import Needs
from setu.transport.simulate.simulator import Simulator
from tests.clocks import RealClock

PICTURE = Inline(b64="iVBORw0KGgo=", mime="image/png")


class Fetches:
    """A fetcher that has every picture but one."""

    async def fetch(self, url: str) -> Inline:
        if "missing" in url:
            raise LocalDialectError(f"the media URL {url} answered 404")
        return PICTURE


class Upstream(Simulator):
    """The simulator, remembering what it was sent."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        super().__init__(RealClock())
        self.sent: list[dict] = []  # type: ignore[type-arg] # wire JSON

    async def send(self, request: Request) -> Response:
        self.sent.append(json.loads(await request.read()))
        return await super().send(request)


def ask(body: dict, *, fetches: bool = True, config: Config | None = None) -> tuple[int, dict, list[dict]]:  # type: ignore[type-arg] # wire JSON
    upstream = Upstream()
    deployed = build.deployments(Config(), {}, offline_key="k")
    gateway = build.gateway(
        deployed, upstream, config=config, media=Fetches() if fetches else None, mint=counter(), on_call=lambda _: None
    )

    async def main() -> tuple[int, bytes]:
        request = Request(method="POST", path="/v1/chat/completions", headers=Headers(), body=json.dumps(body).encode())
        response = await gateway.send(request)
        return response.status, await response.read()

    status, answer = asyncio.run(main())
    return status, json.loads(answer), upstream.sent


def picture(url: str) -> dict:  # type: ignore[type-arg] # wire JSON
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"model": "gemini/gemini-2.5-flash", "messages": [{"role": "user", "content": parts}]}


def test_a_picture_by_url_reaches_gemini_as_bytes() -> None:
    status, _, sent = ask(picture("https://x.example/cat.png"))

    assert status == 200
    assert sent[0]["contents"][0]["parts"][1] == {"inlineData": {"mimeType": "image/png", "data": PICTURE.b64}}


@pytest.mark.parametrize("fetches", [True, False])
def test_a_picture_that_cannot_be_had_is_a_400_and_nothing_is_sent(fetches: bool) -> None:
    status, answer, sent = ask(picture("https://x.example/missing.png"), fetches=fetches)

    assert (status, answer["error"]["type"], sent) == (400, "invalid_request_error", [])


def test_too_many_urls_are_refused() -> None:
    needs = Needs(media=tuple(f"http://x.example/{n}" for n in range(MAX_URLS + 1)))

    with pytest.raises(LocalDialectError, match="more than"):
        asyncio.run(gather(needs, MemorySeals(), Fetches()))


@pytest.mark.parametrize(("on_loss", "expected"), [("signal", 200), ("refuse", 400)])
def test_a_loss_is_signalled_or_refused(on_loss: str, expected: int) -> None:
    body = {"model": "anthropic/claude-sonnet-4-5", "seed": 7, "messages": [{"role": "user", "content": "hi"}]}

    status, answer, sent = ask(body, config=Config(routing=Routing(on_loss=on_loss)))

    assert status == expected
    if expected == 400:
        assert (answer["error"]["param"], answer["error"]["code"], sent) == ("seed", "unsupported_parameter", [])


def test_tenants_are_told_apart_by_whatever_credential_they_show() -> None:
    def of(query: str = "", **headers: str) -> str:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return tenant_of(Request(method="POST", path="/v1/messages", query=query, headers=Headers.of(fields)))

    shown = [of(authorization="Bearer a"), of(authorization="Bearer b"), of(x_api_key="a"), of("alt=sse&key=a"), of()]

    assert len(set(shown)) == len(shown)
    assert of("key=a", accept="x") == of("alt=sse&key=a")
    assert "Bearer" not in shown[0]
