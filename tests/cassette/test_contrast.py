from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.cassette.contrast import MOST, of_answers, of_requests
from setu.cassette.model import Interaction
from setu.http import Ending, Exchange, Request
from tests.cassette.samples import JSON, SSE, interaction, request, talk


def no_fold(_: Exchange) -> Any:
    return None


def answers(want: Interaction, got: Interaction) -> list[tuple[str, str, str]]:
    placed = msgspec.structs.replace(want, place="a.yaml:3")
    found = of_answers(placed, got, no_fold)
    assert all((each.level, each.place) == ("error", "a.yaml:3") for each in found)
    return [(each.pointer, each.got, each.want) for each in found]


def requests(want: Request, got: Request | None) -> list[tuple[str, str, str]]:
    return [(each.pointer, each.got, each.want) for each in of_requests(interaction(asked=want), got)]


def test_a_request_that_says_the_same_is_the_same_however_it_is_written() -> None:
    want = request({"model": "m", "max_tokens": 5, "messages": []})
    got = request(b'{ "max_tokens": 5, "messages": [], "model": "m" }')

    assert requests(want, got) == []


def test_ids_of_tool_calls_may_have_other_names_but_must_cross_alike() -> None:
    def called(*ids: str) -> Request:
        calls = [{"type": "tool_use", "id": each, "name": "f", "input": {}} for each in ids[:2]]
        results = [{"type": "tool_result", "tool_use_id": each} for each in ids[2:]]
        messages = [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]
        return request({"model": "m", "messages": messages})

    assert requests(called("a", "b", "a", "b"), called("x", "y", "x", "y")) == []
    assert requests(called("a", "b", "a", "b"), called("x", "y", "y", "x"))[0][0] == (
        "request:/messages/1/content/0/tool_use_id"
    )


def test_a_request_is_compared_in_body_place_and_fields() -> None:
    want = request({"model": "m", "user": "u"}, headers=JSON | {"anthropic-version": "1"})
    got = request({"model": "n"}, path="/beta/v1/messages", origin="https://b", headers=JSON | {"anthropic-beta": "x"})

    assert requests(want, got)[:2] == [("request:/model", '"n"', '"m"'), ("request:/user", "(absent)", '"u"')]
    assert requests(want, got)[2:] == [
        ("request", '"POST https://b/beta/v1/messages"', '"POST https://api.anthropic.com/v1/messages"'),
        ("request:headers/anthropic-beta", '"x"', "(absent)"),
        ("request:headers/anthropic-version", "(absent)", '"1"'),
    ]


def test_credentials_are_no_difference() -> None:
    assert requests(request(), request(headers=JSON | {"x-api-key": "sk-ant-1234567890"})) == []


def test_a_request_that_is_not_made_any_more_is_told() -> None:
    assert requests(talk("a"), None) == [("request", "(absent)", '"POST https://api.anthropic.com/v1/messages"')]


@pytest.mark.parametrize(
    ("want", "got", "told"),
    [
        (interaction(status=404), interaction(status=400), ("status", "400", "404")),
        (
            interaction(),
            interaction(end=Ending.TRUNCATED),
            ("end", '"truncated-upstream"', '"complete"'),
        ),
        (
            interaction(headers=JSON),
            interaction(headers=JSON | {"retry-after": "3"}),
            ("headers/retry-after", '"3"', "(absent)"),
        ),
        (interaction(b'{"a":{"b":1}}'), interaction(b'{"a":{"b":1.5}}'), ("answer:/a/b", "1.5", "1")),
        (interaction(b"one"), interaction(b"two"), ("answer:", '"two"', '"one"')),
        (interaction(b'{"a":1}'), interaction(b'{"a": 1}'), ("bytes/5", '"{\\"a\\": 1}"', '"{\\"a\\":1}"')),
    ],
)
def test_an_answer_is_compared_to_its_bytes(want: Interaction, got: Interaction, told: tuple[str, str, str]) -> None:
    assert answers(want, got) == [told]


def test_of_a_stream_the_first_event_that_differs_is_told() -> None:
    def stream(*texts: str, last: bytes = b"data: [DONE]\n\n") -> Interaction:
        data = b"".join(b'data: {"t":"%s"}\n\n' % text.encode() for text in texts)
        return interaction(data + last, headers=SSE)

    assert answers(stream("a", "b", "c"), stream("a", "x", "y")) == [("events/1:/t", '"x"', '"b"')]
    assert answers(stream("a"), stream("a", last=b"")) == [("events/1", "(absent)", '"[DONE]"')]
    assert answers(stream("a"), stream("a", last=b"event: e\ndata: [DONE]\n\n"))[0][0] == "events/1:"
    assert answers(stream("a"), stream("a", last=b"data:[DONE]\n\n"))[0][0].startswith("bytes/")


def test_what_streams_amount_to_comes_first() -> None:
    want, got = interaction(b'data: {"t":"a"}\n\n', headers=SSE), interaction(b'data: {"t":"b"}\n\n', headers=SSE)

    found = of_answers(want, got, lambda exchange: {"all": exchange.body.decode()})

    assert [each.pointer for each in found] == ["folded:/all", "events/0:/t"]


def test_of_one_side_so_many_differences_are_told() -> None:
    want = {str(n): n for n in range(50)}

    assert len(of_answers(interaction(msgspec.json.encode(want)), interaction(b"{}"), no_fold)) == MOST


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100)
@given(values, values)
def test_law_answers_differ_exactly_where_their_bytes_do(want: Any, got: Any) -> None:
    one, two = (interaction(msgspec.json.encode({"v": value}), headers=JSON) for value in (want, got))

    assert bool(answers(one, two)) == (one.exchange.body != two.exchange.body)
