"""What is taken in is redacted, classified, and still in step with its timing."""

import pytest

from setu.cassette.formats.intake import Intake, request_of, whole_timing
from setu.cassette.model import Recording, Timing
from setu.errors import CassetteDecodeError
from setu.http import Arrival, Headers
from tests.cassette.samples import CHAT_STREAM, interaction, talk

SECRET = "swordfish-seven"


def test_timing_counts_events_so_redaction_does_not_shift_it():
    body = f'data: {{"a":"{SECRET}"}}\n\ndata: [DONE]\n\n'.encode()
    size = len(body) - 14
    raw = interaction(body, arrivals=((100, size), (300, 14)))

    taken = Intake(secrets=(SECRET,)).take_in(raw)

    assert SECRET.encode() not in taken.exchange.body
    assert taken.recording.timing == Timing(ttfb_ms=100, events_ms=(0, 200))
    assert taken.exchange.arrivals == (Arrival(100, len(taken.exchange.body) - 14), Arrival(300, 14))


def test_chunks_that_no_longer_fit_are_dropped():
    body = SECRET.encode()
    raw = interaction(body, recording=Recording(chunks=(len(body),)))

    assert Intake().take_in(raw).recording.chunks == (len(body),)
    assert Intake(secrets=(SECRET,)).take_in(raw).recording.chunks == ()


def test_what_is_taken_in_twice_is_the_same():
    once = Intake().take_in(interaction(CHAT_STREAM, asked=talk("hello"), arrivals=((5, len(CHAT_STREAM)),)))

    assert Intake().take_in(once) == once


def test_a_path_that_no_dialect_knows_has_no_operation_but_a_key():
    raw = interaction(asked=request_of("get", "http://localhost/favicon.ico", Headers(), b""))

    taken = Intake().take_in(raw)

    assert (taken.recording.dialect, taken.recording.op) == ("", "")
    assert taken.recording.key
    assert taken.exchange.request.method == "GET"


def test_a_url_that_is_none_is_an_error():
    with pytest.raises(CassetteDecodeError, match="not a URL"):
        request_of("GET", "http://[", Headers(), b"")


@pytest.mark.parametrize(
    ("body", "ttfb", "timing"),
    [
        (b"{}", 102.4, Timing(ttfb_ms=100, events_ms=(10,))),
        (b"", 0, Timing()),
        (b"{}", -1, None),
        (CHAT_STREAM, 100, None),
    ],
    ids=["json", "empty", "unknown", "stream"],
)
def test_first_and_last_byte_time_an_answer_in_one_piece(body, ttfb, timing):
    assert whole_timing(interaction(body).exchange, ttfb, 9) == timing
