"""Probes of HTTP itself: bodies, types, routes, methods, several clients at once."""

from setu.conformance.judges.view import View
from setu.conformance.lab import Lab, refused
from setu.conformance.probes.probe import Probes

PROBES = Probes()
TOGETHER = 8


@PROBES.add("TRN-001", "CHAT-001")
async def plain_chat(lab: Lab) -> None:
    """A model and a message are all that a chat needs; of the answer the judges say all that there is to say."""
    exchange = await lab.ask({"model": lab.aim.model, "messages": lab.chat()["messages"]})
    if exchange.status != 200:
        lab.hold("TRN-001", exchange, f"status {exchange.status} for a chat of a model and a message")
    if lab.aim.always:
        await lab.ask(lab.chat())


@PROBES.add("TRN-002", "STR-001", "STR-011")
async def streamed_chat(lab: Lab) -> None:
    asked = lab.chat("Say hello.", seed=7, temperature=0)
    stream = await lab.ask({**asked, "stream": True, "stream_options": {"include_usage": True}})
    plain = await lab.ask(asked)
    if lab.simulated:  # a live model says something else each time
        lab.judge_pair(stream, plain)


@PROBES.add("TRN-004")
async def malformed_body(lab: Lab) -> None:
    for body in (b'{"model": "', b"", b"[1, 2", b"\xff\xfe", b"{'model': 'x'}"):
        exchange = await lab.ask(body)
        lab.hold("TRN-004", exchange, refused(exchange, 400))


@PROBES.add("TRN-005")
async def wrong_content_type(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat(), headers={"content-type": "text/plain"})
    lab.hold("TRN-005", exchange, refused(exchange, 400, 415))


@PROBES.add("TRN-006")
async def unknown_route(lab: Lab) -> None:
    exchange = await lab.ask({}, path="/v1/no/such/route")
    lab.hold("TRN-006", exchange, refused(exchange, 404))


@PROBES.add("TRN-007")
async def wrong_method(lab: Lab) -> None:
    exchange = await lab.ask(method="DELETE", path="/v1/chat/completions")
    lab.hold("TRN-007", exchange, refused(exchange, 405))


@PROBES.add("TRN-009", "PRX-005")
async def several_at_once(lab: Lab) -> None:
    """Eight clients ask at once, each for its own word, plain and streamed; nobody gets another one's."""
    words = [f"nonce:setu{turn}x" for turn in range(TOGETHER)]
    bodies = [lab.chat(f"Repeat this word first: {word}", stream=turn % 2 == 1) for turn, word in enumerate(words)]
    exchanges = await lab.ask_together(bodies)
    ids: list[object] = []
    for word, exchange in zip(words, exchanges, strict=True):
        said = exchange.body.decode("utf-8", "replace")
        foreign = [other for other in words if other != word and other in said]
        lab.hold("TRN-009", exchange, f"it says {foreign[0]}, which another client asked for" if foreign else None)
        lab.hold("PRX-005", exchange, f"it says {foreign[0]}, which another client asked for" if foreign else None)
        ids.append(_identity(View(exchange)))
        if exchange.status != 200:
            lab.hold("TRN-009", exchange, f"status {exchange.status} among {TOGETHER} at once")
    known = [one for one in ids if one]
    if len(set(known)) < len(known):
        lab.hold("TRN-009", exchanges[0], "two answers have one id", got=known)


def _identity(view: View) -> object:
    documents = [view.document, *(event.fields for event in view.chunks)] if view.wants_stream else [view.document]
    return next((document["id"] for document in documents if document.get("id")), None)
