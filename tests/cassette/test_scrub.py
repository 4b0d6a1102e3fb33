import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.match import key_of
from setu.cassette.scrub import Names, scrub
from tests.cassette.samples import ANTHROPIC_STREAM, JSON, interaction, request, talk


def key(found):
    return key_of(found.exchange.request)


def turn(*, call="toolu_01AbCdEfGh", message="msg_01XyZw98Kl", history=()):
    content = [{"type": "tool_use", "id": call, "name": "look", "input": {"id": "order-12345678"}}]
    answer = {"id": message, "type": "message", "model": "claude-3-5-haiku-20241022", "content": content}
    asked = request({"model": "m", "messages": [{"role": "user", "content": "hi"}, *history]})
    return interaction(msgspec.json.encode(answer), asked=asked, headers=JSON | {"request-id": "req_" + message})


def result(call):
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call, "content": "sunny"}]}


def written(found):
    return found.exchange.request.body, list(found.exchange.headers.items()), found.exchange.body


def test_the_kind_of_an_identifier_stays_and_a_model_or_an_argument_is_none() -> None:
    found = scrub(turn(), Names(), key).exchange.body

    body = msgspec.json.decode(found)
    assert body["id"].startswith("msg_setu_")
    assert body["content"][0]["id"].startswith("toolu_setu_")
    assert body["content"][0]["input"] == {"id": "order-12345678"}
    assert body["model"] == "claude-3-5-haiku-20241022"


def test_recording_the_same_conversation_again_gives_the_same_bytes() -> None:
    first, second = Names(), Names()

    one = [
        scrub(turn(), first, key),
        scrub(turn(call="toolu_02AAA", message="msg_02AAAAA", history=[result("toolu_01AbCdEfGh")]), first, key),
    ]
    two = [
        scrub(turn(call="toolu_99QQQ", message="msg_03R999999"), second, key),
        scrub(turn(call="toolu_98QQQ", message="msg_04R999999", history=[result("toolu_99QQQ")]), second, key),
    ]

    assert list(map(written, one)) == list(map(written, two))


def test_a_later_request_names_what_an_earlier_answer_brought() -> None:
    names = Names()
    first = scrub(turn(), names, key)

    second = scrub(turn(message="msg_09AAAAAAA", history=[result("toolu_01AbCdEfGh")]), names, key)

    [call] = {block["id"] for block in msgspec.json.decode(first.exchange.body)["content"]}
    assert call.encode() in second.exchange.request.body


def test_crossed_results_stay_crossed() -> None:
    names = Names()
    calls = ["toolu_0000000A", "toolu_0000000B"]
    straight = scrub(turn(history=[result(call) for call in calls]), names, key)
    crossed = scrub(turn(history=[result(call) for call in reversed(calls)]), names, key)

    assert straight.exchange.request.body != crossed.exchange.request.body


@pytest.mark.parametrize("body", [b"", b"not json", b'"text"', b'{"id":null}', b'{"id":"short"}', b"\xff\xfe"])
def test_what_holds_no_identifier_stays_as_it_is(body) -> None:
    found = scrub(interaction(body), Names(), key)

    assert found.exchange.body == body


def test_only_identifiers_change_in_a_stream() -> None:
    body = ANTHROPIC_STREAM.replace(b"msg_1", b"msg_01ABCDEFGH")

    found = scrub(interaction(body), Names(), key).exchange.body

    name = msgspec.json.decode(found.split(b"data: ")[1].split(b"\n")[0])["message"]["id"]
    assert found == body.replace(b"msg_01ABCDEFGH", name.encode())


@given(st.lists(st.from_regex(r"(call_|toolu_|)[A-Za-z0-9]{9,20}", fullmatch=True), unique=True, max_size=6))
def test_renaming_is_one_to_one_and_does_it_once(identities) -> None:
    names = Names()

    given_names = [names.give(identity, "abcd") for identity in identities]

    assert len(set(given_names)) == len(identities)
    assert [names.give(identity, "ffff") for identity in identities] == given_names


def test_a_renamed_recording_is_not_renamed_again() -> None:
    once = scrub(turn(), Names(), key)

    assert written(scrub(once, Names(), key)) == written(once)


def test_a_talk_without_identifiers_keeps_its_key() -> None:
    found = scrub(interaction(asked=talk("hello")), Names(), key)

    assert key(found) == key(interaction(asked=talk("hello")))
