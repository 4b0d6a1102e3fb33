"""What can go wrong, as one tree.

SetuError
├── ConfigError               a setting: names file, line and key
├── AbsentError               what is to be judged is not there, or does not let us in
├── SpentError                a budget is spent
├── CassetteError
│   ├── CassetteNotFoundError
│   ├── CassetteDecodeError
│   └── NoMatchError          no recording for this request; carries the nearest ones
├── DialectError
│   ├── LocalDialectError     the client sent nonsense (4xx)
│   └── RemoteDialectError    the upstream did (502)
├── GatewayError
│   ├── AuthenticationError
│   ├── DeniedError           a policy, or the scope of a key
│   ├── RouteNotFoundError
│   ├── LimitExceededError
│   ├── NoDeploymentError
│   └── DeadlineError
├── ConnectionFailedError     no upstream could be reached
├── ProviderError             the upstream answered with an error
└── TruncatedError            the upstream's answer stopped before its end

Everything a client may see is an `ErrorInfo`; a dialect renders it in its own envelope. Errors are told apart by
status and by documented type and code, never by the words of a message.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from setu._json import Json


class ErrorKind(StrEnum):
    """The class of an error: what a client should do about it."""

    INVALID_REQUEST = "invalid_request"
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    CONTEXT_LENGTH = "context_length"
    RATE_LIMIT = "rate_limit"
    QUOTA = "quota"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    BAD_GATEWAY = "bad_gateway"
    SERVER = "server"


KIND_OF_STATUS: Mapping[int, ErrorKind] = {
    400: ErrorKind.INVALID_REQUEST,
    401: ErrorKind.AUTHENTICATION,
    402: ErrorKind.QUOTA,
    403: ErrorKind.PERMISSION,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.TIMEOUT,
    413: ErrorKind.TOO_LARGE,
    422: ErrorKind.INVALID_REQUEST,
    429: ErrorKind.RATE_LIMIT,
    500: ErrorKind.SERVER,
    502: ErrorKind.BAD_GATEWAY,
    503: ErrorKind.UNAVAILABLE,
    504: ErrorKind.TIMEOUT,
    529: ErrorKind.OVERLOADED,
}


def kind_of_status(status: int) -> ErrorKind:
    """Classify an HTTP error status; unknown 4xx are the request's fault, all else the server's."""
    known = KIND_OF_STATUS.get(status)
    if known is not None:
        return known
    return ErrorKind.INVALID_REQUEST if 400 <= status < 500 else ErrorKind.SERVER


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An error as a value: what a dialect parses from an upstream and renders to a client.

    `type` and `code` are the source's own words where it had any (`overloaded_error`, `RESOURCE_EXHAUSTED`);
    `raw` is the source's error body, `retry_after` is in seconds.
    """

    kind: ErrorKind
    status: int
    message: str
    type: str | None = None
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None
    provider: str | None = None
    request_id: str | None = None
    raw: Json | None = None
    extra: dict[str, object] = {}


class SetuError(Exception):
    """Anything Setu raises on purpose; its text is one clear sentence fit for a user."""

    def info(self) -> ErrorInfo:
        """Return the error as a client may see it."""
        return ErrorInfo(kind=ErrorKind.SERVER, status=500, message=str(self))


class ConfigError(SetuError):
    """A setting that cannot be used."""


class AbsentError(SetuError):
    """What is to be judged is not there, or does not let us in."""


class SpentError(SetuError):
    """A budget is spent."""


class CassetteError(SetuError):
    """A cassette that cannot be used."""

    def info(self) -> ErrorInfo:
        """Return a 424: the SDKs do not retry it."""
        return ErrorInfo(
            kind=ErrorKind.NOT_FOUND, status=424, message=str(self), type="invalid_request_error", code="bad_cassette"
        )


class CassetteNotFoundError(CassetteError):
    """No cassette at that path."""


class CassetteDecodeError(CassetteError):
    """A cassette file that does not hold what its format says; names file and line."""


class NoMatchError(CassetteError):
    """No recording answers this request.

    `nearest` holds `file:line` places, best first; `report` explains where the best one diverges.
    """

    def __init__(self, message: str, *, nearest: tuple[str, ...] = (), report: str = "") -> None:
        super().__init__(message)
        self.nearest = nearest
        self.report = report

    def info(self) -> ErrorInfo:
        """Return a 424: the SDKs do not retry it."""
        return ErrorInfo(
            kind=ErrorKind.NOT_FOUND,
            status=424,
            message=str(self),
            type="invalid_request_error",
            code="no_matching_recording",
        )


class DialectError(SetuError):
    """A body that does not follow its wire format; `param` is a path such as `messages[0].role`."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class LocalDialectError(DialectError):
    """The client sent something its dialect does not allow."""

    def info(self) -> ErrorInfo:
        """Return a 400 that names the parameter."""
        return ErrorInfo(
            kind=ErrorKind.INVALID_REQUEST,
            status=400,
            message=str(self),
            type="invalid_request_error",
            code=self.code,
            param=self.param,
        )


class RemoteDialectError(DialectError):
    """The upstream sent something its dialect does not allow."""

    def info(self) -> ErrorInfo:
        """Return a 502."""
        return ErrorInfo(
            kind=ErrorKind.BAD_GATEWAY, status=502, message=str(self), code=self.code or "bad_upstream_response"
        )


class GatewayError(SetuError):
    """The gateway itself refuses or fails."""

    kind = ErrorKind.SERVER
    status = 500
    type: str | None = None
    code: str | None = None

    def __init__(self, message: str, *, code: str | None = None, **extra: object) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.extra = extra

    def info(self) -> ErrorInfo:
        """Return the error with the class's own status."""
        return ErrorInfo(
            kind=self.kind,
            status=self.status,
            message=str(self),
            type=self.type,
            code=self.code,
            extra=dict(self.extra),
        )


class AuthenticationError(GatewayError):
    """The client's key is missing or unknown."""

    kind = ErrorKind.AUTHENTICATION
    status = 401
    type = "invalid_request_error"
    code = "invalid_api_key"


class DeniedError(GatewayError):
    """The client is known, but may not do this: a policy or the scope of its key says so."""

    kind = ErrorKind.PERMISSION
    status = 403
    code = "policy_denied"


class RouteNotFoundError(GatewayError):
    """No provider serves the model, or the named provider is not configured."""

    kind = ErrorKind.INVALID_REQUEST
    status = 400
    code = "model_not_found"


class LimitExceededError(GatewayError):
    """A limit of the gateway was reached."""

    kind = ErrorKind.RATE_LIMIT
    status = 429
    code = "rate_limit_exceeded"


class NoDeploymentError(GatewayError):
    """A provider is known but cannot be called (no key, no host)."""

    kind = ErrorKind.UNAVAILABLE
    status = 503
    code = "provider_unavailable"


class DeadlineError(GatewayError):
    """The upstream did not answer in time."""

    kind = ErrorKind.TIMEOUT
    status = 504
    code = "upstream_timeout"


class ConnectionFailedError(SetuError):
    """No connection, or the connection broke before an answer."""

    def info(self) -> ErrorInfo:
        """Return a 502."""
        return ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=str(self), code="upstream_unreachable")


class ProviderError(SetuError):
    """The upstream answered with an error; `info()` is what it said."""

    def __init__(self, info: ErrorInfo) -> None:
        super().__init__(info.message)
        self._info = info

    def info(self) -> ErrorInfo:
        """Return the upstream's own error."""
        return self._info


class TruncatedError(SetuError):
    """The upstream's answer ended before it was complete; `reset` when the connection was torn down.

    `promised` is a chunk that broke off: the part that came and the size it should have had.
    """

    def __init__(self, message: str, *, reset: bool = False, promised: tuple[bytes, int] | None = None) -> None:
        super().__init__(message)
        self.reset = reset
        self.promised = promised

    def info(self) -> ErrorInfo:
        """Return a 502."""
        return ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=str(self), code="upstream_truncated")
