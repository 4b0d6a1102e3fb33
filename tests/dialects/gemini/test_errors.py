"""Errors: whatever an upstream sends, its status and Google's own words come through."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.dialects.gemini.errors import STATUS_OF_WORD, error_frame, error_in, parse_error, render_error
from setu.errors import ErrorInfo, ErrorKind
from setu.http import Headers

NO_HEADERS = Headers()
BAD_KEY = {
    "error": {
        "code": 400,
        "message": "API key not valid.",
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
    }
}


def envelope(code: int, status: str, **more: object) -> bytes:
    return json.dumps({"error": {"code": code, "message": "m", "status": status} | more}).encode()


@pytest.mark.parametrize(
    ("status", "word", "kind"),
    [
        (400, "INVALID_ARGUMENT", ErrorKind.INVALID_REQUEST),
        (400, "FAILED_PRECONDITION", ErrorKind.INVALID_REQUEST),
        (401, "UNAUTHENTICATED", ErrorKind.AUTHENTICATION),
        (403, "PERMISSION_DENIED", ErrorKind.PERMISSION),
        (404, "NOT_FOUND", ErrorKind.NOT_FOUND),
        (429, "RESOURCE_EXHAUSTED", ErrorKind.RATE_LIMIT),
        (500, "INTERNAL", ErrorKind.SERVER),
        (503, "UNAVAILABLE", ErrorKind.UNAVAILABLE),
        (504, "DEADLINE_EXCEEDED", ErrorKind.TIMEOUT),
    ],
)
def test_googles_codes_are_classified_and_written_back(status: Any, word: Any, kind: Any) -> None:
    body = envelope(status, word)

    info = parse_error(status, NO_HEADERS, body)

    assert (info.status, info.type, info.kind, info.message, info.raw) == (status, word, kind, "m", body)
    assert json.loads(render_error(info)) == json.loads(body)


def test_an_error_body_may_be_an_array() -> None:  # B-ERR-13
    info = parse_error(400, NO_HEADERS, b"[" + envelope(400, "INVALID_ARGUMENT") + b"]")

    assert (info.message, info.type) == ("m", "INVALID_ARGUMENT")


def test_a_bad_key_is_an_authentication_error_although_the_status_says_400() -> None:
    info = parse_error(400, NO_HEADERS, json.dumps(BAD_KEY).encode())

    assert (info.kind, info.status, info.code) == (ErrorKind.AUTHENTICATION, 401, "API_KEY_INVALID")
    assert json.loads(render_error(info))["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_the_bodys_own_code_counts_inside_a_wrapper() -> None:  # B-ERR-07
    assert parse_error(500, NO_HEADERS, envelope(429, "RESOURCE_EXHAUSTED")).kind is ErrorKind.RATE_LIMIT


def test_an_upstream_4xx_stays_one() -> None:  # B-ERR-15
    assert parse_error(400, NO_HEADERS, envelope(500, "INTERNAL")).status == 400


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({"retry-after": "7"}, [], 7.0),
        ({"retry-after-ms": "1500"}, [], 1.5),
        ({"retry-after": "Fri, 20 Nov 2026 10:00:00 GMT"}, [], None),
        ({}, [{"@type": "t/google.rpc.RetryInfo", "retryDelay": "18.403470473s"}], 18.403470473),
        ({"retry-after": "7"}, [{"retryDelay": "9s"}], 7.0),
        ({}, [{"retryDelay": "soon"}], None),
    ],
)
def test_the_delay_is_read_from_headers_and_details(headers: Any, details: Any, seconds: Any) -> None:
    info = parse_error(429, Headers.of(headers), envelope(429, "RESOURCE_EXHAUSTED", details=details))

    assert info.retry_after == seconds


def test_the_violated_field_is_the_param() -> None:
    details = [{"@type": "t/google.rpc.BadRequest", "fieldViolations": [{"field": "contents[0]", "description": "d"}]}]

    assert parse_error(400, NO_HEADERS, envelope(400, "INVALID_ARGUMENT", details=details)).param == "contents[0]"


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"null", b"{}", b"[]", b"\xff\xfe", b'{"error":'])
def test_a_body_that_is_no_error_keeps_the_status(body: Any) -> None:  # B-ERR-09
    info = parse_error(502, NO_HEADERS, body)

    assert (info.kind, info.status) == (ErrorKind.BAD_GATEWAY, 502)
    assert "502" in info.message


def test_a_bare_string_is_the_message() -> None:
    assert parse_error(400, NO_HEADERS, b'{"error":"no"}').message == "no"


@given(st.integers(400, 599), st.binary(max_size=40) | st.just(b'{"error":{"code":{},"details":[1,{"retryDelay":3}]}}'))
def test_any_error_body_is_read_and_can_be_written(status: int, body: bytes) -> None:
    info = parse_error(status, NO_HEADERS, body)

    assert parse_error(info.status, NO_HEADERS, render_error(info)).kind == info.kind


@given(
    st.sampled_from(sorted(ErrorKind)),
    st.sampled_from([400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529]),
    st.text(),
    st.none() | st.text(),
)
def test_any_error_becomes_googles_envelope(kind: ErrorKind, status: int, message: str, param: str | None) -> None:
    info = ErrorInfo(kind=kind, status=status, message=message, type="overloaded_error", code="x", param=param)

    error = json.loads(render_error(info))["error"]

    assert error["code"] == status
    assert error["status"] in STATUS_OF_WORD
    assert "x" not in json.dumps(error.get("details", [{}])[0].get("reason", ""))


def test_the_delay_is_written_as_google_does() -> None:
    info = ErrorInfo(kind=ErrorKind.RATE_LIMIT, status=429, message="m", retry_after=18.0)

    assert json.loads(render_error(info))["error"]["details"] == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "18s"}
    ]


def test_an_error_in_a_stream_is_a_frame_that_reads_as_one() -> None:
    info = ErrorInfo(kind=ErrorKind.UNAVAILABLE, status=503, message="m")

    found = error_in(error_frame(info).data or b"")

    assert found is not None
    assert (found.kind, found.status, found.message) == (ErrorKind.UNAVAILABLE, 503, "m")


def test_a_chunk_without_an_error_holds_none() -> None:
    assert error_in(b'{"candidates":[]}') is None
