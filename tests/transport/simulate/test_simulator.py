import ast
import asyncio
from pathlib import Path

import pytest

from setu.http import Ending, Request
from setu.transport.simulate import simulator
from setu.transport.simulate.simulator import Simulator
from tests.transport.simulate.upstream import FixedClock, ask, user

BODY = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'


def test_a_closed_body_yields_nothing_more() -> None:
    async def closed() -> list[bytes]:
        response = await Simulator(FixedClock()).send(Request(method="POST", path="/v1/chat/completions", body=BODY))
        chunks = response.chunks()
        await anext(chunks)
        await response.aclose()
        await response.aclose()
        return [chunk async for chunk in chunks]

    assert asyncio.run(closed()) == []


def test_a_script_is_one_chunk_an_event() -> None:
    request = Request(method="POST", path="/v1/chat/completions", body=BODY)
    head, *events, end = asyncio.run(Simulator(FixedClock()).script(request))

    assert head.status == 200
    assert all(event.data.startswith(b"data: ") and event.data.endswith(b"\n\n") for event in events)
    assert end.kind == Ending.COMPLETE


def test_a_body_that_streams_in_is_read() -> None:
    async def body():
        yield BODY[:9]
        yield BODY[9:]

    async def sent(body) -> bytes:
        request = Request(method="POST", path="/v1/chat/completions", body=body)
        return await (await Simulator(FixedClock()).send(request)).read()

    assert asyncio.run(sent(body())) == asyncio.run(sent(BODY))


@pytest.mark.parametrize(
    ("path", "headers", "field"),
    [
        ("/api/v1/chat/completions", {}, "choices"),
        ("/anthropic/v1/messages", {"anthropic_version": "2023-06-01"}, "stop_reason"),
        ("/v1/projects/p/v1beta/models/x/y:generateContent", {}, "candidates"),
    ],
)
def test_the_dialect_is_found_behind_any_base_path(path, headers, field) -> None:
    body = {"model": "m", "messages": [user("hi")], "max_tokens": 9}
    if field == "candidates":
        body = {"contents": [{"parts": [{"text": "hi"}]}]}

    assert field in ask(path, body, **headers).json


def test_parallel_requests_do_not_mix() -> None:
    async def both() -> list[bytes]:
        simulator = Simulator(FixedClock())

        async def one(number: int) -> bytes:
            body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"nonce:n%d"}]}' % number
            return await (await simulator.send(Request(method="POST", path="/v1/chat/completions", body=body))).read()

        return await asyncio.gather(*(one(number) for number in range(8)))

    bodies = asyncio.run(both())

    assert len(set(bodies)) == 8
    assert all(b"nonce:n%d" % number in body for number, body in enumerate(bodies))


ALLOWED = {
    *("setu.framing.frame", "setu.framing.eventstream"),  # bytes and frames, below every dialect
    *("setu._json", "setu", "setu.http", "setu.ports", "setu.cassette.script", "setu.transport.play"),
    *("setu.dialects.routes", "setu.dialects.record"),
}


@pytest.mark.parametrize("path", sorted(Path(simulator.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_it_shares_no_codec_with_the_side_it_answers(path) -> None:
    imports = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in imports if name and name.split(".")[0] == "setu"}

    assert {name for name in ours if not name.startswith("setu.transport.simulate")} <= ALLOWED
