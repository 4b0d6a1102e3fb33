import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.physics import Physics, paced, parse_physics
from setu.cassette.pieces import framing_of
from setu.cassette.script import Bytes, End, Head, Wait, script, script_of
from setu.errors import ConfigError
from setu.http import Headers
from tests.cassettes.bundled import bundled

STREAM = script(
    200,
    Headers(),
    b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n',
    b'data: {"choices":[{"delta":{"content":"four"}}]}\n\n',
    b'data: {"choices":[{"delta":{"content":"twelve bytes"}}]}\n\n',
    b": ping\n\n",
    b"data: [DONE]\n\n",
)


def times(steps):
    """When each chunk is due, in seconds."""
    now, due = 0.0, []
    for step in steps:
        now += step.seconds if isinstance(step, Wait) else 0
        if isinstance(step, Head | Bytes):
            due.append(round(now, 6))
    return due


def test_the_first_token_comes_when_it_is_told_and_the_others_by_their_size() -> None:
    steps = paced(STREAM, Physics(ttft=0.4, tps=10), "sse")

    assert times(steps) == [0.4, 0.4, 0.4, 0.7, 0.7, 0.7]


@pytest.mark.parametrize(
    ("usage", "last"),
    [
        ({"completion_tokens": 40}, 3.4),
        ({"completion_tokens": 140, "completion_tokens_details": {"reasoning_tokens": 100}}, 3.4),
        ({"completion_tokens": 0}, 0.7),
        ({"completion_tokens": None}, 0.7),
        ({}, 0.7),
    ],
)
def test_the_tokens_that_were_counted_are_those_that_take_time(usage, last) -> None:
    counted = Bytes(b"data: %b\n\n" % json.dumps({"choices": [], "usage": usage}).encode())

    steps = paced((*STREAM[:4], counted, *STREAM[4:]), Physics(ttft=0.4, tps=10), "sse")

    assert times(steps)[-1] == last


def test_a_whole_answer_takes_the_tokens_it_counts() -> None:
    body = b'{"content":[{"type":"text","text":"sixteen bytes..."}],"usage":{"input_tokens":900,"output_tokens":20}}'

    assert times(paced(script(200, Headers(), body), Physics(tps=10), "json")) == [2, 2]


@pytest.mark.parametrize(
    ("provider", "scenario"),
    [
        ("openai", "text-stream"), ("anthropic", "text-stream"), ("gemini", "text-stream"), ("cohere", "text-stream"),
        ("ollama", "text-stream"), ("bedrock", "text-stream"), ("openai", "parallel-tools-stream"),
    ],
)  # fmt: skip
def test_the_pace_of_a_recording_is_that_of_its_own_count(provider, scenario) -> None:
    found = bundled(provider, scenario)
    count = count_of(found.exchange.body)

    due = times(paced(script_of(found), Physics(tps=1), framing_of(found.exchange)))

    # All but those of the first event, which come with the head.
    assert 0.5 * count < due[-1] <= count


def count_of(body):
    """Return the greatest count of written tokens that stands anywhere in a recording."""
    names = rb"completion_tokens|output_tokens|outputTokens|candidatesTokenCount|eval_count"
    return max(int(found[1]) for found in re.finditer(rb'"(?:%b)":\s*(\d+)' % names, body))


def test_recorded_waits_are_gone() -> None:
    steps = (Wait(9), *STREAM[:3], Wait(9), *STREAM[3:])

    assert paced(steps, Physics(), "sse") == STREAM


def test_a_whole_answer_comes_when_all_its_tokens_are_there() -> None:
    body = b'{"type":"message","id":"msg_with_a_long_id","content":[{"type":"text","text":"sixteen bytes..."}]}'

    steps = paced(script(200, Headers(), body), Physics(ttft=1, tps=8), "json")

    assert times(steps) == [1.5, 1.5]
    assert paced(script(200, Headers(), b"no json"), Physics(tps=1), "json") == script(200, Headers(), b"no json")


@pytest.mark.parametrize(
    ("provider", "scenario"),
    [
        ("openai", "text-stream"), ("anthropic", "text-stream"), ("anthropic", "parallel-tools-stream"),
        ("anthropic", "reasoning-stream"), ("gemini", "text-stream"), ("gemini", "text-array-stream"),
        ("cohere", "text-stream"), ("ollama", "text-stream"), ("bedrock", "text-stream"),
        ("bedrock", "parallel-tools-stream"), ("openai", "parallel-tools-stream"),
    ],
)  # fmt: skip
def test_every_stream_is_paced_and_none_loses_a_byte(provider, scenario) -> None:
    found = bundled(provider, scenario)
    plain = script_of(found)

    steps = paced(plain, Physics(ttft=1, tps=10), framing_of(found.exchange))

    assert [step for step in steps if not isinstance(step, Wait)] == list(plain)
    due = times(steps)
    assert due[0] == 1
    assert 0.5 < due[-1] - due[0] < 20


@given(st.integers(0, 99), st.text(max_size=5), st.floats(0.01, 1))
def test_jitter_stays_within_its_share_and_is_the_same_for_the_same_request(seed, key, jitter) -> None:
    physics = Physics(ttft=0.4, tps=10, jitter=jitter, seed=seed)

    steps = paced(STREAM, physics, "sse", key)

    first, second = (step.seconds for step in steps if isinstance(step, Wait))
    assert 0.4 * (1 - jitter) <= first <= 0.4 * (1 + jitter)
    assert 0.3 * (1 - jitter) - 1e-9 <= second <= 0.3 * (1 + jitter) + 1e-9
    assert steps == paced(STREAM, physics, "sse", key)


def test_requests_are_paced_apart() -> None:
    physics = Physics(ttft=0.4, jitter=0.5)

    assert paced(STREAM, physics, "sse", "a") != paced(STREAM, physics, "sse", "b")


def test_a_broken_recording_stays_broken() -> None:
    steps = (*STREAM[:2], End())

    assert paced(steps, Physics(), "sse") == steps
    array = script(200, Headers(), b'[{"a":1}', b',{"a":')
    assert paced(array, Physics(), "jsonarray") == array


@pytest.mark.parametrize(
    ("text", "physics"),
    [
        ("", Physics()),
        ("ttft=400ms,tps=50,jitter=0.2,seed=7", Physics(ttft=0.4, tps=50, jitter=0.2, seed=7)),
        (" ttft=2s , tps=12.5", Physics(ttft=2, tps=12.5)),
        ("ttft=1", Physics(ttft=1)),
    ],
)
def test_physics_have_a_text_form(text, physics) -> None:
    assert parse_physics(text) == physics


@pytest.mark.parametrize("text", ["fast", "tps", "tps=x", "tps=5ms", "ttft=-1", "rate=5", "jitter=1.5"])
def test_other_texts_are_refused(text) -> None:
    with pytest.raises(ConfigError, match="physics"):
        parse_physics(text)
