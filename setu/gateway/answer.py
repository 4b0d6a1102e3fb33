"""One call's answer: its header fields, its error envelope, and the record of what happened."""

from collections.abc import Callable, Iterable
from math import ceil

import msgspec

from setu import _json
from setu.chat.response import Usage
from setu.dialects.record import Dialect, Framing, Loss
from setu.errors import ErrorInfo, ErrorKind
from setu.http import ByteStream, Ending, Headers, Response, end_to_end
from setu.ports import Clock
from setu.routing.table import Plan
from setu.signals import Call
from setu.translate.loss import HEADER, header_value
from setu.translate.splice import Head

_MEDIA_TYPES: dict[Framing, str] = {
    "sse": "text/event-stream; charset=utf-8",
    "jsonarray": "application/json; charset=utf-8",
}
_NOT_PASSED = frozenset(
    {
        b"content-length",
        b"content-encoding",
        b"set-cookie",
        b"alt-svc",
        b"date",  # said by our own server; two of them are no date at all
        *(b"via", b"strict-transport-security", b"cf-ray", b"cf-cache-status"),  # of the upstream's own edge
        *(b"openai-organization", b"openai-project", b"anthropic-organization-id"),  # whose account it is
    }
)
BROKEN = ErrorInfo(
    kind=ErrorKind.SERVER, status=500, message="internal error; the log says more", code="internal_error"
)
OVERLOADED = 529
"""Anthropic's status for an overloaded service; nobody else's clients know it."""


class Answer:
    """Builds the response to one request and reports the call once it is over."""

    def __init__(self, clock: Clock, dialect: Dialect, request_id: str, on_call: Callable[[Call], None]) -> None:
        self.dialect = dialect
        self.request_id = request_id
        self._clock = clock
        self._on_call = on_call
        self._start = clock.monotonic()
        self._ttfb: int | None = None
        self._plan: Plan | None = None
        self._head: Head | None = None
        self._losses: list[Loss] = []
        self._status = 0
        self._reported = False

    def routed(self, plan: Plan, head: Head) -> None:
        self._plan = plan
        self._head = head

    def lost(self, losses: Iterable[Loss]) -> None:
        self._losses += losses

    def head_arrived(self) -> None:
        self._ttfb = self._elapsed()

    def stamped(self, headers: Headers) -> Headers:
        """Add what every answer of ours carries; an upstream's own request id stays."""
        if self.dialect.request_id not in headers:
            headers.set(self.dialect.request_id, self.request_id)
        headers.set("x-setu-request-id", self.request_id)
        if self._plan is not None:
            headers.set("x-setu-provider", self._plan.deployment.name)
            if self._plan.model:
                headers.set("x-setu-model", _latin(self._plan.model))
        loss = header_value(self._losses)
        if loss is not None:
            headers.set(HEADER, loss)
        return headers

    def failed(self, info: ErrorInfo) -> Response:
        """Answer with an error in the envelope of the endpoint's dialect."""
        if info.status == OVERLOADED and self.dialect.name != "anthropic":
            info = msgspec.structs.replace(info, status=503)
        status = info.status
        headers = json_headers()
        if info.retry_after is not None:
            headers.set("retry-after", str(ceil(max(0.0, info.retry_after))))
        self._status = status
        body = self.dialect.errors.render(info)
        self.ended(Ending.ERROR, info)
        return Response(status, self.stamped(headers), body)

    def whole(self, body: bytes, usage: Usage | None = None) -> Response:
        """Answer with a translated body."""
        self._status = 200
        self.ended(Ending.COMPLETE, None, usage)
        return Response(200, self.stamped(json_headers()), body)

    def passed(
        self, status: int, headers: Headers, body: bytes, info: ErrorInfo | None, usage: Usage | None = None
    ) -> Response:
        """Answer with the upstream's own bytes and end-to-end fields."""
        self._status = status
        self.ended(Ending.COMPLETE if info is None else Ending.ERROR, info, usage)
        return Response(status, self.stamped(_passable(headers)), body)

    def relayed(self, status: int, headers: Headers, body: ByteStream) -> Response:
        """Answer with the upstream's own stream; `ended` is called when it is over."""
        self._status = status
        kept = _passable(headers)
        kept.set("x-accel-buffering", "no")
        if "cache-control" not in kept:
            kept.set("cache-control", "no-cache")
        return Response(status, self.stamped(kept), body)

    def raw(self, status: int, headers: Headers, body: ByteStream) -> Response:
        """Answer with the upstream's bytes, whatever they are; `ended` is called when they are over."""
        self._status = status
        return Response(status, self.stamped(_passable(headers)), body)

    def streamed(self, framing: Framing, body: ByteStream | bytes) -> Response:
        """Answer with a translated stream; `ended` is called when it is over."""
        self._status = 200
        headers = Headers.of(
            {"content-type": _MEDIA_TYPES[framing], "cache-control": "no-cache", "x-accel-buffering": "no"}
        )
        return Response(200, self.stamped(headers), body)

    def ended(self, ending: Ending, info: ErrorInfo | None, usage: Usage | None = None) -> None:
        """Report the call, once: the first to know how it ended has the word."""
        if self._reported:
            return
        self._reported = True
        plan, head = self._plan, self._head
        self._on_call(
            Call(
                request_id=self.request_id,
                dialect=self.dialect.name,
                model=(head.model or "") if head else "",
                provider=plan.deployment.name if plan else "",
                upstream_model=plan.model if plan else "",
                route=plan.reason if plan else "",
                stream=head.stream if head else False,
                status=self._status,
                end=ending.value,
                duration_ms=self._elapsed(),
                ttfb_ms=self._ttfb,
                input_tokens=usage.input if usage else None,
                output_tokens=usage.output if usage else None,
                error=(info.code or info.kind.value) if info else None,
                losses=tuple(_json.encode(loss).decode() for loss in self._losses),
            )
        )

    def _elapsed(self) -> int:
        return round((self._clock.monotonic() - self._start) * 1000)


def json_headers() -> Headers:
    return Headers([(b"content-type", b"application/json")])


def _passable(headers: Headers) -> Headers:
    """Return what may go on to the client, repetitions and order kept."""
    return Headers(pair for pair in end_to_end(headers).raw if pair[0] not in _NOT_PASSED)


def not_found(method: str, path: str, methods: tuple[str, ...]) -> ErrorInfo:
    """Say that an endpoint does not exist, or not for this method."""
    if methods:
        return ErrorInfo(
            kind=ErrorKind.INVALID_REQUEST,
            status=405,
            message=f"{method} is not allowed for {path}; use {' or '.join(methods)}",
            code="method_not_allowed",
        )
    return ErrorInfo(
        kind=ErrorKind.NOT_FOUND, status=404, message=f"no such endpoint: {method} {path}", code="unknown_url"
    )


def not_json(media_type: str) -> ErrorInfo:
    """Say that a body is of the wrong type. A page of another site can send text and forms without being asked."""
    return ErrorInfo(
        kind=ErrorKind.INVALID_REQUEST,
        status=415,
        message=f"content-type is {media_type}; the body must be application/json",
        code="unsupported_media_type",
    )


def _latin(text: str) -> str:
    """Make a name fit for a header field."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)
