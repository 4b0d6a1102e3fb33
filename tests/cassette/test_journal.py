import pytest

from setu.cassette.journal import Journal, Served, attempt_of, retry_after_ms
from setu.http import Ending, Headers

NOW = 1_795_165_200.0  # 2026-11-20T09:00:00Z


def test_requests_are_numbered_and_timed_from_the_first() -> None:
    journal = Journal()
    first, second = Served(), Served()

    journal.add(first, 50.0)
    journal.add(second, 50.25)
    journal.done(second, Ending.TRUNCATED, 3, 51.0)

    assert [(entry.n, entry.at_ms) for entry in journal] == [(1, 0), (2, 250)]
    assert (second.ended, second.events, second.done_ms) == ("truncated-upstream", 3, 1000)
    assert (first.ended, first.done_ms) == ("", 0)


def test_only_the_last_requests_are_kept_but_all_are_counted() -> None:
    journal = Journal(limit=2)

    for match in ("exact", "normalised", "miss", "fault", "translated", "refused", "recorded"):
        entry = Served()
        journal.add(entry, 0)
        journal.answered(entry, match)

    assert [entry.match for entry in journal.entries] == ["refused", "recorded"]
    assert (len(journal), journal.requests) == (2, 7)
    assert (journal.hits, journal.misses, journal.faults) == (3, 1, 1)


def test_a_cleared_journal_begins_anew() -> None:
    journal = Journal()
    journal.add(Served(match="miss"), 10)
    journal.answered(journal.entries[0], "miss")

    journal.clear()
    journal.add(Served(), 20)

    assert [(entry.n, entry.at_ms) for entry in journal] == [(1, 0)]
    assert (journal.requests, journal.misses) == (1, 0)


def test_an_answer_that_ends_after_the_journal_was_cleared_is_harmless() -> None:
    journal = Journal()
    entry = Served()
    journal.add(entry, 10)

    journal.clear()
    journal.done(entry, Ending.COMPLETE, 1, 12)

    assert (len(journal), entry.done_ms) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "ms"),
    [
        ({}, None),
        ({"retry-after": "1"}, 1000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after": "9", "retry-after-ms": "250"}, 250),
        ({"retry-after": "Fri, 20 Nov 2026 09:00:07 GMT"}, 7000),
        ({"retry-after": "Fri, 20 Nov 2026 08:00:00 GMT"}, 0),
        ({"retry-after": "Fri, 20 Nov 2026 09:00:07"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "soon"}, None),
    ],
)
def test_the_wait_that_an_answer_asks_for(fields, ms) -> None:
    assert retry_after_ms(Headers.of(fields), NOW) == ms


@pytest.mark.parametrize(("value", "attempt"), [("0", 0), ("2", 2), ("", None), ("x", None), ("99999", None)])
def test_a_client_may_say_which_attempt_it_is(value, attempt) -> None:
    assert attempt_of(Headers.of({"x-stainless-retry-count": value})) == attempt
    assert attempt_of(Headers()) is None
