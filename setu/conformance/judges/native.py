"""What a gateway sends upstream: each body valid in its provider's own API (PRX-004, and the XLT properties of it).

An identity path passes the client's own members on, known or not: what the client's request of the same dialect
already was at fault for is not the gateway's.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from setu.conformance.judges.finding import Finding, Rules, flaw
from setu.conformance.judges.view import ANTHROPIC, GEMINI, OPENAI, View, dialect_of, is_count, obj, objects, parse, seq
from setu.conformance.wire import anthropic_request, gemini_request, openai_request
from setu.conformance.wire.gemini_content import PART_DATA
from setu.conformance.wire.model import mismatch, words
from setu.http import Request

RULES = Rules()

Flaws = Iterator[Finding]
Check = Callable[[dict[str, Any]], Flaws]

_MODELS: Mapping[str, tuple[Any, frozenset[str]]] = {
    OPENAI: (openai_request.Request, openai_request.TOP_LEVEL),
    ANTHROPIC: (anthropic_request.Request, anthropic_request.TOP_LEVEL),
    GEMINI: (gemini_request.Request, gemini_request.TOP_LEVEL),
}


def _shape(dialect: str, body: dict[str, Any]) -> Flaws:
    """XLT-02: required members, types, value sets, and no member the API does not know."""
    model, known = _MODELS[dialect]
    judged = _without_hosted(body) if dialect == ANTHROPIC else body
    wrong = mismatch(judged, model)
    if wrong:
        yield flaw(wrong.message, path=wrong.path)
    for key in sorted(body.keys() - known - _FOREIGN[dialect]):
        yield flaw("the API has no such member", path=f"$.{key}", got=body[key])
    if dialect == OPENAI:
        yield from _openai_tools(body)
    if dialect == GEMINI:
        yield from _gemini_parts(body)


def _openai_tools(body: dict[str, Any]) -> Flaws:
    for place, tool in enumerate(seq(body.get("tools"))):
        kind = obj(tool).get("type")
        wrong = mismatch(tool, openai_request.FunctionTool) if kind == "function" else None
        if wrong:
            yield flaw(wrong.message, path=f"$.tools[{place}]{wrong.path[1:]}")
        elif not isinstance(kind, str):
            yield flaw("a tool has no type", path=f"$.tools[{place}].type", got=kind)
    for place, message in enumerate(objects(body.get("messages"))):
        silent = not message.get("content") and not message.get("refusal") and not message.get("audio")
        if message.get("role") == "assistant" and silent and not _calls_of(message) and "content" not in message:
            yield flaw("an assistant message says nothing (B-MSG-17)", path=f"$.messages[{place}]")
        if message.get("tool_calls") == []:
            yield flaw("tool_calls is there and empty (B-TOOL-10)", path=f"$.messages[{place}].tool_calls")


def _calls_of(message: Mapping[str, Any]) -> bool:
    return bool(message.get("tool_calls") or message.get("function_call"))


def _gemini_parts(body: dict[str, Any]) -> Flaws:
    if not seq(body.get("contents")):
        yield flaw("at least one content is required (B-MSG-04)", path="$.contents")
    for place, content in enumerate(objects(body.get("contents"))):
        for number, part in enumerate(objects(content.get("parts"))):
            held = [name for name in PART_DATA if name in part]
            if len(held) != 1:
                yield flaw(
                    "a part does not hold exactly one thing", path=f"$.contents[{place}].parts[{number}]", got=held
                )


def _without_hosted(body: dict[str, Any]) -> dict[str, Any]:
    """Return an Anthropic body without the blocks and tools that are carried unread."""
    judged = dict(body)
    if isinstance(body.get("messages"), list):
        judged["messages"] = [_own_blocks(message) for message in body["messages"]]
    if isinstance(body.get("tools"), list):
        judged["tools"] = [tool for tool in body["tools"] if obj(tool).get("type", "custom") in ("custom", None)]
    return judged


def _own_blocks(message: Any) -> Any:
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message
    own = [block for block in message["content"] if obj(block).get("type") not in anthropic_request.HOSTED]
    return message | {"content": own}


_OPENAI_ONLY = words("""
    stop max_completion_tokens frequency_penalty presence_penalty logit_bias logprobs top_logprobs n seed user
    response_format parallel_tool_calls reasoning_effort stream_options store functions function_call modalities
    prediction verbosity
    """)
_ANTHROPIC_ONLY = words("system stop_sequences thinking output_config mcp_servers context_management")
_GEMINI_ONLY = words("contents systemInstruction toolConfig safetySettings generationConfig")
_FOREIGN: Mapping[str, frozenset[str]] = {
    OPENAI: _ANTHROPIC_ONLY | _GEMINI_ONLY,
    ANTHROPIC: _OPENAI_ONLY | _GEMINI_ONLY,
    GEMINI: _OPENAI_ONLY | _ANTHROPIC_ONLY | words("messages max_tokens temperature top_p top_k tool_choice stream"),
}
_FOREIGN_INSIDE: Mapping[str, frozenset[str]] = {
    OPENAI: words("input_schema tool_use_id functionCall functionResponse inlineData is_error"),
    ANTHROPIC: words("image_url tool_call_id tool_calls parameters refusal function functionCall"),
    GEMINI: words("image_url tool_call_id tool_calls tool_use_id input_schema cache_control content refusal"),
}


def _foreign_keys(dialect: str, body: dict[str, Any]) -> Flaws:
    """XLT-03: no member of another provider's request, at the top, in messages, parts and tools."""
    for key in sorted(_FOREIGN[dialect] & body.keys()):
        yield flaw("a member of another provider's request", path=f"$.{key}", got=body[key])
    for path, fields in _inner(dialect, body):
        for key in sorted(_FOREIGN_INSIDE[dialect] & fields.keys()):
            # OpenAI's assistant messages do have tool_calls; each table lists only what its API lacks.
            yield flaw("a member of another provider's request", path=f"{path}.{key}", got=fields[key])


def _inner(dialect: str, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    turns, within = ("contents", "parts") if dialect == GEMINI else ("messages", "content")
    for place, turn in enumerate(seq(body.get(turns))):
        yield f"$.{turns}[{place}]", obj(turn)
        for number, part in enumerate(seq(obj(turn).get(within))):
            yield f"$.{turns}[{place}].{within}[{number}]", obj(part)
    for place, tool in enumerate(seq(body.get("tools"))):
        yield f"$.tools[{place}]", obj(tool)


def _alternation(dialect: str, body: dict[str, Any]) -> Flaws:
    """XLT-06: turns of one role are merged."""
    if dialect == OPENAI:
        return
    name = "contents" if dialect == GEMINI else "messages"
    before = None
    for place, turn in enumerate(objects(body.get(name))):
        role = turn.get("role")
        if role == before and role != "system":
            yield flaw("two turns of one role follow each other", path=f"$.{name}[{place}].role", got=role)
        before = role


def _tool_results(dialect: str, body: dict[str, Any]) -> Flaws:
    """XLT-07: every tool call is answered at once, results first, and no result without its call."""
    if dialect == OPENAI:
        yield from _openai_results(body)
    elif dialect == ANTHROPIC:
        yield from _anthropic_results(body)


def _anthropic_results(body: dict[str, Any]) -> Flaws:
    pending: list[Any] = []
    for place, turn in enumerate(
        message for message in objects(body.get("messages")) if message.get("role") != "system"
    ):
        blocks = objects(turn.get("content"))
        results = [block.get("tool_use_id") for block in blocks if block.get("type") == "tool_result"]
        path = f"$.messages[{place}].content"
        if sorted(map(str, pending)) != sorted(map(str, results)):
            yield flaw("tool results do not answer the turn before (B-TOOL-01)", path=path, got=results, want=pending)
        leading = [block.get("type") for block in blocks[: len(results)]]
        if results and set(leading) != {"tool_result"}:
            yield flaw("tool results do not come first (B-TOOL-02)", path=path, got=leading)
        pending = [block.get("id") for block in blocks if block.get("type") == "tool_use"]
        if len(set(map(str, pending))) != len(pending):
            yield flaw("tool_use ids come twice (B-MSG-11)", path=path, got=pending)
    if pending:
        yield flaw("the last tool calls are not answered", path="$.messages", got=[], want=pending)


def _openai_results(body: dict[str, Any]) -> Flaws:
    pending: list[Any] = []
    for place, message in enumerate(objects(body.get("messages"))):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in pending:
                got = message.get("tool_call_id")
                yield flaw("a tool message answers no call", path=f"$.messages[{place}].tool_call_id", got=got)
            else:
                pending.remove(message.get("tool_call_id"))
            continue
        if pending:
            yield flaw("tool calls are not answered at once", path=f"$.messages[{place}]", want=pending)
        pending = [call.get("id") for call in objects(message.get("tool_calls"))]
    if pending:
        yield flaw("the last tool calls are not answered", path="$.messages", want=pending)


def _response_counts(dialect: str, body: dict[str, Any]) -> Flaws:
    """XLT-08: as many functionResponse parts as functionCall parts in the turn before."""
    if dialect != GEMINI:
        return
    calls: list[Any] = []
    for place, content in enumerate(objects(body.get("contents"))):
        parts = objects(content.get("parts"))
        responses = [obj(part["functionResponse"]).get("name") for part in parts if "functionResponse" in part]
        path = f"$.contents[{place}].parts"
        if len(responses) != len(calls):
            yield flaw("function responses do not match the calls (B-TOOL-04)", path=path, got=responses, want=calls)
        elif sorted(map(str, responses)) != sorted(map(str, calls)):
            yield flaw("function responses have other names (B-TOOL-05)", path=path, got=responses, want=calls)
        calls = [obj(part["functionCall"]).get("name") for part in parts if "functionCall" in part]


def _empty_text(dialect: str, body: dict[str, Any]) -> Flaws:
    """XLT-13: no empty text block, which Anthropic refuses (B-MSG-07); a Gemini part may be a bare signature."""
    if dialect == ANTHROPIC:
        for place, block in enumerate(objects(body.get("system"))):
            if not str(block.get("text", "")).strip():
                yield flaw("an empty text block", path=f"$.system[{place}].text", got=block.get("text"))
    for path, fields in _inner(dialect, body):
        text = fields.get("text")
        signed = "thoughtSignature" in fields
        # Anthropic refuses white space alone too.
        blank = isinstance(text, str) and (not text or (dialect == ANTHROPIC and not text.strip()))
        if dialect != OPENAI and blank and not signed and _is_block(path):
            yield flaw("an empty text block", path=f"{path}.text", got=text)
        if dialect == ANTHROPIC and fields.get("content") in ("", []) and "role" in fields:
            yield flaw("a message without content", path=f"{path}.content", got=fields["content"])


def _is_block(path: str) -> bool:
    return path.count("[") > 1


def _token_cap(dialect: str, body: dict[str, Any]) -> Flaws:
    """XLT-17: Anthropic requires max_tokens."""
    if dialect == ANTHROPIC and (not is_count(body.get("max_tokens")) or body["max_tokens"] < 1):
        yield flaw("max_tokens is required", path="$.max_tokens", got=body.get("max_tokens"))


XLT: Mapping[str, Callable[[str, dict[str, Any]], Flaws]] = {
    "XLT-02": _shape,
    "XLT-03": _foreign_keys,
    "XLT-06": _alternation,
    "XLT-07": _tool_results,
    "XLT-08": _response_counts,
    "XLT-13": _empty_text,
    "XLT-17": _token_cap,
}
"""The properties by id; PRX-004 is all of them but XLT-06, which the providers merge themselves."""

_ONLY_FOR = {"XLT-06": (ANTHROPIC, GEMINI), "XLT-08": (GEMINI,), "XLT-17": (ANTHROPIC,), "XLT-07": (OPENAI, ANTHROPIC)}


def _sent(view: View) -> list[tuple[str, dict[str, Any]]]:
    """Return the upstream requests whose API is known, as (dialect, body)."""
    found = []
    for upstream in view.exchange.upstream:
        dialect, body = _body(upstream.request)
        if dialect in _MODELS and body is not None:
            found.append((str(dialect), body))
    return found


def _body(request: Request) -> tuple[str | None, dict[str, Any] | None]:
    if not isinstance(request.body, bytes):
        return None, None
    return dialect_of(request.method, request.path), obj(parse(request.body))


def violations(check: str, view: View) -> Iterator[Finding]:
    """Yield what is wrong with the upstream requests and was not wrong with the client's own."""
    inherited = _inherited(check, view)
    for dialect, body in _sent(view):
        for found in XLT[check](dialect, body):
            if dialect != view.dialect or (found.message, found.path) not in inherited:
                yield found


def _inherited(check: str, view: View) -> set[tuple[str, str | None]]:
    if view.dialect is None or view.dialect not in _MODELS:
        return set()
    return {(found.message, found.path) for found in XLT[check](view.dialect, view.asked)}


def _applies(check: str) -> Callable[[View], bool]:
    dialects = _ONLY_FOR.get(check, tuple(_MODELS))
    return lambda view: any(dialect in dialects for dialect, _ in _sent(view))


def _rule(check: str) -> Callable[[View], Iterator[Finding]]:
    return lambda view: violations(check, view)


for _check in XLT:
    RULES.add(_check, _applies(_check))(_rule(_check))


@RULES.add("PRX-004", _applies("PRX-004"))
def upstream_requests_are_valid(view: View) -> Iterator[Finding]:
    for check in XLT:
        if check != "XLT-06":
            for found in violations(check, view):
                yield msgspec.structs.replace(found, message=f"{check}: {found.message}")
