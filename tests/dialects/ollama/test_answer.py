import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.chat.events import Ended, Failed, Started
from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.parts import Reasoning, Text, ToolCall
from setu.dialects.ollama.codec import DIALECT
from setu.dialects.ollama.decoder import Decoder
from setu.errors import ErrorInfo, ErrorKind, ProviderError, RemoteDialectError
from setu.framing.frame import Frame
from setu.framing.ndjson import NdjsonDecoder
from setu.http import Headers
from tests.dialects.chats import JSON

HEAD = {"model": "qwen3", "created_at": "2026-11-20T09:00:00.123456789Z"}
DONE = {"done": True, "done_reason": "stop", "prompt_eval_count": 12, "eval_count": 7, "eval_duration": 9}


def line(content: str = "", **members: Any) -> dict[str, Any]:
    return {**HEAD, "message": {"role": "assistant", "content": content, **members}, "done": False}


def last(content: str = "", *, end: dict[str, Any] = DONE, **members: Any) -> dict[str, Any]:
    return {**line(content, **members), **end}


def call(city: str, **members: Any) -> dict[str, Any]:
    return {**members, "function": {"name": "weather", "arguments": {"city": city}}}


def decoded(*lines: Any) -> list[Any]:
    decoder = Decoder(counter())
    frames = [Frame(data=json.dumps(one).encode()) for one in lines]
    return [event for frame in frames for event in decoder.feed(frame)] + decoder.close()


def folded(*lines: Any) -> Folded:
    return fold(decoded(*lines))


def candidate(*lines: Any) -> Any:
    return folded(*lines).response.candidates[0]


def parts(*lines: Any) -> Any:
    return candidate(*lines).messages[0].parts


def parse(*lines: Any) -> Any:
    body = b"\n".join(json.dumps(one).encode() for one in lines)
    return DIALECT.upstream["chat"].parse_response(body, counter())


def test_thinking_then_text_grow_line_by_line() -> None:
    lines = [line(thinking="I "), line(thinking="see."), line("Hel"), line("lo"), last()]

    assert parts(*lines) == (Reasoning(text=("I see.",)), Text(text="Hello"))


def test_a_whole_answer_is_a_stream_of_one_line() -> None:
    whole = last("Hello", thinking="I see.", tool_calls=[call("Oslo", id="a")])

    assert parse(whole) == folded(whole).response
    assert [type(part) for part in parse(whole).candidates[0].messages[0].parts] == [Reasoning, Text, ToolCall]


def test_three_calls_in_three_lines_are_three_calls_though_each_says_index_0() -> None:
    """B-STR-07."""
    lines = [line(tool_calls=[{"function": {"index": 0, "name": "f", "arguments": {"q": q}}}]) for q in "abc"]
    made = parts(*lines, last())

    assert [part.arguments for part in made] == ['{"q": "a"}', '{"q": "b"}', '{"q": "c"}']
    assert len({part.call_id for part in made}) == 3


def test_an_id_is_kept_where_there_is_one_and_made_where_it_is_missing_or_repeated() -> None:
    """B-STR-06."""
    made = parts(line(tool_calls=[call("A", id="call_x"), call("B", id="call_x"), call("C")]), last())

    assert made[0].call_id == "call_x"
    assert len({part.call_id for part in made}) == 3
    assert all(part.call_id for part in made)


@pytest.mark.parametrize(("given_", "text"), [('{"n": 1.10}', '{"n": 1.10}'), ('"{}"', "{}"), ("null", "{}")])
def test_arguments_are_their_exact_text(given_, text) -> None:
    raw = b'{"message":{"tool_calls":[{"function":{"name":"f","arguments":' + given_.encode() + b'}}]},"done":true}'
    (made,) = DIALECT.upstream["chat"].parse_response(raw, counter()).candidates[0].messages[0].parts

    assert made.arguments == text


@pytest.mark.parametrize(
    ("word", "reason"),
    [("stop", "stop"), ("length", "length"), ("load", "stop"), ("unload", "stop"), (None, "stop"), ("new", "error")],
)
def test_a_done_reason_means(word, reason) -> None:
    assert candidate(line("x"), last(end={"done": True, "done_reason": word})).finish.reason == reason


def test_calls_end_in_tool_calls_but_not_an_answer_that_was_cut() -> None:
    """B-STR-14."""
    calls = line(tool_calls=[call("Oslo")])

    assert candidate(calls, last()).finish.reason == "tool_calls"
    assert candidate(calls, last(end={**DONE, "done_reason": "length"})).finish.reason == "length"


def test_counts_are_usage_and_what_is_missing_is_not_zero() -> None:
    usage = folded(line("x"), last()).response.usage
    partly = folded(last(end={"done": True, "eval_count": 3})).response.usage

    assert usage is not None
    assert (usage.input, usage.output) == (12, 7)
    assert json.loads(usage.raw or b"") == {"prompt_eval_count": 12, "eval_count": 7, "eval_duration": 9}
    assert partly is not None
    assert partly.input is None
    assert folded(last(end={"done": True})).response.usage is None


def test_model_and_time_come_with_the_first_line() -> None:
    started = decoded(line("x"))[0]

    assert started == Started(model="qwen3", created=1795165200)


def test_log_probabilities_are_those_of_the_text() -> None:
    def entry(token: str) -> dict[str, Any]:
        return {"token": token, "logprob": -0.5}

    thinking = {**line(thinking="Hm"), "logprobs": [entry("Hm")]}
    text = {**line("Hi!"), "logprobs": [entry("<|end|>"), entry("Hi"), entry("!")]}
    made = parts(thinking, text, last())

    assert [json.loads(one)["token"] for one in made[1].logprobs] == ["Hi", "!"]
    assert json.loads(made[1].logprobs[0]) == {
        "token": "Hi",
        "logprob": -0.5,
        "bytes": [72, 105],
        "top_logprobs": [],
    }


def test_an_error_is_the_only_line_of_a_success() -> None:
    """A 200 whose only line is an error (genai-2b75b9c106)."""
    events = decoded({"error": "image: unknown format\n"})

    assert isinstance(events[0], Failed)
    assert events[0].error.message == "image: unknown format"
    assert events[-1] == Ended(complete=False)


def test_an_error_after_text_fails_the_stream() -> None:
    found = folded(line("Hel"), {"error": "out of memory"}, last())

    assert found.error is not None
    assert not found.complete


def test_a_stream_that_is_not_done_is_not_complete() -> None:
    assert not folded(line("Hello")).complete
    with pytest.raises(RemoteDialectError):
        parse(line("Hello"))


def test_lines_that_nobody_asked_for_are_one_answer() -> None:
    assert parse(line("Hel"), line("lo"), last()) == folded(line("Hel"), line("lo"), last()).response


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"done": false}'])
def test_what_is_no_answer_is_the_upstream_s_fault(body) -> None:
    with pytest.raises(RemoteDialectError):
        DIALECT.upstream["chat"].parse_response(body, counter())


def test_an_error_in_a_success_is_raised() -> None:
    with pytest.raises(ProviderError, match="no such model"):
        parse({"error": "no such model"})


def test_a_broken_line_fails_but_a_cut_tail_only_ends() -> None:
    assert isinstance(Decoder(counter()).feed(Frame(data=b'{"done":'))[0], Failed)
    assert Decoder(counter()).feed(Frame(data=b'{"done":', terminated=False)) == []
    assert Decoder(counter()).feed(Frame()) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ErrorKind.INVALID_REQUEST),
        (404, ErrorKind.NOT_FOUND),
        (500, ErrorKind.SERVER),
        (503, ErrorKind.UNAVAILABLE),
    ],
)
def test_a_status_says_what_went_wrong_and_the_words_are_kept(status, kind) -> None:
    info = DIALECT.errors.parse(status, Headers.of({"retry-after": "7"}), b'{"error":"the words"}')

    assert (info.kind, info.status, info.message, info.retry_after) == (kind, status, "the words", 7.0)


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"[]", b'{"error": 3}', b"\xff"])
def test_an_error_without_words_still_has_a_sentence(body) -> None:
    info = DIALECT.errors.parse(502, Headers(), body)

    assert (info.kind, info.message != "") == (ErrorKind.BAD_GATEWAY, True)


def test_an_error_is_written_as_ollama_writes_it() -> None:
    info = ErrorInfo(kind=ErrorKind.SERVER, status=500, message="half \ud800")

    assert json.loads(DIALECT.errors.render(info)) == {"error": "half ?"}
    assert DIALECT.errors.frame(info).data == DIALECT.errors.render(info)


LINES = st.lists(
    st.one_of(
        st.sampled_from([line("a"), line(thinking="b"), line(tool_calls=[call("c")]), last(), {"error": "e"}]),
        st.dictionaries(st.sampled_from(["message", "done", "error", "logprobs", "created_at", "eval_count"]), JSON),
    ),
    max_size=8,
)


@given(LINES)
@settings(max_examples=100, deadline=None)
def test_whatever_comes_the_events_are_legal(lines) -> None:
    out = decoded(*lines)
    fold(out)

    assert isinstance(out[-1], Ended)
    assert sum(isinstance(event, Started) for event in out) <= 1


@given(LINES, st.lists(st.integers(0, 2000), max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_cutting_gives_the_same_events(lines, places) -> None:
    data = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    cut = [data[edges[i] : edges[i + 1]] for i in range(len(edges) - 1)]

    assert _read([data]) == _read(cut)


def _read(chunks: list[bytes]) -> list[Any]:
    frames, decoder = NdjsonDecoder(), Decoder(counter())
    out = [event for chunk in chunks for frame in frames.feed(chunk) for event in decoder.feed(frame)]
    return out + [event for frame in frames.close() for event in decoder.feed(frame)] + decoder.close()


@given(st.one_of(st.binary(max_size=40), JSON.map(lambda value: json.dumps(value).encode())))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_an_answer_or_a_named_error(body) -> None:
    for whole in (body, b'{"message":' + body + b',"done":true}'):
        try:
            DIALECT.upstream["chat"].parse_response(whole, counter())
        except (ProviderError, RemoteDialectError):
            continue
