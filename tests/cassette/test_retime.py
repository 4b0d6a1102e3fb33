import msgspec
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.model import Interaction, Recording, Timing
from setu.cassette.retime import pruned, rekeyed, retimed, without_times
from setu.studio import key_of
from tests.cassette.samples import CHAT_STREAM, interaction, talk


def timed(text: str, *events_ms: int, body: bytes = CHAT_STREAM) -> Interaction:
    timing = Timing(ttfb_ms=100, events_ms=events_ms) if events_ms else None
    return interaction(body, asked=talk(text), recording=Recording(timing=timing))


def times(interactions: list[Interaction]) -> list[tuple[int, ...] | None]:
    return [each.recording.timing.events_ms if each.recording.timing else None for each in interactions]


def placed(*interactions: Interaction) -> list[Interaction]:
    return [msgspec.structs.replace(each, place=f"a.yaml:{at}") for at, each in enumerate(interactions)]


def test_recordings_get_the_times_of_the_same_calls_in_the_same_order() -> None:
    old = [timed("a", 1, 2), timed("b", 3, 4), timed("a", 5, 6)]
    new = [timed("b", 0, 0), timed("a", 0, 0), timed("a"), timed("c", 7, 8)]

    assert times(retimed(new, old, key_of)) == [(3, 4), (1, 2), (5, 6), (7, 8)]


def test_times_that_count_other_events_are_not_taken() -> None:
    assert times(retimed([timed("a", 0, 0)], [timed("a", 1, 2, 3)], key_of)) == [(0, 0)]


def test_without_times_nothing_else_is_lost() -> None:
    [found] = without_times([timed("a", 1, 2)])

    assert found.recording.timing is None
    assert (found.exchange.body, found.exchange.arrivals) == (CHAT_STREAM, ())


def test_a_key_is_written_anew_where_there_is_one() -> None:
    stale, foreign = interaction(recording=Recording(key="0123")), interaction()

    assert [each.recording.key for each in rekeyed([stale, foreign], key_of)] == [key_of(stale), ""]


def test_what_is_named_goes() -> None:
    recordings = placed(timed("a"), timed("b"), timed("c"))

    assert pruned(recordings, {"a.yaml:1", "b.yaml:0"}, None) == [recordings[0], recordings[2]]


def test_of_equal_recordings_the_last_stays_and_others_that_answer_otherwise_too() -> None:
    recordings = placed(timed("a"), timed("a", body=b"{}"), timed("b"), timed("a"))

    assert pruned(recordings, (), key_of) == recordings[1:]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([b"{}", b"[]"])), max_size=6))
def test_pruning_twice_is_pruning_once(calls: list[tuple[str, bytes]]) -> None:
    recordings = placed(*(timed(text, body=body) for text, body in calls))
    once = pruned(recordings, (), key_of)

    assert pruned(once, (), key_of) == once
    assert {(key_of(each), each.exchange.body) for each in once} == {
        (key_of(each), each.exchange.body) for each in recordings
    }
