"""One call's answer: its header fields, its error envelope, and the record of what happened."""

from collections.abc import Callable, Iterable, Mapping
from math import ceil

import msgspec

from setu import _json
from setu.access.caller import ANYBODY, Caller
from setu.chat.response import Usage
from setu.dialects.record import Dialect, Loss, Operation
from setu.errors import ErrorInfo, ErrorKind
from setu.framing.kinds import of_media_type
from setu.gateway.cache import NO_STORE
from setu.gateway.legacy_events import LegacyBody
from setu.gateway.ready import Failure, Ready, json_headers, passable
from setu.http import Ending, Headers, Response
from setu.ports import Clock
from setu.routing.plan import Plan, Target
from setu.signals import Attempt, CacheState, Call
from setu.translate.loss import HEADER, header_value
from setu.translate.splice import Head

BROKEN = ErrorInfo(
    kind=ErrorKind.SERVER, status=500, message="internal error; the log says more", code="internal_error"
)
OVERLOADED = 529
"""Anthropic's status for an overloaded service; nobody else's clients know it."""
_TOLD_MORE = frozenset({"openai_chat", "openai_responses"})
"""Dialects whose errors may have members of ours: those that the gateways before this one had."""


class Answer:
    """Builds the response to one request and reports the call once it is over.

    What is learned on the way is set from outside: `caller`, `plan`, `target` (whose answer it is), `tries`
    and, of those that are over, `attempts`, `use_case`, `cache`; `limits` are fields that tell a client what is left
    of its limits; `detached` when its call goes on for others although its client has left.
    """

    def __init__(
        self,
        clock: Clock,
        dialect: Dialect,
        request_id: str,
        on_call: Callable[[Call], None],
        *,
        call_id: str = "",
        legacy_fields: bool = False,
        legacy_events: bool = False,
    ) -> None:
        self.dialect = dialect
        self.request_id = request_id
        self.call_id = call_id
        self.caller: Caller = ANYBODY
        self.operation: Operation = "raw"
        self.plan: Plan | None = None
        self.target: Target | None = None
        self.use_case = ""
        self.cache: CacheState = ""
        self.limits: Mapping[str, str] = {}
        self.attempts: list[Attempt] = []
        self.tries = 0
        self.ttfb: int | None = None
        self.started = clock.monotonic()
        self._clock = clock
        self._on_call = on_call
        self._legacy = legacy_fields
        self._legacy_events = legacy_events and dialect.name == "openai_responses"
        self._head: Head | None = None
        self._losses: list[Loss] = []
        self._status = 0
        self._reported = False
        self.detached = False
        self._echoes = False

    def identified(self, request_id: str) -> None:
        """Take the id that a client wrote into the body: it reads it in the answer's body, and whose the answer is."""
        self.request_id = request_id
        self._echoes = True

    def read(self, head: Head) -> None:
        """Note what is asked for: whoever leaves, or is refused, before a plan is made asked for it all the same."""
        self._head = head

    def routed(self, plan: Plan, head: Head | None) -> None:
        """Note where the request is meant to go first."""
        self.plan = plan
        self.target = plan.first
        self._head = head

    def lost(self, losses: Iterable[Loss]) -> None:
        self._losses += losses

    def stamped(self, headers: Headers) -> Headers:
        """Add what every answer of ours carries; an upstream's own request id stays, but where clients know theirs."""
        if self._legacy or self._echoes or self.dialect.request_id not in headers:
            headers.set(self.dialect.request_id, self.request_id)
        headers.set("x-setu-request-id", self.request_id)
        if self.caller.key:
            headers.set("cache-control", NO_STORE)
        for name, value in self._told():
            headers.set(name, value)
        loss = header_value(self._losses)
        if loss is not None:
            headers.set(HEADER, loss)
        return headers

    def _told(self) -> Iterable[tuple[str, str]]:
        plan, target = self.plan, self.target
        if target is not None:
            yield "x-setu-provider", target.deployment.name
            if target.model:
                yield "x-setu-model", _latin(target.model)
        if plan is not None and plan.reason:
            yield "x-setu-route", _latin(plan.reason)
        if self.tries > 1:
            yield "x-setu-attempts", str(self.tries)
        if self.cache:
            yield "x-setu-cache", self.cache
        yield from self.limits.items()
        if self._legacy and plan is not None and target is not None:
            yield "x-gw-route", _latin(plan.rule or plan.reason)
            yield "x-gw-provider", target.deployment.name
            yield "x-gw-model", _latin(target.model)
            if self.cache in {"hit", "miss"}:
                yield "x-gw-cache", self.cache.upper()

    def failed(self, failure: ErrorInfo | Failure) -> Response:
        """Answer with an error: the upstream's own where it can be read, else in the endpoint's envelope."""
        if isinstance(failure, ErrorInfo):
            failure = Failure(info=failure)
        headers, body = self.rendered(failure)
        self._status = _status(failure, self.dialect)
        self.ended(Ending.ERROR, failure.info)
        return Response(self._status, self.stamped(headers), body)

    def rendered(self, failure: Failure) -> tuple[Headers, bytes]:
        """Return an error's fields and body."""
        info = failure.info
        if failure.own is not None:
            return passable(failure.own[1]), failure.own[2]
        headers = json_headers()
        if info.retry_after is not None and "retry-after" not in self.limits:
            headers.set("retry-after", str(ceil(max(0.0, info.retry_after))))
        status = _status(failure, self.dialect)
        if status != info.status:
            info = msgspec.structs.replace(info, status=status)
        if self.dialect.name not in _TOLD_MORE:
            return headers, self.dialect.errors.render(info)
        told = {"status_code": status, "retryable": _retryable(info), "request_id": self.request_id}
        body = self.dialect.errors.render(msgspec.structs.replace(info, extra={**info.extra, **told}))
        return headers, _json.splice(body, {"request_id": _json.encode(self.request_id)})

    def begun(self, ready: Ready) -> None:
        """Note an answer that is about to be given: a stream that several read may be over before it is."""
        self._status = ready.status
        self._losses += ready.losses
        ready.losses = ()

    def give(self, ready: Ready) -> Response:
        """Answer; whoever made a stream says how it ended, a whole body has."""
        self.begun(ready)
        if isinstance(ready.body, bytes):
            ready.body = self._echoed(ready.body)
            self.ended(Ending.COMPLETE, None, ready.usage)
        elif self._legacy_events and of_media_type(ready.headers.get("content-type")) == "sse":
            ready.body = LegacyBody(ready.body)
        return Response(ready.status, self.stamped(ready.headers), ready.body)

    def _echoed(self, body: bytes) -> bytes:
        if not self._echoes or self.target is None or _json.kind_of(body) != "object":
            return body
        told = {"provider": self.target.deployment.name, "request_id": self.request_id}
        return _json.splice(body, {name: _json.encode(value) for name, value in told.items()})

    def elapsed(self) -> int:
        """Return the milliseconds since the request came."""
        return round((self._clock.monotonic() - self.started) * 1000)

    def ended(self, ending: Ending, info: ErrorInfo | None, usage: Usage | None = None) -> None:
        """Report the call, once: the first to know how it ended has the word."""
        if self._reported:
            return
        self._reported = True
        plan, target, head = self.plan, self.target, self._head
        counted = usage or _UNKNOWN
        duration = self.elapsed()
        self._on_call(
            Call(
                id=self.call_id,
                request_id=self.request_id,
                started=round(self._clock.now() * 1000) - duration,
                dialect=self.dialect.name,
                operation=self.operation,
                model=(head.model if head else None) or (target.model if target else ""),
                provider=target.deployment.name if target else "",
                upstream_model=target.model if target else "",
                route=plan.reason if plan else "",
                policy=plan.policy if plan else "",
                route_name=plan.rule if plan else "",
                tenant=self.caller.tenant,
                key=self.caller.key,
                use_case=self.use_case,
                cache=self.cache,
                stream=head.stream if head else False,
                status=self._status,
                end=ending.value,
                duration_ms=duration,
                ttfb_ms=self.ttfb,
                input_tokens=counted.input,
                output_tokens=counted.output,
                cached_tokens=counted.cache_read,
                cache_write_tokens=counted.cache_write,
                reasoning_tokens=counted.reasoning,
                error=(info.code or info.kind.value) if info else None,
                losses=tuple(_json.encode(loss).decode() for loss in self._losses),
                attempts=tuple(self.attempts),
            )
        )


_UNKNOWN = Usage()


def _status(failure: Failure, dialect: Dialect) -> int:
    if failure.own is not None:
        return failure.own[0]
    status = failure.info.status
    return 503 if status == OVERLOADED and dialect.name != "anthropic" else status


def _retryable(info: ErrorInfo) -> bool:
    return info.kind is not ErrorKind.QUOTA and (info.status in {408, 429} or info.status >= 500)


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
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if " " <= char <= "~" else "?" for char in text)
