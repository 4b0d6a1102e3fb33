"""Token counts of the two dialects that have them."""

import json
from typing import Any

import pytest

from setu.chat.count import TokenCount
from setu.chat.ids import counter
from setu.dialects.anthropic import count as anthropic
from setu.dialects.gemini import count as gemini
from setu.dialects.record import Reply, Route, Target
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError, SetuError

TO_ANTHROPIC = Route(dialect="anthropic", operation="count_tokens")
TO_GEMINI = Route(dialect="gemini", operation="count_tokens", model="m")
REPLY = Reply(model="m", id="", created=1, mint=counter())
TARGET = Target(model="m")
MESSAGES = [{"role": "user", "content": "hi"}]
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]


def test_anthropic_counts_a_message_without_a_cap() -> None:
    tool = {"name": "f", "input_schema": {"type": "object"}}
    body = {"model": "m", "system": "s", "messages": MESSAGES, "tools": [tool], "tool_choice": {"type": "auto"}}

    rendered = anthropic.render_request(anthropic.parse_request(json.dumps(body).encode(), TO_ANTHROPIC), TARGET)

    assert json.loads(rendered.body) == body
    assert rendered.losses == ()


def test_what_only_an_answer_needs_is_not_counted_and_no_loss() -> None:
    body = {"contents": CONTENTS, "generationConfig": {"temperature": 1.9, "maxOutputTokens": 5, "topK": 3}}

    rendered = anthropic.render_request(gemini.parse_request(json.dumps(body).encode(), TO_GEMINI), TARGET)

    assert json.loads(rendered.body) == {"model": "m", "messages": MESSAGES}
    assert rendered.losses == ()


@pytest.mark.parametrize(
    "body",
    [
        {"contents": CONTENTS},
        {"contents": CONTENTS, "systemInstruction": {"parts": [{"text": "s"}]}},
        {"generateContentRequest": {"model": "models/m", "contents": CONTENTS}},
    ],
)
def test_gemini_counts_in_all_its_forms(body: dict[str, Any]) -> None:
    request = gemini.parse_request(json.dumps(body).encode(), TO_GEMINI)
    inner = body.get("generateContentRequest", body)

    rendered = json.loads(gemini.render_request(request, TARGET).body)

    assert rendered == {"generateContentRequest": inner | {"model": "models/m"}}
    assert gemini.parse_request(json.dumps(rendered).encode(), TO_GEMINI) == request


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"messages":1}', b'{"generateContentRequest":1}', b"\xff"])
def test_nonsense_is_refused(body: bytes) -> None:
    for parse, route in ((anthropic.parse_request, TO_ANTHROPIC), (gemini.parse_request, TO_GEMINI)):
        with pytest.raises(LocalDialectError):
            parse(body, route)


def test_counts_are_read_and_written() -> None:
    details = b'[{"modality":"TEXT","tokenCount":5}]'
    told = b'{"totalTokens":5,"cachedContentTokenCount":2,"promptTokensDetails":' + details + b"}"

    assert gemini.parse_response(told, counter()) == TokenCount(total=5, cached=2, details=details)
    assert gemini.render_response(TokenCount(total=5, cached=2, details=details), REPLY).body == told
    assert anthropic.parse_response(b'{"input_tokens": 5}', counter()) == TokenCount(total=5)
    assert anthropic.render_response(TokenCount(total=5), REPLY).body == b'{"input_tokens":5}'


@pytest.mark.parametrize("body", [b"{}", b"oops", b'{"totalTokens":"x","input_tokens":null}'])
def test_an_answer_without_a_count_is_the_upstreams_fault(body: bytes) -> None:
    errors: list[type[SetuError]] = []
    for parse in (anthropic.parse_response, gemini.parse_response):
        with pytest.raises(SetuError) as caught:
            parse(body, counter())
        errors.append(caught.type)

    assert errors == [RemoteDialectError, RemoteDialectError]


def test_an_error_with_a_good_status_is_the_upstreams_word() -> None:
    with pytest.raises(ProviderError, match="no such thing"):
        gemini.parse_response(b'{"error":{"code":404,"message":"no such thing","status":"NOT_FOUND"}}', counter())
