import asyncio
import json

import pytest

from setu.cassette.faults import Rule, parse_rule
from setu.cassette.journal import Journal
from setu.cassette.library import Library
from setu.cassette.physics import Physics
from setu.cassette.script import End
from setu.errors import TruncatedError
from setu.http import Ending
from setu.transport.replay import Replay
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, SSE, interaction, request, talk
from tests.transport.virtual import VirtualClock, hear, read_timed


def render(dialect, info):
    return json.dumps({"dialect": dialect, "code": info.code, "message": info.message, "status": info.status}).encode()


def replay(*interactions, faults=(), speed=0.0, clock=None, **options):
    rules = [parse_rule(text) for text in faults]
    return Replay(
        Library(interactions), clock or VirtualClock(), render_error=render, speed=speed, faults=rules, **options
    )


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


def test_a_hit_is_the_recorded_answer_and_says_so() -> None:
    recorded = interaction(ANTHROPIC_STREAM, headers=SSE | {"request-id": "req_1"})

    response = asyncio.run(replay(recorded).send(request()))

    assert response.status == 200
    marks = {"x-setu-replay": "hit", "x-setu-match": "exact"}
    assert dict(response.headers.items()) == SSE | {"request-id": "req_1"} | marks
    assert asyncio.run(response.read()) == ANTHROPIC_STREAM


def test_recorded_errors_are_served_as_they_were() -> None:
    recorded = interaction(b'{"error":{}}', status=529, headers={"retry-after": "7"})

    response = asyncio.run(replay(recorded).send(request()))

    assert (response.status, response.body, response.headers.get("retry-after")) == (529, b'{"error":{}}', "7")


def test_events_keep_their_boundaries_and_time() -> None:
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
def test_an_interrupted_recording_fails_again(end, expected) -> None:
    assert outcomes(replay(interaction(ANTHROPIC_STREAM, end=end)), request()) == [expected]


def test_a_miss_is_a_424_that_no_sdk_retries() -> None:
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
def test_a_miss_is_worded_by_the_paths_dialect(path, dialect) -> None:
    [(status, body)] = outcomes(replay(), request({}, path=path))

    assert status == 424
    assert json.loads(body)["dialect"] == dialect


def test_hits_misses_and_leftovers_are_counted() -> None:
    transport = replay(interaction(b"1", asked=talk("a")), interaction(b"2", asked=talk("b")))

    assert outcomes(transport, talk("a"))[0] == (200, b"1")
    assert outcomes(transport, talk("a"))[0][0] == 424
    assert (transport.hits, transport.misses, transport.unused) == (1, 1, 1)


def test_a_streamed_request_body_is_matched() -> None:
    async def chunks():
        yield request().body[:10]
        yield request().body[10:]

    asked = request()
    asked.body = chunks()

    assert outcomes(replay(interaction(b"1")), asked) == [(200, b"1")]


def test_a_fault_strikes_every_call() -> None:
    transport = replay(*[interaction(ANTHROPIC_STREAM)] * 2, faults=["close@event=1"])

    assert outcomes(transport, request(), request()) == ["cut", "cut"]


def test_a_fault_may_strike_one_call_of_one_dialect() -> None:
    chat = request({"model": "m"}, path="/v1/chat/completions")
    recorded = [interaction(b"chat", asked=chat)] * 2 + [interaction(b"text")] * 2
    transport = replay(*recorded, faults=["anthropic#2: rst"])

    assert outcomes(transport, chat, request(), chat, request()) == [
        (200, b"chat"),
        (200, b"text"),
        (200, b"chat"),
        "reset",
    ]


def test_faults_compose_in_their_order() -> None:
    transport = replay(interaction(b"data: 1\n\ndata: 2\n\n"), faults=["resplit=3", "close@event=2"])

    async def scenario():
        return await hear(await transport.send(request()))

    chunks, error = asyncio.run(scenario())

    assert chunks == [b"dat", b"a: "]
    assert error is not None


def test_a_burst_comes_before_the_recording_and_does_not_use_it_up() -> None:
    transport = replay(interaction(b"1"), faults=["429x2 retry-after=1.5"])

    async def scenario():
        return [await transport.send(request()) for _ in range(3)]

    responses = asyncio.run(scenario())

    assert [response.status for response in responses] == [429, 429, 200]
    assert [response.headers.get("retry-after") for response in responses] == ["1.5", "1.5", None]
    assert [response.headers.get("x-setu-replay") for response in responses] == ["fault", "fault", "hit"]
    assert json.loads(asyncio.run(responses[0].read()))["dialect"] == "anthropic"


def test_a_burst_may_come_before_a_later_call() -> None:
    transport = replay(*[interaction(b"1")] * 2, faults=["anthropic#2: 503"])

    assert [found[0] for found in outcomes(transport, request(), request(), request())] == [200, 503, 200]


def test_a_burst_of_one_dialect_leaves_the_others_alone() -> None:
    chat = request({"model": "m"}, path="/v1/chat/completions")
    transport = replay(interaction(b"chat", asked=chat), interaction(b"1"), faults=["anthropic:500x2"])

    found = outcomes(transport, request(), chat, request(), request())

    assert [each[0] for each in found] == [500, 200, 500, 200]


def entries(transport):
    return transport.journal.entries


def test_a_request_may_bring_a_fault_of_its_own() -> None:
    transport = replay(*[interaction(ANTHROPIC_STREAM)] * 3)
    struck = request(headers={"x-setu-fault": "split=9; close@byte=20"})

    assert outcomes(transport, struck, request()) == ["cut", (200, ANTHROPIC_STREAM)]
    assert outcomes(transport, request(headers={"x-setu-fault": "503"}))[0][0] == 503


def test_a_fault_that_nobody_knows_is_a_400_that_is_not_retried() -> None:
    transport = replay(interaction(b"1"))

    response = asyncio.run(transport.send(request(headers={"x-setu-fault": "explode"})))

    assert (response.status, response.headers.get("x-should-retry")) == (400, "false")
    told = json.loads(asyncio.run(response.read()))
    assert told["code"] == "bad_fault"
    assert "'drop-done'" in told["message"]
    assert (entries(transport)[0].match, transport.unused) == ("refused", 1)


def test_faults_may_be_set_while_it_runs() -> None:
    transport = replay(*[interaction(b"1")] * 3, faults=["#2: rst"])
    assert outcomes(transport, request()) == [(200, b"1")]

    transport.set_faults([parse_rule("#1: close@event=0")])

    assert [rule.text for rule in transport.faults] == ["#1: close@event=0"]
    assert outcomes(transport, request(), request()) == ["cut", (200, b"1")]


def test_faults_know_the_stream_they_strike() -> None:
    chat = request({"model": "m", "stream": True}, path="/v1/chat/completions")
    transport = replay(
        interaction(ANTHROPIC_STREAM), interaction(CHAT_STREAM, asked=chat), interaction(b"{}", asked=talk("x")),
        faults=["drop-done", "ping@event=1"],
    )  # fmt: skip

    whole = ANTHROPIC_STREAM.partition(b"event: message_stop")[0]
    first, rest = whole[: whole.index(b"\n\n") + 2], whole[whole.index(b"\n\n") + 2 :]
    assert outcomes(transport, request(), chat, talk("x")) == [
        (200, first + b'event: ping\ndata: {"type": "ping"}\n\n' + rest),
        (200, CHAT_STREAM.partition(b"data: [DONE]")[0] + b": keep-alive\n\n"),
        (200, b"{}"),
    ]


def test_answers_may_be_paced_otherwise_than_they_were_recorded() -> None:
    recorded = interaction(CHAT_STREAM, arrivals=((100, len(CHAT_STREAM)),))

    async def due(**options):
        clock = VirtualClock()
        response = await replay(recorded, clock=clock, **options).send(request())
        return [at for at, _ in await read_timed(response, clock)]

    assert asyncio.run(due(ttfb=0.7)) == [0.7, 0.7]
    assert asyncio.run(due(ttfb=0.7, speed=1.0)) == [0.7, 0.7]
    assert asyncio.run(due(speed=1.0)) == [0.1, 0.1]
    assert asyncio.run(due(physics=Physics(ttft=0.3, tps=5), speed=1.0)) == [0.3, 0.3]


def test_the_journal_says_what_was_asked_and_answered() -> None:
    async def scenario():
        clock = VirtualClock()
        recorded = interaction(CHAT_STREAM, asked=talk("a", stream=True))
        transport = replay(recorded, faults=["503 retry-after=2", "stall=3s@event=1"], clock=clock, scope="tests/a")
        retried = talk("a", stream=True)
        retried.headers.set("x-stainless-retry-count", "1")
        for asked in (talk("a", stream=True), retried, talk("b")):
            await (await transport.send(asked)).read()
            await clock.sleep(1)
        return entries(transport)

    failed, played, missed = asyncio.run(scenario())

    assert (failed.n, failed.at_ms, failed.status, failed.match, failed.fault) == (
        1,
        0,
        503,
        "fault",
        "503 retry-after=2",
    )
    assert (failed.retry_after_ms, failed.ended, failed.done_ms, failed.attempt) == (2000, "complete", 0, None)
    assert (played.at_ms, played.done_ms, played.status, played.match) == (1000, 4000, 200, "exact")
    assert (played.ended, played.events, played.fault, played.broken) == ("complete", 2, "stall=3s@event=1", False)
    assert (played.scope, played.dialect, played.op, played.model) == ("tests/a", "anthropic", "chat", "m")
    assert (played.method, played.path, played.attempt) == ("POST", "/v1/messages", 1)
    assert (failed.key, len(failed.key)) == (played.key, 16)
    assert (missed.status, missed.match, missed.place) == (424, "miss", "")


def test_the_journal_says_how_an_answer_ended() -> None:
    async def scenario(fault, *, leave=False):
        transport = replay(interaction(ANTHROPIC_STREAM), faults=[fault])
        response = await transport.send(request())
        if leave:
            await anext(response.body.__aiter__())
            await response.aclose()
        else:
            await hear(response)
        (entry,) = entries(transport)
        return entry.ended, entry.events, entry.broken

    assert asyncio.run(scenario("close@event=2")) == ("truncated-upstream", 2, True)
    assert asyncio.run(scenario("half-chunk@event=1")) == ("truncated-upstream", 1, True)
    assert asyncio.run(scenario("rst@event=3")) == ("reset", 3, True)
    assert asyncio.run(scenario("end@event=3")) == ("complete", 3, True)
    assert asyncio.run(scenario("split=9", leave=True)) == ("closed-by-client", 1, False)


def test_a_client_that_has_had_everything_may_leave() -> None:
    async def scenario():
        transport = replay(interaction(CHAT_STREAM))
        response = await transport.send(request())
        reader = response.body.__aiter__()
        await anext(reader)
        await anext(reader)
        await response.aclose()
        return entries(transport)[0].ended

    assert asyncio.run(scenario()) == "complete"


def test_a_client_may_leave_before_the_head() -> None:
    class Slow(VirtualClock):
        async def sleep(self, seconds):
            await asyncio.Event().wait()

    async def scenario():
        transport = replay(interaction(b"1"), faults=["latency=5s"], clock=Slow())
        asking = asyncio.create_task(transport.send(request()))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        return entries(transport)[0]

    entry = asyncio.run(scenario())

    assert (entry.ended, entry.events) == ("closed-by-client", 0)


def test_a_recording_that_broke_before_its_head_breaks_again() -> None:
    class Headless:
        """A fault that leaves nothing of an answer."""

        def __call__(self, struck):
            return lambda steps: (End(Ending.RESET),)

    async def scenario():
        transport = replay(interaction(b"1"))
        transport.set_faults([Rule(text="gone", effect=Headless(), breaks=True)])
        with pytest.raises(TruncatedError) as raised:
            await transport.send(request())
        return raised.value.reset, entries(transport)[0]

    reset, entry = asyncio.run(scenario())

    assert (reset, entry.ended, entry.status, entry.broken) == (True, "reset", 0, True)


def test_replays_may_share_a_journal() -> None:
    journal = Journal()

    for scope in ("a", "b"):
        outcomes(replay(interaction(b"1"), journal=journal, scope=scope), request())

    assert [(entry.n, entry.scope) for entry in journal] == [(1, "a"), (2, "b")]
    assert journal.hits == 2


def test_what_happens_to_one_answer_does_not_show_in_the_next() -> None:
    """A recording is cut into its events once and played from there ever after."""
    library = Library([interaction(CHAT_STREAM, asked=talk("a"), headers=SSE)], on_exhausted="last")
    transport = Replay(library, VirtualClock(), render_error=render)

    async def scenario():
        first = await transport.send(talk("a"))
        first.headers.set("x-mine", "1")
        second = await transport.send(talk("a"))
        return await first.read(), await second.read(), second.headers.get("x-mine")

    assert asyncio.run(scenario()) == (CHAT_STREAM, CHAT_STREAM, None)
