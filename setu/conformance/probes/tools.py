"""Probes of tools: choices, parallel calls, second turns, schemas."""

from typing import Any

from setu import _json
from setu.conformance.judges.view import View, obj, seq, told
from setu.conformance.lab import Lab, calls_of, refused
from setu.conformance.probes.probe import Probes
from setu.http import Exchange

PROBES = Probes()
TOOLS = ("tools",)

WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
NESTED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": ["rain", "sun", "schön"]},
        "place": {"$ref": "#/$defs/place"},
        "when": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "stops": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    },
    "required": ["kind", "place"],
    "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
}


def function(name: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a tool; without parameters one that takes none."""
    schema = parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "description": f"Does {name}.", "parameters": schema}}


SKY, SEA = function("look_at_sky", WEATHER), function("look_at_sea", WEATHER)


def _called(lab: Lab, check: str, exchange: Exchange, names: set[str], *, must: bool = True) -> list[dict[str, Any]]:
    """Conclude whether a call of one of the named tools came; a 4xx is an honest no."""
    if exchange.status != 200:
        lab.hold(check, exchange, refused(exchange))
        return []
    calls = calls_of(exchange)
    strange = [name for call in calls if (name := obj(call.get("function")).get("name")) not in names]
    if strange:
        lab.hold(check, exchange, f"it calls {strange[0]!r}", got=strange)
    elif not calls and must:
        lab.hold(check, exchange, None if told(View(exchange), "tool_choice") else "no tool was called")
    else:
        lab.hold(check, exchange, None)
    return calls


@PROBES.add("TOOL-001", needs=TOOLS)
async def required_call(lab: Lab) -> None:
    for stream in (False, True):
        asked = lab.chat("How is the weather in Pune?", tools=[SKY, SEA], tool_choice="required", stream=stream)
        exchange = await lab.ask(asked)
        if not stream:
            _called(lab, "TOOL-001", exchange, {"look_at_sky", "look_at_sea"})


@PROBES.add("TOOL-006", needs=TOOLS)
async def named_call(lab: Lab) -> None:
    choice = {"type": "function", "function": {"name": "look_at_sea"}}
    exchange = await lab.ask(lab.chat("How is the weather in Pune?", tools=[SKY, SEA], tool_choice=choice))
    _called(lab, "TOOL-006", exchange, {"look_at_sea"})


@PROBES.add("TOOL-007", needs=TOOLS)
async def no_call(lab: Lab) -> None:
    asked = lab.chat("call:look_at_sky Look at the sky of Pune.", tools=[SKY], tool_choice="none")
    exchange = await lab.ask(asked)
    if exchange.status != 200:
        lab.hold("TOOL-007", exchange, refused(exchange))
        return
    lab.hold("TOOL-007", exchange, "a tool was called, against tool_choice none" if calls_of(exchange) else None)


@PROBES.add("TOOL-008", "TOOL-009", needs=TOOLS)
async def second_turn(lab: Lab) -> None:
    """The server's own call goes back to it with a result, ids and all, whole and as it was streamed."""
    asked = lab.chat("How is the weather in Pune?", tools=[SKY], tool_choice="required")
    first = await lab.ask(asked)
    calls = calls_of(first)
    if not calls:
        for check in ("TOOL-008", "TOOL-009"):
            lab.inconclusive(check, "the model called no tool")
        return
    results = [{"role": "tool", "tool_call_id": call.get("id"), "content": '{"sky": "clear"}'} for call in calls]
    turns = [*asked["messages"], {"role": "assistant", "content": None, "tool_calls": calls}, *results]
    second = await lab.ask({"model": lab.aim.model, "messages": turns, "tools": [SKY]})
    said = None if second.status == 200 else f"status {second.status} for a second turn with its own call and id"
    lab.hold("TOOL-008", second, said)
    lab.hold("TOOL-009", second, said)


@PROBES.add("TOOL-015", needs=TOOLS)
async def one_at_a_time(lab: Lab) -> None:
    text = "parallel:3 Look at the sky of Pune, of Oslo and of Lima."
    asked = lab.chat(text, tools=[SKY], tool_choice="required", parallel_tool_calls=False)
    exchange = await lab.ask(asked)
    calls = _called(lab, "TOOL-015", exchange, {"look_at_sky"}, must=False)
    if len(calls) > 1 and not told(View(exchange), "parallel_tool_calls"):
        lab.hold("TOOL-015", exchange, f"{len(calls)} calls, at most one was allowed", got=calls)


@PROBES.add("TOOL-005", "TOOL-014", needs=TOOLS)
async def several_calls(lab: Lab) -> None:
    """Parallel calls, whole and streamed: indexes, ids and fragments are the judges' business."""
    asked = lab.chat("parallel:2 Look at the sky and the sea of Pune.", tools=[SKY, SEA], tool_choice="required")
    plain = await lab.ask(asked)
    stream = await lab.ask({**asked, "stream": True})
    if lab.simulated:
        lab.judge_pair(stream, plain)


@PROBES.add("TOOL-016", needs=TOOLS)
async def orphan(lab: Lab) -> None:
    turns = [{"role": "user", "content": "Hi."}, {"role": "tool", "tool_call_id": "call_nobody", "content": "4"}]
    exchange = await lab.ask({**lab.chat(), "messages": turns, "tools": [SKY]})
    lab.hold("TOOL-016", exchange, refused(exchange, 400))


@PROBES.add("TOOL-017", needs=TOOLS)
async def without_arguments(lab: Lab) -> None:
    asked = lab.chat("What time is it?", tools=[function("get_time")], tool_choice="required")
    exchange = await lab.ask(asked)
    for call in _called(lab, "TOOL-017", exchange, {"get_time"}):
        text = obj(call.get("function")).get("arguments")
        fits = isinstance(text, str) and _object(text) is not None
        lab.hold(
            "TOOL-017", exchange, None if fits else "the arguments of a call without any are no JSON object", got=text
        )


@PROBES.add("TOOL-018", needs=TOOLS)
async def unicode_arguments(lab: Lab) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Zürich", "東京", "🙂"]}}}
    schema["required"] = ["city"]
    for stream in (False, True):
        asked = lab.chat("Weather?", tools=[function("look", schema)], tool_choice="required", stream=stream)
        exchange = await lab.ask(asked)
        if exchange.status != 200:
            lab.hold("TOOL-018", exchange, refused(exchange))
            continue
        texts = _arguments(exchange, stream=stream)
        if not texts:
            lab.inconclusive("TOOL-018", "the model called no tool")
        for text in texts:
            found = _object(text)
            wrong = found is None or found.get("city") not in ("Zürich", "東京", "🙂")
            lab.hold(
                "TOOL-018", exchange, "the arguments are not as the schema spells them" if wrong else None, got=text
            )


@PROBES.add("TOOL-019", needs=TOOLS)
async def nested_schema(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat("Plan.", tools=[function("plan", NESTED)], tool_choice="required"))
    problem = None if exchange.status == 200 else f"status {exchange.status} for $defs, anyOf, enum and nesting"
    lab.hold("TOOL-019", exchange, problem)


def _arguments(exchange: Exchange, *, stream: bool) -> list[str]:
    if not stream:
        return [str(obj(call.get("function")).get("arguments")) for call in calls_of(exchange)]
    texts: dict[int, str] = {}
    for event in View(exchange).chunks:
        for choice in seq(event.fields.get("choices")):
            for call in seq(obj(obj(choice).get("delta")).get("tool_calls")):
                at = obj(call).get("index")
                more = obj(obj(call).get("function")).get("arguments")
                texts[at if isinstance(at, int) else 0] = texts.get(at if isinstance(at, int) else 0, "") + (more or "")
    return list(texts.values())


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = _json.decode(text.encode())
    except _json.JsonError:
        return None
    return found if isinstance(found, dict) else None
