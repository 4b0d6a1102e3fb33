"""What a Responses client expects to be remembered, in front of upstreams that remember nothing."""

import json
from typing import Any

import pytest

from setu.chat.request import ChatRequest
from setu.dialects.record import Route
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError
from setu.translate.state import without_state


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
