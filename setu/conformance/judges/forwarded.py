"""What a gateway made of its upstream's failure (ERR, SSE-007): the client's side against the upstream's.

Judged against the last upstream try, because earlier ones were retried away. A status of 0 means that no answer came.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from setu.conformance.judges.assemble import answers
from setu.conformance.judges.finding import Finding, Rules, flaw
from setu.conformance.judges.sse import done_events
from setu.conformance.judges.view import (
    ANTHROPIC,
    BEDROCK,
    COHERE,
    MISSING,
    OLLAMA,
    OPENAI,
    Event,
    View,
    failed,
    is_count,
    known,
    obj,
    objects,
)
from setu.http import Arrival, Ending

RULES = Rules()

_CLASSES: dict[int, tuple[int, ...]] = {
    400: (400, 413, 422),
    401: (401,),
    402: (402, 429),
    403: (403,),
    404: (404,),
    408: (408, 504),
    413: (413, 400),
    422: (422, 400),
    429: (429,),
}
"""Which statuses keep an upstream's; what is not named keeps its hundred (529 may become 503)."""

_PAUSE_MS = 150
_SECONDS = re.compile(r"\d+")


def statuses_for(upstream: View) -> tuple[int, ...]:
    """Return the statuses that tell a client of this upstream failure, empty when the upstream did not fail.

    The status comes first; an error code inside the body may refine it, as where a proxy wraps a real 429 into a
    500 (B-ERR-07) or answers 200 (genai-9d48f4038e).
    """
    status = upstream.exchange.status
    code = obj(upstream.document.get("error")).get("code")
    inner = code if is_count(code) and 400 <= code < 600 else None
    if status < 400:
        if not upstream.plain or not upstream.document.get("error"):
            return ()
        return _class_of(inner) if inner else tuple(range(400, 600))
    allowed = _class_of(status) + (_class_of(inner) if inner and inner != status else ())
    # Google reports a wrong key as 400 INVALID_ARGUMENT; to clients that is a 401.
    if b"API_KEY_INVALID" in upstream.exchange.body:
        return (*allowed, 401)
    # Anthropic's 400 for a spending limit that is reached (B-ERR-03).
    return (*allowed, 429) if b"reached your specified API usage limits" in upstream.exchange.body else allowed


def _class_of(status: int) -> tuple[int, ...]:
    hundred = status // 100 * 100
    return _CLASSES.get(status, tuple(range(hundred, hundred + 100)))


def _upstream_failed(view: View) -> bool:
    return known(view) and view.upstream is not None and view.upstream.exchange.status != 0 and bool(_wanted(view))


def _wanted(view: View) -> tuple[int, ...]:
    return statuses_for(view.upstream) if view.upstream is not None else ()


def _silent(view: View) -> bool:
    """Tell that the upstream gave no answer at all: refused, reset or timed out before a head."""
    return known(view) and view.upstream is not None and view.upstream.exchange.status == 0


def finished(view: View) -> bool:
    """Tell that an answer claims to be whole."""
    if view.dialect == ANTHROPIC and view.streamed:
        if any(event.fields.get("type") == "message_stop" for event in view.chunks):
            return True
    elif view.streamed and done_events(view):
        return True
    return any(answer.finish not in (None, "error") for answer in answers(view).values())


def _broke_off(upstream: View) -> bool:
    """Tell that the upstream's answer has no end: cut, or closed before a finish reason.

    An end without its last mark but with a finish reason counts as whole (B-SSE-18, B-STR-21).
    """
    if not upstream.ok or upstream.errors:
        return False
    if not upstream.wants_stream:
        return upstream.exchange.end not in (Ending.COMPLETE, Ending.CLOSED_BY_CLIENT)
    if upstream.exchange.end == Ending.CLOSED_BY_CLIENT:
        return False
    blocked = any("promptFeedback" in event.fields for event in upstream.chunks)
    return upstream.streamed and upstream.dialect is not None and not finished(upstream) and not blocked


def _failed_midway(view: View) -> bool:
    """Tell a stream that failed after it began, by the client's own error frame or by the upstream's."""
    if not known(view) or not view.streamed or view.speaks:
        return False
    return bool(view.errors) or (view.upstream is not None and view.upstream.streamed and bool(view.upstream.errors))


@RULES.add("ERR-004", _upstream_failed)
def class_is_kept(view: View) -> Iterator[Finding]:
    allowed = _wanted(view)
    if view.exchange.status not in allowed:
        want = allowed if len(allowed) < 10 else f"{allowed[0]} to {allowed[-1]}"
        yield flaw("the upstream's error became another one (B-ERR-06)", got=view.exchange.status, want=want)


@RULES.add("ERR-005", lambda view: _upstream_failed(view) and _retry_after(view.upstream) is not None and failed(view))
def retry_after_is_kept(view: View) -> Iterator[Finding]:
    got, want = _retry_after(view), _retry_after(view.upstream)
    if got is None:
        yield flaw("Retry-After is lost (B-ERR-04)", got=None, want=want)
    elif want is not None and _SECONDS.fullmatch(want) and got != want:
        yield flaw("Retry-After is another one", got=got, want=want)


def _retry_after(view: View | None) -> str | None:
    return None if view is None else view.exchange.headers.get("retry-after")


@RULES.add(
    "ERR-007", lambda view: known(view) and view.upstream is not None and (_silent(view) or failed(view.upstream))
)
def early_errors_have_a_status(view: View) -> Iterator[Finding]:
    if view.ok:
        yield flaw("the upstream failed before its first byte, the client got a success", got=view.exchange.status)


@RULES.add("ERR-008", _failed_midway)
def late_errors_are_frames(view: View) -> Iterator[Finding]:
    if not view.errors and view.exchange.end == Ending.COMPLETE:
        yield flaw("the upstream failed in mid-stream, the client got no error frame (B-SSE-14, B-SSE-15)")
    for event in _ends_after(view):
        yield flaw("a stream that failed still claims to finish (B-SSE-17)", got=event.json, at=event)
    for mark in _own_done(view):
        yield flaw("a stream that failed still has data: [DONE]", at=view.events[mark])


def _own_done(view: View) -> list[int]:
    """Return the end marks that a gateway put into a failed stream by itself.

    OpenAI sends one after its own mid-stream errors (crewAI-bf03427ba5), so a mark that was passed on is not judged.
    """
    upstream = view.upstream
    if view.dialect != OPENAI or upstream is None:
        return []
    return [] if upstream.dialect == OPENAI and done_events(upstream) else done_events(view)


def _ends_after(view: View) -> list[Event]:
    """Return the events that claim a finish, in a stream whose answer failed."""
    return [event for event in view.events if event.json is not MISSING and _claims_finish(event)]


def _claims_finish(event: Event) -> bool:
    fields = event.fields
    finish = [choice.get("finish_reason") for choice in objects(fields.get("choices"))]
    finish += [candidate.get("finishReason") for candidate in objects(fields.get("candidates"))]
    last = ("message_stop", "response.completed", "response.incomplete")
    return fields.get("type") in last or any(reason not in (None, "error") for reason in finish)


@RULES.add("ERR-009", lambda view: known(view) and view.upstream is not None and _broke_off(view.upstream))
def truncation_is_no_success(view: View) -> Iterator[Finding]:
    if not view.ok:
        return
    if not view.wants_stream:
        yield flaw("the upstream's answer was cut off, the client got a success", got=view.exchange.status)
    elif finished(view):
        yield flaw("the upstream's stream broke off, the client's claims to be whole (B-SSE-18)")
    elif not view.errors and view.exchange.end == Ending.COMPLETE:
        yield flaw("the upstream's stream broke off, the client's ends without a word (B-SSE-16)")


@RULES.add("ERR-010", _silent)
def silence_is_a_gateway_error(view: View) -> Iterator[Finding]:
    if view.exchange.status not in (502, 503, 504):
        yield flaw("no upstream answered", got=view.exchange.status, want=(502, 504))
    if not obj(view.document.get("error")):
        yield flaw("the error has no envelope", path="$.error", got=view.document.get("error"))


def _garbled(upstream: View) -> bool:
    """Tell a complete answer that holds no JSON: an HTML page, a text, nothing at all, in a stream's place too."""
    if upstream.exchange.status == 0 or upstream.exchange.end != Ending.COMPLETE:
        return False
    if upstream.streamed:
        return not any(isinstance(event.json, dict) or event.data == b"[DONE]" for event in upstream.events)
    return (failed(upstream) or upstream.ok) and not isinstance(upstream.json, (dict, list))


@RULES.add("ERR-011", lambda view: known(view) and view.upstream is not None and _garbled(view.upstream))
def non_json_is_a_bad_gateway(view: View) -> Iterator[Finding]:
    if view.streamed and view.errors:
        return  # Too late for a status: the head had gone out.
    # An HTML error page keeps its status in a JSON envelope (B-ERR-09); a success that is no JSON is a 502.
    if view.upstream is not None and view.upstream.ok and view.exchange.status != 502:
        yield flaw("the upstream's success is not JSON", got=view.exchange.status, want=502)
    if not obj(view.document.get("error")):
        yield flaw("the client got no error envelope", path="$.error")


@RULES.add("ERR-013", lambda view: failed(view) and _upstream_failed(view) and _message(view.upstream) is not None)
def providers_words_are_kept(view: View) -> Iterator[Finding]:
    want = _message(view.upstream)
    got = _message(view)
    if want and want not in (got or ""):
        yield flaw("the provider's message is lost", path="$.error.message", got=got, want=want)


def _message(view: View | None) -> str | None:
    if view is None:
        return None
    body = view.document or obj(next(iter(view.json), None) if isinstance(view.json, list) else None)
    message = obj(body.get("error")).get("message")
    if view.dialect in (COHERE, OLLAMA, BEDROCK):
        message = body.get("message") or body.get("error")
    return message if isinstance(message, str) and message else None


def _paused(view: View) -> bool:
    timed = known(view) and view.streamed and bool(view.exchange.arrivals)
    return timed and _pause_after_content(view.upstream) > 0


@RULES.add("SSE-007", _paused)
def pauses_are_passed_on(view: View) -> Iterator[Finding]:
    want = _pause_after_content(view.upstream)
    got = max((later.ms - earlier.ms for earlier, later in _gaps(view.exchange.arrivals)), default=0)
    # Half of it: the first part may have been on its way for a while before it arrived.
    if got * 2 < want:
        yield flaw("the upstream paused, the client got all at once", got=f"{got} ms", want=f"about {want} ms")


def _gaps(arrivals: tuple[Arrival, ...]) -> list[tuple[Arrival, Arrival]]:
    return list(pairwise(arrivals))


def _pause_after_content(upstream: View | None) -> int:
    """Return the longest pause in ms after the first content, which must not be held back; 0 for none to speak of."""
    if upstream is None or not upstream.streamed:
        return 0
    start = next((event.end for event in upstream.chunks if _has_content(event)), None)
    if start is None:
        return 0
    received = longest = 0
    for earlier, later in _gaps(upstream.exchange.arrivals):
        received += earlier.size
        if received >= start:
            longest = max(longest, later.ms - earlier.ms)
    return longest if longest >= _PAUSE_MS else 0


def _has_content(event: Event) -> bool:
    fields = event.fields
    deltas = [obj(choice.get("delta")) for choice in objects(fields.get("choices"))]
    parts = [obj(candidate.get("content")) for candidate in objects(fields.get("candidates"))]
    return (
        any(delta.get("content") or delta.get("tool_calls") for delta in deltas)
        or any(content.get("parts") for content in parts)
        or fields.get("type") in ("content_block_delta", "content-delta", "response.output_text.delta")
        or bool(obj(fields.get("message")).get("content"))
        or event.frame.event == "contentBlockDelta"
    )
