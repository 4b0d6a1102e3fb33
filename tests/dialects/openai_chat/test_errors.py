"""Error bodies: any of them is read, ours are always OpenAI's."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.dialects.openai_chat.codec import DIALECT
from setu.errors import ErrorInfo, ErrorKind
from setu.http import Headers

ERRORS = DIALECT.errors


def parse(status: int, body: Any, headers: Headers | None = None) -> ErrorInfo:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ERRORS.parse(status, headers or Headers(), data)


def written(**members: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": ErrorKind.SERVER, "status": 500, "message": "m"}
    info = ErrorInfo(**(said | members))
    error: dict[str, Any] = json.loads(ERRORS.render(info))["error"]
    return error


def test_openais_envelope_is_read() -> None:
    error = {"message": "m", "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}
    info = parse(400, {"error": error})

    assert (info.kind, info.status, info.message) == (ErrorKind.CONTEXT_LENGTH, 400, "m")
    assert (info.type, info.code, info.param) == ("invalid_request_error", "context_length_exceeded", "messages")
    assert info.raw is not None


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (429, {"error": {"message": "m", "code": "insufficient_quota"}}, ErrorKind.QUOTA, "m"),
        (429, {"error": {"message": "retry in 18.403470473s"}}, ErrorKind.RATE_LIMIT, "retry in 18.403470473s"),
        (401, {"error": {"message": "m", "type": "authentication_error"}}, ErrorKind.AUTHENTICATION, "m"),
        (404, {"error": {"message": "m", "code": "model_not_found"}}, ErrorKind.NOT_FOUND, "m"),
        (500, {"error": {"message": "m", "code": 429}}, ErrorKind.RATE_LIMIT, "m"),
        (503, {"error": {"message": "m", "code": "503"}}, ErrorKind.UNAVAILABLE, "m"),
        (529, {"error": {"message": "m"}}, ErrorKind.OVERLOADED, "m"),
        (400, {"object": "error", "message": "m", "type": "BadRequestError", "code": 400}, ErrorKind.INVALID_REQUEST, "m"),
        (400, [{"error": {"message": "m", "status": "INVALID_ARGUMENT"}}], ErrorKind.INVALID_REQUEST, "m"),
        (400, {"error": "m"}, ErrorKind.INVALID_REQUEST, "m"),
        (400, {"error": "kind", "message": "m"}, ErrorKind.INVALID_REQUEST, "m"),
        (422, {"detail": [{"loc": ["body"]}]}, ErrorKind.INVALID_REQUEST, '[{"loc":["body"]}]'),
        (422, {"detail": "m"}, ErrorKind.INVALID_REQUEST, "m"),
        (400, {"message": {"detail": "m"}}, ErrorKind.INVALID_REQUEST, "m"),
        (401, {"success": False, "errors": [{"code": 10000, "message": "m"}]}, ErrorKind.AUTHENTICATION, "m"),
        (500, "m", ErrorKind.SERVER, "m"),
        (500, [], ErrorKind.SERVER, "the upstream answered 500 without a message"),
        (502, b"<html><head><title>502 Bad Gateway</title></head></html>", ErrorKind.BAD_GATEWAY, "the upstream answered 502 with a page: 502 Bad Gateway"),
        (504, b"<html>", ErrorKind.TIMEOUT, "the upstream answered 504 without a message"),
        (503, b"upstream connect error", ErrorKind.UNAVAILABLE, "upstream connect error"),
        (521, b"", ErrorKind.SERVER, "the upstream answered 521 without a message"),
        (418, b"", ErrorKind.INVALID_REQUEST, "the upstream answered 418 without a message"),
    ],
)  # fmt: skip
def test_an_error_body_of_any_form_is_read(status: int, body: Any, kind: ErrorKind, message: str) -> None:
    """B-ERR-01, B-ERR-02, B-ERR-06, B-ERR-07, B-ERR-09, B-ERR-12, B-ERR-13, B-ERR-15."""
    info = parse(status, body)

    assert (info.kind, info.message) == (kind, message)


def test_numbers_and_the_word_none_are_no_codes() -> None:
    """B-ERR-05."""
    info = parse(429, {"error": {"message": "m", "type": "None", "param": "None", "code": "429"}})

    assert (info.type, info.param, info.code) == (None, None, None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([(b"retry-after", b"7")], 7.0),
        ([(b"retry-after-ms", b"1500"), (b"retry-after", b"9")], 1.5),
        ([(b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT")], None),
        ([], None),
    ],
)
def test_the_wait_and_the_request_id_come_from_headers(
    headers: list[tuple[bytes, bytes]], seconds: float | None
) -> None:
    """B-ERR-04."""
    info = parse(429, {}, Headers([*headers, (b"x-request-id", b"req_1")]))

    assert info.retry_after == seconds
    assert info.request_id == "req_1"


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_has_openais_words(kind: ErrorKind) -> None:
    error = written(kind=kind)

    assert list(error) == ["message", "type", "param", "code"]
    assert error["type"] in {"invalid_request_error", "rate_limit_error", "insufficient_quota", "server_error"}
    assert error["code"] is None or error["code"].islower()


def test_own_words_stay_and_foreign_ones_do_not() -> None:
    own = written(kind=ErrorKind.RATE_LIMIT, type="tokens", code="rate_limit_exceeded")
    foreign = written(kind=ErrorKind.OVERLOADED, type="overloaded_error", code="RESOURCE_EXHAUSTED")
    denied = written(kind=ErrorKind.AUTHENTICATION, type="server_error", code="authentication_error")

    assert (own["type"], own["code"]) == ("tokens", "rate_limit_exceeded")
    assert (foreign["type"], foreign["code"]) == ("server_error", "overloaded")
    assert (denied["type"], denied["code"]) == ("invalid_request_error", "invalid_api_key")


def test_what_a_gateway_adds_stands_beside_the_four() -> None:
    error = written(
        provider="openai", retry_after=3.0, param="model", extra={"available_models": ["a"], "message": "no"}
    )

    assert error == {"message": "m", "type": "server_error", "param": "model", "code": None,
                     "available_models": ["a"], "provider": "openai", "retry_after": 3.0}  # fmt: skip


def test_a_frame_holds_the_same_envelope() -> None:
    info = ErrorInfo(kind=ErrorKind.SERVER, status=500, message="m")

    assert ERRORS.frame(info).data == ERRORS.render(info)


@given(st.integers(100, 599), st.binary(max_size=40) | st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda s: st.lists(s, max_size=2) | st.dictionaries(st.sampled_from(["error", "message", "code", "status", "detail", "errors", "type"]), s, max_size=3), max_leaves=6).map(lambda v: json.dumps(v).encode()))  # fmt: skip
@settings(max_examples=100)
def test_no_error_body_is_too_odd(status: int, body: bytes) -> None:
    info = parse(status, body)

    assert info.message
    assert 400 <= info.status < 600
    assert json.loads(ERRORS.render(info))["error"]["message"] == info.message
