"""What a Responses client expects to be remembered, in front of upstreams that remember nothing."""

import json
from typing import Any

import pytest

from setu.chat.ids import counter
from setu.chat.request import ChatRequest
from setu.dialects.record import Reply, Route
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError, RemoteDialectError
from setu.translate.open import open_translation
from setu.translate.session import Destination, Translation
from setu.translate.splice import Head
from setu.translate.state import without_state

REPLY = Reply(model="m", id="id_1", created=1, mint=counter())


def request(**members: Any) -> ChatRequest:
    body = json.dumps({"model": "m", "input": "hi"} | members).encode()
    parsed: ChatRequest = (
        DIALECTS["openai_responses"]
        .client["chat"]
        .parse_request(body, Route(dialect="openai_responses", operation="chat"))
    )
    return parsed


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
    ],
)
def test_what_only_the_responses_api_keeps_is_refused_by_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        without_state(request(**members))

    assert (caught.value.param, caught.value.code) == (param, "unsupported_parameter")


def test_storing_is_lost_and_said_so() -> None:
    told, losses = without_state(request(store=True, background=False))

    assert told.state is None
    assert [(loss.pointer, loss.severity) for loss in losses] == [("/store", "info")]
    assert without_state(request(store=False))[1] == ()


def test_a_reference_to_thinking_is_only_a_loss() -> None:
    items = [{"role": "user", "content": "hi"}, {"type": "item_reference", "id": "rs_1"}]

    assert [loss.pointer for loss in without_state(request(input=items))[1]] == ["/input/1"]


BODIES: dict[str, dict[str, Any]] = {
    "openai_chat": {"messages": [{"role": "user", "content": "hi"}]},
    "anthropic": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    "openai_responses": {"input": "hi"},
}


def before_responses(client: str) -> Translation:
    """Return what stands between a client and a host that speaks the Responses API."""
    head = Head(body=json.dumps({"model": "m"} | BODIES[client]).encode(), model="m", stream=False)
    route = Route(dialect=client, operation="chat", model="m" if client == "gemini" else None)
    return open_translation(DIALECTS[client], route, head, Destination(dialect=DIALECTS["openai_responses"], model="m"))


def unfinished(status: str) -> bytes:
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "background": True}
    return json.dumps(head | {"status": status, "output": [], "usage": None}).encode()


@pytest.mark.parametrize("client", ["openai_chat", "anthropic", "gemini"])
@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_answer_in_the_background_is_an_error_for_a_client_that_cannot_come_back_for_it(
    client: str, status: str
) -> None:
    with pytest.raises(RemoteDialectError, match="background") as caught:
        before_responses(client).response(unfinished(status), REPLY)

    assert (caught.value.info().status, caught.value.info().code) == (502, "unfinished_answer")


def test_a_responses_client_gets_an_answer_in_the_background_as_it_is() -> None:
    assert before_responses("openai_responses").response(unfinished("queued"), REPLY).body == unfinished("queued")


@pytest.mark.parametrize("client", BODIES)
def test_an_answer_in_the_background_is_no_stream_for_anybody(client: str) -> None:
    with pytest.raises(RemoteDialectError, match="background"):
        before_responses(client).unfolded(unfinished("queued"), REPLY)
