"""Probes by clients of Anthropic's, Gemini's and the Responses API, turn by turn; what comes is the judges' business.

`clients` greets each endpoint; here are calls and their results, thoughts, caps, stops and failures.
"""

from collections.abc import Mapping
from typing import Any

from setu.conformance.judges.view import View, obj, objects
from setu.conformance.lab import Lab
from setu.conformance.probes.clients import ANTHROPIC_VERSION, MESSAGES, RESPONSES
from setu.conformance.probes.errors import BEGUN, STATUSES
from setu.conformance.probes.probe import Probes
from setu.conformance.probes.tools import WEATHER
from setu.http import Exchange

PROBES = Probes()

_TWO_CALLS = "parallel:2 Look at the sky and the sea of Pune."
_BREAKS = tuple(f"{fault}@event={BEGUN}" for fault in ("inject-error", "close", "rst"))
_STOP = "Write the words: one two HALT three"


def _messages(lab: Lab, text: str = "Say hello.", **members: Any) -> dict[str, Any]:
    return {"model": lab.aim.model, "max_tokens": 256, "messages": [{"role": "user", "content": text}], **members}


async def _ask_messages(lab: Lab, body: Mapping[str, Any], plan: str | None = None) -> Exchange:
    return await lab.ask(body, path=MESSAGES, headers=ANTHROPIC_VERSION, plan=plan)


@PROBES.add("ANT-004", "ANT-013", "ANT-018", "ANT-019", needs=("anthropic", "tools"))
async def anthropic_calls(lab: Lab) -> None:
    """Two calls, whole and streamed; then their results, in a turn that has the server's own blocks before it."""
    tools = [
        {"name": name, "description": "Looks.", "input_schema": WEATHER} for name in ("look_at_sky", "look_at_sea")
    ]
    asked = _messages(lab, _TWO_CALLS, tools=tools, tool_choice={"type": "any"})
    first = await _ask_messages(lab, asked)
    await _ask_messages(lab, {**asked, "stream": True})
    content = objects(View(first).document.get("content"))
    calls = [block for block in content if block.get("type") == "tool_use"]
    if not calls:
        lab.inconclusive("ANT-004", "the model called no tool")
        return
    results = [{"type": "tool_result", "tool_use_id": call.get("id"), "content": '{"sky": "clear"}'} for call in calls]
    turns = [{"role": "assistant", "content": content}, {"role": "user", "content": results}]
    second = await _ask_messages(lab, _messages(lab, tools=tools) | {"messages": [*asked["messages"], *turns]})
    _taken_back(lab, second)


@PROBES.add("ANT-003", "ANT-008", "ANT-010", needs=("anthropic",))
async def anthropic_options(lab: Lab) -> None:
    """A system prompt, a stop sequence, a cap, and thoughts, which must come back with their signature."""
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048}
    for asked in (
        _messages(lab, system="You are brief.", metadata={"user_id": "setu"}),
        _messages(lab, _STOP, stop_sequences=["HALT"]),
        _messages(lab, "Count to one hundred, in words.", max_tokens=3),
        _messages(lab, "How many seas are there?", **thinking),
    ):
        for stream in (False, True):
            await _ask_messages(lab, {**asked, "stream": stream})


@PROBES.add("ANT-006", "ANT-007", "ANT-015", scripted=True, needs=("anthropic",))
async def anthropic_failures(lab: Lab) -> None:
    for status in STATUSES:
        await _ask_messages(lab, _messages(lab), plan=f"{status}")
    await _ask_messages(lab, _messages(lab, stream=True), plan="503")
    for fault in _BREAKS:
        await _ask_messages(lab, _messages(lab, "Tell me of the river, at length.", stream=True), plan=fault)


def _gemini(text: str = "Say hello.", **members: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **members}


async def _ask_gemini(
    lab: Lab, body: Mapping[str, Any], *, stream: bool = False, query: str = "alt=sse", plan: str | None = None
) -> Exchange:
    method = "streamGenerateContent" if stream else "generateContent"
    path = f"/v1beta/models/{lab.aim.model}:{method}"
    return await lab.ask(body, path=path, query=query if stream else "", plan=plan)


@PROBES.add("GEM-004", "GEM-015", needs=("gemini", "tools"))
async def gemini_calls(lab: Lab) -> None:
    """Two calls, whole and streamed; then their results, after the server's own content."""
    names = ("look_at_sky", "look_at_sea")
    declared = [{"name": name, "description": "Looks.", "parameters": WEATHER} for name in names]
    tools = {"tools": [{"functionDeclarations": declared}]}
    asked = _gemini(_TWO_CALLS, **tools, toolConfig={"functionCallingConfig": {"mode": "ANY"}})
    first = await _ask_gemini(lab, asked)
    await _ask_gemini(lab, asked, stream=True)
    candidate = next(iter(objects(View(first).document.get("candidates"))), {})
    content = obj(candidate.get("content"))
    calls = [obj(part["functionCall"]) for part in objects(content.get("parts")) if "functionCall" in part]
    if not calls:
        lab.inconclusive("GEM-004", "the model called no function")
        return
    kept = [{key: call[key] for key in ("id", "name") if key in call} for call in calls]
    results = [{"functionResponse": {**one, "response": {"sky": "clear"}}} for one in kept]
    turns = [*asked["contents"], content, {"role": "user", "parts": results}]
    second = await _ask_gemini(lab, {"contents": turns, **tools})
    _taken_back(lab, second)


@PROBES.add("GEM-005", "GEM-007", "GEM-012", needs=("gemini",))
async def gemini_options(lab: Lab) -> None:
    """A system prompt, a stop sequence, a cap, thoughts; and streams as an array, which is what no `alt` means."""
    thoughts = {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1024}, "maxOutputTokens": 2048}
    for asked in (
        _gemini(systemInstruction={"parts": [{"text": "You are brief."}]}),
        _gemini(_STOP, generationConfig={"stopSequences": ["HALT"]}),
        _gemini("Count to one hundred, in words.", generationConfig={"maxOutputTokens": 3}),
        _gemini("How many seas are there?", generationConfig=thoughts),
    ):
        for stream in (False, True):
            await _ask_gemini(lab, asked, stream=stream)
    await _ask_gemini(lab, _gemini(), stream=True, query="")


@PROBES.add("GEM-009", "GEM-010", "GEM-013", scripted=True, needs=("gemini",))
async def gemini_failures(lab: Lab) -> None:
    for status in STATUSES:
        await _ask_gemini(lab, _gemini(), plan=f"{status}")
    await _ask_gemini(lab, _gemini(), stream=True, plan="503")
    for fault in _BREAKS:
        await _ask_gemini(lab, _gemini("Tell me of the river, at length."), stream=True, plan=fault)


def _responses(lab: Lab, text: str = "Say hello.", **members: Any) -> dict[str, Any]:
    return {"model": lab.aim.model, "input": text, "store": False, **members}


@PROBES.add("RSP-003", "RSP-004", needs=("responses", "tools"))
async def responses_calls(lab: Lab) -> None:
    """Two calls, whole and streamed; then their outputs, after the server's own items."""
    names = ("look_at_sky", "look_at_sea")
    tools = [{"type": "function", "name": name, "parameters": WEATHER, "strict": False} for name in names]
    asked = _responses(lab, _TWO_CALLS, tools=tools, tool_choice="required")
    first = await lab.ask(asked, path=RESPONSES)
    await lab.ask({**asked, "stream": True}, path=RESPONSES)
    items = objects(View(first).document.get("output"))
    ids = [item.get("call_id") for item in items if item.get("type") == "function_call"]
    if not ids:
        lab.inconclusive("RSP-004", "the model called no tool")
        return
    outputs = [{"type": "function_call_output", "call_id": one, "output": '{"sky": "clear"}'} for one in ids]
    turns = [{"role": "user", "content": _TWO_CALLS}, *items, *outputs]
    second = await lab.ask(_responses(lab, tools=tools) | {"input": turns}, path=RESPONSES)
    _taken_back(lab, second)


@PROBES.add("RSP-005", needs=("responses",))
async def responses_options(lab: Lab) -> None:
    """Instructions, a cap, and thoughts: the answer may be incomplete, and says so at its end."""
    for asked in (
        _responses(lab, instructions="You are brief."),
        _responses(lab, "Count to one hundred, in words.", max_output_tokens=16),
        _responses(lab, "How many seas are there?", reasoning={"effort": "low"}),
    ):
        for stream in (False, True):
            await lab.ask({**asked, "stream": stream}, path=RESPONSES)


@PROBES.add("RSP-008", scripted=True, needs=("responses",))
async def responses_failures(lab: Lab) -> None:
    for status in STATUSES:
        await lab.ask(_responses(lab), path=RESPONSES, plan=f"{status}")
    await lab.ask(_responses(lab, stream=True), path=RESPONSES, plan="503")
    for fault in _BREAKS:
        await lab.ask(_responses(lab, "Tell me of the river, at length.", stream=True), path=RESPONSES, plan=fault)


def _taken_back(lab: Lab, second: Exchange) -> None:
    """Conclude that a turn which repeats the server's own answer, and answers its calls, is taken."""
    problem = None if second.status == 200 else f"status {second.status} for a second turn with its own answer in it"
    lab.hold("TOOL-008", second, problem)
