import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.fault_steps import (
    cut,
    end,
    half_chunk,
    inject,
    latency,
    reset,
    slow_drip,
    split,
    stall,
    truncate_gzip,
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
        (split(2), (HEAD, Bytes(b"on"), Wait(1.0), Bytes(b"et"), Bytes(b"wo"), Bytes(b"!3"), End())),
        (split(100), (HEAD, Wait(1.0), Bytes(b"onetwo!3"), End())),
        (cut(after_event=0), (HEAD, End(Ending.TRUNCATED))),
        (cut(after_event=1), (HEAD, Bytes(b"one"), Wait(1.0), End(Ending.TRUNCATED))),
        (cut(after_event=9), (*PLAIN[:-1], End(Ending.TRUNCATED))),
        (cut(after_bytes=5), (HEAD, Bytes(b"one"), Wait(1.0), Bytes(b"tw"), End(Ending.TRUNCATED))),
        (cut(after_bytes=0), (HEAD, End(Ending.TRUNCATED))),
        (end(1), (HEAD, Bytes(b"one"), Wait(1.0), End())),
        (end(9), PLAIN),
        (latency(0.3), (Wait(0.3), *PLAIN)),
        (
            slow_drip(20),
            (
                HEAD,
                Wait(0.1),
                Bytes(b"on"),
                Wait(1.0),
                Wait(0.1),
                Bytes(b"et"),
                Wait(0.1),
                Bytes(b"wo"),
                Wait(0.1),
                Bytes(b"!3"),
                End(),
            ),
        ),
        (reset(2), (HEAD, Bytes(b"one"), Wait(1.0), Bytes(b"two!"), End(Ending.RESET))),
        (half_chunk(1), (HEAD, Bytes(b"one"), Wait(1.0), HalfChunk(b"tw", 4), End(Ending.TRUNCATED))),
        (half_chunk(9), (*PLAIN[:-1], End(Ending.TRUNCATED))),
        (stall(0, 5.0), (HEAD, Wait(5.0), *PLAIN[1:])),
        (stall(9, 5.0), (*PLAIN[:-1], Wait(5.0), End())),
        (inject(1, b": x\n\n"), (HEAD, Bytes(b"one"), Wait(1.0), Bytes(b": x\n\n"), *PLAIN[3:])),
    ],
)
def test_each_fault_does_its_one_thing(fault, expected) -> None:
    assert fault(PLAIN) == expected


def test_a_fault_strikes_after_the_head_even_of_a_late_answer() -> None:
    assert stall(0, 5.0)((Wait(1.0), *PLAIN)) == (Wait(1.0), HEAD, Wait(5.0), *PLAIN[1:])


def test_faults_compose() -> None:
    assert cut(after_event=2)(split(3)(PLAIN)) == (
        HEAD,
        Bytes(b"one"),
        Wait(1.0),
        Bytes(b"two"),
        End(Ending.TRUNCATED),
    )


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=6), st.integers(1, 20))
def test_splitting_changes_no_byte(chunks, size) -> None:
    steps = split(size)(script(200, Headers(), *chunks))

    assert body(steps) == b"".join(chunks)
    assert all(len(step.data) == size for step in steps[1:-2] if isinstance(step, Bytes))


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=6), st.integers(0, 60))
def test_a_cut_is_a_beginning(chunks, size) -> None:
    steps = cut(after_bytes=size)(script(200, Headers(), *chunks))

    assert body(steps) == b"".join(chunks)[:size]
    assert steps[-1] == End(Ending.TRUNCATED)


def test_chunks_have_a_size() -> None:
    with pytest.raises(ConfigError, match="at least 1 byte"):
        split(0)


def test_a_drip_has_a_rate() -> None:
    with pytest.raises(ConfigError, match="more than 0 bytes"):
        slow_drip(0)


chunks_of = st.lists(st.binary(min_size=1, max_size=9), max_size=6)
faults = st.sampled_from(
    [
        split(3),
        cut(after_event=2),
        cut(after_bytes=7),
        end(1),
        reset(2),
        half_chunk(1),
        latency(1),
        stall(1, 2),
        slow_drip(9),
    ]
)


@given(chunks_of, st.lists(faults, max_size=4))
def test_no_fault_reorders_or_invents_a_byte(chunks, struck) -> None:
    steps = script(200, Headers(), *chunks)

    for fault in struck:
        steps = fault(steps)

    sent = b"".join(step.data for step in steps if isinstance(step, Bytes | HalfChunk))
    assert b"".join(chunks).startswith(sent)
    assert isinstance(steps[-1], End)


@given(chunks_of, st.floats(0.5, 500))
def test_a_drip_is_never_faster_than_its_rate(chunks, rate) -> None:
    steps = slow_drip(rate)(script(200, Headers(), *chunks))

    sent, waited = 0, 0.0
    for step in steps:
        sent += len(step.data) if isinstance(step, Bytes) else 0
        waited += step.seconds if isinstance(step, Wait) else 0.0
        assert waited >= sent / rate - 1e-6
    assert body(steps) == b"".join(chunks)


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=6), st.none() | st.integers(0, 400))
def test_a_truncated_gzip_is_a_beginning_that_does_not_end(chunks, after) -> None:
    steps = truncate_gzip(after)(script(200, Headers.of({"content-length": "9"}), *chunks))

    coder = zlib.decompressobj(wbits=31)
    assert b"".join(chunks).startswith(coder.decompress(body(steps)))
    assert not coder.eof
    assert (steps[0].headers, steps[-1]) == (Headers.of({"content-encoding": "gzip"}), End())


def test_the_half_of_a_gzip_that_is_kept_holds_the_first_events() -> None:
    steps = truncate_gzip()(script(200, Headers(), *[b"data: %d\n\n" % n for n in range(10)]))

    assert zlib.decompressobj(wbits=31).decompress(body(steps)).startswith(b"data: 0\n\ndata: 1\n\n")


@pytest.mark.parametrize(
    "steps",
    [script(200, Headers.of({"content-encoding": "br"}), b"x"), script(204, Headers()), (End(Ending.RESET),)],
    ids=["compressed already", "empty", "no head"],
)
def test_what_cannot_be_compressed_stays_as_it_is(steps) -> None:
    assert truncate_gzip()(steps) == steps


def test_a_half_chunk_survives_compression_as_an_end() -> None:
    steps = truncate_gzip(5)(half_chunk(1)(PLAIN))

    assert len(body(steps)) == 5
    assert steps[-1] == End(Ending.TRUNCATED)
