import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.merge import settled, unchanged
from setu.cassette.model import Interaction, Recording, Timing
from setu.http import Exchange, Headers
from tests.cassette.samples import JSON, request


def made(asked, answered, day="2026-01-01", **headers):
    return Interaction(
        exchange=Exchange(
            request=request(asked), status=200, headers=Headers.of(JSON | headers), body=answered, arrivals=()
        ),
        recording=Recording(recorded=day, timing=Timing(ttfb_ms=len(day), events_ms=(0,))),
    )


def key(interaction):
    return interaction.exchange.request.body.decode()


def bodies(interactions):
    return [(key(found), found.exchange.body.decode(), found.recording.recorded) for found in interactions]


def test_an_unchanged_answer_keeps_its_old_words() -> None:
    old = [made(b"a", b"1"), made(b"b", b"2")]
    new = [made(b"a", b"1", "2026-11-20"), made(b"b", b"2", "2026-11-20")]

    assert settled(old, new, key) == old


def test_a_changed_answer_takes_the_old_ones_place() -> None:
    old = [made(b"a", b"1"), made(b"b", b"2")]
    new = [made(b"b", b"2", "now"), made(b"a", b"3", "now")]

    assert bodies(settled(old, new, key)) == [("a", "3", "now"), ("b", "2", "2026-01-01")]


def test_a_new_request_comes_after_the_one_recorded_before_it() -> None:
    old = [made(b"a", b"1"), made(b"b", b"2")]
    new = [made(b"a", b"1"), made(b"x", b"9", "now"), made(b"b", b"2")]

    assert [key(found) for found in settled(old, new, key)] == ["a", "x", "b"]


def test_a_request_that_was_not_made_again_is_gone() -> None:
    old = [made(b"a", b"1"), made(b"b", b"2")]

    assert [key(found) for found in settled(old, [made(b"b", b"2")], key)] == ["b"]


def test_equal_requests_keep_their_order() -> None:
    old = [made(b"a", b"1"), made(b"a", b"2")]
    new = [made(b"a", b"1", "now"), made(b"a", b"7", "now"), made(b"a", b"8", "now")]

    assert [found.exchange.body for found in settled(old, new, key)] == [b"1", b"7", b"8"]


def test_quota_and_request_ids_are_of_the_moment_other_fields_are_not() -> None:
    old = made(b"a", b"1", **{"request-id": "req_1", "x-ratelimit-remaining-tokens": "9"})

    assert unchanged(old, made(b"a", b"1", **{"request-id": "req_2", "x-ratelimit-remaining-tokens": "8"}))
    assert not unchanged(old, made(b"a", b"1", **{"request-id": "req_1", "openai-version": "2"}))
    assert not unchanged(old, msgspec.structs.replace(old, exchange=msgspec.structs.replace(old.exchange, status=500)))


def form(boundary, text=b"hello", said="multipart/form-data; boundary={}"):
    body = b'--%s\r\ncontent-disposition: form-data; name="file"\r\n\r\n%s\r\n--%s--\r\n' % (boundary, text, boundary)
    made_now = made(body, b"1", boundary.decode())
    made_now.exchange.request.headers.set("content-type", said.format(boundary.decode()))
    return made_now


@pytest.mark.parametrize("said", ["multipart/form-data; boundary={}", 'multipart/form-data; charset=x; boundary="{}"'])
def test_a_form_is_the_same_whatever_divides_its_parts(said) -> None:
    assert unchanged(form(b"0aF+(", said=said), form(b"c41d9e", said=said))
    assert not unchanged(form(b"0aF+(", said=said), form(b"c41d9e", b"other", said=said))


def test_a_boundary_that_divides_nothing_hides_no_change() -> None:
    old, new = form(b"one"), form(b"two")
    new.exchange.request.headers.set("x-said", "one")
    old.exchange.request.headers.set("x-said", "two")

    assert not unchanged(old, new)
    assert not unchanged(made(b"--one", b"1"), made(b"--two", b"1"))


RECORDINGS = st.lists(st.builds(made, st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([b"1", b"2"])), max_size=6)


@given(RECORDINGS)
def test_recording_the_same_again_changes_nothing(old) -> None:
    assert settled(old, [msgspec.structs.replace(each) for each in old], key) == old


@given(RECORDINGS, RECORDINGS)
def test_what_was_recorded_now_is_what_is_on_file(old, new) -> None:
    found = settled(old, new, key)

    assert sorted((key(each), each.exchange.body) for each in found) == sorted((key(e), e.exchange.body) for e in new)
    for name in "abc":
        mine = [each.exchange.body for each in found if key(each) == name]
        assert mine == [each.exchange.body for each in new if key(each) == name]
