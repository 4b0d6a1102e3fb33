"""Error bodies: `{"message"}`, the class of the error in the header `x-amzn-errortype` or in `__type`.

Source: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors and
CommonErrors (2026-11).
"""

from collections.abc import Mapping
from typing import NamedTuple

from setu import _json
from setu._json import Json
from setu.dialects.reader import Obj
from setu.dialects.retry_after import retry_after
from setu.errors import ErrorInfo, ErrorKind, RemoteDialectError, kind_of_status
from setu.framing.frame import Frame
from setu.http import Headers


class _Class(NamedTuple):
    status: int
    kind: ErrorKind


_CLASSES: Mapping[str, _Class] = {
    "ValidationException": _Class(400, ErrorKind.INVALID_REQUEST),
    "SerializationException": _Class(400, ErrorKind.INVALID_REQUEST),
    "ServiceQuotaExceededException": _Class(400, ErrorKind.QUOTA),
    "AccessDeniedException": _Class(403, ErrorKind.PERMISSION),
    "OptInRequired": _Class(403, ErrorKind.PERMISSION),
    "UnrecognizedClientException": _Class(403, ErrorKind.AUTHENTICATION),
    "InvalidSignatureException": _Class(403, ErrorKind.AUTHENTICATION),
    "IncompleteSignature": _Class(403, ErrorKind.AUTHENTICATION),
    "MissingAuthenticationTokenException": _Class(403, ErrorKind.AUTHENTICATION),
    "ExpiredTokenException": _Class(403, ErrorKind.AUTHENTICATION),
    "ResourceNotFoundException": _Class(404, ErrorKind.NOT_FOUND),
    "UnknownOperationException": _Class(404, ErrorKind.NOT_FOUND),
    "ModelTimeoutException": _Class(408, ErrorKind.TIMEOUT),
    "ModelErrorException": _Class(424, ErrorKind.SERVER),
    "ModelStreamErrorException": _Class(424, ErrorKind.SERVER),
    "ThrottlingException": _Class(429, ErrorKind.RATE_LIMIT),
    "ModelNotReadyException": _Class(429, ErrorKind.OVERLOADED),
    "InternalServerException": _Class(500, ErrorKind.SERVER),
    "InternalFailure": _Class(500, ErrorKind.SERVER),
    "ServiceUnavailableException": _Class(503, ErrorKind.UNAVAILABLE),
}
_WORD_OF_STATUS: Mapping[int, str] = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
_LENGTH = 500
"""Characters of a body that is no JSON which go into the message (B-ERR-09)."""


def parse(status: int, headers: Headers, body: bytes) -> ErrorInfo:
    """Read an error answer, whatever its body is."""
    source = _object(body)
    word = _bare(headers.get("x-amzn-errortype")) or (_word(source) if source else None)
    message = (source.text("message") or source.text("Message")) if source else _plain(status, body)
    return _info(
        status,
        word,
        message,
        raw=body if source else None,
        retry_after=retry_after(headers),
        request_id=headers.get("x-amzn-requestid"),
    )


def of_exception(name: str | None, data: bytes) -> ErrorInfo:
    """Read an exception inside a stream; a model's own failure says which status it had (`originalStatusCode`)."""
    source = _object(data)
    word = name[:1].upper() + name[1:] if name else None
    known = _CLASSES.get(word or "")
    original = source.integer("originalStatusCode") if source else None
    status = original if original is not None and 400 <= original < 600 else known.status if known else 500
    message = (source.text("originalMessage"), source.text("message")) if source else (None, None)
    return _info(status, word, message[1] or message[0], raw=data or None)


def masked(raw: Json) -> ErrorInfo | None:
    """Return the error that a 200 holds: `{"Output": {"__type"}}` for an unknown operation, or a bare message."""
    body = Obj(raw, lenient=True)
    inner = body.obj("Output") or body
    word = _word(inner)
    message = inner.text("message") or inner.text("Message")
    if word is None and message is None:
        return None
    known = _CLASSES.get(word or "")
    return _info(known.status if known else 500, word, message, raw=raw)


def _object(body: bytes) -> Obj | None:
    try:
        body.decode()
        return Obj(body, lenient=True) if _json.kind_of(body) == "object" else None
    except (RemoteDialectError, UnicodeDecodeError):
        return None


def _word(source: Obj) -> str | None:
    return _bare(source.text("__type")) or _bare(source.text("code"))


def _bare(word: str | None) -> str | None:
    """Strip what AWS puts around a class: `com.amazon.coral.service#X`, `X:http://internal.amazon.com/…`."""
    return ((word or "").partition(":http")[0].rpartition("#")[2].rpartition(":")[2]) or None


def _plain(status: int, body: bytes) -> str:
    """Return a message for a body that is no JSON; a page of markup says nothing a user can read."""
    text = " ".join(body.decode("utf-8", "replace").split())[:_LENGTH]
    return f"the upstream answered {status} with a page, not with JSON" if text.startswith("<") else text


def _info(
    status: int,
    word: str | None,
    message: str | None,
    *,
    raw: Json | None,
    retry_after: float | None = None,
    request_id: str | None = None,
) -> ErrorInfo:
    known = _CLASSES.get(word or "")
    # A class says what a status means only where the two agree; a proxy's status stands for itself.
    kind = known.kind if known and known.status == status else kind_of_status(status)
    return ErrorInfo(
        kind=kind,
        status=status,
        message=message or f"the upstream answered {status} without a message",
        type=word,
        retry_after=retry_after,
        request_id=request_id,
        raw=raw,
    )


def render(info: ErrorInfo) -> bytes:
    """Write the body; the class, which AWS gives as a header, stands in `__type`."""
    return _json.encode({"__type": _name(info), "message": _clean(info.message)})


def frame(info: ErrorInfo) -> Frame:
    """Write the error as an exception of a stream that has begun."""
    word = _name(info)
    return Frame(event=word[:1].lower() + word[1:], data=_json.encode({"message": _clean(info.message)}))


def _name(info: ErrorInfo) -> str:
    if info.type is not None and info.type in _CLASSES:
        return info.type
    return _WORD_OF_STATUS.get(info.status) or (
        "ValidationException" if info.status < 500 else "InternalServerException"
    )


def _clean(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
