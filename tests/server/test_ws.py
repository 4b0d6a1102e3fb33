"""WebSocket mode over real sockets, with a transport that answers Responses streams."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio import client
from websockets.exceptions import InvalidStatus

from setu import _json
from setu.http import Headers, Request, Response
from setu.server.app import App
from setu.server.endpoints import Operations
from setu.server.serve import Background
from setu.server.ws import History
from tests.clocks import RealClock


class Body:
    """A stream of events, one chunk each, cut in the middle; hangs at the end if asked to."""

    def __init__(self, events: list[dict[str, Any]], *, hang: bool = False) -> None:
        self.events = events
        self.hang = hang
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self.events:
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            yield data[:20]
            yield data[20:]
        if self.hang:
            await asyncio.sleep(60)

    async def aclose(self) -> None:
        self.closed = True


class Upstream:
    """Answers turn n with a completed response `resp_n` that says `answer n`."""

    def __init__(self, *, hang: bool = False, status: int = 200) -> None:
        self.requests: list[Request] = []
        self.bodies: list[Body] = []
        self.hang = hang
        self.status = status

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        if self.status != 200:
            error = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": "bad"}}
            return Response(self.status, Headers.of({"content-type": "application/json"}), _json.encode(error))
        number = len(self.requests)
        item = {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": f"answer {number}"}],
        }
        response = {"id": f"resp_{number}", "output": []}
        done = {**response, "output": [item]}
        events: list[dict[str, Any]] = [{"type": "response.created", "sequence_number": 0, "response": response}]
        if not self.hang:
            events.append({"type": "response.completed", "sequence_number": 1, "response": done})
        self.bodies.append(Body(events, hang=self.hang))
        return Response(200, Headers.of({"content-type": "text/event-stream"}), self.bodies[-1])

    async def aclose(self) -> None:
        pass

    def asked(self, number: int) -> dict[str, Any]:
        body = self.requests[number].body
        assert isinstance(body, bytes)
        said: dict[str, Any] = json.loads(body)
        return said


def talk(
    upstream: Upstream,
    use: Callable[[client.ClientConnection], Awaitable[Any]],
    path: str = "/v1/responses",
    **options: Any,
) -> Any:
    operations = Operations(RealClock(), lambda: {"usable": True}, dict)
    app = App(upstream, lambda _request, _info: b"{}", operations, lambda prefix: f"{prefix}1", max_body=10_000)

    async def main(url: str) -> Any:
        address = url.replace("http", "ws") + path
        fields = {"additional_headers": {"authorization": "Bearer k"}, **options}
        async with client.connect(address, **fields) as socket:
            return await use(socket)

    with Background(app) as server:
        return asyncio.run(main(server.url))


async def turn(socket: client.ClientConnection, **members: Any) -> list[dict[str, Any]]:
    """Send one response.create and read to its end."""
    await socket.send(json.dumps({"type": "response.create", **members}))
    events = []
    while True:
        events.append(json.loads(await asyncio.wait_for(socket.recv(), 5)))
        if events[-1]["type"] in {"response.completed", "error"}:
            return events


def test_a_turn_is_a_post_and_its_events_are_messages() -> None:
    upstream = Upstream()

    events = talk(upstream, lambda socket: turn(socket, model="m", input="hi", temperature=1))

    assert [event["type"] for event in events] == ["response.created", "response.completed"]
    assert upstream.asked(0) == {"model": "m", "input": "hi", "temperature": 1, "stream": True}
    assert upstream.requests[0].path == "/v1/responses"
    assert upstream.requests[0].headers.get("authorization") == "Bearer k"
    assert "upgrade" not in upstream.requests[0].headers


def test_a_key_in_the_query_comes_with_every_turn() -> None:
    upstream = Upstream()

    talk(upstream, lambda socket: turn(socket, model="m", input="hi"), "/v1/responses?key=k&provider=p")

    assert upstream.requests[0].query == "key=k&provider=p"


def test_a_page_says_its_key_as_a_sub_protocol_which_goes_no_further() -> None:
    """A browser lets a page set no field of the opening request."""
    upstream = Upstream()
    offered = ["realtime", "openai-insecure-api-key.sk-of-a-page"]

    async def chosen(socket: client.ClientConnection) -> Any:
        await turn(socket, model="m", input="hi")
        return socket.subprotocol

    named = talk(upstream, chosen, subprotocols=offered, additional_headers={})

    headers = upstream.requests[0].headers
    assert named == "realtime"
    assert headers.get("authorization") == "Bearer sk-of-a-page"
    assert "sec-websocket-protocol" not in headers


def test_a_previous_response_of_this_connection_is_sent_whole() -> None:
    upstream = Upstream()

    async def two(socket: client.ClientConnection) -> None:
        await turn(socket, model="m", input="one")
        await turn(socket, model="m", input=[{"role": "user", "content": "two"}], previous_response_id="resp_1")

    talk(upstream, two)

    second = upstream.asked(1)
    assert "previous_response_id" not in second
    assert [item.get("content") for item in second["input"]] == [
        "one",
        [{"type": "output_text", "text": "answer 1"}],
        "two",
    ]


def test_an_unknown_previous_response_is_left_to_the_upstream() -> None:
    upstream = Upstream()

    talk(upstream, lambda socket: turn(socket, model="m", input="hi", previous_response_id="resp_elsewhere"))

    assert upstream.asked(0)["previous_response_id"] == "resp_elsewhere"


def test_a_prewarm_asks_no_model_and_can_be_built_on() -> None:
    upstream = Upstream()

    async def two(socket: client.ClientConnection) -> list[dict[str, Any]]:
        first = await turn(socket, model="m", input="rules", generate=False)
        await turn(socket, model="m", input="go", previous_response_id=first[-1]["response"]["id"])
        return first

    first = talk(upstream, two)

    assert [event["sequence_number"] for event in first] == [0, 1]
    assert len(upstream.requests) == 1
    assert [item["content"] for item in upstream.asked(0)["input"]] == ["rules", "go"]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ('{"type":"response.create","stream_id":"a","model":"m"}', "stream_id"),
        ('{"type":"response.create","background":true,"model":"m"}', "background"),
        ('{"type":"session.update"}', "type"),
        ("[1,2]", None),
        ("{nope", None),
    ],
)
def test_what_cannot_be_served_gets_an_error_event_and_the_connection_lives(message: str, param: str | None) -> None:
    upstream = Upstream()

    async def use(socket: client.ClientConnection) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        await socket.send(message)
        refused = json.loads(await asyncio.wait_for(socket.recv(), 5))
        return refused, await turn(socket, model="m", input="hi")

    refused, events = talk(upstream, use)

    assert (refused["type"], refused["status"], refused["error"]["param"]) == ("error", 400, param)
    assert events[-1]["type"] == "response.completed"


def test_an_upstream_error_is_an_error_event_with_its_status() -> None:
    (event,) = talk(Upstream(status=429), lambda socket: turn(socket, model="m", input="hi"))

    assert (event["status"], event["error"]["code"]) == (429, "bad")


def test_a_client_that_leaves_lets_the_upstream_go() -> None:
    upstream = Upstream(hang=True)

    async def use(socket: client.ClientConnection) -> None:
        await socket.send('{"type":"response.create","model":"m","input":"hi"}')
        await asyncio.wait_for(socket.recv(), 5)
        await socket.close()
        for _ in range(100):
            if upstream.bodies[0].closed:
                return
            await asyncio.sleep(0.01)

    talk(upstream, use)

    assert upstream.bodies[0].closed


def test_a_message_over_the_limit_closes_the_connection() -> None:
    async def use(socket: client.ClientConnection) -> int | None:
        await socket.send(json.dumps({"type": "response.create", "input": "x" * 20_000}))
        await asyncio.wait_for(socket.wait_closed(), 5)
        return socket.close_code

    assert talk(Upstream(), use) == 1009


def test_no_other_path_is_a_socket() -> None:
    with pytest.raises(InvalidStatus):
        talk(Upstream(), turn, path="/v1/chat/completions")


def test_the_history_forgets_the_oldest() -> None:
    history = History(turns=2, size=10)
    for name in ("a", "b", "c"):
        history.put(name, [b"1234"])

    assert [history.get(name) for name in ("a", "b", "c")] == [None, [b"1234"], [b"1234"]]
    history.put("d", [b"123456789"])
    assert history.get("b") is None
    assert history.get("d") == [b"123456789"]
