import json
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.fault_events import crlf, drop_done, inject_error, malformed_event, ping
from setu.cassette.fault_steps import Struck, cut, split
from setu.cassette.pieces import framing_of
from setu.cassette.script import Bytes, End, Wait, script, script_of
from setu.dialects.registry import DIALECTS
from setu.framing.kinds import DECODERS
from setu.http import Ending, Headers
from tests.cassettes.bundled import ROOT, bundled
from tests.cassettes.bundled import interaction as recorded

STREAMS = {
    "openai_chat": ("openai", "text-stream"),
    "anthropic": ("anthropic", "text-stream"),
    "gemini": ("gemini", "text-stream"),
    "gemini array": ("gemini", "text-array-stream"),
    "cohere": ("cohere", "text-stream"),
    "ollama": ("ollama", "text-stream"),
    "bedrock": ("bedrock", "text-stream"),
}
RESPONSES = (
    b'event: response.created\ndata: {"type":"response.created","sequence_number":0}\n\n'
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":1,"delta":"a"}\n\n'
    b'event: response.completed\ndata: {"type":"response.completed","sequence_number":2}\n\n'
)
every_stream = pytest.mark.parametrize("name", [*STREAMS, "openai_responses"])


@cache
def stream(name):
    """A stream of a dialect as a script, and what a fault is told of it."""
    if name == "openai_responses":
        pieces = [piece + b"\n\n" for piece in RESPONSES.split(b"\n\n")[:-1]]
        return script(200, Headers(), *pieces), Struck(dialect=name)
    found = bundled(*STREAMS[name])
    return script_of(found), Struck(dialect=name.partition(" ")[0], framing=framing_of(found.exchange))


def body(steps):
    return b"".join(step.data for step in steps if isinstance(step, Bytes))


def frames(steps, struck):
    decoder = DECODERS[struck.framing]()
    return [*decoder.feed(body(steps)), *decoder.close()]


def events(steps, struck):
    """What each event holds, as a client reads it."""
    return [(each.event, (each.data or b"").strip()) for each in frames(steps, struck) if each.data is not None]


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("openai_chat", [b"[DONE]"]),
        ("openai_responses", [b"response.completed"]),
        ("anthropic", [b"message_stop"]),
        ("cohere", [b"message-end", b"[DONE]"]),
        ("ollama", [b'"done":true']),
        ("bedrock", [b"messageStop", b"metadata"]),
    ],
)
def test_only_what_says_that_it_was_all_is_dropped(name, dropped) -> None:
    steps, struck = stream(name)

    left = drop_done(struck)(steps)

    assert left == (*steps[: -1 - len(dropped)], End())
    gone = steps[-1 - len(dropped) : -1]
    assert all(word in step.data for word, step in zip(dropped, gone, strict=True))


@pytest.mark.parametrize("name", ["gemini", "gemini array"])
def test_of_geminis_last_event_only_the_finish_is_dropped(name) -> None:
    steps, struck = stream(name)

    left = events(drop_done(struck)(steps), struck)

    whole = [json.loads(data) for _, data in events(steps, struck)]
    assert whole[-1]["candidates"][0].pop("finishReason") == "STOP"
    assert [json.loads(data) for _, data in left] == whole
    assert frames(drop_done(struck)(steps), struck)[-1].terminated


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b'{"finishReason":"STOP","index":0}', b'{"index":0}'),
        (b'{"finishReason": "STOP"}', b"{}"),
        (
            b'{"text":"\\"finishReason\\":\\"STOP\\"","finishReason":"MAX_TOKENS"}',
            b'{"text":"\\"finishReason\\":\\"STOP\\""}',
        ),
    ],
)
def test_a_finish_is_cut_out_wherever_it_stands(data, left) -> None:
    steps = script(200, Headers(), b"data: " + data + b"\n\n")

    assert body(drop_done(Struck(dialect="gemini"))(steps)) == b"data: " + left + b"\n\n"


def test_comments_after_the_last_event_stay() -> None:
    steps = script(200, Headers(), b"data: {}\n\n", b"data: [DONE]\n\n", b": bye\n\n")

    assert body(drop_done(Struck(dialect="openai_chat"))(steps)) == b"data: {}\n\n: bye\n\n"


def test_a_stream_without_an_end_is_left_alone() -> None:
    steps = script(200, Headers(), b"data: {}\n\n", b"data: nothing\n\n", b"data: 1\n\n")

    assert drop_done(Struck(dialect="somebody"))(steps) == steps


@every_stream
@pytest.mark.parametrize("event", [0, 1])
def test_one_event_is_malformed_and_the_others_are_not(name, event) -> None:
    steps, struck = stream(name)

    spoilt = events(malformed_event(event)(struck)(steps), struck)

    whole = events(steps, struck)
    assert [at for at, pair in enumerate(zip(whole, spoilt, strict=True)) if pair[0] != pair[1]] == [event]
    with pytest.raises(json.JSONDecodeError):
        json.loads(spoilt[event][1])


@pytest.mark.parametrize(
    ("raw", "spoilt"),
    [
        (b"data: [DONE]\n\n", b"data: [DONE,]\n\n"),
        (b"data: 7\r\n\r\n", b"data: 7{\r\n\r\n"),
        (b'data: {"a":\ndata: 1}\n: c}\n\n', b'data: {"a":\ndata: 1,}\n: c}\n\n'),
        (b": ping\n\ndata: {}\n\n", b": ping\n\ndata: {,}\n\n"),
    ],
)
def test_an_event_is_malformed_where_its_data_stands(raw, spoilt) -> None:
    assert body(malformed_event(0)(Struck())(script(200, Headers(), raw))) == spoilt


def test_a_whole_answer_is_one_event() -> None:
    steps = script(200, Headers(), b'{"a":', b'"b"}')

    assert body(malformed_event(5)(Struck(framing="json"))(steps)) == b'{"a":"b"}'
    assert body(malformed_event(0)(Struck(framing="json"))(steps)) == b'{"a":"b",}'


def test_a_malformed_event_past_the_last_one_is_none() -> None:
    steps, struck = stream("anthropic")

    assert malformed_event(99)(struck)(steps) == steps


@every_stream
@pytest.mark.parametrize("event", [0, 1, 99])
def test_an_injected_error_is_the_providers_own_and_the_last(name, event) -> None:
    steps, struck = stream(name)

    done = inject_error(event)(struck)(steps)

    found = frames(done, struck)
    last = [each for each in found if each.data is not None][-1]
    before = events(steps, struck)[:event]
    assert events(done, struck)[:-1] == before
    assert found[-1].terminated
    assert done[-1] == End()
    assert b"a fault that the replay was told to play" in (last.data or b"")


@pytest.mark.parametrize(
    ("name", "event", "members"),
    [
        ("openai_chat", None, {"error": {"type": "server_error"}}),
        ("openai_responses", "error", {"type": "error", "sequence_number": 2}),
        ("anthropic", "error", {"type": "error", "error": {"type": "overloaded_error"}}),
        ("gemini", None, {"error": {"code": 503, "status": "UNAVAILABLE"}}),
        ("cohere", "message-end", {"type": "message-end", "delta": {"finish_reason": "ERROR"}}),
        ("ollama", None, {}),
        ("bedrock", "modelStreamErrorException", {}),
    ],
)
def test_errors_in_mid_stream_say_what_the_provider_says(name, event, members) -> None:
    steps, struck = stream(name)

    last = frames(inject_error(2)(struck)(steps), struck)[-1]

    found = json.loads(last.data or b"")
    assert last.event == event
    for member, value in members.items():
        assert found[member] == value if not isinstance(value, dict) else value.items() <= found[member].items()


def test_an_injected_error_may_have_another_status() -> None:
    steps, struck = stream("anthropic")

    assert b'"rate_limit_error"' in body(inject_error(1, 429)(struck)(steps))


def test_errors_and_pings_end_their_lines_as_the_stream_does() -> None:
    steps, struck = stream("gemini")

    for fault in (inject_error(1)(struck), ping(1)(struck)):
        assert b"\n" not in body(fault(steps)).replace(b"\r\n", b"")


@every_stream
@pytest.mark.parametrize("event", [0, 2, 99])
def test_a_ping_adds_nothing_that_a_client_reads(name, event) -> None:
    steps, struck = stream(name)

    done = ping(event)(struck)(steps)

    whole, pinged = events(steps, struck), events(done, struck)
    assert len(pinged) - len(whole) == (name in ("anthropic", "bedrock"))
    assert [pair for pair in pinged if pair[0] != "ping"] == [pair for pair in whole if pair[0] != "ping"]
    assert len(body(done)) > len(body(steps))


@every_stream
def test_crlf_changes_line_ends_and_nothing_else(name) -> None:
    steps, struck = stream(name)

    done = crlf(struck)(steps)

    assert events(done, struck) == events(steps, struck)
    if struck.framing == "sse":
        assert b"\n" not in body(done).replace(b"\r\n", b"")
    else:
        assert done == steps


@every_stream
@given(size=st.integers(1, 40))
def test_events_are_found_however_the_bytes_are_cut(name, size) -> None:
    steps, struck = stream(name)
    pieces = split(size)(steps)

    for fault in (drop_done(struck), malformed_event(1)(struck), inject_error(1)(struck), ping(1)(struck)):
        assert body(fault(pieces)) == body(fault(steps))
    assert body(crlf(struck)(pieces)) == body(crlf(struck)(steps))


def test_waits_stay_between_the_same_events() -> None:
    head, *events_, end = stream("openai_chat")[0]
    steps = (head, Wait(1), *events_[:-1], Wait(2), events_[-1], Wait(3), end)

    assert drop_done(stream("openai_chat")[1])(steps) == (head, Wait(1), *events_[:-1], Wait(2), Wait(3), end)


def test_a_broken_stream_stays_broken() -> None:
    steps, struck = stream("anthropic")

    broken = cut(after_event=2)(steps)

    assert ping(1)(struck)(broken)[-1] == End(Ending.TRUNCATED)
    assert drop_done(struck)(broken) == broken


@pytest.mark.parametrize("framing", ["json"])
def test_an_answer_that_is_no_stream_has_no_events(framing) -> None:
    steps = script(200, Headers(), b'{"a":"\n"}')
    struck = Struck(dialect="anthropic", framing=framing)

    for fault in (drop_done(struck), inject_error(0)(struck), ping(0)(struck), crlf(struck)):
        assert fault(steps) == steps


def test_every_bundled_stream_that_ended_well_has_an_end_to_drop() -> None:
    checked = 0
    for path in sorted(ROOT.rglob("*stream*.yaml")):
        found = recorded(path)
        framing = framing_of(found.exchange)
        if framing == "json" or "midstream" in path.name:
            continue
        dialect = found.recording.dialect
        struck = Struck(dialect=dialect, framing=framing)
        steps = script_of(found)
        assert drop_done(struck)(steps) != steps, path
        checked += dialect in DIALECTS

    assert checked > 20


def test_a_stream_of_nothing_has_nothing_to_break() -> None:
    steps = script(200, Headers())

    for name in ("sse", "ndjson", "eventstream", "json"):
        struck = msgspec.structs.replace(Struck(dialect="anthropic"), framing=name)
        assert malformed_event(0)(struck)(steps) == steps
        assert drop_done(struck)(steps) == steps
