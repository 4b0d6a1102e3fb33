import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.drift import collapsed, compare
from setu.cassette.model import Interaction, Recording
from setu.http import Ending
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, GEMINI_STREAM, JSON, SSE, interaction
from tests.cassette.test_structure import VALUES

CHAT = Recording(dialect="openai_chat")
ANSWER = {"id": "1", "choices": [{"message": {"content": "hi"}}], "usage": {"total_tokens": 3}}


def chat(value: Any, **options: Any) -> Interaction:
    return interaction(json.dumps(value).encode(), recording=CHAT, **options)


def told(old: Interaction, new: Interaction) -> list[tuple[str, str]]:
    return [(drift.level, drift.pointer) for drift in compare(old, new)]


def stream(*kinds: str, **members: Any) -> Interaction:
    blocks = (f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n" for kind in kinds)
    return interaction("".join(blocks).encode(), headers=SSE, recording=Recording(dialect="anthropic"))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (ANSWER | {"id": "2", "usage": {"total_tokens": 4000}}, []),
        (ANSWER | {"new": 1}, [("info", "/new")]),
        ({"id": "1", "choices": [{"message": {"content": "hi"}}]}, [("warn", "/usage")]),
        ({"id": "1", "usage": {"total_tokens": 3}}, [("error", "/choices")]),
        (ANSWER | {"usage": "3"}, [("error", "/usage")]),
        (ANSWER | {"usage": None}, []),
        ("text", [("error", "/")]),
    ],
    ids=["content", "new", "removed", "required", "type", "null", "root"],
)
def test_each_kind_of_change_has_its_tier(changed: Any, expected: list[Any]) -> None:
    assert told(chat(ANSWER), chat(changed)) == expected


def test_the_worst_comes_first_and_names_the_recording() -> None:
    old = msgspec.structs.replace(chat(ANSWER), place="a.yaml:3")

    found = compare(old, chat({"id": 1, "choices": [], "new": 1}))

    assert [drift.level for drift in found] == ["error", "warn", "info"]
    assert {drift.place for drift in found} == {"a.yaml:3"}
    assert found[0].message == "was string, is number"


def test_another_class_of_status_is_an_error_and_all_there_is_to_say() -> None:
    assert told(chat(ANSWER), chat({"error": {}}, status=400)) == [("error", "status")]
    assert told(chat(ANSWER), chat(ANSWER, status=201)) == [("warn", "status")]


def test_another_media_type_is_a_warning_and_its_parameters_are_nothing() -> None:
    assert told(chat(ANSWER), chat(ANSWER, headers={"content-type": "text/plain"})) == [("warn", "content-type")]
    assert told(chat(ANSWER), chat(ANSWER, headers={"content-type": "application/json; charset=utf-8"})) == []


def test_a_stream_that_is_one_no_more() -> None:
    streamed = interaction(CHAT_STREAM, headers=SSE)

    assert told(streamed, interaction(b"{}", headers=JSON)) == [("error", "events"), ("warn", "content-type")]


def test_an_answer_that_breaks_off_is_an_error_and_one_that_did_is_not_compared() -> None:
    whole, cut = interaction(CHAT_STREAM), interaction(CHAT_STREAM[:9], headers=SSE, end=Ending.TRUNCATED)

    assert told(whole, cut) == [("error", "end")]
    assert told(cut, whole) == []


def test_json_that_is_none_any_more() -> None:
    assert told(chat(ANSWER), interaction(b"<html>", headers=JSON)) == [("error", "/")]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (["start", "delta", "delta", "ping", "delta", "stop"], []),
        (["start", "delta", "stop", "start", "delta", "stop"], []),
        (["start", "delta"], ["no more stop"]),
        (["start", "delta", "stop", "extra"], ["not before: extra"]),
        (["delta", "start", "stop"], ["the order was start delta stop, is delta start stop"]),
    ],
)
def test_kinds_of_events_and_their_order_count_and_how_many_there_are_does_not(
    new: list[str], expected: list[str]
) -> None:
    found = compare(stream("start", "delta", "stop"), stream(*new))

    assert [drift.message for drift in found if drift.pointer == "events"] == expected
    assert all(drift.level == "error" for drift in found)


def test_members_of_events_are_compared_by_kind() -> None:
    old, new = stream("message_delta", usage={}, a=1), stream("message_delta", a="1", b=2)

    assert told(old, new) == [
        ("error", "message_delta:/usage"), ("error", "message_delta:/a"), ("info", "message_delta:/b"),
    ]  # fmt: skip


def test_events_without_a_name_are_one_kind() -> None:
    longer = CHAT_STREAM.replace(b"data: [DONE]", b'data: {"choices":[],"usage":{}}\n\ndata: [DONE]')

    assert told(interaction(CHAT_STREAM), interaction(longer)) == [("info", "data:/usage")]
    assert told(interaction(CHAT_STREAM), interaction(CHAT_STREAM.replace(b"data: [DONE]\n\n", b""))) == [
        ("error", "events")
    ]


@pytest.mark.parametrize("body", [ANTHROPIC_STREAM, CHAT_STREAM, GEMINI_STREAM, b"", b"not json"])
def test_no_answer_drifts_from_itself(body: bytes) -> None:
    assert compare(interaction(body), interaction(body)) == []


@given(VALUES)
def test_no_value_drifts_from_itself(value: Any) -> None:
    assert compare(chat(value), chat(value)) == []


@given(st.dictionaries(st.sampled_from("abc"), VALUES), VALUES)
def test_a_new_member_is_exactly_one_piece_of_information(value: dict[str, Any], member: Any) -> None:
    assert told(chat(value), chat(value | {"new": member})) == [("info", "/new")]


@given(st.lists(st.sampled_from("abc"), max_size=12))
def test_what_is_collapsed_repeats_nothing_and_stays_so(kinds: list[str]) -> None:
    found = collapsed(kinds)

    assert collapsed(found) == found
    assert collapsed(kinds + kinds) == found or not kinds
    assert set(found) == set(kinds)
    assert all(
        found[at : at + width] != found[at + width : at + 2 * width]
        for width in range(1, len(found))
        for at in range(len(found) - 2 * width + 1)
    )
