"""Error bodies, both ways."""

import json

import pytest

from setu.dialects.anthropic.codec import DIALECT
from setu.errors import ErrorInfo, ErrorKind, LocalDialectError, NoMatchError
from setu.http import Headers

ERRORS = DIALECT.errors


def parse(status, body, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ERRORS.parse(status, Headers.of({name.replace("_", "-"): value for name, value in headers.items()}), raw)


def nested(word, message="no"):
    return {"type": "error", "error": {"type": word, "message": message}, "request_id": "req_1"}


@pytest.mark.parametrize(
    ("status", "word", "kind"),
    [
        (400, "invalid_request_error", ErrorKind.INVALID_REQUEST),
        (401, "authentication_error", ErrorKind.AUTHENTICATION),
        (402, "billing_error", ErrorKind.QUOTA),
        (403, "permission_error", ErrorKind.PERMISSION),
        (404, "not_found_error", ErrorKind.NOT_FOUND),
        (413, "request_too_large", ErrorKind.TOO_LARGE),
        (429, "rate_limit_error", ErrorKind.RATE_LIMIT),
        (500, "api_error", ErrorKind.SERVER),
        (504, "timeout_error", ErrorKind.TIMEOUT),
        (529, "overloaded_error", ErrorKind.OVERLOADED),
    ],
)
def test_every_documented_error_is_read_and_written(status, word, kind) -> None:
    info = parse(status, nested(word))

    assert (info.status, info.kind, info.type, info.message, info.request_id) == (status, kind, word, "no", "req_1")
    assert json.loads(ERRORS.render(ErrorInfo(kind=kind, status=status, message="no", request_id="req_1"))) == nested(
        word
    )


@pytest.mark.parametrize(
    ("status", "body", "read"),
    [
        (
            502,
            b"<html><h1>Bad\n gateway</h1></html>",
            (502, "the upstream answered 502 with a page, not with JSON"),
        ),  # B-ERR-09
        (503, b"", (503, "the upstream answered 503 without a message")),
        (500, b"\xff\xfe", (500, "\ufffd\ufffd")),
        (400, {"object": "error", "message": "flat"}, (400, "flat")),  # B-ERR-12
        (400, {"error": "in a word"}, (400, "in a word")),
        (403, [nested("permission_error", "array")], (403, "array")),  # B-ERR-13
        (400, b"[]", (400, "[]")),
        (500, {"error": {"message": "slow", "code": 429}}, (429, "slow")),  # B-ERR-07
        (500, nested("rate_limit_error"), (429, "no")),
        (400, nested("overloaded_error"), (400, "no")),  # the status line outweighs the type
        (418, nested("of_tomorrow"), (418, "no")),
    ],
)
def test_any_body_gives_its_status_and_message(status, body, read) -> None:
    info = parse(status, body)

    assert (info.status, info.message) == read


def test_a_long_page_is_cut():  # B-ERR-09
    assert len(parse(502, b"x" * 10_000).message) == 500


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "nan"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_when_to_come_back_is_in_seconds(headers, seconds):  # B-ERR-04
    assert parse(429, nested("rate_limit_error"), **headers).retry_after == seconds


def test_the_request_id_may_stand_in_the_header() -> None:
    assert parse(500, b"", request_id="req_2").request_id == "req_2"


@pytest.mark.parametrize(
    ("info", "word"),
    [
        (LocalDialectError("no").info(), "invalid_request_error"),
        (NoMatchError("no recording").info(), "invalid_request_error"),
        (ErrorInfo(kind=ErrorKind.QUOTA, status=429, message="", type="insufficient_quota"), "billing_error"),
        (ErrorInfo(kind=ErrorKind.OVERLOADED, status=503, message="", type="UNAVAILABLE"), "overloaded_error"),
        (ErrorInfo(kind=ErrorKind.UNAVAILABLE, status=503, message=""), "api_error"),
        (ErrorInfo(kind=ErrorKind.INVALID_REQUEST, status=422, message=""), "invalid_request_error"),
        (ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=""), "api_error"),
    ],
)
def test_an_error_of_any_source_has_a_type_of_anthropics(info, word) -> None:
    assert json.loads(ERRORS.render(info))["error"]["type"] == word


def test_the_frame_is_an_error_event() -> None:
    frame = ERRORS.frame(ErrorInfo(kind=ErrorKind.TIMEOUT, status=504, message="late"))

    assert frame.event == "error"
    assert json.loads(frame.data)["error"] == {"type": "timeout_error", "message": "late"}


def test_the_record_names_its_path_and_header() -> None:
    assert DIALECT.upstream["chat"].path("claude", True) == ("/v1/messages", "")
    assert (DIALECT.name, DIALECT.request_id) == ("anthropic", "request-id")
    assert DIALECT.params["stop"] == "/stop_sequences"


def test_a_usage_limit_that_is_reached_is_a_quota_whatever_its_status_says() -> None:
    """B-ERR-03."""
    body = nested("invalid_request_error", "You have reached your specified API usage limits.")

    info = parse(400, body)

    assert (info.status, info.kind, info.type) == (429, ErrorKind.QUOTA, None)
    assert parse(400, nested("invalid_request_error", "You have too many limits.")).status == 400
