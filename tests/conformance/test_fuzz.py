"""What the fuzz stage calls illegal, what it finds in an answer, and how it shows what it found."""

import json
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setu import build
from setu.config.model import Config
from setu.conformance import fuzz
from setu.conformance.curl import curl
from setu.conformance.fuzzing.contract import Contract, generated
from setu.conformance.fuzzing.endpoints import ENDPOINTS, Endpoint, of_dialects
from setu.conformance.fuzzing.failures import Failures, Problem
from setu.conformance.fuzzing.reduce import reduced
from setu.conformance.tally import Tally
from setu.dialects.record import Route
from setu.dialects.registry import DIALECTS
from setu.errors import DialectError
from setu.http import Exchange, Headers, Request, Response
from setu.ports import Transport
from setu.server.openapi import document
from setu.server.serve import Background
from setu.transport.simulate.simulator import Simulator

ROUTE = Route(dialect="openai_chat", operation="chat")

CONTRACT = Contract(document(), "/v1/chat/completions", "post")
WIDE = CONTRACT.takes
NARROW = Contract(generated(document()), "/v1/chat/completions", "post").takes


def asked(**members: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "hi"}]} | members


def tool(**members: Any) -> dict[str, Any]:
    return asked(tools=[members])


@pytest.mark.parametrize(
    "request_",
    [
        tool(function={"name": "f"}),
        tool(type="function", function={"name": "f", "parameters": {"anyOf": []}}),
        tool(type="function", function={"name": "a b", "description": None}),
        tool(type="web_search"),
        asked(messages=[{"role": "user", "content": [{"type": "brand_new"}]}]),
    ],
)
def test_what_every_upstream_need_not_take_is_legal_but_never_generated(request_: dict[str, Any]) -> None:
    assert WIDE.is_valid(request_)
    assert not NARROW.is_valid(request_)


@pytest.mark.parametrize(
    "request_",
    [
        asked(tools=[3]),
        tool(type="function"),
        tool(type="function", function="f"),
        tool(type="function", function={}),
        tool(type="function", function={"name": ""}),
        tool(type="function", function={"name": "f", "parameters": "{}"}),
        tool(type=7, function={"name": "f"}),
        tool(type="custom"),
        asked(messages=[{"role": "user", "content": [{"type": "text"}]}]),
        asked(temperature=3),
    ],
)
def test_a_bad_shape_is_illegal_below_tools_too(request_: dict[str, Any]) -> None:
    assert not WIDE.is_valid(request_)
    assert not NARROW.is_valid(request_)
    with pytest.raises(DialectError):
        DIALECTS["openai_chat"].client["chat"].parse_request(json.dumps(request_).encode(), ROUTE)


def case_of(path: str, method: str = "post") -> Any:
    return schemathesis.openapi.from_dict(generated(document()))[path][method.upper()]


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.method == "post"], ids=lambda one: one.name)
def test_whatever_is_generated_as_legal_the_document_takes(endpoint: Endpoint) -> None:
    takes = Contract(document(), endpoint.path, endpoint.method).takes
    narrow = Contract(generated(document()), endpoint.path, endpoint.method).takes

    @settings(max_examples=20, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=case_of(endpoint.path).as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
    def holds(case: Any) -> None:
        assert narrow.is_valid(case.body)
        assert takes.is_valid(case.body) or case.body.keys() - endpoint_members(endpoint)

    holds()


def endpoint_members(endpoint: Endpoint) -> set[str]:
    """Return the members that are generated on purpose; another may come by chance, under a name that is withheld."""
    content = generated(document())["paths"][endpoint.path][endpoint.method]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return set(generated(document())["components"]["schemas"][name]["properties"])


CHUNK = {
    "id": "c", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "m",
    "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}],
}  # fmt: skip


def streamed(*data: bytes) -> Exchange:
    body = b"".join(b"data: " + one + b"\n\n" for one in data)
    return Exchange(request=ASKED, status=200, headers=Headers.of({"content-type": "text/event-stream"}), body=body)


ASKED = Request(
    method="POST",
    path="/v1/chat/completions",
    origin="http://127.0.0.1:1",
    headers=Headers.of({"content-type": "application/json", "authorization": "Bearer sk-1", "x-team": "red"}),
    body=b'{"model":"m","stream":true,"max_tokens":7}',
)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((json.dumps(CHUNK).encode(), b"[DONE]"), []),
        ((json.dumps(CHUNK | {"created": "1"}).encode(),), ['event 0 $.created: "1" is not of type "integer"']),
        ((b"{",), ["event 0 is no JSON"]),
        ((b"[DONE]", b'{"error":{"message":""}}'), ['event 1 $.error: "type" is a required property']),
    ],
    ids=["good", "a string for a number", "half", "half an error"],
)
def test_an_event_that_does_not_fit_is_told_by_its_member(data: tuple[bytes, ...], said: list[str]) -> None:
    found = [misfit.message for misfit in CONTRACT.misfits(streamed(*data))]

    assert [message.split(" (")[0] for message in found] == said


def test_the_kind_that_an_event_claims_to_be_is_the_one_it_is_held_to() -> None:
    contract = Contract(document(), "/v1/responses", "post")
    event = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":1}\n\n'
    answer = Exchange(request=ASKED, status=200, headers=Headers.of({"content-type": "text/event-stream"}), body=event)

    (misfit,) = contract.misfits(answer)

    assert misfit.message == 'event 0 $: "item_id" is a required property'


def test_an_answer_of_a_status_or_media_type_that_is_not_described_is_told() -> None:
    models = Contract(document(), "/readyz", "get")
    page = Exchange(request=ASKED, status=200, headers=Headers.of({"content-type": "text/html"}), body=b"")
    moved = Exchange(request=ASKED, status=302, headers=Headers(), body=b"")

    said = [misfit.message for exchange in (page, moved) for misfit in models.misfits(exchange)]

    assert said == ["content type text/html is not described for status 200", "status 302 is not described"]


def test_a_failure_is_shown_once_with_its_smallest_request_and_no_secret() -> None:
    failures, tally = Failures(), Tally()
    problem = Problem(check="FUZ-001", message="answered 500", kind="500")
    long = msgspec.structs.replace(ASKED, body=b'{"model":"m","stream":true,"max_tokens":7,"user":"somebody"}')
    for request in (long, ASKED, long):
        failures.note(problem, Exchange(request=request, status=500, headers=Headers(), body=b""), "fuzz chat (legal)")

    def ask(request: Request) -> list[Problem]:
        return [problem] if b"max_tokens" in request.body else []  # type: ignore[operator]  # bytes on record

    failures.report(tally, lambda _place: ask, tries=20, secrets=frozenset({"x-team"}))

    (seen,) = tally.observations
    assert seen.findings[0].message == "answered 500 (the smallest of 3)"
    assert seen.repro == (
        "curl -sN -X POST http://127.0.0.1:1/v1/chat/completions -H 'content-type: application/json'"
        ' -H "authorization: $API_KEY" -H "x-team: $API_KEY" --data-raw \'{"max_tokens":7}\''
    )


@pytest.mark.parametrize("body", [b'{"a":"it\'s"}', b"@file", b"\xff\x00", '{"\u2028": "é"}'.encode()])
def test_a_command_sends_the_very_bytes(body: bytes) -> None:
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_port}"
        command = curl(Request(method="POST", path="/x", origin=origin, headers=Headers(), body=body))
        subprocess.run(["sh", "-c", command], check=True, capture_output=True, timeout=20)
        server.shutdown()

    assert received == [body]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_is_reduced_still_fails_and_is_no_larger(value: Any) -> None:
    def still(smaller: Any) -> bool:
        return "1" in json.dumps(smaller)

    smallest = reduced(value, still, tries=200)

    assert still(smallest) == still(value)
    assert len(json.dumps(smallest)) <= len(json.dumps(value))


def test_reducing_takes_out_what_does_not_matter() -> None:
    value = {"a": [1, 2, {"b": "xxxx", "c": None}], "d": {"e": True}}

    assert reduced(value, lambda smaller: "x" in json.dumps(smaller), tries=100) == {"a": [{"b": "x"}]}


def test_a_provider_is_fuzzed_at_its_own_endpoints_and_at_chat() -> None:
    assert [one.name for one in of_dialects(["bedrock"])] == ["chat"]
    assert [one.name for one in of_dialects(["anthropic"])] == ["chat", "messages", "count-tokens"]
    assert {one.dialect for one in ENDPOINTS} == {name for name, dialect in DIALECTS.items() if dialect.client}


class Kept:
    """The gateway, with every request on record; those that hold `mark` break it."""

    def __init__(self, inner: Transport, mark: bytes) -> None:
        self._inner = inner
        self._mark = mark
        self.bodies: list[bytes] = []

    async def send(self, request: Request) -> Response:
        body = await request.read()
        self.bodies.append(body)
        if self._mark in body and request.headers.get("x-team") == "red":
            return Response(500, Headers.of({"content-type": "application/json"}), b"{}")
        return await self._inner.send(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def counted(mark: bytes, *, tries: int) -> tuple[list[fuzz.Sent], Tally, list[bytes]]:
    deployed = build.deployments(Config(), {}, offline_key="k")
    gateway = build.gateway(
        {"anthropic": deployed["anthropic"]}, Simulator(build.SystemClock()), on_call=lambda _call: None
    )
    kept, tally = Kept(gateway, mark), Tally()
    with Background(build.app(kept, Config(), dict)) as server:
        sent = fuzz.run(
            server.url, "anthropic/claude-sonnet-4-5", document(), tally, seed=3, examples=24,
            endpoints=[one for one in ENDPOINTS if one.name == "count-tokens"], headers={"x-team": "red"}, tries=tries,
        )  # fmt: skip
    return sent, tally, kept.bodies


@pytest.mark.slow
def test_the_same_seed_sends_the_same_requests_and_most_legal_ones_are_answered() -> None:
    (sent,), tally, bodies = counted(b"\0 in no body", tries=0)

    assert counted(b"\0 in no body", tries=0)[2] == bodies
    assert (sent.legal, sent.illegal, len(bodies)) == (6, 6, 12)
    assert sent.answered == sent.legal
    assert [seen for seen in tally.observations if seen.findings] == []


@pytest.mark.slow
def test_a_failure_behind_extra_headers_is_made_smaller_and_does_not_show_them() -> None:
    _, tally, bodies = counted(b'"messages"', tries=30)

    broken = [seen for seen in tally.observations if seen.check == "FUZ-001" and seen.findings]

    assert [seen.findings[0].message for seen in broken] == ["answered 500 {} (the smallest of 6)"]
    assert "red" not in (broken[0].repro or "")
    assert len(bodies) > 12
