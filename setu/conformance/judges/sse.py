"""Transport of answers (TRN) and the framing of event streams (SSE)."""

import re
from collections.abc import Iterator

from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import ANTHROPIC, MODELS, OPENAI, RESPONSES, View, known, obj, openai_stream
from setu.http import Ending

RULES = Rules()

_BOM = b"\xef\xbb\xbf"
_REPLACEMENT = "�"
_LINE = re.compile(rb"\r\n|\n|\r")
_CACHEABLE = re.compile(r"\bpublic\b|\b(?:s-maxage|max-age)=[1-9]")
_FIELD = re.compile(rb"(?:data|event|id|retry)(?::|$)")

_CONNECTION_FIELDS = ("proxy-authenticate", "proxy-connection", "te", "trailer", "upgrade")
_UPSTREAM_FIELDS = (
    "set-cookie",
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
    "cf-ray",
    "cf-cache-status",
    "alt-svc",
    "via",
    "strict-transport-security",
    "content-encoding",
)
"""Fields that tell of the upstream's own edge, account or coding; a gateway answers for itself."""


def event_stream(view: View) -> bool:
    """Tell a stream framed as server-sent events, of any dialect."""
    framed = view.content_type == "text/event-stream" or not view.as_array
    return known(view) and view.streamed and framed and view.stream_type == "text/event-stream"


def done_events(view: View) -> list[int]:
    """Return the indexes of the events that are the exact end mark."""
    return [event.index for event in view.events if event.data == b"[DONE]"]


def has_body(view: View) -> bool:
    return known(view) and bool(view.exchange.body)


@RULES.add("TRN-001", both(known, lambda view: view.plain))
def plain_answers_are_json(view: View) -> Iterator[Finding]:
    if view.exchange.status != 200:
        yield flaw("the status is not 200", got=view.exchange.status, want=200)
    if view.content_type != "application/json":
        yield flaw("the content type is not JSON", got=view.content_type, want="application/json")


@RULES.add("TRN-002", both(known, lambda view: view.ok and view.wants_stream and not view.as_array))
def streams_are_event_streams(view: View) -> Iterator[Finding]:
    if view.content_type != view.stream_type:
        yield flaw("a stream was asked, another type came", got=view.content_type, want=view.stream_type)


@RULES.add("TRN-003", lambda view: has_body(view) and view.content_type != "application/vnd.amazon.eventstream")
def text_is_utf8(view: View) -> Iterator[Finding]:
    if view.exchange.body.startswith(_BOM):
        yield flaw("the body starts with a byte order mark", got="EF BB BF")
    if _bad_utf8(view.exchange.body) is not None:
        yield flaw("the body is not UTF-8", got=f"byte {_bad_utf8(view.exchange.body)}")


def _bad_utf8(data: bytes) -> int | None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


_REQUEST_ID = {
    OPENAI: ("x-request-id",),
    RESPONSES: ("x-request-id",),
    MODELS: ("x-request-id",),
    ANTHROPIC: ("request-id", "x-request-id"),
}


@RULES.add("TRN-008", lambda view: view.dialect in _REQUEST_ID)
def request_id_is_given(view: View) -> Iterator[Finding]:
    names = _REQUEST_ID[str(view.dialect)]
    if not any(view.exchange.headers.get(name) for name in names):
        yield flaw("no request id to quote in a report", want=names)


@RULES.add("TRN-010", known)
def headers_are_its_own(view: View) -> Iterator[Finding]:
    leaked = [name for name in _CONNECTION_FIELDS if name in view.exchange.headers]
    for upstream in view.exchange.upstream:
        leaked += [
            name
            for name in _UPSTREAM_FIELDS
            if name in upstream.headers and upstream.headers.getall(name) == view.exchange.headers.getall(name)
        ]
    if leaked:
        yield flaw("headers of another connection are passed on", got=sorted(set(leaked)))


@RULES.add("SSE-001", event_stream)
def frames_follow_the_grammar(view: View) -> Iterator[Finding]:
    if not view.frames:
        yield flaw("the stream is empty")
    for frame, at in view.frames:
        for line in _LINE.split(frame.raw.removeprefix(_BOM)):
            if line and not line.startswith(b":") and not _FIELD.match(line):
                # A client drops such a line without a word (llama.cpp once sent `error:`).
                field = line.partition(b":")[0].decode("utf-8", "replace")
                yield Finding("", "a line is no SSE field", got=field[:60], span=(at, at + len(frame.raw)))
        if frame.data is None and (frame.event is not None or frame.id is not None):
            # openai-python dispatches it and fails to parse its empty data (B-SSE-02).
            yield Finding("", "an event carries no data", got=frame.event, span=(at, at + len(frame.raw)))
    yield from _unparsed(view)


def _unparsed(view: View) -> Iterator[Finding]:
    for event in view.events:
        if not isinstance(event.json, dict) and event.data.strip().upper() != b"[DONE]":
            yield flaw(
                "an event does not hold one JSON object", got=event.data[:60].decode("utf-8", "replace"), at=event
            )


@RULES.add("SSE-002", openai_stream)
def done_comes_once_and_last(view: View) -> Iterator[Finding]:
    inexact = [event for event in view.events if event.data.strip().upper() == b"[DONE]" != event.data]
    for event in inexact:
        yield flaw("the end mark is not exactly [DONE]", got=event.data.decode("utf-8", "replace"), at=event)
    marks = done_events(view)
    if view.ended_well and len(marks) != 1:
        yield flaw("a stream that ends well has one data: [DONE]", got=len(marks), want=1)
    elif marks and view.exchange.end in (Ending.TRUNCATED, Ending.RESET, Ending.ERROR):
        yield flaw("the stream broke off, yet has a data: [DONE]", at=view.events[marks[0]])
    if view.ended_well and len(marks) == 1 and marks[0] != len(view.events) - 1:
        yield flaw("data: [DONE] is not the last event", at=view.events[marks[0]])


@RULES.add("SSE-003", event_stream)
def characters_are_whole(view: View) -> Iterator[Finding]:
    body = view.exchange.body
    bad = _bad_utf8(body)
    if bad is not None and not (view.exchange.end != Ending.COMPLETE and bad > len(body) - 4):
        yield Finding("", "the stream is not valid UTF-8", span=(bad, bad + 1))
    if view.upstream is None or _shown_broken(view.upstream.exchange.body):
        return  # Without the upstream's bytes, a replacement character may be what the model wrote.
    for event in view.events:
        if _shown_broken(event.data):
            yield flaw("a character was replaced by U+FFFD (B-SSE-08)", at=event)


def _shown_broken(data: bytes) -> bool:
    return _REPLACEMENT.encode() in data or b"\\ufffd" in data.lower()


@RULES.add("SSE-004", openai_stream)
def only_data_and_comments(view: View) -> Iterator[Finding]:
    for event in view.events:
        frame = event.frame
        extra = [name for name in ("event", "id", "retry") if getattr(frame, name) is not None]
        if extra:
            yield flaw("an event has fields other than data", got=extra, at=event)


@RULES.add("SSE-005", openai_stream)
def errors_are_data(view: View) -> Iterator[Finding]:
    for event in view.errors:
        if not isinstance(obj(event.fields.get("error")).get("message"), str):
            # A bare object under `event: error` is swallowed by openai-python.
            yield flaw('an error is not data: {"error": {"message": ...}}', got=event.json, at=event)
    for frame, at in view.frames:
        if any(line.startswith(b"error:") for line in _LINE.split(frame.raw)):
            yield Finding("", "an error as a field of its own is not seen", span=(at, at + len(frame.raw)))


@RULES.add("SSE-006", event_stream)
def headers_suit_a_stream(view: View) -> Iterator[Finding]:
    if "content-length" in view.exchange.headers:
        yield flaw("a stream has a Content-Length", got=view.exchange.headers.get("content-length"))
    # Without a word on freshness the answer to a POST is not cached (RFC 9110 §9.3.3), and OpenAI says none.
    caching = view.exchange.headers.get("cache-control") or ""
    if _CACHEABLE.search(caching.lower()):
        yield flaw("intermediaries are invited to cache the stream", got=caching, want="no-cache")


@RULES.add("SSE-008", lambda view: openai_stream(view) and bool(done_events(view)))
def nothing_after_done(view: View) -> Iterator[Finding]:
    mark = view.events[done_events(view)[0]]
    for event in view.events[mark.index + 1 :]:
        yield flaw("an event after data: [DONE]", at=event)
    if view.exchange.end in (Ending.TRUNCATED, Ending.RESET, Ending.ERROR):
        yield flaw("the connection did not close cleanly", got=view.exchange.end, want=Ending.COMPLETE)


@RULES.add("SSE-009", lambda view: event_stream(view) and view.exchange.end == Ending.COMPLETE)
def last_frame_is_terminated(view: View) -> Iterator[Finding]:
    if view.frames and not view.frames[-1][0].terminated:
        frame, at = view.frames[-1]
        yield Finding("", "the last frame has no blank line after it", span=(at, at + len(frame.raw)))
