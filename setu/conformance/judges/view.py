"""An exchange as a judge sees it: what was asked, what came back, event by event with byte spans.

Read from the bytes alone. The client's dialect is told from the request path, whether a stream was asked for from
the request body (or, for Gemini, the path); nothing here knows how the answer was made.
"""

from functools import cached_property
from typing import Any, Final, TypeGuard

import msgspec

from setu._json import JsonError, decode
from setu.framing.frame import Frame
from setu.framing.kinds import DECODERS, of_media_type
from setu.http import Ending, Exchange

OPENAI: Final = "openai"
ANTHROPIC: Final = "anthropic"
GEMINI: Final = "gemini"
RESPONSES: Final = "responses"
COHERE: Final = "cohere"
OLLAMA: Final = "ollama"
BEDROCK: Final = "bedrock"
MODELS: Final = "models"

_STREAM_TYPES: Final = {OLLAMA: "application/x-ndjson", BEDROCK: "application/vnd.amazon.eventstream"}
"""Where a stream is framed otherwise than as server-sent events."""

_FRONT: Final = (502, 503, 504)

_LAST: Final = ("message_stop", "response.completed", "response.incomplete")
"""Types of events that end a stream well."""

MISSING: Final = msgspec.UNSET
"""Not there, or not JSON: neither is the same as null."""


class Event(msgspec.Struct, frozen=True):
    """One frame that carries data: `json` is its value (`MISSING` when it is not JSON), `start:end` its bytes."""

    index: int
    frame: Frame
    start: int
    end: int
    json: Any

    @property
    def data(self) -> bytes:
        return self.frame.data or b""

    @property
    def fields(self) -> dict[str, Any]:
        """The event's object, or an empty one."""
        return obj(self.json)


class View:
    """One exchange, parsed once for all rules."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    @cached_property
    def dialect(self) -> str | None:
        request = self.exchange.request
        found = dialect_of(request.method, request.path)
        # Anthropic lists its models at the path of OpenAI's, to clients that say which version they speak.
        if found == MODELS and (request.headers.get("anthropic-version") or "/v1beta/" in request.path):
            return None
        return found

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The request body; empty when it is not a JSON object."""
        body = self.exchange.request.body
        return obj(parse(body)) if isinstance(body, bytes) else {}

    @cached_property
    def wants_stream(self) -> bool:
        if self.dialect == GEMINI:
            return self.exchange.request.path.endswith(":streamGenerateContent")
        if self.dialect == BEDROCK:
            return self.exchange.request.path.endswith("/converse-stream")
        if self.dialect == OLLAMA:
            return self.asked.get("stream") is not False
        return self.asked.get("stream") is True

    @cached_property
    def ok(self) -> bool:
        return 200 <= self.exchange.status < 300

    @cached_property
    def content_type(self) -> str:
        """The media type without parameters, lower-case; empty when there is none."""
        return (self.exchange.headers.get("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def json(self) -> Any:
        """The whole body as one JSON value, or `MISSING`."""
        return parse(self.exchange.body)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The body's JSON object, or an empty one."""
        return obj(self.json)

    @cached_property
    def plain(self) -> bool:
        """A success that was not asked to stream."""
        return self.ok and not self.wants_stream

    @cached_property
    def streamed(self) -> bool:
        """A success that was asked to stream and did not come as one JSON object."""
        framed = of_media_type(self.content_type) is not None
        return self.ok and self.wants_stream and (framed or not isinstance(self.json, dict))

    @cached_property
    def speaks(self) -> bool:
        """Audio was asked for: a kind of answer that breaks OpenAI's own reference.

        A chunk without choices and no finish reason (genai-ca824483cd), `stop` after a required call
        (genai-72eace4715).
        """
        return "audio" in seq(self.asked.get("modalities"))

    @property
    def stream_type(self) -> str:
        """The media type that a stream of this dialect has."""
        return _STREAM_TYPES.get(self.dialect or "", "text/event-stream")

    @cached_property
    def of_a_front(self) -> bool:
        """A load balancer answered in the server's place, as plain text, also before OpenAI (crewAI-5a8be95bb0).

        What a gateway says when its own upstream failed is its own.
        """
        silent = self.exchange.status in _FRONT and not self.exchange.upstream
        return silent and self.content_type == "text/plain" and not isinstance(self.json, dict)

    @cached_property
    def as_array(self) -> bool:
        """A Gemini stream without `alt=sse` is one JSON array."""
        return self.dialect == GEMINI and "alt=sse" not in self.exchange.request.query

    @cached_property
    def frames(self) -> list[tuple[Frame, int]]:
        """Every frame of the body with the offset of its first byte."""
        decoder = DECODERS[of_media_type(self.content_type) or ("jsonarray" if self.as_array else "sse")]()
        placed: list[tuple[Frame, int]] = []
        at = 0
        for frame in [*decoder.feed(self.exchange.body), *decoder.close()]:
            placed.append((frame, at))
            at += len(frame.raw)
        return placed

    @cached_property
    def events(self) -> list[Event]:
        """The frames that carry data."""
        carrying = [(frame, at) for frame, at in self.frames if frame.data is not None]
        return [
            Event(index, frame, at, at + len(frame.raw), parse(frame.data or b""))
            for index, (frame, at) in enumerate(carrying)
        ]

    @cached_property
    def chunks(self) -> list[Event]:
        """The events that carry an object and neither an error nor the end mark."""
        return [event for event in self.events if isinstance(event.json, dict) and not is_error(event)]

    @cached_property
    def errors(self) -> list[Event]:
        return [event for event in self.events if is_error(event)]

    @cached_property
    def ended_well(self) -> bool:
        """The stream came to its own end, and without an error event.

        A client that hangs up after the end mark has seen all of it.
        """
        whole = self.exchange.end == Ending.COMPLETE
        if self.exchange.end == Ending.CLOSED_BY_CLIENT and self.events:
            last = self.events[-1]
            whole = last.data == b"[DONE]" or last.fields.get("type") in _LAST
        return whole and not self.errors

    @cached_property
    def tries(self) -> "tuple[View, ...]":
        """What a gateway sent upstream, in order."""
        return tuple(View(exchange) for exchange in self.exchange.upstream)

    @property
    def upstream(self) -> "View | None":
        """The upstream try whose outcome the client's answer must tell: the last one, earlier ones were retried away.

        Where all have failed, and the client is told of one of them in its own words, it is that one (B-MSG-14).
        """
        if len(self.tries) > 1 and all(each.exchange.status >= 400 for each in self.tries):
            return next(filter(self._tells, self.tries), self.tries[-1])
        return self.tries[-1] if self.tries else None

    def _tells(self, one: "View") -> bool:
        said = obj(one.document.get("error")).get("message") or one.document.get("message")
        told = obj(self.document.get("error")).get("message")
        return isinstance(said, str) and isinstance(told, str) and bool(said) and said in told


def dialect_of(method: str, path: str) -> str | None:
    """Name the client dialect of a route, or None for routes no judge knows."""
    path = path.rstrip("/")
    if path.startswith("/v1beta/models") and method == "GET":
        return None  # Gemini's list has a form of its own
    if method == "GET":
        return MODELS if path.endswith("/models") or "/models/" in path else None
    if path.endswith("/chat/completions"):
        return OPENAI
    if path.endswith("/responses"):
        return RESPONSES
    # OpenAI's Assistants have /threads/{id}/messages, which is another API.
    if path.endswith("/messages") and "/threads/" not in path:
        return ANTHROPIC
    if path.endswith("/v2/chat"):
        return COHERE
    if path.endswith("/api/chat"):
        return OLLAMA
    if "/model/" in path and path.endswith(("/converse", "/converse-stream")):
        return BEDROCK
    return GEMINI if path.endswith((":generateContent", ":streamGenerateContent")) else None


def is_error(event: Event) -> bool:
    """Tell whether an event reports a failure, in whatever of the known ways."""
    fields = event.fields
    return (
        fields.get("error") not in (None, MISSING, "")
        or (fields.get("type") == "message-end" and bool(obj(fields.get("delta")).get("error")))  # Cohere
        or fields.get("type") in ("error", "response.failed")
        or fields.get("object") == "error"
        or (event.frame.event == "error" and event.data.strip() != b"[DONE]")
        or (event.frame.event or "").endswith("Exception")  # Bedrock
    )


def parse(data: bytes) -> Any:
    """Return the JSON value of some bytes, `MISSING` when they hold none."""
    try:
        return decode(data)
    except (JsonError, ValueError):
        return MISSING


def obj(value: Any) -> dict[str, Any]:
    """Return an object as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def seq(value: Any) -> list[Any]:
    """Return an array as it is, anything else as an empty one."""
    return value if isinstance(value, list) else []


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of an array; what else it holds is another check's business."""
    return [item for item in seq(value) if isinstance(item, dict)]


def is_count(value: Any) -> TypeGuard[int]:
    """Tell an integer; JSON booleans are not numbers."""
    return isinstance(value, int) and not isinstance(value, bool)


def openai_plain(view: View) -> bool:
    return view.dialect == OPENAI and view.plain


def openai_stream(view: View) -> bool:
    return view.dialect == OPENAI and view.streamed and not view.speaks


def told(view: View, member: str) -> bool:
    """Tell whether some header field of the answer names a member of the request: it was not silently lost."""
    return any(member in value for _, value in view.exchange.headers.items())


def failed(view: View) -> bool:
    return view.exchange.status >= 400


def known(view: View) -> bool:
    """Tell a route whose answers the judges know."""
    return view.dialect is not None
