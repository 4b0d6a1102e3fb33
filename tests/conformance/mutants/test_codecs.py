"""How codecs are broken: one function is another, everything else is as it was."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.chat.ids import counter
from setu.chat.parts import Text, ToolCall
from setu.chat.request import ChatRequest, Message
from setu.conformance.mutants.codecs import asked, body, both, lost, of, parsed, sent, text_changed, without, written
from setu.dialects.record import Dialect, Reply, Route, Target
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError

CHAT, ANTHROPIC = DIALECTS["openai_chat"], DIALECTS["anthropic"]
ROUTE = Route(dialect="openai_chat", operation="chat")
ASKED = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":1}'


def read(dialect: Dialect, data: bytes = ASKED) -> Any:
    return dialect.client["chat"].parse_request(data, ROUTE)


def render(dialect: Dialect, request: Any) -> Any:
    return dialect.upstream["chat"].render_request(request, Target(model="m"))


def test_one_dialect_of_all_is_broken() -> None:
    dialects = of("anthropic", sent(without("max_tokens")))(DIALECTS)

    assert {name for name in DIALECTS if dialects[name] is not DIALECTS[name]} == {"anthropic"}


def test_what_goes_upstream_is_changed() -> None:
    rendered = render(sent(without("max_tokens"))(ANTHROPIC), read(CHAT))

    assert b"max_tokens" not in rendered.body


@given(st.sampled_from(['{"a": 1.10}', '{"a": 9007199254740993}', '{"a": 1, "a": 2.0}', '{"a": -0.0}']))
def test_what_goes_upstream_is_else_spelled_as_it_was(arguments: str) -> None:
    call = Message(role="assistant", parts=(ToolCall(call_id="c", name="f", arguments=arguments),))
    request = ChatRequest(model="m", messages=(Message(role="user", parts=(Text(text="go"),)), call))

    rendered = render(sent(lambda made: {**made, "user": "x"})(CHAT), request)

    (made,) = _json.decode(rendered.body)["messages"][1]["tool_calls"]
    assert made["function"]["arguments"] == arguments


def test_a_loss_is_kept_secret() -> None:
    request = read(CHAT)

    assert render(ANTHROPIC, request).losses
    assert not render(lost(lambda loss: "seed" in loss.pointer)(ANTHROPIC), request).losses


def test_a_clients_json_is_changed_before_it_is_read() -> None:
    request = read(written(lambda made: {**made, "seed": 2})(CHAT))

    assert request.options.seed == 2


@pytest.mark.parametrize("data", [b"", b"[]", b"nonsense", b'{"model": "\\ud800"}'])
def test_what_cannot_be_changed_is_refused_as_ever(data: bytes) -> None:
    with pytest.raises(LocalDialectError):
        read(written(lambda made: made)(CHAT), data)


def test_changes_add_up() -> None:
    request = read(both(text_changed(str.upper), asked(lambda r: r), text_changed(lambda text: f"{text}!"))(CHAT))

    assert request.messages[0].parts == (Text(text="HI!"),)


def test_an_answer_is_changed_where_it_is_read_and_where_it_is_written() -> None:
    answer = b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}'
    real = CHAT.upstream["chat"].parse_response

    heard = parsed(lambda response: real(answer.replace(b'"a"', b'"b"'), counter()))(CHAT)
    response = heard.upstream["chat"].parse_response(answer, counter())
    told = (
        body(without("object"))(CHAT)
        .client["chat"]
        .render_response(response, Reply(model="m", id="x", created=1, mint=counter()))
    )

    assert b'"b"' in told.body
    assert b'"object"' not in told.body
