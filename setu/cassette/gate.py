"""The last look before a disk: is there a secret in what is about to be written?

Redaction has been there before. Whatever is found here is masked, if need be with the whole body it stands in: no
secret reaches the disk, and no recording is lost.
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from setu.cassette.edits import REDACTED, Rules, Secrets, rules_of
from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of, pieces_of
from setu.cassette.redact import (
    PLACEHOLDER,
    Finding,
    find_secrets,
    redact_body,
    redact_request,
    redact_response,
    redact_text,
    with_own,
)
from setu.cassette.redact_stream import each_message, inner, payloads_of, spelt_in_pieces, without_spelt, wrapped
from setu.framing.eventstream import EventStreamEncoder
from setu.framing.frame import Frame
from setu.http import Exchange, Response

Block = Callable[[Interaction], str]


def redact_exchange(exchange: Exchange, secrets: Secrets = ()) -> tuple[Exchange, tuple[str, ...]]:
    """Return an exchange as it may be stored, and what was taken out.

    The credentials of the request are looked for in the answer, too. Events keep their number; the arrivals go when
    the body's size changes.
    """
    rules = with_own(rules_of(secrets), exchange.request)
    request, asked = redact_request(exchange.request, rules)
    response, answered = redact_response(Response(exchange.status, exchange.headers, exchange.body), rules)
    assert isinstance(response.body, bytes)
    what = [*asked, *answered]
    kept = msgspec.structs.replace(exchange, request=request, headers=response.headers, body=response.body)
    if framing_of(exchange) == "eventstream":
        # The checksums and lengths of a message do not survive an edit of its bytes.
        redacted = partial(redact_body, rules=rules, place="response.body", what=what)
        kept = msgspec.structs.replace(kept, body=each_message(exchange.body, redacted))
    kept = _without_spelt(kept, rules, what)
    if len(kept.body) != len(exchange.body):
        kept = msgspec.structs.replace(kept, arrivals=())
    return kept, tuple(dict.fromkeys(what))


def leaks(interaction: Interaction, block: str, secrets: Secrets = ()) -> list[Finding]:
    """Return the secrets in an interaction and in the text that is to stand for it."""
    exchange = interaction.exchange
    assert isinstance(exchange.request.body, bytes)
    rules = rules_of(secrets)
    found = find_secrets(block, rules)
    # A body stored as base64 hides from a search of the text.
    for body in (exchange.request.body, *searchable(exchange)):
        found += find_secrets(body.decode("latin-1"), rules, as_bytes=True)
    for pieces in ([exchange.request.body], searchable(exchange)):
        found += [Finding(what, 0) for what in spelt_in_pieces(pieces, rules)]
    return found


def safe(interaction: Interaction, block_of: Block, secrets: Secrets = ()) -> tuple[Interaction, str]:
    """Return an interaction, and its text, in which no secret is left.

    Most often it is what came in. Else it is redacted; else the bodies in which something is still found are replaced
    by a mark; and whatever is found then is no more than a word of the format itself (a host, a media type) that
    somebody calls a secret.
    """
    rules = rules_of(secrets)
    block = block_of(interaction)
    if not leaks(interaction, block, rules):
        return interaction, block
    for mask in (_redacted, _without_bodies, _bare):
        interaction = mask(interaction, rules)
        block = block_of(interaction)
        if not leaks(interaction, block, rules):
            break
    return interaction, block


def _redacted(interaction: Interaction, rules: Rules) -> Interaction:
    exchange, what = redact_exchange(interaction.exchange, rules)
    return _noted(interaction, exchange, what, rules)


def _without_bodies(interaction: Interaction, rules: Rules) -> Interaction:
    exchange = interaction.exchange
    assert isinstance(exchange.request.body, bytes)
    what: list[str] = []
    if _holds(rules, [exchange.request.body]):
        what.append("request.body (whole)")
        exchange = msgspec.structs.replace(
            exchange, request=msgspec.structs.replace(exchange.request, body=PLACEHOLDER)
        )
    if _holds(rules, searchable(exchange)):
        what.append("response.body (whole)")
        exchange = _without_answer(exchange)
    return _noted(interaction, exchange, what, rules)


def _bare(interaction: Interaction, rules: Rules) -> Interaction:
    request = msgspec.structs.replace(interaction.exchange.request, body=PLACEHOLDER)
    exchange = _without_answer(msgspec.structs.replace(interaction.exchange, request=request))
    return _noted(interaction, exchange, ["request.body (whole)", "response.body (whole)"], rules)


def _without_answer(exchange: Exchange) -> Exchange:
    mark: bytes = {
        "sse": f": {REDACTED}\n\n".encode(),
        "eventstream": EventStreamEncoder().encode(Frame(data=PLACEHOLDER, event="redacted")),
    }.get(framing_of(exchange), PLACEHOLDER)
    return msgspec.structs.replace(exchange, body=mark, arrivals=())


def _holds(rules: Rules, pieces: Sequence[bytes]) -> bool:
    return bool(spelt_in_pieces(pieces, rules)) or any(
        find_secrets(piece.decode("latin-1"), rules, as_bytes=True) for piece in pieces
    )


def _noted(interaction: Interaction, exchange: Exchange, what: Sequence[str], rules: Rules) -> Interaction:
    """Return the interaction with another exchange, its own texts redacted, and times only where they still fit."""
    recording = interaction.recording
    same = len(pieces_of(exchange)) == len(pieces_of(interaction.exchange))
    recording = msgspec.structs.replace(
        recording,
        timing=recording.timing if same else None,
        chunks=recording.chunks if exchange.body == interaction.exchange.body else (),
        redacted=tuple(dict.fromkeys((*(redact_text(each, rules) for each in recording.redacted), *what))),
        twin=recording.twin and redact_text(recording.twin, rules),
    )
    return msgspec.structs.replace(
        interaction, exchange=exchange, recording=recording, reason=redact_text(interaction.reason, rules)
    )


def _without_spelt(exchange: Exchange, rules: Rules, what: list[str]) -> Exchange:
    framing = framing_of(exchange)
    if framing == "json":
        return exchange
    if framing == "eventstream":
        return _spelt_in_messages(exchange, rules, what)
    pieces = pieces_of(exchange)
    if not spelt_in_pieces(pieces, rules):
        return exchange
    what.append("response.body")
    return msgspec.structs.replace(exchange, body=b"".join(without_spelt(pieces, rules)))


def _spelt_in_messages(exchange: Exchange, rules: Rules, what: list[str]) -> Exchange:
    events = [inner(payload) for payload in payloads_of(exchange.body)]
    if not spelt_in_pieces(events, rules):
        return exchange
    what.append("response.body")
    written = iter(without_spelt(events, rules))
    body = each_message(exchange.body, lambda payload: wrapped(next(written), payload))
    return msgspec.structs.replace(exchange, body=body)


def searchable(exchange: Exchange) -> list[bytes]:
    """Return the events of an answer as they can be searched; of Amazon's messages the payloads, and the whole."""
    if framing_of(exchange) != "eventstream":
        return pieces_of(exchange) or [exchange.body]
    return [*(inner(payload) for payload in payloads_of(exchange.body)), exchange.body]
