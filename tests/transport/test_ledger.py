import gc
import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.library import Library
from setu.cassette.scope import Scope
from setu.errors import NoMatchError
from setu.transport.ledger import Ledger
from setu.transport.replay import Replay
from tests.cassette.samples import interaction, talk
from tests.transport.virtual import VirtualClock

TEXTS = ("a", "b", "c")
RECORDED = [
    msgspec.structs.replace(interaction(text.encode(), asked=talk(text)), place=f"one.yaml:{index}")
    for index, text in enumerate(TEXTS)
]


def replay():
    return Replay(Library(RECORDED), VirtualClock(), render_error=lambda _dialect, info: info.message.encode())


def named(number):
    return Scope("one", str(number))


def use(ledger, name, *texts):
    """Open a cassette, ask it for texts, and be done with it; return what it answered to each."""
    opened = replay()
    ledger.opened(name, opened)
    answers = []
    for text in texts:
        try:
            answers.append(opened.library.take(talk(text)).interaction.exchange.body.decode())
        except NoMatchError:
            answers.append(None)
    ledger.finished(name)
    return answers


def test_of_more_than_may_be_at_hand_those_finished_first_give_up_their_recordings():
    ledger = Ledger(at_hand=2)
    ledger.opened(named(0), replay())

    for number in (1, 2, 3):
        use(ledger, named(number))

    assert list(ledger.libraries) == [named(0), named(3)]
    assert set(ledger.asked) == {named(number) for number in range(4)}


def test_what_is_in_use_is_kept_however_many_there_are():
    ledger = Ledger(at_hand=1)

    for number in range(3):
        ledger.opened(named(number), replay())

    assert len(ledger.libraries) == 3


def test_a_cassette_that_is_opened_again_goes_on_where_it_stopped():
    ledger = Ledger(at_hand=1)
    use(ledger, named(1), "a", "x")
    use(ledger, named(2))
    assert named(1) not in ledger.libraries

    assert use(ledger, named(1), "a", "b") == [None, "b"]
    assert [report.partition("\n")[0] for report in ledger.reports(named(1))] == [
        "no recording answers POST /v1/messages; the nearest, one.yaml:0, differs first at /messages/0/content",
        "POST /v1/messages was recorded once and has been served as often",
    ]


def test_a_cassette_that_is_read_anew_keeps_what_was_told_of_it():
    ledger = Ledger()
    use(ledger, None, "a", "x")

    assert use(ledger, None, "a") == [None]
    assert len(ledger.reports(None)) == 2


def test_what_a_past_cassette_has_served_is_not_unused():
    ledger = Ledger(at_hand=1)
    use(ledger, named(1), "a")
    use(ledger, named(2), "c")
    use(ledger, named(3))

    assert ledger.unused() == ["one.yaml:1"]


def test_what_was_forgotten_has_served_nothing():
    ledger = Ledger(at_hand=1)
    use(ledger, named(1), *TEXTS)
    use(ledger, named(2))

    ledger.forget(named(1))

    assert len(ledger.unused()) == 3
    ledger.forget(named(2))
    assert (ledger.unused(), ledger.asked) == ([], [])


def test_a_refusal_is_new_once():
    ledger = Ledger()

    assert [ledger.refused(named(1), "no such file") for _ in range(2)] == [True, False]
    assert ledger.reports(named(1)) == ["no such file", "no such file"]
    assert ledger.asked == [named(1)]


def test_thousands_of_sessions_cost_no_memory_and_their_verdicts_are_told_at_the_end():
    ledger = Ledger(at_hand=100, remembered=1000)
    used: list[int] = []
    tracemalloc.start()
    try:
        for number in range(5000):
            use(ledger, named(number), "a", *(["x"] if number % 10 == 0 else []))
            ledger.refused(Scope(f"none{number}"), "no such file")
            if number in (2000, 4999):
                gc.collect()
                used.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()

    assert used[1] - used[0] < 100_000  # 33 bytes for each session
    assert len(ledger.libraries) == 100
    assert ledger.unused() == ["one.yaml:1", "one.yaml:2"]
    assert len(ledger.reports(named(4500))) == 1
    assert "differs first at /messages/0/content" in ledger.reports(named(4500))[0]


STEPS = st.lists(st.tuples(st.integers(0, 3), st.lists(st.sampled_from(TEXTS), max_size=2)), max_size=12)


@given(STEPS, st.integers(0, 3))
def test_how_many_are_at_hand_makes_no_difference_to_what_is_answered_and_told(steps, at_hand):
    few, many = Ledger(at_hand=at_hand), Ledger()

    for number, texts in steps:
        assert use(few, named(number), *texts) == use(many, named(number), *texts)

    assert set(few.unused()) == set(many.unused())
    assert set(few.asked) == set(many.asked)


@pytest.mark.parametrize("name", [None, Scope("never")])
def test_nothing_is_told_of_what_was_never_asked_for(name):
    assert Ledger().reports(name) == []
