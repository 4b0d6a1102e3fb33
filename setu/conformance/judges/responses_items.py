"""What is inside a Responses request on its way to a provider: items, tools, calls and their outputs."""

from collections.abc import Iterator
from typing import Any

from setu.conformance.judges.finding import Finding, flaw
from setu.conformance.judges.view import obj, objects
from setu.conformance.wire import responses_request
from setu.conformance.wire.model import mismatch


def misshapen(body: dict[str, Any]) -> Iterator[Finding]:
    """Yield what departs from the API's items and tools."""
    for place, item in enumerate(objects(body.get("input"))):
        kind = item.get("type", "message")
        model = responses_request.ITEMS.get(str(kind))
        wrong = mismatch(item, model) if model is not None else None
        if wrong:
            yield flaw(wrong.message, path=f"$.input[{place}]{wrong.path[1:]}")
    for place, tool in enumerate(objects(body.get("tools"))):
        wrong = mismatch(tool, responses_request.FunctionTool) if tool.get("type") == "function" else None
        if wrong:
            yield flaw(wrong.message, path=f"$.tools[{place}]{wrong.path[1:]}")
    choice = obj(body.get("tool_choice"))
    if "function" in choice:
        yield flaw("the choice is nested as in chat", path="$.tool_choice.function", got=choice["function"])


def unanswered(body: dict[str, Any]) -> Iterator[Finding]:
    """Yield calls without an output and outputs without a call before them (B-RSP-07)."""
    if body.get("previous_response_id") or body.get("conversation"):
        return
    called: list[Any] = []
    answered: set[Any] = set()
    for place, item in enumerate(objects(body.get("input"))):
        kind = item.get("type")
        if kind in ("function_call", "custom_tool_call"):
            called.append(item.get("call_id"))
        elif kind in ("function_call_output", "custom_tool_call_output"):
            answered.add(item.get("call_id"))
            if item.get("call_id") not in called:
                yield flaw("an output answers no call", path=f"$.input[{place}].call_id", got=item.get("call_id"))
    missing = [identity for identity in called if identity not in answered]
    if missing:
        yield flaw("calls have no output", path="$.input", want=missing)
