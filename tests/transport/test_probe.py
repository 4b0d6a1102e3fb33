"""Health checks: what is asked, with whose key, and what an answer says."""

import asyncio
import logging
from collections.abc import Callable, Mapping

import pytest

from setu.errors import ConnectionFailedError, RouteNotFoundError
from setu.http import Headers, Request, Response
from setu.providers import lookup
from setu.providers.deployment import Deployment
from setu.resilience.ledger import Result
from setu.resilience.policy import HealthCheck
from setu.transport.httpx_ import HttpxTransport
from setu.transport.probe import Prober, judged, probe_request
from tests.servers import RawServer, read_request
from tests.transport.virtual import VirtualClock

KEY = "sk-0123456789abcdef"


def deployed(name: str, base_url: str | None = None, **more: object) -> Deployment:
    provider = lookup.find(name)
    fields = {"name": name, "provider": provider, "base_url": base_url or provider.base_url, "key": KEY}
    return Deployment(**{**fields, "scheme": provider.scheme, **more})


def asked(deployment: Deployment, check: HealthCheck = HealthCheck()) -> Request:  # noqa: B008 # frozen
    request = probe_request(deployment, check)
    assert request is not None
    return request


@pytest.mark.parametrize(
    ("name", "base_url", "where", "field"),
    [
        ("openai", "https://h/v1", "https://h/v1/models", "authorization"),
        ("groq", "https://h/openai/v1", "https://h/openai/v1/models", "authorization"),
        ("anthropic", "https://h", "https://h/v1/models", "x-api-key"),
        ("gemini", "https://h/v1beta", "https://h/v1beta/models", "x-goog-api-key"),
        ("cohere", "https://h", "https://h/v1/models", "authorization"),
        ("ollama", "http://h:11434", "http://h:11434/api/tags", "authorization"),
    ],
)
def test_the_cheapest_endpoint_is_asked_with_the_deployments_key(
    name: str, base_url: str, where: str, field: str
) -> None:
    request = asked(deployed(name, base_url, **({"scheme": "bearer"} if name == "ollama" else {})))

    assert (request.method, request.url) == ("GET", where)
    assert KEY in (request.headers.get(field) or "")


def test_what_every_request_of_a_provider_carries_goes_along() -> None:
    assert asked(deployed("anthropic")).headers.get("anthropic-version")


def test_where_nothing_cheap_is_known_nothing_is_asked() -> None:
    assert probe_request(deployed("bedrock", "https://h"), HealthCheck()) is None
    assert probe_request(deployed("vertex", "https://h"), HealthCheck()) is None


def test_a_configured_place_is_asked_and_gets_the_key_only_if_it_is_the_providers_own() -> None:
    own = asked(deployed("openai", "https://h/v1"), HealthCheck(url="https://h/status?x=1"))
    other = asked(deployed("openai", "https://h/v1"), HealthCheck(url="https://status.example"))

    assert (own.url, other.url) == ("https://h/status?x=1", "https://status.example/")
    assert "authorization" in own.headers
    assert KEY not in str(list(other.headers.items()))


@pytest.mark.parametrize(
    ("status", "ok", "blame"),
    [(200, True, False), (404, True, False), (429, True, False), (401, False, False), (500, False, True)],
)
def test_an_answer_is_judged_by_what_it_says_of_the_host(status: int, ok: bool, blame: bool) -> None:
    result = judged(status, 0.1)

    assert (result.ok, result.blame, result.status, result.error is None) == (ok, blame, status, ok)


class Hosts:
    """Answers by origin, after as many seconds of the clock."""

    def __init__(self, clock: VirtualClock, answers: Mapping[str, int | Exception], seconds: float = 0.0) -> None:
        self.clock = clock
        self.answers = answers
        self.seconds = seconds
        self.asked: list[tuple[float, str]] = []

    async def send(self, request: Request) -> Response:
        self.asked.append((self.clock.time, request.origin))
        self.clock.time += self.seconds
        answer = self.answers[request.origin]
        if isinstance(answer, Exception):
            raise answer
        return Response(answer, Headers(), b"{}")

    async def aclose(self) -> None: ...


class Bounded(VirtualClock):
    """Lets no time pass after `until`."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self.until = until

    async def sleep(self, seconds: float) -> None:
        if self.time + seconds > self.until:
            await asyncio.Event().wait()
        await super().sleep(seconds)


def prober(
    clock: VirtualClock,
    hosts: Hosts,
    checks: Mapping[str, HealthCheck],
    report: Callable[[str, Result], None] = lambda _name, _result: None,
) -> Prober:
    deployments = {"openai": deployed("openai", "https://a/v1"), "vertex": deployed("vertex", "https://b")}
    return Prober(deployments, checks, hosts, clock, report, draw=lambda: 0.5)


def test_a_check_reports_and_remembers_what_it_found() -> None:
    clock, told = VirtualClock(), list[tuple[str, Result]]()
    probing = prober(clock, Hosts(clock, {"https://a": 200}, 0.3), {}, lambda *result: told.append(result))

    found = asyncio.run(probing.check("openai"))

    assert found is not None
    assert (found.ok, found.status, round(found.latency or 0, 3)) == (True, 200, 0.3)
    assert told == [("openai", found)]
    assert probing.latest == {"openai": found}


def test_a_host_that_cannot_be_reached_is_to_blame_and_says_why() -> None:
    clock = VirtualClock()
    probing = prober(clock, Hosts(clock, {"https://a": ConnectionFailedError("cannot reach https://a")}), {})

    assert asyncio.run(probing.check("openai")) == Result(ok=False, blame=True, error="cannot reach https://a")


def test_an_unknown_provider_is_refused_by_name_and_one_without_an_endpoint_says_nothing() -> None:
    clock = VirtualClock()
    probing = prober(clock, Hosts(clock, {}), {})

    with pytest.raises(RouteNotFoundError, match="there is no provider 'nobody'; there are: openai, vertex"):
        asyncio.run(probing.check("nobody"))
    assert asyncio.run(probing.check("vertex")) is None


def test_while_it_runs_each_is_checked_on_its_interval_and_then_nothing_is_left() -> None:
    clock = Bounded(1100.0)
    hosts = Hosts(clock, {"https://a": 500})

    async def main() -> None:
        async with prober(clock, hosts, {"openai": HealthCheck(interval=30)}).running():
            for _ in range(50):
                await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())

    assert [time for time, _ in hosts.asked] == [1003.0, 1033.0, 1063.0, 1093.0]


def test_without_an_interval_nothing_is_asked() -> None:
    clock = Bounded(1100.0)
    hosts = Hosts(clock, {"https://a": 200})

    async def main() -> None:
        async with prober(clock, hosts, {"openai": HealthCheck()}).running():
            await asyncio.sleep(0)

    asyncio.run(main())

    assert hosts.asked == []


def test_an_interval_without_an_endpoint_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Bounded(1100.0)

    async def main() -> None:
        async with prober(clock, Hosts(clock, {}), {"vertex": HealthCheck(interval=1)}).running():
            for _ in range(50):
                await asyncio.sleep(0)

    with caplog.at_level(logging.WARNING, "setu"):
        asyncio.run(main())

    assert [record.getMessage() for record in caplog.records] == [
        "provider vertex has no endpoint to check: set health_check.url"
    ]


def test_a_report_that_breaks_does_not_end_the_checks(caplog: pytest.LogCaptureFixture) -> None:
    clock = Bounded(1070.0)
    hosts = Hosts(clock, {"https://a": 200})

    def broken(_name: str, _result: Result) -> None:
        raise RuntimeError("a defect")

    async def main() -> None:
        async with prober(clock, hosts, {"openai": HealthCheck(interval=30)}, broken).running():
            for _ in range(50):
                await asyncio.sleep(0)

    asyncio.run(main())

    assert len(hosts.asked) == 3
    assert KEY not in caplog.text


def test_a_real_host_that_is_silent_is_a_failed_check() -> None:
    async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await reader.read(1)

    async def main(origin: str) -> Result | None:
        transport = HttpxTransport()
        try:
            here = {"openai": deployed("openai", f"{origin}/v1")}
            checks = {"openai": HealthCheck(timeout=0.2)}
            probing = Prober(here, checks, transport, VirtualClock(), lambda _name, _result: None, lambda: 0.0)
            return await probing.check("openai")
        finally:
            await transport.aclose()

    with RawServer(mute) as server:
        result = asyncio.run(main(server.url))

    assert result is not None
    assert (result.ok, result.blame) == (False, True)
    assert "did not finish its answer within 0.2 s" in (result.error or "")
