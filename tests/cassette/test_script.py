import msgspec
import pytest

from setu.cassette.script import Bytes, End, Head, Wait, script, script_of
from setu.http import Ending, Headers
from tests.cassette.samples import ANTHROPIC_STREAM, SSE, interaction

TIMED = interaction(b"data: 1\n\ndata: 2\n\ndata: 3\n\n", arrivals=((100, 9), (150, 9), (150, 9)))


def test_a_recording_plays_one_chunk_an_event() -> None:
    found = script_of(interaction(ANTHROPIC_STREAM))

    assert found[0] == Head(200, Headers.of(SSE))
    assert len(found) == 7
    assert b"".join(step.data for step in found if isinstance(step, Bytes)) == ANTHROPIC_STREAM
    assert found[-1] == End(Ending.COMPLETE)


@pytest.mark.parametrize(("speed", "waits"), [(0, []), (1, [0.1, 0.05]), (10, [0.01, 0.005])])
def test_speed_scales_the_waits(speed, waits) -> None:
    found = script_of(TIMED, speed)

    assert [step.seconds for step in found if isinstance(step, Wait)] == pytest.approx(waits)


def test_the_head_comes_after_the_first_wait() -> None:
    kinds = [type(step).__name__ for step in script_of(TIMED, 1)]

    assert kinds == ["Wait", "Head", "Bytes", "Wait", "Bytes", "Bytes", "End"]


@pytest.mark.parametrize("end", list(Ending))
def test_an_interrupted_recording_ends_as_it_did(end) -> None:
    assert script_of(interaction(end=end))[-1] == End(end)


def test_a_timing_of_other_events_is_not_played() -> None:
    exchange = msgspec.structs.replace(TIMED.exchange, body=b"data: 1\n\n")
    edited = msgspec.structs.replace(TIMED, exchange=exchange)

    assert [type(step) for step in script_of(edited, 1)] == [Head, Bytes, End]


def test_a_script_by_hand() -> None:
    assert script(200, Headers(), b"a", b"b") == (Head(200, Headers()), Bytes(b"a"), Bytes(b"b"), End())


def test_playing_does_not_share_the_recorded_headers() -> None:
    head = script_of(TIMED)[0]
    assert isinstance(head, Head)

    head.headers.set("x", "y")

    assert "x" not in TIMED.exchange.headers
