"""The operator's endpoints over a control that remembers what it was asked."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import ConfigError, ErrorInfo, ErrorKind, SetuError
from setu.gateway.door import Porter
from setu.http import Headers, Request, Response
from setu.server.admin_gateway import Admit, GatewayAdmin, ProviderHealth, health
from setu.server.app import App
from setu.server.endpoints import Operations
from setu.server.hosts import hosts_of
from tests.clocks import RealClock

ADMIN_KEY = "sk-setu-admin-of-this-test"
HERE, ELSEWHERE = "127.0.0.1", "203.0.113.9"
WELL = ProviderHealth(
    name="openai", status="healthy", last_check=1_700_000_000.0, latency=0.0452, models=("gpt-4o", "o3")
)
ILL = ProviderHealth(name="local", status="unhealthy", error="refused", circuit="open", consecutive_failures=5)


def admitting(*keys: str) -> Admit:
    """Let in who shows one of the keys, as the porter does."""
    porter = Porter(admin_keys=keys)

    async def admit(request: Request) -> ErrorInfo | None:
        try:
            await porter.admin(request)
        except SetuError as error:
            return error.info()
        return None

    return admit


class Control:
    """A gateway of two providers, whose file is right or wrong."""

    def __init__(self) -> None:
        self.wrong = ""
        self.wanted: Mapping[str, Any] = {"policy": "composite"}
        self.checked: list[str] = []

    async def reload(self) -> Mapping[str, Any]:
        if self.wrong:
            raise ConfigError(self.wrong)
        return {"generation": 2, "ok": True}

    def policy(self) -> Mapping[str, Any]:
        return self.wanted

    async def set_policy(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        if wanted.get("policy") != "cost_based":
            raise ConfigError("there is no such policy")
        self.wanted = wanted
        return wanted

    def providers(self) -> Sequence[ProviderHealth]:
        return [WELL, ILL]

    async def check(self, name: str) -> ProviderHealth:
        self.checked.append(name)
        return WELL

    async def usage(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        return {"by": query.get("by"), "rows": []}

    def routing(self, request_id: str) -> Mapping[str, Any] | None:
        return {"request_id": request_id} if request_id == "req_1" else None

    def metrics(self) -> Mapping[str, Any]:
        return {"requests": {"total": 0}}


class Nothing:
    """The transport behind: what gets there was no operation."""

    async def send(self, request: Request) -> Response:
        return Response(299, Headers(), request.path.encode())

    async def aclose(self) -> None:
        pass


async def admit(request: Request) -> ErrorInfo | None:
    shown = request.headers.get("authorization")
    if shown == f"Bearer {ADMIN_KEY}":
        return None
    status = 401 if shown is None else 403
    return ErrorInfo(kind=ErrorKind.AUTHENTICATION, status=status, message="no admin key was shown")


class Room:
    """An app over a control, and a client at some address."""

    def __init__(self, admit: Admit | None = None, known: Admit | None = None) -> None:
        self.control = Control()
        routes = GatewayAdmin(self.control, lambda: admit, None if known is None else lambda: known).routes
        operations = Operations(RealClock(), dict, dict)
        self.app = App(
            Nothing(),
            lambda _, info: info.message.encode(),
            operations,
            lambda prefix: prefix,
            max_body=1000,
            admin=routes,
            hosts=hosts_of(HERE, ()),
        )

    def ask(self, method: str, path: str, *, peer: str = HERE, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(peer, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())


READS = ["/admin/routing/policy", "/admin/providers", "/admin/providers/openai/health", "/admin/usage", "/v1/metrics"]


@pytest.mark.parametrize("path", READS)
def test_without_an_admin_key_only_this_machine_is_answered(path: str) -> None:
    room = Room()
    here, elsewhere = room.ask("GET", path), room.ask("GET", path, peer=ELSEWHERE)

    assert (here.status_code, elsewhere.status_code) == (200, 403)
    assert elsewhere.json()["error"]["message"] == (
        "no admin key is configured, so this is for clients on the gateway's own machine only"
    )


@pytest.mark.parametrize("field", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_whom_a_proxy_speaks_for_is_not_on_this_machine(field: str) -> None:
    assert Room().ask("POST", "/admin/reload", headers={field: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize("path", READS)
def test_with_an_admin_key_everybody_must_show_it(path: str) -> None:
    room = Room(admit)
    without = room.ask("GET", path)
    wrong = room.ask("GET", path, headers={"authorization": "Bearer sk-guess"})
    right = room.ask("GET", path, peer=ELSEWHERE, headers={"authorization": f"Bearer {ADMIN_KEY}"})

    assert [without.status_code, wrong.status_code, right.status_code] == [401, 403, 200]
    assert without.headers["www-authenticate"] == "Bearer"
    assert without.json()["error"]["message"] == "no admin key was shown"


def test_what_any_client_may_ask_has_a_guard_of_its_own() -> None:
    async def anybody(_: Request) -> ErrorInfo | None:
        return None

    room = Room(admit, known=anybody)

    assert room.ask("GET", "/v1/metrics").status_code == 200
    assert room.ask("GET", "/admin/providers").status_code == 401


def test_a_page_of_another_site_cannot_administer() -> None:
    """A browser sends such a POST without asking; its `Origin` gives it away."""
    refused = Room().ask("POST", "/admin/reload", headers={"origin": "https://evil.example"})

    assert refused.status_code == 403


def test_a_reload_says_how_it_went() -> None:
    room = Room()
    done = room.ask("POST", "/admin/reload")
    room.control.wrong = "setu.toml:2: server.prot: unknown key; did you mean 'port'?"
    refused = room.ask("POST", "/admin/reload")

    assert (done.status_code, done.json()) == (200, {"generation": 2, "ok": True})
    assert (refused.status_code, refused.json()["error"]) == (
        422,
        {"message": room.control.wrong, "type": "invalid_request_error", "code": "bad_config"},
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"policy": "cost_based"}', 200),
        (b'{"policy": "nonsense"}', 422),
        (b"[1]", 400),
        (b"not json", 400),
        (b"\xff", 400),
        (b'"' + b"x" * 70_000 + b'"', 413),
    ],
)
def test_a_policy_is_put_or_refused(body: bytes, status: int) -> None:
    room = Room()
    answer = room.ask("PUT", "/admin/routing/policy", content=body)
    now = room.ask("GET", "/admin/routing/policy").json()

    assert answer.status_code == status
    assert now == {"policy": "cost_based" if status == 200 else "composite"}


def test_a_providers_health_is_what_semaroute_said_and_more() -> None:
    room = Room()
    found = room.ask("GET", "/admin/providers/openai/health").json()

    assert found == {
        "name": "openai",
        "healthy": True,
        "latency": "45.2ms",
        "status": "healthy",
        "last_check": "2023-11-14T22:13:20Z",
        "response_time_ms": 45.2,
        "error": None,
        "circuit": "closed",
        "base_url": "",
        "models": ["gpt-4o", "o3"],
        "consecutive_failures": 0,
    }
    assert [one["healthy"] for one in room.ask("GET", "/admin/providers").json()["providers"]] == [True, False]


def test_a_provider_is_checked_when_an_operator_asks() -> None:
    room = Room()
    found = room.ask("POST", "/admin/providers/openai/health-check")

    assert (found.status_code, room.control.checked) == (200, ["openai"])


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/admin/providers/nope/health", 404, "there is no provider 'nope'; there are: openai, local"),
        ("POST", "/admin/providers/nope/health-check", 404, "there is no provider 'nope'; there are: openai, local"),
        ("GET", "/v1/routing/info", 400, "request_id is required: /v1/routing/info?request_id=…"),
        ("GET", "/v1/routing/info?request_id=x", 404, "no decision is remembered for the request 'x'"),
        ("GET", "/admin/nothing", 404, "no such endpoint: GET /admin/nothing"),
        ("GET", "/admin/reload", 405, "GET /admin/reload is not allowed"),
        ("DELETE", "/admin/routing/policy", 405, "DELETE /admin/routing/policy is not allowed"),
    ],
)
def test_what_is_not_there_is_an_error_in_json(method: str, path: str, status: int, message: str) -> None:
    refused = Room().ask(method, path)

    assert (refused.status_code, refused.json()["error"]["message"]) == (status, message)


def test_a_decision_is_told_by_its_request() -> None:
    assert Room().ask("GET", "/v1/routing/info?request_id=req_1").json() == {"request_id": "req_1"}


def test_usage_gets_its_query() -> None:
    assert Room().ask("GET", "/admin/usage?by=tenant").json() == {"by": "tenant", "rows": []}


def test_other_paths_go_to_the_gateway() -> None:
    assert [Room().ask("GET", path).status_code for path in ("/v1/models", "/administer", "/v1/metrics/x")] == [299] * 3


def test_health_tells_of_every_provider() -> None:
    found = health([WELL, ILL])

    assert found["usable"] is True
    assert found["circuit_breaker"] == {"enabled": True, "is_open": False, "consecutive_failures": 5}
    assert found["providers"]["local"] == {
        "status": "unhealthy",
        "last_check": None,
        "response_time_ms": None,
        "error": "refused",
        "circuit": "open",
        "base_url": "",
        "models": 0,
    }


CIRCUITS = st.sampled_from(["closed", "open", "half-open"])
STATUSES = st.sampled_from(["healthy", "degraded", "unhealthy", "unknown", "no key"])
PROVIDERS = st.lists(st.builds(ProviderHealth, name=st.sampled_from("abc"), status=STATUSES, circuit=CIRCUITS))


@given(PROVIDERS)
def test_the_gateway_is_usable_as_long_as_one_provider_is(providers: list[ProviderHealth]) -> None:
    found = health(providers)

    assert found["usable"] == any(provider.whole()["healthy"] for provider in providers)
    assert not (found["usable"] and found["circuit_breaker"]["is_open"])


@pytest.mark.parametrize(
    ("latency", "spoken"), [(None, None), (0.000019, "19µs"), (0.0452, "45.2ms"), (0.9999, "999.9ms"), (1.25, "1.25s")]
)
def test_a_latency_is_said_as_people_do(latency: float | None, spoken: str | None) -> None:
    assert ProviderHealth(name="x", latency=latency).whole()["latency"] == spoken


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"authorization": f"Bearer {ADMIN_KEY}"}, None),
        ({"x-api-key": ADMIN_KEY}, None),
        ({"authorization": f"bearer  {ADMIN_KEY}"}, None),
        ({"authorization": f"Basic {ADMIN_KEY}"}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"authorization": "Bearer sk-other"}, 401),
        ({}, 401),
    ],
)
def test_an_admin_key_is_shown_as_clients_show_keys(fields: dict[str, str], status: int | None) -> None:
    async def asked() -> ErrorInfo | None:
        admit = admitting("sk-first", ADMIN_KEY)
        return await admit(Request(method="GET", path="/admin/usage", headers=Headers.of(fields)))

    info = asyncio.run(asked())

    assert (info.status if info is not None else None) == status
