"""What a gateway sends upstream: each body valid in its provider's own API (PRX-004, and the XLT properties of it).

An identity path passes the client's own members on, known or not: what the client's request of the same dialect
already was at fault for is not the gateway's.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from setu.conformance.judges import bedrock_blocks, openai_messages, responses_items
from setu.conformance.judges.finding import Finding, Rules, flaw
from setu.conformance.judges.view import (
    ANTHROPIC,
    BEDROCK,
    COHERE,
    GEMINI,
    OLLAMA,
    OPENAI,
    RESPONSES,
    View,
    is_count,
    obj,
    objects,
    seq,
)
from setu.conformance.wire import (
    anthropic_request,
    bedrock_request,
    cohere_request,
    gemini_request,
    ollama_request,
    openai_request,
    responses_request,
)
from setu.conformance.wire.gemini_content import PART_DATA
from setu.conformance.wire.model import mismatch, words
from setu.conformance.wire.openai_hosts import HOSTS, NOTHING, UNKNOWN, Additions, additions

RULES = Rules()

_SNAKE = re.compile(r"(?<=[a-z0-9])_([a-z])")

Flaws = Iterator[Finding]


class Sent(NamedTuple):
    """A request on its way to a provider.

    `body` has Google's names in camelCase, `raw` as they were sent; `host` is what its host takes beside OpenAI's.
    """

    dialect: str
    body: dict[str, Any]
    raw: dict[str, Any]
    host: Additions


Property = Callable[[Sent], Flaws]

_MODELS: Mapping[str, tuple[Any, frozenset[str]]] = {
    OPENAI: (openai_request.Request, openai_request.TOP_LEVEL),
    RESPONSES: (responses_request.Request, responses_request.TOP_LEVEL),
    ANTHROPIC: (anthropic_request.Request, anthropic_request.TOP_LEVEL),
    GEMINI: (gemini_request.Request, gemini_request.TOP_LEVEL),
    COHERE: (cohere_request.Request, cohere_request.TOP_LEVEL),
    OLLAMA: (ollama_request.Request, ollama_request.TOP_LEVEL),
    BEDROCK: (bedrock_request.Request, bedrock_request.TOP_LEVEL),
}


def _shape(sent: Sent) -> Flaws:
    """XLT-02: required members, types, value sets, and no member the API does not know."""
    model, known = _MODELS[sent.dialect]
    judged = _without_hosted(sent.body) if sent.dialect == ANTHROPIC else sent.body
    wrong = mismatch(judged, model)
    if wrong:
        yield flaw(wrong.message, path=wrong.path)
    for key in sorted(sent.raw.keys() - _FOREIGN[sent.dialect] - sent.host.members):
        if key not in known and (sent.dialect != GEMINI or camel_of(key) not in known):
            yield flaw("the API has no such member", path=f"$.{key}", got=sent.raw[key])
    if sent.dialect == OPENAI:
        yield from openai_messages.misshapen(sent.body, sent.host)
    if sent.dialect == GEMINI:
        yield from _gemini_parts(sent.body)
    if sent.dialect == BEDROCK:
        yield from bedrock_blocks.misshapen(sent.body)
    if sent.dialect == RESPONSES:
        yield from responses_items.misshapen(sent.body)


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


def _without(dialect: str) -> frozenset[str]:
    """Return what is others' only and not this dialect's too."""
    return (_OPENAI_ONLY | _ANTHROPIC_ONLY | _GEMINI_ONLY) - _MODELS[dialect][1]


_FOREIGN: Mapping[str, frozenset[str]] = {
    OPENAI: _ANTHROPIC_ONLY | _GEMINI_ONLY,
    RESPONSES: _without(RESPONSES) | words("messages max_tokens"),
    ANTHROPIC: _OPENAI_ONLY | _GEMINI_ONLY,
    GEMINI: _OPENAI_ONLY | _ANTHROPIC_ONLY | words("messages max_tokens temperature top_p top_k tool_choice stream"),
    COHERE: _without(COHERE) | words("top_p top_k"),
    OLLAMA: _without(OLLAMA) | words("max_tokens temperature top_p top_k tool_choice"),
    BEDROCK: _without(BEDROCK) | words("max_tokens temperature top_p top_k tool_choice tools stream model"),
}
_FOREIGN_INSIDE: Mapping[str, frozenset[str]] = {
    OPENAI: words("input_schema tool_use_id functionCall functionResponse inlineData is_error"),
    RESPONSES: words("input_schema tool_use_id functionCall inlineData is_error cache_control function tool_calls"),
    ANTHROPIC: words("image_url tool_call_id tool_calls parameters refusal function functionCall"),
    GEMINI: words("image_url tool_call_id tool_calls tool_use_id input_schema cache_control content refusal"),
    COHERE: words("input_schema tool_use_id functionCall inlineData is_error cache_control refusal name strict"),
    OLLAMA: words("input_schema tool_use_id functionCall inlineData is_error cache_control refusal name strict"),
    BEDROCK: words(
        "type image_url tool_call_id tool_calls tool_use_id input_schema cache_control functionCall refusal"
    ),
}


def _foreign_keys(sent: Sent) -> Flaws:
    """XLT-03: no member of another provider's request, at the top, in messages, parts and tools."""
    inside = _FOREIGN_INSIDE[sent.dialect]
    if sent.dialect == OPENAI:
        inside |= {"cache_control"} - sent.host.inside  # Hosts that only speak OpenAI refuse the marks (B-PRM-14).
    for key in sorted((_FOREIGN[sent.dialect] & sent.raw.keys()) - sent.host.members):
        yield flaw("a member of another provider's request", path=f"$.{key}", got=sent.raw[key])
    for path, fields in _inner(sent):
        for key in sorted(inside & fields.keys()):
            yield flaw("a member of another provider's request", path=f"{path}.{key}", got=fields[key])


_TURNS = {GEMINI: ("contents", "parts"), RESPONSES: ("input", "content")}


def _inner(sent: Sent) -> Iterator[tuple[str, dict[str, Any]]]:
    turns, within = _TURNS.get(sent.dialect, ("messages", "content"))
    for place, turn in enumerate(seq(sent.raw.get(turns))):
        yield f"$.{turns}[{place}]", obj(turn)
        for number, part in enumerate(seq(obj(turn).get(within))):
            yield f"$.{turns}[{place}].{within}[{number}]", obj(part)
    for place, tool in enumerate(seq(sent.raw.get("tools"))):
        yield f"$.tools[{place}]", obj(tool)


def _alternation(sent: Sent) -> Flaws:
    """XLT-06: turns of one role are merged."""
    if sent.dialect not in (ANTHROPIC, GEMINI, BEDROCK):
        return
    name = "contents" if sent.dialect == GEMINI else "messages"
    before = None
    for place, turn in enumerate(objects(sent.body.get(name))):
        role = turn.get("role")
        if role == before and role != "system":
            yield flaw("two turns of one role follow each other", path=f"$.{name}[{place}].role", got=role)
        before = role


def _tool_results(sent: Sent) -> Flaws:
    """XLT-07: every tool call is answered at once, results first, and no result without its call."""
    if sent.dialect in (OPENAI, COHERE):
        yield from _openai_results(sent.body)
    elif sent.dialect == ANTHROPIC:
        yield from _anthropic_results(sent.body)
    elif sent.dialect == BEDROCK:
        yield from bedrock_blocks.unanswered(sent.body)
    elif sent.dialect == RESPONSES:
        yield from responses_items.unanswered(sent.body)


def _anthropic_results(body: dict[str, Any]) -> Flaws:
    pending: list[Any] = []
    for place, turn in enumerate(objects(body.get("messages"))):
        blocks = objects(turn.get("content"))
        if turn.get("role") == "assistant":
            # Anthropic joins neighbouring assistant turns, so their calls are answered together.
            pending += [block.get("id") for block in blocks if block.get("type") == "tool_use"]
        elif turn.get("role") == "user":
            yield from _answers_of_turn(f"$.messages[{place}].content", blocks, pending)
            pending = []
    if pending:
        yield flaw("the last tool calls are not answered", path="$.messages", got=[], want=pending)


def _answers_of_turn(path: str, blocks: list[dict[str, Any]], pending: list[Any]) -> Flaws:
    results = [block.get("tool_use_id") for block in blocks if block.get("type") == "tool_result"]
    if sorted(map(str, pending)) != sorted(map(str, results)):
        yield flaw("tool results do not answer the turn before (B-TOOL-01)", path=path, got=results, want=pending)
    leading = {str(block.get("type")) for block in blocks[: len(results)]}
    if results and leading != {"tool_result"}:
        yield flaw("tool results do not come first (B-TOOL-02)", path=path, got=sorted(leading))
    if len(set(map(str, pending))) != len(pending):
        yield flaw("tool_use ids come twice (B-MSG-11)", path=path, got=pending)


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


def _response_counts(sent: Sent) -> Flaws:
    """XLT-08: as many functionResponse parts as functionCall parts in the turn before."""
    if sent.dialect != GEMINI:
        return
    calls: list[Any] = []
    for place, content in enumerate(objects(sent.body.get("contents"))):
        parts = objects(content.get("parts"))
        if content.get("role") == "model":
            calls += [obj(part["functionCall"]).get("name") for part in parts if "functionCall" in part]
            continue
        responses = [obj(part["functionResponse"]).get("name") for part in parts if "functionResponse" in part]
        path = f"$.contents[{place}].parts"
        if len(responses) != len(calls):
            yield flaw("function responses do not match the calls (B-TOOL-04)", path=path, got=responses, want=calls)
        elif sorted(map(str, responses)) != sorted(map(str, calls)):
            yield flaw("function responses have other names (B-TOOL-05)", path=path, got=responses, want=calls)
        calls = []


def _empty_text(sent: Sent) -> Flaws:
    """XLT-13: no empty text block, which Anthropic refuses (B-MSG-07); Gemini accepts it."""
    if sent.dialect == BEDROCK:
        yield from bedrock_blocks.blank(sent.body)
    if sent.dialect != ANTHROPIC:
        return
    for place, block in enumerate(objects(sent.body.get("system"))):
        yield from _blank(f"$.system[{place}]", block)
    for place, message in enumerate(objects(sent.body.get("messages"))):
        if message.get("content") in ("", []):
            yield flaw("a message without content", path=f"$.messages[{place}].content", got=message["content"])
        for number, block in enumerate(objects(message.get("content"))):
            yield from _blank(f"$.messages[{place}].content[{number}]", block)


def _blank(path: str, block: Mapping[str, Any]) -> Flaws:
    text = block.get("text")
    if block.get("type") == "text" and isinstance(text, str) and not text.strip():
        yield flaw("an empty text block", path=f"{path}.text", got=text)


def _token_cap(sent: Sent) -> Flaws:
    """XLT-17: Anthropic requires max_tokens."""
    if sent.dialect == ANTHROPIC and (not is_count(sent.body.get("max_tokens")) or sent.body["max_tokens"] < 1):
        yield flaw("max_tokens is required", path="$.max_tokens", got=sent.body.get("max_tokens"))


XLT: Mapping[str, Property] = {
    "XLT-02": _shape,
    "XLT-03": _foreign_keys,
    "XLT-06": _alternation,
    "XLT-07": _tool_results,
    "XLT-08": _response_counts,
    "XLT-13": _empty_text,
    "XLT-17": _token_cap,
}
"""The properties by id; PRX-004 is all of them but XLT-06, which the providers merge themselves."""

_ONLY_FOR = {
    "XLT-06": (ANTHROPIC, GEMINI, BEDROCK),
    "XLT-08": (GEMINI,),
    "XLT-13": (ANTHROPIC, BEDROCK),
    "XLT-17": (ANTHROPIC,),
    "XLT-07": (OPENAI, RESPONSES, ANTHROPIC, COHERE, BEDROCK),
}


def _sent(view: View) -> list[Sent]:
    """Return the upstream requests whose API is known."""
    found = [_of(upstream) for upstream in view.tries]
    return [sent for sent in found if sent.dialect in _MODELS]


def _of(view: View) -> Sent:
    request, dialect, body = view.exchange.request, view.dialect or "", view.asked
    # Where nobody noted the origin, OpenRouter's path tells it.
    host = additions(request.origin)
    if host is UNKNOWN and request.path.startswith("/api/v1/"):
        host = HOSTS["openrouter.ai"]
    # Proto3 JSON is read in both spellings.
    return Sent(dialect, camel(body) if dialect == GEMINI else body, body, host if dialect == OPENAI else NOTHING)


_VERBATIM = words("args response parameters parametersJsonSchema responseSchema responseJsonSchema labels")


def camel_of(key: str) -> str:
    return _SNAKE.sub(lambda found: found[1].upper(), key)


def camel(value: Any) -> Any:
    """Return Google's JSON with its own member names in camelCase; what a user or a tool named stays."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {camel_of(key): item for key, item in value.items()}
    return {key: item if key in _VERBATIM else camel(item) for key, item in named.items()}


def violations(check: str, view: View) -> Iterator[Finding]:
    """Yield what is wrong with the upstream requests and was not wrong with the client's own."""
    own = _of(view)
    inherited = {(found.message, found.path) for found in XLT[check](own)} if own.dialect in _MODELS else set()
    for sent in _sent(view):
        for found in XLT[check](sent):
            if sent.dialect != own.dialect or (found.message, found.path) not in inherited:
                yield found


def _applies(check: str) -> Callable[[View], bool]:
    dialects = _ONLY_FOR.get(check, tuple(_MODELS))
    return lambda view: any(sent.dialect in dialects for sent in _sent(view))


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
