"""Fetching media for a stranger: what is public comes, what is not does not."""

import asyncio
import base64
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.parts import Inline
from setu.errors import LocalDialectError
from setu.http import Headers, Request, Response
from setu.transport.httpx_ import HttpxTransport
from setu.transport.media import MediaFetcher, is_public
from tests.servers import RawServer, read_request

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


class Answers:
    """A transport that answers from a table of URLs and remembers what it was asked."""

    def __init__(self, **table: tuple[int, dict[str, str], bytes]) -> None:
        self.table = table
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        status, headers, body = self.table[request.path.strip("/") or "root"]
        return Response(status, Headers.of(headers), body)

    async def aclose(self) -> None:
        pass


def names(*addresses: str) -> Callable[[str, int], Awaitable[Iterable[str]]]:
    async def resolve(_host: str, _port: int) -> Iterable[str]:
        return addresses

    return resolve


def fetch(transport: Answers, url: str, *addresses: str, **options: Any) -> Inline:
    fetcher = MediaFetcher(transport, resolve=names(*(addresses or ("93.184.216.34",))), **options)
    return asyncio.run(fetcher.fetch(url))


def test_a_picture_comes_as_what_it_is_whatever_its_label() -> None:
    transport = Answers(a=(200, {"content-type": "text/plain"}, PNG))

    got = fetch(transport, "https://pictures.example/a?size=1")

    assert got == Inline(b64=base64.b64encode(PNG).decode(), mime="image/png")
    (asked,) = transport.asked
    assert asked.url == "https://93.184.216.34/a?size=1"
    assert asked.headers.get("host") == "pictures.example"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "::", "255.255.255.255"],
)  # fmt: skip
def test_an_address_of_ours_is_never_connected_to(address: str) -> None:
    transport = Answers(a=(200, {}, PNG))

    with pytest.raises(LocalDialectError, match="not on the public internet"):
        fetch(transport, "http://rebound.example/a", "93.184.216.34", address)

    assert transport.asked == []


@given(st.ip_addresses(v=4))
def test_public_is_what_the_registry_calls_global(address: ipaddress.IPv4Address) -> None:
    assert is_public(str(address)) == (address.is_global and not address.is_multicast)
    assert is_public(f"::ffff:{address}") == is_public(str(address))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://x.example/a", "not a plain http or https URL"),
        ("file:///etc/passwd", "not a plain http or https URL"),
        ("http://user:secret@x.example/a", "not a plain http or https URL"),
        ("http://x.example:22/a", "names a port"),
        ("http://x.example:notaport/a", "is not a URL"),
        ("http:///a", "not a plain http or https URL"),
    ],
)
def test_a_url_that_is_not_plain_is_refused(url: str, why: str) -> None:
    with pytest.raises(LocalDialectError, match=why):
        fetch(Answers(a=(200, {}, PNG)), url)


def test_a_redirect_is_checked_like_the_first_url() -> None:
    transport = Answers(a=(302, {"location": "http://user@x.example/b"}, b""), b=(200, {}, PNG))

    with pytest.raises(LocalDialectError, match="not a plain http"):
        fetch(transport, "http://x.example/a")


def test_a_redirect_to_a_public_place_is_followed_and_a_circle_is_not() -> None:
    once = Answers(a=(302, {"location": "/b"}, b""), b=(200, {}, PNG))
    circle = Answers(a=(302, {"location": "/a"}, b""))

    assert fetch(once, "http://x.example/a").mime == "image/png"
    with pytest.raises(LocalDialectError, match="redirects too often"):
        fetch(circle, "http://x.example/a")


def test_what_is_too_large_or_no_medium_is_refused() -> None:
    with pytest.raises(LocalDialectError, match="larger than 10 bytes"):
        fetch(Answers(a=(200, {}, PNG)), "http://x.example/a", max_bytes=10)
    with pytest.raises(LocalDialectError, match="larger than 10 bytes"):
        fetch(Answers(a=(200, {"content-length": "99999999"}, PNG)), "http://x.example/a", max_bytes=10)
    with pytest.raises(LocalDialectError, match="is not an image"):
        fetch(Answers(a=(200, {"content-type": "application/json"}, b"{}")), "http://x.example/a")
    with pytest.raises(LocalDialectError, match="answered 404"):
        fetch(Answers(a=(404, {}, b"")), "http://x.example/a")


def test_a_refusal_never_shows_the_query() -> None:
    with pytest.raises(LocalDialectError) as caught:
        fetch(Answers(a=(404, {}, b"")), "http://x.example/a?signature=secret")

    assert "secret" not in str(caught.value)


def test_it_works_over_a_socket_and_gives_up_on_silence() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, headers, _ = await read_request(reader)
        if "/slow" in line:
            await asyncio.sleep(5)
        assert headers["host"].startswith("pictures.example:")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(PNG) + PNG)
        await writer.drain()

    async def main(server: RawServer) -> tuple[Inline, str]:
        transport = HttpxTransport()
        fetcher = MediaFetcher(transport, resolve=names("127.0.0.1"), allow_private=True, seconds=0.5)
        try:
            got = await fetcher.fetch(f"http://pictures.example:{server.port}/a")
            with pytest.raises(LocalDialectError) as caught:
                await fetcher.fetch(f"http://pictures.example:{server.port}/slow")
        finally:
            await transport.aclose()
        return got, str(caught.value)

    with RawServer(handler) as server:
        got, refusal = asyncio.run(main(server))

    assert got.mime == "image/png"
    assert "did not answer in time" in refusal
