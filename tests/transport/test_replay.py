import asyncio
import json

import pytest

from setu.cassette.faults import parse_rule
from setu.cassette.library import Library
from setu.errors import TruncatedError
from setu.http import Ending
from setu.transport.replay import Replay
from tests.cassette.samples import ANTHROPIC_STREAM, SSE, interaction, request, talk
from tests.transport.virtual import VirtualClock, hear, read_timed


def render(dialect, info):
    return json.dumps({"dialect": dialect, "code": info.code, "message": info.message, "status": info.status}).encode()


def replay(*interactions, faults=(), speed=0.0, clock=None):
    rules = [parse_rule(text) for text in faults]
    return Replay(Library(interactions), clock or VirtualClock(), render_error=render, speed=speed, faults=rules)


async def outcome(transport, asked):
    """Return the status and body, or how the body ended."""
    response = await transport.send(asked)
    try:
        return response.status, await response.read()
    except TruncatedError as error:
        return "reset" if error.reset else "cut"


def outcomes(transport, *asked):
    async def scenario():
        return [await outcome(transport, each) for each in asked]

    return asyncio.run(scenario())


def test_a_hit_is_the_recorded_answer_and_says_so():
    recorded = interaction(ANTHROPIC_STREAM, headers=SSE | {"request-id": "req_1"})

    response = asyncio.run(replay(recorded).send(request()))

    assert response.status == 200
    assert list(response.headers.items()) == [*(SSE | {"request-id": "req_1"}).items(), ("x-setu-replay", "hit")]
    assert asyncio.run(response.read()) == ANTHROPIC_STREAM


def test_recorded_errors_are_served_as_they_were():
    recorded = interaction(b'{"error":{}}', status=529, headers={"retry-after": "7"})

    response = asyncio.run(replay(recorded).send(request()))

    assert (response.status, response.body, response.headers.get("retry-after")) == (529, b'{"error":{}}', "7")


def test_events_keep_their_boundaries_and_time():
    recorded = interaction(b"data: 1\n\ndata: 2\n\n", arrivals=((100, 9), (350, 9)))

    async def scenario(speed):
        clock = VirtualClock()
        response = await replay(recorded, speed=speed, clock=clock).send(request())
        return await read_timed(response, clock)

    assert asyncio.run(scenario(1)) == [(0.1, b"data: 1\n\n"), (0.35, b"data: 2\n\n")]
    assert asyncio.run(scenario(10)) == [(0.01, b"data: 1\n\n"), (0.035, b"data: 2\n\n")]
    assert asyncio.run(scenario(0)) == [(0, b"data: 1\n\n"), (0, b"data: 2\n\n")]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (Ending.TRUNCATED, "cut"),
        (Ending.RESET, "reset"),
        (Ending.CLOSED_BY_CLIENT, "cut"),
        (Ending.ERROR, "cut"),
    ],
)
def test_an_interrupted_recording_fails_again(end, expected):
    assert outcomes(replay(interaction(ANTHROPIC_STREAM, end=end)), request()) == [expected]


def test_a_miss_is_a_424_that_no_sdk_retries():
    transport = replay(interaction(asked=talk("hello")))

    response = asyncio.run(transport.send(talk("hullo")))

    assert response.status == 424
    assert dict(response.headers.items()) == {
        "content-type": "application/json",
        "x-should-retry": "false",
        "x-setu-replay": "miss",
    }
    told = json.loads(asyncio.run(response.read()))
    assert (told["dialect"], told["code"], told["status"]) == ("anthropic", "no_matching_recording", 424)
    assert "differs first at /messages/0/content" in told["message"]
    assert '+ "hullo"' in told["message"]
    assert (transport.hits, transport.misses, transport.unused) == (0, 1, 1)


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/api/v1/chat/completions", "openai_chat"),
        ("/v1beta/models/g:generateContent", "gemini"),
        ("/v1/embeddings", "openai_chat"),
        ("/v1/files", ""),
    ],
)
def test_a_miss_is_worded_by_the_paths_dialect(path, dialect):
    [(status, body)] = outcomes(replay(), request({}, path=path))

    assert status == 424
    assert json.loads(body)["dialect"] == dialect


def test_hits_misses_and_leftovers_are_counted():
    transport = replay(interaction(b"1", asked=talk("a")), interaction(b"2", asked=talk("b")))

    assert outcomes(transport, talk("a"))[0] == (200, b"1")
    assert outcomes(transport, talk("a"))[0][0] == 424
    assert (transport.hits, transport.misses, transport.unused) == (1, 1, 1)


def test_a_streamed_request_body_is_matched():
    async def chunks():
        yield request().body[:10]
        yield request().body[10:]

    asked = request()
    asked.body = chunks()

    assert outcomes(replay(interaction(b"1")), asked) == [(200, b"1")]


def test_a_fault_strikes_every_call():
    transport = replay(*[interaction(ANTHROPIC_STREAM)] * 2, faults=["close@event=1"])

    assert outcomes(transport, request(), request()) == ["cut", "cut"]


def test_a_fault_may_strike_one_call_of_one_dialect():
    chat = request({"model": "m"}, path="/v1/chat/completions")
    recorded = [interaction(b"chat", asked=chat)] * 2 + [interaction(b"text")] * 2
    transport = replay(*recorded, faults=["anthropic#2: rst"])

    assert outcomes(transport, chat, request(), chat, request()) == [
        (200, b"chat"),
        (200, b"text"),
        (200, b"chat"),
        "reset",
    ]


def test_faults_compose_in_their_order():
    transport = replay(interaction(b"data: 1\n\ndata: 2\n\n"), faults=["resplit=3", "close@event=2"])

    async def scenario():
        return await hear(await transport.send(request()))

    chunks, error = asyncio.run(scenario())

    assert chunks == [b"dat", b"a: "]
    assert error is not None


def test_a_burst_comes_before_the_recording_and_does_not_use_it_up():
    transport = replay(interaction(b"1"), faults=["429x2 retry-after=1.5"])

    async def scenario():
        return [await transport.send(request()) for _ in range(3)]

    responses = asyncio.run(scenario())

    assert [response.status for response in responses] == [429, 429, 200]
    assert [response.headers.get("retry-after") for response in responses] == ["1.5", "1.5", None]
    assert [response.headers.get("x-setu-replay") for response in responses] == ["fault", "fault", "hit"]
    assert json.loads(asyncio.run(responses[0].read()))["dialect"] == "anthropic"


def test_a_burst_may_come_before_a_later_call():
    transport = replay(*[interaction(b"1")] * 2, faults=["anthropic#2: 503"])

    assert [found[0] for found in outcomes(transport, request(), request(), request())] == [200, 503, 200]


def test_a_burst_of_one_dialect_leaves_the_others_alone():
    chat = request({"model": "m"}, path="/v1/chat/completions")
    transport = replay(interaction(b"chat", asked=chat), interaction(b"1"), faults=["anthropic:500x2"])

    found = outcomes(transport, request(), chat, request(), request())

    assert [each[0] for each in found] == [500, 200, 500, 200]
