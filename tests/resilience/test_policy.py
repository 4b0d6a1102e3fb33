"""Policies, and what they make of an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import ErrorInfo, ErrorKind, kind_of_status
from setu.resilience.deadlines import each, late, whole, wider
from setu.resilience.outcome import denied, failed, surfaced
from setu.resilience.policy import Retry, Timeouts

RETRY = Retry()


def error(status: int, kind: ErrorKind | None = None, **more: object) -> ErrorInfo:
    return ErrorInfo(kind=kind or kind_of_status(status), status=status, message=f"said {status}", **more)  # type: ignore[arg-type] # the fields' own types


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_retried_and_not_final(status: int) -> None:
    outcome = failed(error(status), RETRY)

    assert (outcome.retryable, outcome.final) == (True, False)


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_is_one_providers_trouble_goes_to_the_next(status: int) -> None:
    outcome = failed(error(status), RETRY)

    assert (outcome.retryable, outcome.final) == (False, False)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_every_target_would_refuse_is_final(status: int) -> None:
    outcome = failed(error(status), RETRY)

    assert (outcome.retryable, outcome.final) == (False, True)


def test_a_spent_quota_is_not_waited_for() -> None:
    outcome = failed(error(429, ErrorKind.QUOTA), RETRY)

    assert (outcome.retryable, outcome.final) == (False, False)


def test_a_model_that_is_missing_goes_to_the_next_whatever_its_status() -> None:
    assert not failed(error(400, ErrorKind.NOT_FOUND), RETRY).final


@pytest.mark.parametrize("code", ["upstream_unreachable", "upstream_timeout"])
def test_no_connection_and_no_answer_in_time_are_retried_whatever_the_statuses(code: str) -> None:
    outcome = failed(error(502, code=code), Retry(statuses=frozenset(), fallback_on=frozenset()))

    assert (outcome.retryable, outcome.final) == (True, False)


@pytest.mark.parametrize(("status", "word", "retryable"), [(500, False, False), (400, True, True)])
def test_the_hosts_own_word_wins(status: int, word: bool, retryable: bool) -> None:
    assert failed(error(status), RETRY, should_retry=word).retryable is retryable


def test_who_configures_fallbacks_decides() -> None:
    only_429 = Retry(fallback_on=frozenset(), fallback_statuses=frozenset({429}), statuses=frozenset())

    assert [failed(error(status), only_429).final for status in (429, 500, 401)] == [False, True, True]


def test_the_first_real_error_is_told_not_what_came_of_the_fallbacks() -> None:
    """MSG-14: a fallback's complaint about the request must not hide why there was a fallback."""
    outcomes = [denied(retry_after=3), failed(error(529), RETRY), failed(error(400), RETRY)]

    assert surfaced(outcomes).status == 529


def test_when_everything_was_denied_the_shortest_wait_is_told() -> None:
    told = surfaced([denied(error(503), retry_after=30), denied(retry_after=4.5), denied()])

    assert told.error is not None
    assert (told.status, told.retry_after, told.error.retry_after, told.error.code) == (
        503,
        4.5,
        4.5,
        "provider_unavailable",
    )
    assert told.error.message == "no provider can be asked now: said 503"


def test_nothing_tried_at_all_is_unavailable() -> None:
    assert surfaced([]).error is not None


@given(st.integers(400, 599), st.sampled_from([None, True, False]))
def test_by_default_what_is_retried_may_also_go_elsewhere(status: int, word: bool | None) -> None:
    outcome = failed(error(status), RETRY, should_retry=word)

    assert word or not (outcome.retryable and outcome.final)


def test_a_stream_has_no_deadline_for_the_whole() -> None:
    timeouts = Timeouts(total=20)

    assert whole(timeouts, 100.0, stream=True) is None
    assert whole(timeouts, 100.0, stream=False) == 120.0
    assert whole(Timeouts(), 100.0, stream=False) is None


@pytest.mark.parametrize(
    ("own", "left", "seconds"), [(None, None, 600.0), (5.0, None, 5.0), (None, 7.0, 7.0), (5.0, 7.0, 5.0), (5, -1, 0)]
)
def test_a_try_has_its_own_time_but_never_more_than_is_left(
    own: float | None, left: float | None, seconds: float
) -> None:
    assert each(Timeouts(), own, left) == seconds


def test_every_deadline_has_a_sentence_that_names_host_and_seconds() -> None:
    sentences = {late(name, "https://h", 1.5) for name in ("connect", "first_byte", "idle", "total", "pool")}

    assert len(sentences) == 5
    assert all("https://h" in sentence and "1.5 s" in sentence for sentence in sentences)


def test_two_providers_at_one_origin_have_the_longer_of_each_deadline_and_none_is_the_longest() -> None:
    one = Timeouts(connect=1, first_byte=20, idle=3, total=9, pool=None)
    other = Timeouts(connect=5, first_byte=10, idle=4, total=8, pool=2)

    assert wider(one, other) == wider(other, one) == Timeouts(connect=5, first_byte=20, idle=4, total=9, pool=None)
