"""Probes of structured output and of what is not text."""

from typing import Any

from setu import _json
from setu.conformance.judges.view import View, obj, seq, told
from setu.conformance.lab import Lab, accepted_or_refused, refused, text_of, unsent
from setu.conformance.probes.probe import Probes
from setu.http import Exchange

PROBES = Probes()

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
STRICT = {"type": "json_schema", "json_schema": {"name": "trip", "strict": True, "schema": SCHEMA}}
PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@PROBES.add("RF-001", needs=("json_object",))
async def json_object(lab: Lab) -> None:
    text = "Answer with a JSON object that has a member city."
    exchange = await lab.ask(lab.chat(text, response_format={"type": "json_object"}))
    lab.hold("RF-001", exchange, _unfit(exchange, text_of(exchange), {}))


@PROBES.add("RF-002", needs=("json_schema",))
async def json_schema(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat("A trip of three days to Pune.", response_format=STRICT))
    lab.hold("RF-002", exchange, _unfit(exchange, text_of(exchange), SCHEMA))


@PROBES.add("RF-003", needs=("json_schema",))
async def invalid_schema(lab: Lab) -> None:
    broken = {
        "type": "json_schema",
        "json_schema": {"name": "trip", "strict": True, "schema": {"type": "no such type"}},
    }
    exchange = await lab.ask(lab.chat("A trip.", response_format=broken))
    lab.hold("RF-003", exchange, refused(exchange, 400, 422))


@PROBES.add("RF-004", needs=("json_schema",))
async def streamed_schema(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat("A trip of three days to Pune.", response_format=STRICT, stream=True))
    pieces = [
        obj(obj(choice).get("delta")).get("content")
        for event in View(exchange).chunks
        for choice in seq(event.fields.get("choices"))
    ]
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    lab.hold("RF-004", exchange, _unfit(exchange, text, SCHEMA))


def _unfit(exchange: Exchange, text: str, schema: dict[str, Any]) -> str | None:
    if exchange.status != 200:
        return refused(exchange)
    import jsonschema_rs

    try:
        value = _json.decode(text.encode())
    except _json.JsonError:
        return f"the text is not JSON: {text[:80]!r}"
    if not isinstance(value, dict):
        return "the text is no JSON object"
    wrong = next(iter(jsonschema_rs.validator_for(schema).iter_errors(value)), None)
    return None if wrong is None else f"the text does not fit the schema: {wrong.message[:120]}"


@PROBES.add("MM-001")
async def text_parts(lab: Lab) -> None:
    parts = [{"type": "text", "text": "Say "}, {"type": "text", "text": "hello."}]
    exchange = await lab.ask({**lab.chat(), "messages": [{"role": "user", "content": parts}]})
    accepted = exchange.status == 200
    problem = unsent(exchange, "Say ", "hello.") if accepted else f"status {exchange.status} for an array of texts"
    lab.hold("MM-001", exchange, problem)


@PROBES.add("MM-002", needs=("images",))
async def image(lab: Lab) -> None:
    """A picture is sent on, or refused; only a scripted upstream can tell that it was not lost."""
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    exchange = await lab.ask({**lab.chat(), "messages": [{"role": "user", "content": parts}]})
    problem = accepted_or_refused(exchange)
    lost = exchange.status == 200 and unsent(exchange, "iVBORw0KGgo")
    lab.hold("MM-002", exchange, "the picture did not reach the upstream" if lost else problem)


@PROBES.add("MM-003")
async def unknown_part(lab: Lab) -> None:
    """Refused, or, if it is left out, named by a header field of the answer."""
    parts = [{"type": "text", "text": "What is this?"}, {"type": "hologram", "hologram": {"url": PIXEL}}]
    exchange = await lab.ask({**lab.chat(), "messages": [{"role": "user", "content": parts}]})
    named = exchange.status == 200 and told(View(exchange), "content/1")
    lab.hold("MM-003", exchange, None if named else refused(exchange, 400, 415, 422))
