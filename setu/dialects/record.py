"""What a dialect is: a wire format as a record of pure functions, both ways."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, NoReturn, Protocol, TypeVar

import msgspec

from setu._json import Json
from setu.chat.events import Event
from setu.chat.ids import Mint
from setu.chat.parts import Inline
from setu.chat.request import ChatRequest
from setu.chat.response import Usage
from setu.chat.seals import Seal
from setu.errors import ErrorInfo, LocalDialectError
from setu.framing.frame import Frame
from setu.http import Headers

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

Operation = Literal["chat", "embed", "complete", "count_tokens", "models", "raw"]
Framing = Literal["sse", "ndjson", "jsonarray", "eventstream", "json"]
"""How a body travels; `json` is one document."""


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Something the target cannot express: said, never silent.

    `pointer` is a JSON pointer into the source's body (`/messages/0/content/1`); `severity` is `info` when the answer
    cannot change (a cache hint), `warn` when it may.
    """

    phase: Literal["request", "response"]
    pointer: str
    reason: str
    severity: Literal["info", "warn"] = "warn"


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A body and what it could not say."""

    body: bytes
    losses: tuple[Loss, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model, as far as a renderer needs it.

    `max_output` is its output cap in tokens; `thinking` how it takes a thinking request: a token budget, an effort
    level, Anthropic's adaptive mode, or not at all. `sampling` says whether temperature and top_p may come together,
    one at a time, or not at all (Claude since Opus 4.7); `system_turns` whether system messages may stand between
    turns (Claude since Opus 4.8); `prefill` whether the last message may be the assistant's own beginning. `modalities`
    are the kinds of input it takes, text among them.
    """

    max_output: int | None = None
    context: int | None = None
    thinking: Literal["budget", "effort", "adaptive", "none"] | None = None
    efforts: tuple[str, ...] = ()
    vision: bool | None = None
    tools: bool | None = None
    sampling: Literal["both", "one", "none"] | None = None
    system_turns: bool | None = None
    prefill: bool | None = None
    modalities: tuple[str, ...] = ()


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a request is rendered for, with the facts the gateway fetched.

    `model` is the upstream's name for it; `seals` are the stored seals of tool calls that came back without one;
    `media` are the fetched bytes of media URLs.
    """

    model: str
    facts: Facts = Facts()
    capabilities: frozenset[str] = frozenset()
    seals: Mapping[str, Seal] = {}
    media: Mapping[str, Inline] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer is rendered with: facts of the request and values for what the upstream left out.

    `model` is the name the client asked for; `created` is in seconds; `stream_usage` says whether the client asked
    for the usage chunk. `asked` is the request itself, for a dialect whose answers repeat it (Responses); `headers` are
    those of the upstream's answer.
    """

    model: str
    id: str
    created: int
    mint: Mint
    stream_usage: bool = False
    include_thoughts: bool = True
    asked: ChatRequest | None = None
    headers: Headers = msgspec.field(default_factory=Headers)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What a method, path and query mean.

    `model` and `stream` are set where the path says them (Gemini); `framing` is the stream's if the path fixes it.
    """

    dialect: str
    operation: Operation
    model: str | None = None
    stream: bool | None = None
    framing: Framing | None = None
    provider: str | None = None


class StreamDecoder(Protocol):
    """Upstream frames to events. The last event, from `close`, is always `Ended`."""

    def feed(self, frame: Frame) -> list[Event]: ...

    def close(self) -> list[Event]: ...


class StreamEncoder(Protocol):
    """Events to client frames. `losses` collects what this wire cannot say."""

    losses: list[Loss]

    def feed(self, event: Event) -> list[Frame]: ...


def unstreamed(_: object) -> NoReturn:
    """Stand where an operation that never streams has no encoder or decoder."""
    raise LocalDialectError("this endpoint does not stream", param="stream")


class ClientCodec(msgspec.Struct, Generic[Asked, Answered], frozen=True, kw_only=True):
    """The side that faces clients: read their requests, write their answers.

    `parse_request(body, route)` raises LocalDialectError. `render_response(response, reply)` gives the JSON body. For
    chat (and for `complete`, which is chat in other words) the values are `ChatRequest` and `ChatResponse`.

    Where both sides speak the dialect, bytes pass but for what these two put right: `tidy(body)` a request that hosts
    of the dialect refuse, `settle(asked, answer)` an answer that is not what was asked for.
    """

    parse_request: Callable[[bytes, Route], Asked]
    render_response: Callable[[Answered, Reply], Rendered]
    encoder: Callable[[Reply], StreamEncoder] = unstreamed
    tidy: Callable[[bytes], bytes] | None = None
    settle: Callable[[bytes, bytes], bytes] | None = None


class UpstreamCodec(msgspec.Struct, Generic[Asked, Answered], frozen=True, kw_only=True):
    """The side that faces upstreams: write requests, read answers.

    `render_request(request, target)` raises LocalDialectError for what may not be sent. `parse_response(body, mint)`
    and the decoder are liberal; they raise RemoteDialectError only where there is no answer to be had.
    `path(model, stream)` gives path and query below the provider's base; `place(model, body)` does where the body
    decides which of two endpoints it is for (Gemini's one embedding and its batches); `counted(headers)` reads usage
    that stands beside a body which does not tell it (Bedrock's InvokeModel).
    """

    render_request: Callable[[Asked, Target], Rendered]
    parse_response: Callable[[bytes, Mint], Answered]
    path: Callable[[str, bool], tuple[str, str]]
    decoder: Callable[[Mint], StreamDecoder] = unstreamed
    place: Callable[[str, bytes], tuple[str, str]] | None = None
    counted: Callable[[Headers], Usage | None] | None = None


class ErrorCodec(msgspec.Struct, frozen=True, kw_only=True):
    """Error bodies: `parse(status, headers, body)` never fails, `render` gives the envelope.

    `frame` is the error as a frame of a stream that has begun; `after` the same behind the last frame that was sent,
    where a stream's frames are numbered.
    """

    parse: Callable[[int, Headers, bytes], ErrorInfo]
    render: Callable[[ErrorInfo], bytes]
    frame: Callable[[ErrorInfo], Frame]
    after: Callable[[ErrorInfo, Frame], Frame] | None = None


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """A wire format.

    `params` names the wire pointer of each canonical option (and of `field/member` where that has its own), so that
    a loss names what the client wrote; a key that ends in a dot begins the keys of extras whose dots are steps.
    `volatile` are the JSON pointers that mean nothing to an answer and are ignored when requests are matched;
    `request_id` is the response header that carries the request's id. As an upstream, `inline_media` wants bytes where
    a client gave a URL, `seals_calls` wants its own seals back on tool calls, and
    `tool_names` is the pattern of the tool names it takes, None for any.
    """

    name: str
    framings: tuple[Framing, ...]
    client: Mapping[Operation, ClientCodec[Any, Any]]
    upstream: Mapping[Operation, UpstreamCodec[Any, Any]]
    errors: ErrorCodec
    params: Mapping[str, str] = {}
    volatile: tuple[str, ...] = ()
    request_id: str = "x-request-id"
    inline_media: bool = False
    seals_calls: bool = False
    tool_names: str | None = None


def pointer(*steps: str | int) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


_STEP = re.compile(r"/([0-9]+)(?![^/])")


def param_of(where: str) -> str:
    """Return a JSON pointer as a parameter's path: `/messages/0/content/1` is `messages[0].content[1]`."""
    return _STEP.sub(r"[\1]", where).lstrip("/").replace("/", ".")


def json_text(value: Json) -> str:
    """Return exact JSON text as a string."""
    return value.decode("utf-8", "surrogatepass")
