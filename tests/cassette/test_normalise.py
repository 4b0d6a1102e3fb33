import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.library import Library
from setu.cassette.match import canonical_of
from setu.cassette.normalise import NONE, normalised, parse_normalisers
from setu.errors import ConfigError, NoMatchError
from tests.cassette.samples import interaction, request, talk

ONE = "7d0c1f5e-9a2b-4c61-8f00-0123456789ab"
TWO = "00000000-9a2b-4c61-8f00-0123456789ab"


def said(text, *names):
    return normalised(canonical_of(talk(text)), parse_normalisers(names)).body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("uuid", f"order {ONE}, again {ONE}, other {TWO}", "order <uuid-1>, again <uuid-1>, other <uuid-2>"),
        ("timestamp", "at 2026-11-20T20:49:15.123Z sharp", "at <timestamp-1> sharp"),
        ("timestamp", "epoch 1795200000 or 1795200000123", "epoch <timestamp-1> or <timestamp-2>"),
        ("timestamp", "Fri, 20 Nov 2026 20:49:15 GMT", "<timestamp-1>"),
        ("date", "Today is Friday, November 20, 2026.", "Today is <date-1>."),
        ("date", "2026-11-20 and 20 November 2026", "<date-1> and <date-2>"),
        ("path", "read /tmp/pytest-of-root/x.txt now", "read <path-1> now"),
        ("path", r"open C:\Users\me\a.txt", "open <path-1>"),
        ("regex:run-[0-9]+", "run-17 and run-18", "<text-1> and <text-2>"),
        ("date", "version 1.2.3 of 2026", "version 1.2.3 of 2026"),
        ("uuid", "deadbeef-not-one", "deadbeef-not-one"),
        ("path", "https://example.com/home/me and 1/2", "https://example.com/home/me and 1/2"),
        ("timestamp", "call 5551234567", "call 5551234567"),
    ],
)
def test_what_a_normaliser_takes_for_its_own(name, text, expected) -> None:
    assert said(text, name) == expected


def test_a_timestamp_is_not_torn_into_a_date_and_a_rest() -> None:
    assert said("2026-11-20T20:49:15Z", "date", "timestamp") == "<timestamp-1>"


def test_pointers_take_members_out() -> None:
    asked = canonical_of(
        request({"model": "m", "metadata": {"a": 1, "b": 2}, "messages": [{"id": 1}, {"id": 2, "x": 3}]})
    )

    found = normalised(asked, parse_normalisers(["pointer:/metadata/a", "pointer:/messages/*/id", "pointer:/none/x"]))

    assert found.body == {"model": "m", "metadata": {"b": 2}, "messages": [{}, {"x": 3}]}


@pytest.mark.parametrize("text", ["dates", "regex:", "regex:(", "pointer:a", ""])
def test_a_normaliser_that_is_none_is_named(text) -> None:
    with pytest.raises(ConfigError, match=r"unknown normaliser|regular expression"):
        parse_normalisers([text])


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text) -> None:
    names = parse_normalisers(["uuid", "timestamp", "date", "path"])
    once = normalised(canonical_of(talk(text)), names)

    assert normalised(once, names) == once


@given(st.text(max_size=60))
def test_nothing_is_normalised_unasked(text) -> None:
    asked = canonical_of(talk(text))

    assert normalised(asked, NONE) == asked


def library(*texts, **options):
    return Library([interaction(text.encode(), asked=talk(text)) for text in texts], **options)


def test_a_normalised_recording_is_marked_and_an_exact_one_goes_before_it() -> None:
    found = library(f"id {ONE}", f"id {TWO}", normalisers=parse_normalisers(["uuid"]))

    assert found.take(talk(f"id {TWO}")).match == "exact"
    taken = found.take(talk("id 11111111-9a2b-4c61-8f00-0123456789ab"))
    assert (taken.match, taken.interaction.exchange.body) == ("normalised", f"id {ONE}".encode())


def test_exchanged_values_are_another_request() -> None:
    found = library(f"{ONE} then {TWO} then {ONE}", normalisers=parse_normalisers(["uuid"]))

    with pytest.raises(NoMatchError):
        found.take(talk(f"{ONE} then {ONE} then {TWO}"))


def test_the_same_shape_is_found_only_when_asked_and_marked() -> None:
    with pytest.raises(NoMatchError):
        library("hello").take(talk("goodbye"))

    assert library("hello", looser="shape").take(talk("goodbye")).match == "shape"


@pytest.mark.parametrize("other", [talk("a", "b"), talk("a", max_tokens=1), request({"model": "n", "messages": []})])
def test_another_shape_is_not_found(other) -> None:
    with pytest.raises(NoMatchError):
        library("hello", looser="shape").take(other)


def test_the_last_user_message_is_enough_when_asked() -> None:
    recorded = Library([interaction(asked=talk("a", "b", "the question"))], looser="last-user")

    assert recorded.take(talk("x", "y", "the question")).match == "last-user"
    with pytest.raises(NoMatchError):
        recorded.take(talk("x", "y", "another question"))


def test_in_sequence_the_next_one_answers_but_never_another_kind_of_call() -> None:
    recorded = library("one", "two", looser="sequence")

    assert [recorded.take(talk(text)).interaction.exchange.body for text in ("x", "y")] == [b"one", b"two"]
    with pytest.raises(NoMatchError):
        library("one", looser="sequence").take(talk("one", stream=True))
    with pytest.raises(NoMatchError, match="recorded 2 times and has been served as often"):
        recorded.take(talk("z"))


def test_ten_thousand_different_ids_are_no_burden() -> None:
    text = " ".join(f"{n:08x}-0000-0000-0000-000000000000" for n in range(10_000))
    started = time.perf_counter()

    found = normalised(canonical_of(talk(text)), parse_normalisers(["uuid"]))

    assert "<uuid-10000>" in str(found.body)
    assert time.perf_counter() - started < 1.5
