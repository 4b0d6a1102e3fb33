"""Scenarios: a client's request, the upstream's literal script per dialect, and what must be true on both sides.

A scenario is data (`conformance/scenarios/*.yaml`). Its upstream bytes are written by hand to the providers' documents:
no encoder of Setu's ever produces the input of a check.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from setu import _json
from setu.cassette.faults import parse_fault
from setu.cassette.script import Bytes, End, Head, Script
from setu.errors import ConfigError
from setu.framing.eventstream import EventStreamEncoder
from setu.framing.frame import Frame
from setu.framing.kinds import DECODERS, of_media_type
from setu.http import Ending, Headers, Request

Kind = Literal["plain", "stream"]

_PATHS = {"openai_chat": "/v1/chat/completions", "openai_responses": "/v1/responses", "anthropic": "/v1/messages"}
_STREAM_TYPES = {"openai_chat": "text/event-stream; charset=utf-8"}


class Assertion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that must be so at a JSON pointer; exactly one of the tests is given.

    `check` is the catalogue id it counts for.
    """

    pointer: str
    equals: Any = msgspec.UNSET
    absent: bool = False
    present: bool = False
    matches: str | None = None
    contains: str | None = None
    lacks: str | None = None
    length: int | None = None
    one_of: tuple[Any, ...] | None = None
    json: Any = msgspec.UNSET
    check: str | None = None

    def __post_init__(self) -> None:
        given = [self.absent, self.present, self.equals is not msgspec.UNSET, self.json is not msgspec.UNSET]
        texts = (self.matches, self.contains, self.lacks, self.length, self.one_of)
        if sum(given) + sum(text is not None for text in texts) != 1:
            raise ValueError(f"the assertion at {self.pointer!r} needs exactly one test")


class Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The request. `$MODEL` in body and path stands for the provider's model; Gemini's model stands in the path.

    `raw` is sent in place of the body, encoded in `charset`.
    """

    body: dict[str, Any]
    dialect: str = "openai_chat"
    headers: dict[str, str] = {}
    query: str | None = None
    path: str | None = None
    raw: str | None = None
    charset: Literal["utf-8", "latin-1"] = "utf-8"
    method: str = "POST"


class Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message of an event stream, whose bytes nobody can write by hand: its type and its literal payload."""

    event: str
    data: Any


class Before(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer that the upstream gives to an earlier try: an error, as JSON."""

    status: int
    plain: Any
    headers: dict[str, str] = {}


class Upstream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an upstream of one dialect answers, and what it must have been sent.

    `plain` and `stream` are bodies for the two modes; `framing` says what a stream's text is, `eol` turns its line
    ends; `faults` are texts such as `close@event=3`; `unavailable` refuses the connection. `before` are the answers to
    earlier tries; `sent` looks at what the first try sent, `again` at what the last one did.
    """

    plain: Any = None
    stream: str | tuple[Sent, ...] | None = None
    status: int = 200
    headers: dict[str, str] = {}
    framing: Literal["sse", "ndjson"] = "sse"
    eol: Literal["lf", "crlf", "cr"] = "lf"
    tail: bool = True
    faults: tuple[str, ...] = ()
    unavailable: bool = False
    before: tuple[Before, ...] = ()
    sent: tuple[Assertion, ...] = ()
    again: tuple[Assertion, ...] = ()
    client: tuple[Assertion, ...] = ()
    skip: str | None = None


class Expect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the client must get.

    `client` looks at the whole answer: the JSON body, or what the stream assembles to. `events` looks at the list of a
    stream's parsed data events. `checks` must have run and passed, beside whatever else applies. `losses` are pointers
    that `x-setu-loss` must name.
    """

    status: int = 200
    client: tuple[Assertion, ...] = ()
    events: tuple[Assertion, ...] = ()
    checks: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    headers: dict[str, str] = {}


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scenario. `covers` names breakage rows; without `upstream` the simulator answers.

    `capabilities` are those that a provider must have for the scenario to be about it; `models` names the model to ask
    of a provider where the scenario is about a generation of them. With `fallback` a second deployment of the same
    provider is there, to be asked when the first one fails.
    """

    id: str
    title: str
    client: Client
    modes: tuple[Kind, ...] = ("plain",)
    upstream: dict[str, Upstream] = {}
    expect: Expect = Expect()
    covers: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()
    models: dict[str, str] = {}
    resplit: bool = True
    fallback: bool = False

    @property
    def tried_again(self) -> bool:
        """Whether it is about further tries, which are settings of a gateway."""
        return self.fallback or any(upstream.before for upstream in self.upstream.values())


def load(directory: Path) -> tuple[Scenario, ...]:
    """Read every scenario of a directory, in the order of their names.

    Raises:
        ConfigError: a file that is no scenario; names file and member.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = []
    for path in sorted(directory.glob("*.yaml")):
        try:
            data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader
            found.append(msgspec.convert(data, Scenario))
        except (msgspec.ValidationError, yaml.YAMLError) as error:
            raise ConfigError(f"{path}: {error}") from None
        if found[-1].id != path.stem:
            raise ConfigError(f"{path}: id is {found[-1].id!r}, but the file is called {path.stem}")
    return tuple(found)


def client_request(client: Client, model: str, mode: Kind) -> Request:
    """Return the request the client sends."""
    body = _with_model(client.body, model)
    path, query = client.path, client.query or ""
    if client.dialect == "gemini":
        method = "streamGenerateContent" if mode == "stream" else "generateContent"
        path = path or f"/v1beta/models/{model}:{method}"
        query = client.query if client.query is not None else ("alt=sse" if mode == "stream" else "")
    elif mode == "stream":
        body = {**body, "stream": True}
    raw = _json.encode(body) if client.raw is None else client.raw.replace("$MODEL", model).encode(client.charset)
    headers = Headers.of({"content-type": "application/json", "user-agent": "setu-conformance", **client.headers})
    return Request(
        method=client.method,
        path=(path or _PATHS[client.dialect]).replace("$MODEL", model),
        query=query or "",
        headers=headers,
        body=raw,
    )


def _with_model(value: Any, model: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_model(inner, model) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_model(inner, model) for inner in value]
    return value.replace("$MODEL", model) if isinstance(value, str) and "$MODEL" in value else value


def script(upstream: Upstream, mode: Kind) -> Script:
    """Return the upstream's answer as steps, faults applied."""
    if upstream.unavailable:
        return (End(Ending.RESET),)
    streams = mode == "stream" and upstream.stream is not None
    body = _stream_bytes(upstream) if streams else _plain_bytes(upstream)
    kind = _stream_type(upstream) if streams else "application/json"
    headers = Headers.of({"content-type": kind, **upstream.headers})
    framing = of_media_type(headers.get("content-type")) or "sse"
    pieces = [Bytes(data=frame) for frame in _frames(body, framing)] if streams else [Bytes(data=body)]
    made: Script = (Head(status=upstream.status, headers=headers), *pieces, End())
    for fault in upstream.faults:
        made = parse_fault(fault)(made)
    return made


def scripts(upstream: Upstream, mode: Kind) -> tuple[Script, ...]:
    """Return the upstream's answers to each try."""
    return (*(_early(one) for one in upstream.before), script(upstream, mode))


def _early(before: Before) -> Script:
    headers = Headers.of({"content-type": "application/json", **before.headers})
    return (Head(status=before.status, headers=headers), Bytes(data=_json.encode(before.plain)), End())


def _stream_type(upstream: Upstream) -> str:
    if not isinstance(upstream.stream, str):
        return "application/vnd.amazon.eventstream"
    return "application/x-ndjson" if upstream.framing == "ndjson" else "text/event-stream; charset=utf-8"


def _plain_bytes(upstream: Upstream) -> bytes:
    if isinstance(upstream.plain, str):
        return upstream.plain.encode()
    return _json.encode(upstream.plain)


def _stream_bytes(upstream: Upstream) -> bytes:
    assert upstream.stream is not None
    if not isinstance(upstream.stream, str):
        return b"".join(map(_message, upstream.stream))
    text = upstream.stream if upstream.tail else upstream.stream.rstrip("\n")
    return text.replace("\n", {"lf": "\n", "crlf": "\r\n", "cr": "\r"}[upstream.eol]).encode()


def _message(sent: Sent) -> bytes:
    data = sent.data.encode() if isinstance(sent.data, str) else _json.encode(sent.data)
    return EventStreamEncoder().encode(Frame(event=sent.event, data=data))


def _frames(body: bytes, framing: str) -> list[bytes]:
    decoder = DECODERS[framing]()
    return [frame.raw for frame in (*decoder.feed(body), *decoder.close())]


def usable(scenario: Scenario, provider: str, dialect: str) -> Upstream | Literal["simulator"] | None:
    """Return what stands behind the gateway for a provider; None when the scenario has nothing for it."""
    if scenario.providers and provider not in scenario.providers:
        return None
    if not scenario.upstream:
        return "simulator"
    return scenario.upstream.get(provider) or scenario.upstream.get(dialect)


def by_id(scenarios: tuple[Scenario, ...]) -> Mapping[str, Scenario]:
    return {scenario.id: scenario for scenario in scenarios}
