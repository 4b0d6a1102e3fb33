"""Who a server on this machine answers to; asked over real sockets where it is about a server."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse
from starlette.routing import Route
from websockets.asyncio import client
from websockets.exceptions import InvalidStatus

from setu import build
from setu.config.load import parse
from setu.config.model import Config, Server
from setu.errors import ConfigError
from setu.http import Headers, Request, Response
from setu.server.hosts import Hosts, hosts_of
from setu.server.serve import Background

OURS = [
    "localhost",
    "LocalHost:3742",
    "localhost.:80",
    "a.localhost:1",
    "127.0.0.1",
    "127.8.9.10:3742",
    "[::1]:3742",
    "[::ffff:127.0.0.1]",
    "host.docker.internal:3742",
]
THEIRS = [
    "evil.example",
    "evil.example:3742",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "notlocalhost",
    "xhost.docker.internal",
    "10.0.0.1:3742",
    "[::2]:3742",
    "0x7f.1",
    "[::1].evil.example",
    "evil.example@localhost",
    "",
]


def problem(hosts: Hosts, host: str, origin: str | None = None, *, with_origin: bool = True) -> int | None:
    headers = [(b"accept", b"*/*"), (b"host", host.encode())]
    headers += [(b"origin", origin.encode())] if origin is not None else []
    found = hosts.problem(headers, with_origin=with_origin)
    return found.status if found is not None else None


def bound(host: str, *allowed: str) -> Hosts:
    found = hosts_of(host, allowed)
    assert found is not None
    return found


@pytest.mark.parametrize("host", OURS)
@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.0.0.5"])
def test_a_loopback_server_answers_to_every_name_of_its_machine(address: str, host: str) -> None:
    hosts = bound(address)

    assert [problem(hosts, host), problem(hosts, host)] == [None, None]


@pytest.mark.parametrize("host", THEIRS)
def test_a_loopback_server_answers_to_no_other_name(host: str) -> None:
    assert problem(bound("127.0.0.1"), host) == 421


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.7", "api.example.com"])  # nothing is bound
def test_a_server_that_others_can_reach_answers_to_any_name_unless_told(address: str) -> None:
    assert hosts_of(address, ()) is None
    assert problem(bound(address, "api.example.com"), "evil.example") == 421
    assert problem(bound(address, "api.example.com"), "API.example.com:8080") is None
    assert problem(bound(address, "api.example.com"), "localhost:8080") is None


def test_names_can_be_added_and_the_check_be_switched_off() -> None:
    hosts = bound("127.0.0.1", "proxy.example.com", "*.internal.example", "fd00::1")

    assert problem(hosts, "proxy.example.com") is None
    assert problem(hosts, "a.b.internal.example:1") is None
    assert problem(hosts, "[fd00::1]:80") is None
    assert problem(hosts, "internal.example") == 421
    assert problem(hosts, "xinternal.example") == 421
    assert hosts_of("127.0.0.1", ("*",)) is None


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, None),
        ("http://localhost:5173", None),
        ("http://127.0.0.1:3742", None),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("file://", 403),
    ],
)
def test_where_the_origin_counts_pages_of_other_sites_are_refused(origin: str | None, status: int | None) -> None:
    assert problem(bound("127.0.0.1"), "localhost", origin) == status
    assert problem(bound("127.0.0.1"), "localhost", origin, with_origin=False) is None


def test_a_request_without_a_host_comes_from_no_browser() -> None:
    assert bound("127.0.0.1").problem([(b"accept", b"*/*")], with_origin=True) is None


@given(st.sampled_from(OURS) | st.text(max_size=30), st.integers(0, 65535))
def test_law_a_name_below_another_is_never_taken_for_this_machine(name: str, port: int) -> None:
    host = f"{name}.evil.example:{port}".encode("utf-8", "replace").decode("latin-1")

    assert problem(bound("127.0.0.1"), host) == 421


@pytest.mark.parametrize("name", ["http://a.example", "a.example:80", "a.example/x", "", "a b"])
def test_what_is_no_host_name_is_refused_where_it_stands(name: str) -> None:
    with pytest.raises(ValidationError, match="must be a host name"):
        Server(allowed_hosts=(name,))
    with pytest.raises(ConfigError, match=r"setu\.toml:2"):
        parse(f"[server]\nallowed_hosts = [{json.dumps(name)}]\n", "setu.toml", {})


class Echo:
    """Answers everything, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request.path)
        return Response(200, Headers.of({"content-type": "application/json"}), b"{}")

    async def aclose(self) -> None: ...


@pytest.fixture(scope="module")
def echo() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def url(echo: Echo) -> Iterator[str]:
    async def faults(_: Asked) -> JSONResponse:
        return JSONResponse([])

    app = build.app(echo, Config(), dict, [Route("/__setu__/faults", faults, methods=["GET", "PUT"])])
    with Background(app) as server:
        yield server.url


def ask(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        said = answer.read()
        return answer.status, json.loads(said) if said.startswith((b"{", b"[")) else said
    finally:
        connection.close()


def test_a_rebound_name_reaches_nothing_and_is_told_so_by_each_dialect(url: str, echo: Echo) -> None:
    echo.asked.clear()
    large = b'{"a":"' + b"x" * 3_000_000 + b'"}'

    chat = ask(url, "POST", "/v1/chat/completions", large, host="evil.example:80")
    messages = ask(url, "POST", "/v1/messages", b"{}", host="evil.example")
    gemini = ask(url, "POST", "/v1beta/models/a:generateContent", b"{}", host="evil.example")
    others = [ask(url, "GET", path, host="evil.example")[0] for path in ("/", "/health", "/__setu__/faults")]

    assert (chat[0], messages[0], gemini[0], others) == (421, 421, 421, [421, 421, 421])
    assert "this server does not answer to the host 'evil.example:80'" in chat[1]["error"]["message"]
    assert "allowed_hosts" in chat[1]["error"]["message"]
    assert messages[1]["type"] == "error"
    assert gemini[1]["error"]["code"] == 421
    assert echo.asked == []


def test_clients_of_this_machine_are_served(url: str, echo: Echo) -> None:
    echo.asked.clear()

    statuses = [ask(url, "POST", "/v1/messages", b"{}", host=host)[0] for host in OURS]

    assert statuses == [200] * len(OURS)
    assert ask(url, "POST", "/v1/messages", b"{}", origin="https://evil.example")[0] == 200
    assert ask(url, "GET", "/health")[0] == 200
    assert len(echo.asked) == len(OURS) + 1


def test_a_page_of_another_site_cannot_use_the_admin_side(url: str) -> None:
    status, said = ask(url, "PUT", "/__setu__/faults", b"[]", origin="https://evil.example")

    assert status == 403
    assert "pages of 'https://evil.example' may not use this" in said["error"]["message"]
    assert ask(url, "PUT", "/__setu__/faults", b"[]", origin="http://localhost:5173") == (200, [])
    assert ask(url, "PUT", "/__setu__/faults", b"[]") == (200, [])


@pytest.mark.parametrize(
    ("headers", "status"), [({"host": "evil.example"}, 421), ({"origin": "https://evil.example"}, 403)]
)
def test_a_websocket_is_refused_alike(url: str, headers: dict[str, str], status: int) -> None:
    async def opened() -> Response:
        netloc = urlsplit(url)
        address = f"ws://{headers.get('host', netloc.netloc)}/v1/responses"
        origin = headers.get("origin")
        with pytest.raises(InvalidStatus) as told:
            async with client.connect(address, host=netloc.hostname, port=netloc.port, origin=origin):  # type: ignore[arg-type]  # its Origin is a NewType
                pass
        return Response(told.value.response.status_code, Headers(), bytes(told.value.response.body or b""))

    answer = asyncio.run(opened())

    assert answer.status == status
    assert b"evil.example" in bytes(answer.body)  # type: ignore[arg-type]  # it is bytes here


def test_a_websocket_of_this_machine_is_opened(url: str) -> None:
    async def opened() -> bool:
        async with client.connect(url.replace("http", "ws") + "/v1/responses", origin="http://localhost:1"):  # type: ignore[arg-type]  # its Origin is a NewType
            return True

    assert asyncio.run(opened())
