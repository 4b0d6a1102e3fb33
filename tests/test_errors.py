"""Every error is one sentence and one value that a client may see."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import errors
from setu.errors import (
    AuthenticationError,
    ConfigError,
    ConnectionFailedError,
    DeadlineError,
    ErrorInfo,
    ErrorKind,
    GatewayError,
    LimitExceededError,
    LocalDialectError,
    NoDeploymentError,
    NoMatchError,
    ProviderError,
    RemoteDialectError,
    RouteNotFoundError,
    SetuError,
    TruncatedError,
    kind_of_status,
)


def tree(kind: type[SetuError]) -> Iterator[type[SetuError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


@given(st.integers(400, 999))
def test_every_error_status_has_a_kind_and_only_4xx_are_the_requests_fault(status: int) -> None:
    kind = kind_of_status(status)

    assert isinstance(kind, ErrorKind)
    if status not in errors.KIND_OF_STATUS:
        assert kind == (ErrorKind.INVALID_REQUEST if status < 500 else ErrorKind.SERVER)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request"), (401, "authentication"), (402, "quota"), (403, "permission"), (404, "not_found"),
     (408, "timeout"), (413, "too_large"), (429, "rate_limit"), (500, "server"), (502, "bad_gateway"),
     (503, "unavailable"), (504, "timeout"), (529, "overloaded"), (418, "invalid_request"), (599, "server")],
)  # fmt: skip
def test_kinds_by_status(status: int, kind: str) -> None:
    assert kind_of_status(status) == kind


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ConfigError("x"), 500, None),
        (NoMatchError("x", nearest=("a.yaml:3",), report="body differs"), 424, "no_matching_recording"),
        (LocalDialectError("x", param="messages[0].role"), 400, None),
        (LocalDialectError("x", code="unsupported_value"), 400, "unsupported_value"),
        (RemoteDialectError("x"), 502, "bad_upstream_response"),
        (GatewayError("x"), 500, None),
        (AuthenticationError("x"), 401, "invalid_api_key"),
        (RouteNotFoundError("x"), 400, "model_not_found"),
        (RouteNotFoundError("x", code="provider_not_found"), 400, "provider_not_found"),
        (LimitExceededError("x"), 429, "rate_limit_exceeded"),
        (NoDeploymentError("x"), 503, "provider_unavailable"),
        (DeadlineError("x"), 504, "upstream_timeout"),
        (ConnectionFailedError("x"), 502, "upstream_unreachable"),
        (TruncatedError("x", reset=True), 502, "upstream_truncated"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, SetuError) else str(value),
)
def test_an_error_tells_its_status_and_code(error: SetuError, status: int, code: str | None) -> None:
    info = error.info()

    assert (info.message, info.status, info.code) == ("x", status, code)


def test_the_kind_of_an_error_agrees_with_its_status() -> None:
    """A kind says what to do about a status; 424 is ours alone and RouteNotFound follows OpenAI's 400."""
    gateway = [AuthenticationError, RouteNotFoundError, LimitExceededError, NoDeploymentError, DeadlineError]
    found = [cls("x").info() for cls in [*gateway, RemoteDialectError, ConnectionFailedError, TruncatedError]]

    assert [info.kind for info in found] == [kind_of_status(info.status) for info in found]


def test_a_local_dialect_error_names_the_parameter() -> None:
    assert LocalDialectError("x", param="messages[0].role").info().param == "messages[0].role"


def test_a_gateway_error_carries_what_its_class_does_not_know() -> None:
    error = RouteNotFoundError("x", available_models=["a"])

    assert error.info().extra == {"available_models": ["a"]}


def test_a_provider_error_is_what_the_provider_said() -> None:
    info = ErrorInfo(kind=ErrorKind.RATE_LIMIT, status=429, message="slow down", retry_after=2.5, raw=b"{}")

    error = ProviderError(info)

    assert error.info() is info
    assert str(error) == "slow down"


def test_a_miss_keeps_where_the_nearest_recordings_are() -> None:
    error = NoMatchError("x", nearest=("a.yaml:3", "b.yaml:1"), report="body differs")

    assert (error.nearest, error.report) == (("a.yaml:3", "b.yaml:1"), "body differs")


def test_the_docstring_draws_every_class_of_the_tree() -> None:
    drawn = set(errors.__doc__.split()) if errors.__doc__ else set()

    assert [
        cls.__name__ for cls in tree(SetuError) if cls.__module__ == errors.__name__ and cls.__name__ not in drawn
    ] == []
