"""XLT-43, XLT-44 and the simulated upstream: identity, errors, and whole requests end to end."""

import json
from typing import Any

from setu import _json
from setu.conformance import strategies
from setu.conformance.judges.registry import judge
from setu.conformance.laws.answers import is_must
from setu.conformance.laws.book import Book
from setu.conformance.laws.pair import Pair, run
from setu.conformance.natives.values import Say, Story, Turn
from setu.http import Exchange, Headers, Request
from setu.transport.simulate.simulator import Simulator

BOOK = Book()
_USAGE = frozenset({"GEM-008", "ANT-005", "ANT-014", "STR-012"})
_FORCED = frozenset({"TOOL-001", "TOOL-006"})


def ask(pair: Pair, body: bytes, *, stream: bool = False) -> Exchange:
    """Send a request through the gateway to the simulator."""
    named = f"{pair.deployment.name}/{pair.model}"
    path, query = pair.asking.path(named, stream)
    target = pair.wire(pair.dialects, {pair.deployment.name: pair.deployment}, Simulator)
    headers = Headers.of({"content-type": "application/json"})
    return run(target.exchange(Request(method="POST", path=path, query=query, headers=headers, body=body)))


def _named(pair: Pair, story: Story) -> dict[str, Any]:
    import msgspec

    return pair.asking.ask(msgspec.structs.replace(story, model=f"{pair.deployment.name}/{pair.model}"))


@BOOK.law("P01")
def legal_requests_are_answered(pair: Pair) -> None:
    """P01, P02: every legal request is sent legally, answered, and answered by the contract."""

    def law(story: Story) -> None:
        exchange = ask(pair, _json.encode(_named(pair, story)), stream=story.stream)
        sent = exchange.upstream[0].request.body if exchange.upstream else b""
        shown = f"\nasked {exchange.request.body!r}\nsent {sent!r}\ngot {exchange.status} {exchange.body[:600]!r}"
        assert exchange.status == 200, f"refused{shown}"
        unforced = "choice" in (exchange.headers.get("x-setu-loss") or "")
        for check, findings in judge(exchange).items():
            if unforced and check in _FORCED:
                continue  # an upstream that cannot be made to call, and the client was told so
            if story.stream and check in _USAGE and not pair.reports_usage:
                continue
            # What passes untouched is the upstream's and the client's own.
            if not (pair.same and (check.startswith(("PRX-004", "XLT-")) or not is_must(check))):
                assert not findings, f"{check}: {findings[0].message}{shown}"

    pair.check(strategies.stories(pair.by, scalars=True), law)


@BOOK.law("P01")
def illegal_requests_are_refused(pair: Pair) -> None:
    """P01: a request that breaks its dialect is a 4xx in the client's envelope, whoever finds out."""
    from hypothesis import strategies as st

    ways = pair.asking.illegal

    def law(example: tuple[Story, str]) -> None:
        story, way = example
        body = _json.encode(ways[way](_named(pair, story)))
        exchange = ask(pair, body, stream=story.stream)
        assert 400 <= exchange.status < 500, f"{way}: {exchange.status} {exchange.body!r}\nfor {body!r}"
        envelope = _json.decode(exchange.body)
        assert isinstance(envelope.get("error"), dict), f"{way}: {envelope!r}"
        assert envelope["error"].get("message"), f"{way}: {envelope!r}"

    pair.check(st.tuples(strategies.stories(pair.by), st.sampled_from(sorted(ways))), law)


@BOOK.law("P43", lambda pair: None if pair.same else "both sides must speak one dialect")
def identity_keeps_what_it_does_not_know(pair: Pair) -> None:
    """P20, P24 on the identity path: unknown members, nulls and number spellings reach the upstream as they were."""
    from hypothesis import strategies as st

    unknown = st.dictionaries(strategies.NAMES.map(lambda name: f"x_{name}"), strategies.json_values(), max_size=4)
    body = _json.encode(_named(pair, Story(turns=(Turn("user", (Say("hi"),)),))))

    def law(extra: dict[str, Any]) -> None:
        members = {name: json.dumps(value, indent=1).encode() for name, value in extra.items()}
        members |= {"x_float": b"1.10", "x_null": b"null", "x_big": b"123456789012345678901234567890"}
        exchange = ask(pair, _json.splice(body, members))
        assert exchange.upstream, f"nothing was sent: {exchange.body[:300]!r}"
        sent = exchange.upstream[0].request.body
        assert isinstance(sent, bytes)
        arrived = _json.split(sent)
        for name, raw in members.items():
            assert arrived.get(name) == raw, f"{name} was {raw!r} and arrived as {arrived.get(name)!r}"

    pair.check(unknown, law)


@BOOK.law("P44")
def every_error_has_an_envelope(pair: Pair) -> None:
    """P26 for errors: any status with any body is an error of a class, and every dialect can say it."""
    from hypothesis import strategies as st

    words = st.dictionaries(
        st.sampled_from(("error", "message", "type", "code", "status", "detail", "details", "object", "param")),
        strategies.json_values(),
        max_size=4,
    )
    bodies = st.one_of(
        st.binary(max_size=30),
        st.just(b"<html><body>502 Bad Gateway</body></html>"),
        st.one_of(strategies.json_values(), words, words.map(lambda w: {"error": w}), words.map(lambda w: [w])).map(
            lambda value: json.dumps(value).encode()
        ),
    )
    headers = st.sampled_from(({}, {"retry-after": "7"}, {"retry-after": "soon"}, {"content-type": "text/html"}))

    def law(example: tuple[int, dict[str, str], bytes]) -> None:
        status, fields, body = example
        info = pair.upstream.errors.parse(status, Headers.of(fields), body)
        assert 400 <= info.status < 600, f"{status} {body!r} became status {info.status}"
        assert info.message, f"{status} {body!r} has no message"
        envelope = _json.decode(pair.client.errors.render(info))
        error = envelope.get("error") if isinstance(envelope, dict) else None
        assert isinstance(error, dict), f"{pair.client.name} renders {envelope!r}"
        assert isinstance(error.get("message"), str), f"{pair.client.name} renders {envelope!r}"
        frame = pair.client.errors.frame(info)
        assert b"message" in (frame.data or b""), f"{pair.client.name} frames {frame!r}"

    pair.check(st.tuples(st.integers(400, 599), headers, bodies), law)
