import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.faults import (
    Burst,
    cut,
    half_chunk,
    inject,
    parse_fault,
    parse_rule,
    reset,
    resplit,
    stall,
    status_burst,
)
from setu.cassette.script import Bytes, End, HalfChunk, Head, Wait, script
from setu.errors import ConfigError
from setu.http import Ending, Headers

HEAD = Head(200, Headers())
PLAIN = (HEAD, Bytes(b"one"), Wait(1.0), Bytes(b"two!"), Bytes(b"3"), End())


def body(steps):
    return b"".join(step.data for step in steps if isinstance(step, Bytes))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (resplit(2), (HEAD, Bytes(b"on"), Wait(1.0), Bytes(b"et"), Bytes(b"wo"), Bytes(b"!3"), End())),
        (resplit(100), (HEAD, Wait(1.0), Bytes(b"onetwo!3"), End())),
        (cut(after_event=0), (HEAD, End(Ending.TRUNCATED))),
        (cut(after_event=1), (HEAD, Bytes(b"one"), Wait(1.0), End(Ending.TRUNCATED))),
        (cut(after_event=9), (*PLAIN[:-1], End(Ending.TRUNCATED))),
        (cut(after_bytes=5), (HEAD, Bytes(b"one"), Wait(1.0), Bytes(b"tw"), End(Ending.TRUNCATED))),
        (cut(after_bytes=0), (HEAD, End(Ending.TRUNCATED))),
        (reset(2), (HEAD, Bytes(b"one"), Wait(1.0), Bytes(b"two!"), End(Ending.RESET))),
        (half_chunk(1), (HEAD, Bytes(b"one"), Wait(1.0), HalfChunk(b"tw", 4), End(Ending.TRUNCATED))),
        (half_chunk(9), (*PLAIN[:-1], End(Ending.TRUNCATED))),
        (stall(0, 5.0), (HEAD, Wait(5.0), *PLAIN[1:])),
        (stall(9, 5.0), (*PLAIN[:-1], Wait(5.0), End())),
        (inject(1, b": x\n\n"), (HEAD, Bytes(b"one"), Wait(1.0), Bytes(b": x\n\n"), *PLAIN[3:])),
    ],
)
def test_each_fault_does_its_one_thing(fault, expected):
    assert fault(PLAIN) == expected


def test_a_fault_strikes_after_the_head_even_of_a_late_answer():
    assert stall(0, 5.0)((Wait(1.0), *PLAIN)) == (Wait(1.0), HEAD, Wait(5.0), *PLAIN[1:])


def test_faults_compose():
    assert cut(after_event=2)(resplit(3)(PLAIN)) == (
        HEAD,
        Bytes(b"one"),
        Wait(1.0),
        Bytes(b"two"),
        End(Ending.TRUNCATED),
    )


def test_a_burst_is_a_list_of_answers():
    headers = Headers.of({"retry-after": "1"})

    assert status_burst(2, 429, headers, b"{}") == (script(429, headers, b"{}"),) * 2


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=6), st.integers(1, 20))
def test_resplitting_changes_no_byte(chunks, size):
    steps = resplit(size)(script(200, Headers(), *chunks))

    assert body(steps) == b"".join(chunks)
    assert all(len(step.data) == size for step in steps[1:-2] if isinstance(step, Bytes))


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=6), st.integers(0, 60))
def test_a_cut_is_a_beginning(chunks, size):
    steps = cut(after_bytes=size)(script(200, Headers(), *chunks))

    assert body(steps) == b"".join(chunks)[:size]
    assert steps[-1] == End(Ending.TRUNCATED)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("close@event=2", cut(after_event=2)),
        ("close", cut(after_event=1)),
        ("close@byte=4", cut(after_bytes=4)),
        ("rst@event=0", reset(0)),
        ("rst", reset(1)),
        ("half-chunk", half_chunk(0)),
        ("half-chunk@event=1", half_chunk(1)),
        ("stall=5s", stall(0, 5)),
        ("stall=0.5@event=2", stall(2, 0.5)),
        ("resplit=7", resplit(7)),
    ],
)
def test_faults_have_a_text_form(text, fault):
    assert parse_fault(text)(PLAIN) == fault(PLAIN)


@pytest.mark.parametrize(
    ("text", "dialect", "nth"),
    [("rst", "", 0), ("anthropic: rst", "anthropic", 0), ("anthropic#2:rst", "anthropic", 2)],
)
def test_a_rule_names_the_calls_it_strikes(text, dialect, nth):
    rule = parse_rule(text)

    assert (rule.dialect, rule.nth) == (dialect, nth)
    assert not isinstance(rule.effect, Burst)
    assert rule.effect(PLAIN) == reset(1)(PLAIN)


@pytest.mark.parametrize(
    ("text", "burst"),
    [
        ("429x3 retry-after=1", Burst(status=429, times=3, retry_after=1)),
        ("503", Burst(status=503)),
        ("529x2", Burst(status=529, times=2)),
    ],
)
def test_a_rule_may_be_a_burst(text, burst):
    assert parse_rule(text).effect == burst


@pytest.mark.parametrize(
    ("text", "dialect", "nth", "expected"),
    [
        ("rst", "gemini", 5, True),
        ("openai:rst", "openai_chat", 1, True),
        ("openai_chat:rst", "openai_chat", 1, True),
        ("openai:rst", "anthropic", 1, False),
        ("anthropic#2:rst", "anthropic", 1, False),
        ("#2:rst", "anthropic", 2, True),
    ],
)
def test_a_rule_strikes_what_it_names(text, dialect, nth, expected):
    assert parse_rule(text).strikes(dialect, nth) is expected


@pytest.mark.parametrize(
    "text",
    ["", "explode", "stall", "resplit=0", "resplit=1.5", "close=3", "rst@byte=1", "200x2", "429x", "half-chunk=2"],
)
def test_unknown_forms_are_listed(text):
    with pytest.raises(ConfigError, match=r"unknown fault .* known are 'close@event=N'"):
        parse_rule(text)


def test_chunks_have_a_size():
    with pytest.raises(ConfigError, match="at least 1 byte"):
        resplit(0)
