import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.chat.ids import counter
from setu.chat.parts import Opaque, Reasoning, Text, ToolCall
from setu.dialects.cohere.codec import DIALECT
from setu.errors import ErrorInfo, ErrorKind, ProviderError, RemoteDialectError
from setu.http import Headers
from tests.dialects.chats import JSON

CALL = {"id": "w_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}


def parse(**members):
    whole = {"id": "i-1", "finish_reason": "COMPLETE", **members}
    return DIALECT.upstream["chat"].parse_response(json.dumps(whole).encode(), counter())


def message(**members):
    return parse(message={"role": "assistant", **members}).candidates[0]


def parts(**members):
    return message(**members).messages[0].parts


def test_plan_thinking_text_and_calls_are_parts() -> None:
    content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi."}]

    assert parts(tool_plan="Look.", content=content, tool_calls=[CALL]) == (
        Reasoning(text=("Look.",)),
        Reasoning(text=("Hm.",)),
        Text(text="Hi."),
        ToolCall(call_id="w_1", name="weather", arguments='{"city":"Oslo"}'),
    )


def test_calls_end_in_tool_calls_whatever_the_word() -> None:
    assert message(tool_calls=[CALL]).finish.reason == "tool_calls"


@pytest.mark.parametrize("content", [None, "", []])
def test_no_content_is_no_part(content) -> None:
    assert parts(content=content) == ()


def test_content_as_a_string_and_arguments_as_an_object_are_read() -> None:
    loose = {**CALL, "id": "", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}
    text, call = parts(content="Hi.", tool_calls=[loose])

    assert text == Text(text="Hi.")
    assert (call.call_id, call.arguments) == ("call_1", '{"city": "Oslo"}')


def test_a_block_of_the_future_stays_opaque() -> None:
    assert isinstance(parts(content=[{"type": "table", "rows": []}])[0], Opaque)


def test_citations_belong_to_the_text() -> None:
    cite = {"start": 0, "end": 2, "text": "Hi", "sources": [{"type": "tool", "id": "w_1:0", "tool_output": {}}]}
    (text,) = parts(content=[{"type": "text", "text": "Hi."}], citations=[cite])

    assert [(one.start, one.end, one.source) for one in text.cites] == [(0, 2, "w_1:0")]


def test_billed_units_stand_in_where_tokens_are_not_told() -> None:
    usage = parse(message={}, usage={"billed_units": {"input_tokens": 2.0, "output_tokens": 3}}).usage

    assert (usage.input, usage.output, usage.cache_read) == (2, 3, None)


def test_no_usage_is_not_zero() -> None:
    assert parse(message={}, usage={}).usage is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id":"x"}', b"<html>"])
def test_what_is_no_answer_is_the_upstream_s_fault(body) -> None:
    with pytest.raises(RemoteDialectError):
        DIALECT.upstream["chat"].parse_response(body, counter())


@pytest.mark.parametrize("body", [{"message": "no"}, {"id": "1", "message": "no"}, {"error": "no"}])
def test_an_error_in_a_success_is_raised(body) -> None:
    with pytest.raises(ProviderError, match="no"):
        DIALECT.upstream["chat"].parse_response(json.dumps(body).encode(), counter())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ErrorKind.INVALID_REQUEST),
        (401, ErrorKind.AUTHENTICATION),
        (404, ErrorKind.NOT_FOUND),
        (422, ErrorKind.INVALID_REQUEST),
        (429, ErrorKind.RATE_LIMIT),
        (498, ErrorKind.PERMISSION),
        (503, ErrorKind.UNAVAILABLE),
    ],
)
def test_a_status_says_what_went_wrong_and_the_words_are_kept(status, kind) -> None:
    headers = Headers.of({"retry-after": "7", "x-debug-trace-id": "t-1"})
    info = DIALECT.errors.parse(status, headers, b'{"id":"e","message":"the words"}')

    assert (info.kind, info.status, info.message) == (kind, status, "the words")
    assert (info.retry_after, info.request_id) == (7.0, "t-1")


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"[]", b'{"message": 3}', b"\xff"])
def test_an_error_without_words_still_has_a_sentence(body) -> None:
    info = DIALECT.errors.parse(502, Headers(), body)

    assert (info.kind, info.message != "") == (ErrorKind.BAD_GATEWAY, True)


def test_an_error_is_written_as_cohere_writes_it() -> None:
    info = ErrorInfo(kind=ErrorKind.SERVER, status=500, message="half \ud800", request_id="e-1")

    assert json.loads(DIALECT.errors.render(info)) == {"id": "e-1", "message": "half ?"}
    assert json.loads(DIALECT.errors.frame(info).data or b"")["delta"]["error"] == "half ?"


@given(st.one_of(st.binary(max_size=40), JSON.map(lambda value: json.dumps(value).encode())))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_an_answer_or_a_named_error(body) -> None:
    for whole in (body, b'{"message":' + body + b',"finish_reason":"COMPLETE"}'):
        try:
            DIALECT.upstream["chat"].parse_response(whole, counter())
        except (ProviderError, RemoteDialectError):
            continue
