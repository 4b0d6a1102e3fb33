"""Parts: each kind is read, in either spelling, and what is unknown stays as it came."""

import json
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.parts import (
    AnyPart,
    HostedCall,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Reasoning,
    Ref,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from setu.chat.seals import Extra, Seal
from setu.dialects.gemini.parts import parse_part, unwrap, wrap
from setu.errors import LocalDialectError, RemoteDialectError
from tests.documents import DOCUMENTS, Document

SEAL = Seal(issuer="gemini", kind="signature", data="c2ln")


def read(part: Any, *, lenient: bool = False) -> AnyPart:
    return parse_part(json.dumps(part).encode(), "contents[0].parts[0]", lenient=lenient)


@pytest.mark.parametrize(
    ("wire", "part"),
    [
        ({"text": "hi"}, Text(text="hi")),
        ({"text": "", "thoughtSignature": "c2ln"}, Text(text="", seal=SEAL)),
        ({"thought_signature": "c2ln"}, Text(text="", seal=SEAL)),
        ({"text": "hi", "thought": False}, Text(text="hi")),
        ({"text": "hi", "inlineData": None}, Text(text="hi")),
        (
            {"inline_data": {"mime_type": "image/png", "data": "-_8="}},
            Media(kind="image", source=Inline(b64="+/8=", mime="image/png")),
        ),
        (
            {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}, "videoMetadata": {"fps": 2}},
            Media(kind="document", source=Inline(b64="AAAA", mime="application/pdf"), clip=b'{"fps": 2}'),
        ),
        (
            {"fileData": {"fileUri": "gs://b/a.mp4", "mimeType": "video/mp4"}},
            Media(kind="video", source=Ref(issuer="gemini", id="gs://b/a.mp4", mime="video/mp4")),
        ),
        (
            {"fileData": {"fileUri": "https://example.com/a.mp3", "mimeType": "audio/mpeg"}},
            Media(kind="audio", source=Url(url="https://example.com/a.mp3", mime="audio/mpeg")),
        ),
        (
            {"fileData": {"fileUri": "https://youtu.be/x"}},
            Media(kind="video", source=Url(url="https://youtu.be/x")),
        ),
        (
            {"functionCall": {"name": "f", "args": {"a": 1.10}, "id": "c1"}, "thoughtSignature": "c2ln"},
            ToolCall(call_id="c1", name="f", arguments='{"a": 1.1}', seal=SEAL),
        ),
        ({"function_call": {"name": "f"}}, ToolCall(call_id="", name="f", arguments="{}")),
        (
            {"functionResponse": {"name": "f", "id": "c1", "response": {"result": "sunny"}}},
            ToolResult(call_id="c1", name="f", content=(Text(text="sunny"),)),
        ),
        (
            {"functionResponse": {"name": "f", "response": {"error": "no"}}},
            ToolResult(call_id="", name="f", content=(Text(text="no"),), is_error=True),
        ),
        (
            {
                "functionResponse": {
                    "name": "f",
                    "response": {"a": 1},
                    "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
                }
            },
            ToolResult(
                call_id="",
                name="f",
                content=(Text(text='{"a": 1}'), Media(kind="image", source=Inline(b64="AAAA", mime="image/png"))),
            ),
        ),
        (
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            HostedCall(
                call_id="",
                tool="code_execution",
                dialect="gemini",
                name="executableCode",
                arguments=b'{"language": "PYTHON", "code": "1"}',
            ),
        ),
        (
            {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "x"}},
            HostedResult(
                call_id="",
                tool="codeExecutionResult",
                dialect="gemini",
                content=b'{"outcome": "OUTCOME_FAILED", "output": "x"}',
                is_error=True,
            ),
        ),
        (
            {"toolCall": {"id": "t1", "tool_type": "GOOGLE_SEARCH_WEB", "args": {}}},
            HostedCall(
                call_id="t1",
                tool="GOOGLE_SEARCH_WEB",
                dialect="gemini",
                name="toolCall",
                arguments=b'{"id": "t1", "tool_type": "GOOGLE_SEARCH_WEB", "args": {}}',
            ),
        ),
        (
            {"toolResponse": {"id": "t1", "response": {"x": 1}}},
            HostedResult(
                call_id="t1",
                tool="toolResponse",
                dialect="gemini",
                content=b'{"id": "t1", "response": {"x": 1}}',
            ),
        ),
        ({"hologram": {"x": 1}}, Opaque(dialect="gemini", kind="hologram", raw=b'{"hologram": {"x": 1}}')),
        (
            {"text": "a", "mediaResolution": {"level": "X"}},
            Text(text="a", extra=Extra(dialect="gemini", members={"mediaResolution": b'{"level": "X"}'})),
        ),
    ],
)
def test_every_kind_of_part_is_read(wire: Any, part: Any) -> None:
    assert read(wire) == part


def test_a_thought_of_an_answer_is_reasoning() -> None:
    assert read({"text": "hm", "thought": True}, lenient=True) == Reasoning(text=("hm",))


def test_a_thought_of_a_request_stays_marked_as_geminis_own() -> None:
    part = read({"text": "hm", "thought": True, "thoughtSignature": "c2ln"})

    assert part == Reasoning(text=("hm",), seal=SEAL, extra=Extra(dialect="gemini", members={"thought": b"true"}))


def test_a_draft_picture_is_no_picture_for_the_reader() -> None:
    part = read({"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": True}, lenient=True)

    assert isinstance(part, Opaque)


@pytest.mark.parametrize(
    ("wire", "param"),
    [
        ({"text": 1}, "contents[0].parts[0].text"),
        ({"text": "a", "functionCall": {"name": "f"}}, "contents[0].parts[0]"),
        ({"functionCall": {}}, "contents[0].parts[0].functionCall.name"),
        ({"functionCall": {"name": "f", "args": "x"}}, "contents[0].parts[0].functionCall.args"),
        ({"functionResponse": {"response": {}}}, "contents[0].parts[0].functionResponse.name"),
        ({"functionResponse": {"name": "f", "response": []}}, "contents[0].parts[0].functionResponse.response"),
        ({"inlineData": {"data": "AAAA"}}, "contents[0].parts[0].inlineData.mimeType"),
        ({"fileData": {}}, "contents[0].parts[0].fileData.fileUri"),
        ({"inlineData": "AAAA"}, "contents[0].parts[0].inlineData"),
    ],
)
def test_a_malformed_part_of_a_request_is_refused_by_name(wire: Any, param: Any) -> None:
    with pytest.raises(LocalDialectError) as caught:
        read(wire)

    assert caught.value.param == param


@given(DOCUMENTS)
def test_any_document_is_a_part_or_a_dialect_error(document: Document) -> None:
    with suppress(LocalDialectError):
        parse_part(document.data, "part")
    with nullcontext() if isinstance(document.value, dict) else pytest.raises(RemoteDialectError):
        parse_part(document.data, "part", lenient=True)


KNOWN = st.sampled_from(
    ["text", "thought", "thoughtSignature", "functionCall", "functionResponse", "inlineData", "fileData"]
)
NEAR = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(KNOWN | st.sampled_from(["name", "args", "response", "parts", "id", "mimeType"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(KNOWN, NEAR, max_size=3))
def test_an_answers_part_is_always_read_however_odd(wire: dict[str, Any]) -> None:
    assert read(wire, lenient=True) is not None


@pytest.mark.parametrize(
    ("text", "failed", "response"),
    [
        ("sunny", False, {"result": "sunny"}),
        ("", False, {"result": ""}),
        ('{"a": 1}', False, {"a": 1}),
        ("[]", False, {"result": []}),
        ("1", False, {"result": 1}),
        ("null", False, {"result": None}),
        ('"quoted"', False, {"result": '"quoted"'}),
        ("NaN", False, {"result": "NaN"}),
        ("{broken", False, {"result": "{broken"}),
        ("boom", True, {"error": "boom"}),
        ('{"code": 5}', True, {"error": {"code": 5}}),
    ],
)
def test_a_tools_text_becomes_the_object_that_gemini_wants(text: Any, failed: Any, response: Any) -> None:  # B-TOOL-06
    assert json.loads(wrap(text, failed=failed)) == response


@given(st.text(st.characters(codec="utf-8")) | DOCUMENTS.map(lambda d: d.text), st.booleans())
def test_unwrapping_a_wrapped_text_changes_nothing_on_the_wire(text: str, failed: bool) -> None:
    wrapped = wrap(text, failed=failed)

    assert json.loads(wrap(unwrap(wrapped)[0], failed=unwrap(wrapped)[1])) == json.loads(wrapped)
