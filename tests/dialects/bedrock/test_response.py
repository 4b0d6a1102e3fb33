"""Answers and errors of Converse, to the model."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.ids import counter
from setu.chat.parts import AnyPart, HostedCall, HostedResult, Inline, Media, Opaque, Reasoning, Text, ToolCall
from setu.chat.response import ChatResponse, Usage
from setu.chat.seals import Extra, Seal
from setu.dialects.bedrock import errors
from setu.dialects.bedrock.response import parse_response
from setu.errors import ErrorInfo, ErrorKind, ProviderError, RemoteDialectError
from setu.http import Headers


def _answer(*blocks: Any, stop: str | None = "end_turn", **members: Any) -> ChatResponse:
    whole: dict[str, Any] = {"output": {"message": {"role": "assistant", "content": list(blocks)}}, "stopReason": stop}
    return parse_response(json.dumps(whole | members).encode(), counter())


def _parts(*blocks: Any) -> tuple[AnyPart, ...]:
    return _answer(*blocks).candidates[0].messages[0].parts


def test_blocks_become_parts() -> None:
    use = {"toolUseId": "t1", "name": "f", "input": {"n": 1}}
    thought = {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}
    image = {"format": "jpeg", "source": {"bytes": "AAAA"}}

    parts = _parts({"reasoningContent": thought}, {"text": "Hi."}, {"toolUse": use}, {"image": image})

    assert parts == (
        Reasoning(text=("Hm.",), seal=Seal(issuer="anthropic", kind="signature", data="c2ln")),
        Text(text="Hi."),
        ToolCall(call_id="t1", name="f", arguments='{"n": 1}'),
        Media(kind="image", source=Inline(b64="AAAA", mime="image/jpeg")),
    )


def test_redacted_thinking_is_anthropic_s_own_text() -> None:
    (part,) = _parts({"reasoningContent": {"redactedContent": "RW13Sw=="}})

    assert part == Reasoning(redacted=True, seal=Seal(issuer="anthropic", kind="redacted", data="EmwK"))


def test_citations_stand_on_the_text_they_are_for() -> None:
    cite = {"title": "T", "sourceContent": [{"text": "said"}], "location": {"web": {"url": "https://h"}}}

    (part,) = _parts({"citationsContent": {"content": [{"text": "A"}, {"text": "B"}], "citations": [cite, 7]}})

    assert isinstance(part, Text)
    assert part.text == "AB"
    first, odd = part.cites
    assert (first.kind, first.url, first.title, first.quoted) == ("web", "https://h", "T", "said")
    assert odd.raw == b"7"


def test_what_bedrock_ran_itself_is_no_call_of_the_client() -> None:
    answer = _answer(
        {"toolUse": {"toolUseId": "s", "name": "calc", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "s", "type": "calc_result", "status": "success", "content": [{"json": {}}]}},
    )

    assert answer.candidates[0].messages[0].parts == (
        HostedCall(call_id="s", tool="server_tool_use", dialect="bedrock", name="calc", arguments=b"{}"),
        HostedResult(call_id="s", tool="calc_result", dialect="bedrock", content=b'[{"json": {}}]', is_error=False),
    )
    assert answer.candidates[0].finish is not None
    assert answer.candidates[0].finish.reason == "stop"


def test_the_forced_answer_is_a_text_and_its_end_a_stop() -> None:
    answer = _answer({"toolUse": {"toolUseId": "t", "name": "setu-json-answer", "input": {"a": 1}}}, stop="tool_use")

    assert answer.candidates[0].messages[0].parts == (Text(text='{"a": 1}'),)
    assert answer.candidates[0].finish is not None
    assert answer.candidates[0].finish.reason == "stop"


@pytest.mark.parametrize("block", [{"newKind": {"x": 1}}, {"toolUse": 3}, {"text": 4}, {}, {"reasoningContent": {}}])
def test_an_unknown_block_is_kept_and_never_fatal(block) -> None:
    (part,) = _parts(block)

    assert isinstance(part, Opaque)
    assert json.loads(part.raw) == block


def test_a_call_without_an_id_gets_one() -> None:
    (part,) = _parts({"toolUse": {"name": "f"}})

    assert part == ToolCall(call_id="tooluse_1", name="f", arguments="{}")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_model_output", "error"),
        ("malformed_tool_use", "error"),
        ("model_context_window_exceeded", "context_length"),
        ("anything_new", "stop"),
    ],
)
def test_stop_reasons(word, reason) -> None:
    """B-FIN-01, B-FIN-02, B-FIN-08, B-FIN-10."""
    finish = _answer({"text": "x"}, stop=word).candidates[0].finish

    assert finish is not None
    assert (finish.reason, finish.native) == (reason, word)


def test_a_call_outweighs_a_plain_stop_but_no_cap() -> None:
    """B-FIN-11."""
    use = {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}

    reasons = [_answer(use, stop=word).candidates[0].finish for word in ("end_turn", "tool_use", "max_tokens")]

    assert [finish.reason for finish in reasons if finish] == ["tool_calls", "tool_calls", "length"]


def test_usage_counts_cached_tokens_in() -> None:
    """B-USG-06."""
    usage = {
        "inputTokens": 5,
        "outputTokens": 7,
        "totalTokens": 42,
        "cacheReadInputTokens": 20,
        "cacheWriteInputTokens": 10,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 8}, {"ttl": "5m", "inputTokens": 2}],
    }

    found = _answer({"text": "x"}, usage=usage).usage

    assert found is not None
    assert found.raw is not None
    assert found == Usage(input=35, output=7, cache_read=20, cache_write=10, cache_write_1h=8, total=42, raw=found.raw)


def test_further_members_are_kept_but_not_the_transport_s() -> None:
    found = _answer(
        {"text": "x"},
        trace={"guardrail": {}},
        metrics={"latencyMs": 1},
        serviceTier={"type": "flex"},
        additionalModelResponseFields={"stop_sequence": "END"},
    )

    assert found.service_tier == "flex"
    assert found.extra == Extra(
        dialect="bedrock",
        members={
            "trace": b'{"guardrail": {}}',
            "additionalModelResponseFields": b'{"stop_sequence": "END"}',
        },
    )
    assert found.candidates[0].finish is not None
    assert found.candidates[0].finish.stop_sequence == "END"


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (
            b'{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}',
            404,
            "UnknownOperationException",
        ),
        (b'{"message":"Too many requests"}', 500, None),
        (b'{"__type":"ThrottlingException","message":"x"}', 429, "ThrottlingException"),
    ],
)
def test_an_error_inside_a_200_is_an_error(body, status, word) -> None:
    """B-ERR-08."""
    with pytest.raises(ProviderError) as caught:
        parse_response(body, counter())

    assert (caught.value.info().status, caught.value.info().type) == (status, word)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["output", "message", "content", "text", "toolUse", "usage", "stopReason", "input", "x"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_an_answer_or_a_remote_error(value) -> None:
    with contextlib.suppress(RemoteDialectError, ProviderError):
        parse_response(json.dumps(value).encode(), counter())


@given(st.binary(max_size=60))
def test_any_bytes_are_an_answer_or_a_remote_error(data) -> None:
    with pytest.raises((RemoteDialectError, ProviderError)):
        parse_response(data, counter())


CORAL = "http://internal.amazon.com/coral/com.amazon.bedrock/"


@pytest.mark.parametrize(
    ("status", "header", "body", "kind", "word", "message"),
    [
        (
            400,
            f"ValidationException:{CORAL}",
            b'{"message":"bad"}',
            ErrorKind.INVALID_REQUEST,
            "ValidationException",
            "bad",
        ),
        (
            403,
            "UnrecognizedClientException",
            b'{"message":"no"}',
            ErrorKind.AUTHENTICATION,
            "UnrecognizedClientException",
            "no",
        ),
        (403, None, b'{"Message":"key"}', ErrorKind.PERMISSION, None, "key"),
        (
            429,
            None,
            b'{"__type":"com.amazon#ThrottlingException","message":"slow"}',
            ErrorKind.RATE_LIMIT,
            "ThrottlingException",
            "slow",
        ),
        (
            429,
            "ModelNotReadyException",
            b"{}",
            ErrorKind.OVERLOADED,
            "ModelNotReadyException",
            "the upstream answered 429 without a message",
        ),
        (424, "ModelErrorException", b'{"message":"m"}', ErrorKind.SERVER, "ModelErrorException", "m"),
        (503, "ThrottlingException", b'{"message":"m"}', ErrorKind.UNAVAILABLE, "ThrottlingException", "m"),
        (502, None, b"<html>", ErrorKind.BAD_GATEWAY, None, "the upstream answered 502 with a page, not with JSON"),
        (500, None, b"", ErrorKind.SERVER, None, "the upstream answered 500 without a message"),
        (400, None, b"plain words", ErrorKind.INVALID_REQUEST, None, "plain words"),
        (400, None, b"[1]", ErrorKind.INVALID_REQUEST, None, "[1]"),
    ],
)
def test_errors_are_told_by_status_then_class(status, header, body, kind, word, message) -> None:
    """B-ERR-06, B-ERR-09."""
    headers = Headers.of({"x-amzn-errortype": header} if header else {})

    info = errors.parse(status, headers, body)

    assert (info.status, info.kind, info.type, info.message) == (status, kind, word, message)


def test_the_time_to_wait_and_the_request_s_id_are_read() -> None:
    headers = Headers.of({"retry-after": "3", "x-amzn-requestid": "r-1"})

    info = errors.parse(429, headers, b"{}")
    odd = errors.parse(429, Headers.of({"retry-after": "soon"}), b"{}")

    assert (info.retry_after, info.request_id, odd.retry_after) == (3.0, "r-1", None)


@given(st.integers(400, 599), st.binary(max_size=40))
def test_any_error_body_is_an_error_and_can_be_written(status, body) -> None:
    info = errors.parse(status, Headers(), body)

    again = errors.parse(status, Headers(), errors.render(info))

    assert (again.status, again.message) == (status, info.message)


@pytest.mark.parametrize(
    ("status", "event"), [(429, "throttlingException"), (529, "internalServerException"), (418, "validationException")]
)
def test_an_error_in_a_stream_is_an_exception_of_its_class(status, event) -> None:
    frame = errors.frame(ErrorInfo(kind=ErrorKind.SERVER, status=status, message="\ud800 x"))

    assert frame.event == event
    assert json.loads(frame.data or b"")["message"] == "\ufffd x"
