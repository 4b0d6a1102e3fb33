"""Probes of tools: choices, parallel calls, second turns, schemas."""

from typing import Any

from setu import _json
from setu.conformance.judges.tools import fragments
from setu.conformance.judges.view import View, obj, told
from setu.conformance.lab import Lab, calls_of, refused, unsent
from setu.conformance.probes.probe import Probes
from setu.http import Exchange

PROBES = Probes()
TOOLS = ("tools",)
NO_CALL = "the model called no tool"

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


def _called(lab: Lab, check: str, exchange: Exchange) -> list[dict[str, Any]]:
    """Conclude whether a call came, of whichever tool: names are the judges' business. A 4xx is an honest no."""
    if exchange.status != 200:
        lab.hold(check, exchange, refused(exchange))
        return []
    calls = calls_of(exchange)
    fits = bool(calls) or told(View(exchange), "tool_choice")
    lab.hold(check, exchange, None if fits else "no tool was called")
    return calls


@PROBES.add("TOOL-001", needs=TOOLS)
async def required_call(lab: Lab) -> None:
    for stream in (False, True):
        asked = lab.chat("How is the weather in Pune?", tools=[SKY, SEA], tool_choice="required", stream=stream)
        exchange = await lab.ask(asked)
        if not stream:
            _called(lab, "TOOL-001", exchange)


@PROBES.add("TOOL-006", needs=TOOLS)
async def named_call(lab: Lab) -> None:
    choice = {"type": "function", "function": {"name": "look_at_sea"}}
    exchange = await lab.ask(lab.chat("How is the weather in Pune?", tools=[SKY, SEA], tool_choice=choice))
    _called(lab, "TOOL-006", exchange)


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
    """The server's own calls go back to it with their results, ids and all, whole and as they were streamed."""
    asked = lab.chat("How is the weather in Pune?", tools=[SKY], tool_choice="required")
    plain = calls_of(await lab.ask(asked))
    streamed = _streamed_calls(await lab.ask({**asked, "stream": True}))
    for calls, checks in ((plain, ("TOOL-008", "TOOL-009")), (streamed, ("TOOL-009",))):
        if not calls:
            for check in checks:
                lab.inconclusive(check, NO_CALL)
            continue
        turns = [*asked["messages"], *_answered(calls)]
        exchange = await lab.ask({**asked, "messages": turns, "tool_choice": "auto"})
        fits = exchange.status == 200
        said = None if fits else f"status {exchange.status} for a second turn with its own call and id"
        for check in checks:
            lab.hold(check, exchange, said)
        if fits:
            lab.hold("TOOL-008", exchange, unsent(exchange, "clear"))


def _answered(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the turns that bring calls back with a result for each."""
    results = [{"role": "tool", "tool_call_id": call.get("id"), "content": '{"sky": "clear"}'} for call in calls]
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *results]


@PROBES.add("TOOL-015", needs=TOOLS)
async def one_at_a_time(lab: Lab) -> None:
    text = "parallel:3 Look at the sky of Pune, of Oslo and of Lima."
    asked = lab.chat(text, tools=[SKY], tool_choice="required", parallel_tool_calls=False)
    exchange = await lab.ask(asked)
    if exchange.status != 200:
        lab.hold("TOOL-015", exchange, refused(exchange))
        return
    calls = calls_of(exchange)
    fits = len(calls) < 2 or told(View(exchange), "parallel_tool_calls")
    lab.hold("TOOL-015", exchange, None if fits else f"{len(calls)} calls, at most one was allowed", got=calls)


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
    if exchange.status != 200:
        lab.hold("TOOL-017", exchange, refused(exchange))
        return
    if not calls_of(exchange):
        lab.inconclusive("TOOL-017", NO_CALL)
    for call in calls_of(exchange):
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
            lab.inconclusive("TOOL-018", NO_CALL)
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
    calls = _streamed_calls(exchange) if stream else calls_of(exchange)
    return [str(obj(call.get("function")).get("arguments")) for call in calls]


def _streamed_calls(exchange: Exchange) -> list[dict[str, Any]]:
    """Put calls together as a client does: what a first fragment has stays, arguments are joined."""
    calls: dict[Any, dict[str, Any]] = {}
    for fragment in fragments(View(exchange)):
        rest = {name: value for name, value in fragment.value.items() if name not in ("index", "function")}
        function = obj(fragment.value.get("function"))
        call = calls.setdefault(str(fragment.value.get("index")), {"function": {"arguments": ""}})
        whole = call["function"]["arguments"] + (function.get("arguments") or "")
        call.update(rest | call | {"function": function | call["function"] | {"arguments": whole}})
    return list(calls.values())


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = _json.decode(text.encode())
    except _json.JsonError:
        return None
    return found if isinstance(found, dict) else None
