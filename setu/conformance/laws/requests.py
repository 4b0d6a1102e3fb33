"""Laws of requests."""

import json
from typing import Any

from setu import _json
from setu.chat.ids import counter
from setu.conformance import strategies
from setu.conformance.judges.registry import judge
from setu.conformance.laws.subject import Subject
from setu.dialects.record import Route, Target
from setu.errors import DialectError, SetuError
from setu.http import Exchange


def parsers_are_total(subject: Subject) -> None:
    """P01: any bytes are a request, an answer, or a named error; never a crash."""
    from hypothesis import strategies as st

    documents = st.one_of(
        st.binary(max_size=40),
        strategies.json_values().map(lambda value: json.dumps(value).encode()),
        st.dictionaries(st.sampled_from(_KEYS), strategies.json_values(), max_size=5).map(
            lambda value: json.dumps(value).encode()
        ),
    )

    def law(body: bytes) -> None:
        for dialect in subject.dialects.values():
            route = Route(dialect=dialect.name, operation="chat", model="m" if dialect.name == "gemini" else None)
            for codec in dialect.client.values():
                _total(lambda codec=codec, route=route: codec.parse_request(body, route), dialect.name, body)
            for upstream in dialect.upstream.values():
                _total(lambda upstream=upstream: upstream.parse_response(body, counter()), dialect.name, body)

    subject.check(documents, law)


def legal_requests_are_answered(subject: Subject) -> None:
    """P01, P02: every legal request is sent legally, answered, and answered by the contract."""

    def law(body: dict[str, Any]) -> None:
        for stream in (False, True):
            asked = {**body, "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})}
            exchange = subject.ask(_json.encode(asked))
            assert exchange.status == 200, _shown("refused", asked, exchange)
            for check, findings in judge(exchange).items():
                if check.startswith(("PRX-004", "XLT-")) and not _translated(subject):
                    continue
                assert not findings, _shown(f"{check}: {findings[0].message if findings else ''}", asked, exchange)

    subject.check(strategies.requests(subject.model), law)


def rendering_is_pure(subject: Subject) -> None:
    """P18: the same request renders to the same bytes, and key order does not matter."""
    codec, upstream = subject.dialects["openai_chat"].client["chat"], subject.upstream.upstream["chat"]
    route = Route(dialect="openai_chat", operation="chat")

    def law(body: dict[str, Any]) -> None:
        request = codec.parse_request(_json.encode(body), route)
        backwards = codec.parse_request(_json.encode(dict(reversed(body.items()))), route)
        target = Target(model="m")
        first = upstream.render_request(request, target)

        assert upstream.render_request(request, target) == first, f"rendered twice, it differs: {_json.encode(body)!r}"
        assert upstream.render_request(backwards, target).body == first.body, f"key order matters: {body!r}"

    subject.check(strategies.requests(subject.model), law)


def identity_keeps_what_it_does_not_know(subject: Subject) -> None:
    """P20, P24 on the identity path: unknown members, nulls and number spellings reach the upstream as they were."""
    from hypothesis import strategies as st

    own = subject.upstream.name
    paths = {
        "openai_chat": "/v1/chat/completions",
        "anthropic": "/v1/messages",
        "gemini": f"/v1beta/models/{subject.model}:generateContent",
    }
    unknown = st.dictionaries(strategies.NAMES.map(lambda name: f"x_{name}"), strategies.json_values(), max_size=4)

    def law(extra: dict[str, Any]) -> None:
        members = {name: json.dumps(value, indent=1).encode() for name, value in extra.items()}
        members |= {"x_float": b"1.10", "x_null": b"null", "x_big": b"123456789012345678901234567890"}
        body = _json.splice(_BODIES[own].replace(b"$MODEL", subject.model.encode()), members)
        exchange = subject.ask(body, paths[own])
        assert exchange.upstream, f"nothing was sent: {exchange.body[:300]!r}"
        sent = exchange.upstream[0].request.body
        assert isinstance(sent, bytes)
        arrived = _json.split(sent)
        for name, raw in members.items():
            assert arrived.get(name) == raw, f"{name} was {raw!r} and arrived as {arrived.get(name)!r}"

    subject.check(unknown, law)


_KEYS = (
    "model", "messages", "contents", "system", "systemInstruction", "tools", "choices", "content", "candidates",
    "usage", "stop", "max_tokens", "generationConfig", "tool_choice", "role", "id", "type", "stop_reason",
    "usageMetadata",
)  # fmt: skip

_BODIES = {
    "openai_chat": b'{"model":"$MODEL","messages":[{"role":"user","content":"hi"}]}',
    "anthropic": b'{"model":"$MODEL","max_tokens":64,"messages":[{"role":"user","content":"hi"}]}',
    "gemini": b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
}


def _total(parse: Any, dialect: str, body: bytes) -> None:
    try:
        parse()
    except (DialectError, SetuError):
        return
    except Exception as error:  # noqa: BLE001 - exactly what the law forbids
        raise AssertionError(f"{dialect} raised {type(error).__name__}: {error} on {body!r}") from None


def _translated(subject: Subject) -> bool:
    return subject.upstream.name != "openai_chat"


def _shown(problem: str, asked: dict[str, Any], exchange: Exchange) -> str:
    sent = exchange.upstream[0].request.body if exchange.upstream else b""
    return f"{problem}\nasked {_json.encode(asked)!r}\nsent {sent!r}\ngot {exchange.status} {exchange.body[:600]!r}"
