import json
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.edits import REDACTED, Rules, applied, edits_of
from setu.cassette.redact import find_secrets, parse_rules, redact_body, redact_request, redact_response, redact_text
from setu.errors import ConfigError
from setu.framing.sse import SseDecoder
from setu.http import Response
from tests.cassette.samples import request
from tests.cassette.test_redact import SHAPED

KEY = SHAPED["openai"]
PIECES = st.sampled_from([*SHAPED.values(), '"', "\\", "\\\\", '\\"', "{", "}", ":", ",", "\n", "é", "key", "token=", "password",
                          '"password":"', "Bearer ", "://a:", "REDACTED", "a", "1", " ", "?sig=", "-----BEGIN PRIVATE KEY-----"])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).map("".join)
JSONS = st.recursive(
    TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "api_key", "db_password", "text"]), inner, max_size=3)
        | inner.map(json.dumps)
    ),
    max_leaves=6,
)


def redacted(body: bytes) -> bytes:
    return redact_body(body, Rules(), "request.body", [])


@given(TEXTS)
def test_redaction_is_idempotent_and_leaves_nothing_to_find(text: str) -> None:
    once = redacted(text.encode())

    assert redacted(once) == once
    assert find_secrets(once.decode("latin-1"), guess=True, as_bytes=True) == []


@given(JSONS, st.booleans())
def test_json_stays_json_of_the_same_form(value: Any, ascii_only: bool) -> None:
    body = redacted(json.dumps(value, ensure_ascii=ascii_only).encode())

    assert form(json.loads(body)) == form(value)


def form(value: Any) -> Any:
    if isinstance(value, list):
        return [form(item) for item in value]
    return [form(item) for item in value.values()] if isinstance(value, dict) else type(value)


@given(st.lists(JSONS, max_size=4))
def test_a_stream_keeps_its_events(values: list[Any]) -> None:
    body = "".join(f"data: {json.dumps(value)}\n\n" for value in values).encode()

    kept, _ = redact_response(Response(200, body=body))

    assert isinstance(kept.body, bytes)
    assert len(SseDecoder().feed(kept.body)) == len(values)


@given(TEXTS)
def test_a_body_grows_by_no_more_than_its_marks(text: str) -> None:
    body = text.encode()

    assert len(redacted(body)) <= 8 * len(body) + len(REDACTED)


@given(TEXTS)
def test_edits_are_in_order_and_apart(text: str) -> None:
    edits = edits_of(text, Rules(), guess=True)

    assert all(one.end <= two.start for one, two in pairwise(edits))
    assert applied(text, ()) == text


@pytest.mark.parametrize(
    "text",
    [
        "a line of text about a token and the key of it. " * 20_000,
        '{"role":"user","content":"say \\"hello\\" \\n","api_token":"x"},' * 16_000,
        '"aGVsbG8gd29ybGQ' * 1 + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo" * 30_000,
        "key=" * 250_000,
        '"' * 1_000_000,
        '\\"' * 500_000,
        "://a:" * 200_000,
        "bearer+" * 140_000,
        "-----BEGIN PRIVATE KEY-----" * 37_000,
        '"token":{"value":' * 60_000,
        'token"\r\nA: b\r\n' * 70_000,
        "eyJaaaaaaaa.eyJ" * 66_000,
        "\u0130" * 300_000,
    ],
    ids=["prose", "members", "media", "names", "quotes", "escapes", "urls", "bearers", "pems", "values", "forms", "jwts", "letters"],
)  # fmt: skip
def test_a_megabyte_of_anything_is_searched_in_linear_time(text: str) -> None:
    started = time.process_time()
    redacted(text.encode())

    assert time.process_time() - started < 1.5


def test_a_pattern_of_the_users_own_is_taken_out_whole_or_by_its_group() -> None:
    rules = parse_rules([], [], [r"tenant-\d+", r"pin (?P<secret>\d{4})"])

    assert redact_text("tenant-42 has pin 1234", rules) == "REDACTED has pin REDACTED"


def test_a_pointer_and_a_header_of_the_users_own_are_taken_out() -> None:
    rules = parse_rules(["Anthropic-Beta"], ["/customer/*/iban"], [])
    asked = request({"customer": [{"iban": "DE00", "name": "A"}]}, headers={"anthropic-beta": "b"})

    kept, what = redact_request(asked, rules)

    assert kept.body == b'{"customer":[{"iban":"REDACTED","name":"A"}]}'
    assert "anthropic-beta" not in kept.headers
    assert what == ("request.headers.anthropic-beta", "request.body")
    assert redact_request(kept, rules) == (kept, ())


@pytest.mark.parametrize(("pointers", "patterns"), [(["a/b"], []), ([], ["("])])
def test_a_rule_that_is_none_is_named(pointers: list[str], patterns: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"to redact: '(a/b|\()'"):
        parse_rules([], pointers, patterns)


def test_a_pointer_changes_only_what_it_points_at() -> None:
    body = b'{"tools":[{"headers":{"X":"auto"}}],"tool_choice":"auto"}'

    kept, _ = redact_request(request(body))

    assert kept.body == b'{"tools":[{"headers":{"X":"REDACTED"}}],"tool_choice":"auto"}'


def test_a_guess_is_marked_with_its_pointer() -> None:
    _, what = redact_request(request({"a": {"vault_token": "Zq7-plain-credential-7f3d2b"}}))

    assert what == ("request.body:/a/vault_token (entropy)",)


def test_what_cannot_be_taken_out_alone_goes_as_a_whole() -> None:
    rules = parse_rules([], [], ["(?P<secret>)x"])
    what: list[str] = []

    assert redact_body(b"axb", rules, "response.body", what) == b'"REDACTED"'
    assert what[-1] == "response.body (whole)"
