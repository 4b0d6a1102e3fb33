"""Canonical answers to response objects, valid under the `openai` SDK's strict models."""

from typing import Any

import msgspec

from setu import _json
from setu._json import Json, Raw, kind_of
from setu.chat.parts import AnyPart, HostedCall, Inline, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from setu.chat.request import ChatRequest, FunctionTool, Message
from setu.chat.response import Candidate, ChatResponse, Finish
from setu.chat.seals import Cite, Extra
from setu.dialects.extras import Where, dump, lose, merge
from setu.dialects.openai_responses.extras import known
from setu.dialects.openai_responses.items import hosted_item
from setu.dialects.openai_responses.options import render_options, render_output, render_thinking
from setu.dialects.openai_responses.response import ECHOED
from setu.dialects.openai_responses.tools import render_tool_choice, render_tools
from setu.dialects.openai_responses.usage import render_usage
from setu.dialects.openai_responses.words import CUT_SHORT, NAME, PREFIXES, SERVICE_TIERS, STATUS_OF
from setu.dialects.record import Loss, Rendered, Reply, Target
from setu.dialects.token_entries import render_token

Wire = dict[str, Any]


def render_response(response: ChatResponse, reply: Reply) -> Rendered:
    """Write a response object; a blocked prompt is an incomplete answer without output (B-FIN-04)."""
    losses: list[Loss] = []
    for candidate in response.candidates[1:]:
        lose(losses, ("candidates", candidate.index), "this API gives one answer", response=True)
    candidate = response.candidates[0] if response.candidates else Candidate(messages=())
    head = head_of(response.id, response.model, response.created, reply)
    status, reason = status_of(candidate.finish, candidate.messages, blocked=not response.candidates)
    items = Items(head["id"], reply, losses)
    for number, message in enumerate(candidate.messages):
        for part in message.parts:
            items.add(part, number, message)
    body = head | {"status": response.pending or status, "incomplete_details": reason}
    body |= echo(reply.asked)
    if response.pending is not None:
        body["background"] = True
    body["output"] = items.finished(incomplete=status == "incomplete")
    body["usage"] = render_usage(response.usage)
    tail(body, response.service_tier, response.extra, losses)
    return Rendered(body=dump(body), losses=tuple(losses))


def head_of(identity: str | None, model: str | None, created: int | None, reply: Reply) -> Wire:
    """Return the members that name an answer; an id of another API would not be one here."""
    own = identity if identity is not None and identity.startswith(PREFIXES["response"]) else reply.id
    return {
        "id": own,
        "object": "response",
        "created_at": created or reply.created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": model or reply.model,
        "output": [],
        "usage": None,
    }


def status_of(finish: Finish | None, messages: tuple[Message, ...], *, blocked: bool) -> tuple[str, Wire | None]:
    """Return status and `incomplete_details`."""
    if finish is None:
        return ("incomplete", {"reason": "content_filter"}) if blocked else ("completed", None)
    refused = any(isinstance(part, Refusal) for message in messages for part in message.parts)
    if refused and finish.reason == "refusal":
        return "completed", None
    status, reason = STATUS_OF[finish.reason]
    return status, {"reason": reason} if reason is not None else None


def echo(asked: ChatRequest | None) -> Wire:
    """Return the request's settings, which an answer repeats; required members are there always (B-RSP-04)."""
    request = asked or ChatRequest(model="", messages=())
    scratch: list[Loss] = []
    options = render_options(request.options, [], scratch)
    text = {"format": (render_output(request.output, scratch) if request.output else None) or {"type": "text"}}
    own = known(request.extra)
    thinking = request.thinking
    reasoning = render_thinking(thinking, own.get("reasoning"), Target(model=""), scratch) if thinking else {}
    merge(reasoning, _json.split(own["reasoning"]) if kind_of(own.get("reasoning", b"")) == "object" else {})
    state = request.state
    return {
        "background": False,
        "instructions": request.system[0].text if request.system and isinstance(request.system[0], Text) else None,
        "max_output_tokens": options.get("max_output_tokens"),
        "max_tool_calls": Raw(own["max_tool_calls"]) if "max_tool_calls" in own else None,
        "metadata": options.get("metadata", {}),
        "parallel_tool_calls": request.parallel is not False,
        "previous_response_id": None,
        "prompt_cache_key": options.get("prompt_cache_key"),
        "reasoning": {"effort": None, "summary": None} | reasoning,
        "safety_identifier": options.get("safety_identifier"),
        "store": False if state is None or not isinstance(state.store, bool) else state.store,
        "temperature": options.get("temperature", 1.0),
        "text": text,
        "tool_choice": render_tool_choice(request) or "auto",
        "tools": render_tools(request, scratch),
        "top_logprobs": options.get("top_logprobs", 0),
        "top_p": options.get("top_p", 1.0),
        "truncation": options.get("truncation", "disabled"),
        "user": options.get("user"),
    }


def tail(body: Wire, tier: str | None, extra: Extra | None, losses: list[Loss]) -> None:
    """Add what stands beside the answer: the service tier, members of this API's own."""
    if tier in SERVICE_TIERS:
        body["service_tier"] = tier
    elif tier is not None:
        lose(losses, ("service_tier",), f"{tier} is not a service tier of this dialect", info=True, response=True)
    merge(body, {key: raw for key, raw in known(extra).items() if key not in ECHOED})
    if extra is not None and extra.dialect != NAME:
        for key in extra.members:
            lose(losses, (key,), f"only {extra.dialect} knows this member", info=True, response=True)


def item_id(kind: str, own: str | None, response_id: str, index: int) -> str:
    """Return an item's id: its own if it is one of this API, else one made from the answer's id and its place."""
    prefix = PREFIXES.get(kind, "item_")
    if own is not None and own.startswith(prefix):
        return own
    return f"{prefix}{response_id.removeprefix(PREFIXES['response'])}_{index}"


class Items:
    """Output items, made of parts: neighbouring texts of one message are one item."""

    def __init__(self, response_id: str, reply: Reply, losses: list[Loss]) -> None:
        self._response_id = response_id
        self._reply = reply
        self._losses = losses
        self._items: list[Wire] = []
        self._message: int | None = None
        """The number of the message whose texts the last item holds."""

    def add(self, part: AnyPart, number: int, message: Message) -> None:
        where: Where = ("output", len(self._items))
        if isinstance(part, (Text, Refusal)):
            if self._message != number:
                item = message_item(self._id("message", message.id), message.phase)
                merge(item, known(message.extra))
                self._items.append(item)
                self._message = number
            content = self._items[-1]["content"]
            content.append(render_content(part, (*where, "content", len(content)), self._losses))
            return
        kind = kind_of_item(part)
        if isinstance(part, Reasoning) and not self._reply.include_thoughts:
            return
        whole = render_item(part, self._id(kind, part.id), self._reply.asked, where, self._losses)
        if whole is not None:
            self._items.append(whole)
            self._message = None

    def _id(self, kind: str, own: str | None) -> str:
        return item_id(kind, own, self._response_id, len(self._items))

    def finished(self, *, incomplete: bool) -> list[Wire]:
        """Return the items; of an answer cut short the last one is incomplete."""
        if incomplete and self._items and self._items[-1]["type"] in CUT_SHORT:
            self._items[-1]["status"] = "incomplete"
        return self._items


def kind_of_item(part: AnyPart) -> str:
    match part:
        case Text() | Refusal():
            return "message"
        case Reasoning():
            return "reasoning"
        case ToolCall(kind="custom"):
            return "custom_tool_call"
        case ToolCall():
            return "function_call"
        case Media():
            return "image_generation_call"
        case _:
            return ""


def message_item(identity: str, phase: str | None, status: str = "completed") -> Wire:
    item: Wire = {"id": identity, "type": "message", "status": status, "role": "assistant", "content": []}
    return item | ({"phase": phase} if phase is not None else {})


def render_content(part: Text | Refusal, where: Where, losses: list[Loss]) -> Wire:
    """Return a content part of a message."""
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    annotations = [cite for cite in (render_cite(each, where, losses) for each in part.cites) if cite is not None]
    if part.seal is not None:
        lose(losses, (*where, "seal"), "there is no place for this signature", info=True, response=True)
    content: Wire = {"type": "output_text", "text": part.text, "annotations": annotations}
    content["logprobs"] = [render_logprob(entry) for entry in part.logprobs or ()]
    merge(content, known(part.extra))
    return content


def render_logprob(raw: Json) -> Any:
    """Return a token entry; its bytes are required here, so a host's null becomes those of the token."""
    entry = render_token(raw)
    if isinstance(entry, msgspec.Raw):
        entry = _json.decode(bytes(entry))
    for token in (entry, *entry.get("top_logprobs", ())):
        if token.get("bytes") is None:
            token["bytes"] = list(token["token"].encode("utf-8", "surrogatepass"))
    return entry


def render_cite(cite: Cite, where: Where, losses: list[Loss]) -> Any:
    """Return an annotation; None for a citation that has no address."""
    if cite.dialect == NAME and cite.raw is not None:
        return Raw(cite.raw)
    if cite.url is None:
        lose(losses, (*where, "annotations"), "a citation without an address", info=True, response=True)
        return None
    span = {"start_index": cite.start or 0, "end_index": cite.end or 0}
    return {"type": "url_citation", "url": cite.url, "title": cite.title or cite.url} | span


def render_item(
    part: AnyPart, identity: str, asked: ChatRequest | None, where: Where, losses: list[Loss]
) -> Wire | None:
    """Return a whole output item for a part that is one; None when this API has none such."""
    match part:
        case Reasoning():
            return reasoning_item(part, identity, where, losses)
        case ToolCall():
            return call_item(part, identity, asked, where, losses)
        case Media(kind="image", source=Inline(b64=b64)):
            picture: Wire = {"id": identity, "type": "image_generation_call", "status": "completed", "result": b64}
            merge(picture, known(part.extra))
            return picture
        case HostedCall(dialect="openai_responses"):
            return hosted_item(part)
        case Opaque(dialect="openai_responses") if kind_of(part.raw) == "object":
            members: Wire = {key: Raw(raw) for key, raw in _json.split(part.raw).items()}
            return members | {"type": part.kind}
        case _:
            lose(losses, where, f"{type(part).__name__} has no place in this API's output", response=True)
            return None


def reasoning_item(part: Reasoning, identity: str, where: Where, losses: list[Loss]) -> Wire:
    """Return a reasoning item: words are content, a summary is a summary, a proof goes only where it is valid."""
    item: Wire = {"id": identity, "type": "reasoning"}
    item["summary"] = [{"type": "summary_text", "text": text} for text in part.summary]
    if part.text:
        item["content"] = [{"type": "reasoning_text", "text": text} for text in part.text]
    if part.seal is not None and part.seal.issuer == NAME:
        item["encrypted_content"] = part.seal.data
    elif part.seal is not None:
        lose(losses, (*where, "seal"), f"the signature is {part.seal.issuer}'s", info=True, response=True)
    merge(item, known(part.extra))
    return item


def call_item(
    call: ToolCall,
    identity: str,
    asked: ChatRequest | None,
    where: Where,
    losses: list[Loss],
    status: str = "completed",
) -> Wire:
    """Return a call; a function's arguments are always JSON text, an empty object at least (B-STR-09)."""
    custom = call.kind == "custom"
    item: Wire = {"id": identity, "type": "custom_tool_call" if custom else "function_call", "status": status}
    item |= {"call_id": call.call_id, "name": call.name}
    item["input" if custom else "arguments"] = call.arguments if call.arguments or custom else "{}"
    namespace = call.namespace or namespace_of(call.name, asked)
    if namespace is not None:
        item["namespace"] = namespace
    if call.caller is not None and kind_of(call.caller) == "object":
        item["caller"] = Raw(call.caller)
    if call.seal is not None:
        lose(losses, (*where, "seal"), f"the signature is {call.seal.issuer}'s", info=True, response=True)
    merge(item, known(call.extra))
    return item


def namespace_of(name: str, asked: ChatRequest | None) -> str | None:
    """Return the namespace that the client declared a tool in; other APIs do not say it."""
    tools = asked.tools if asked is not None else ()
    return next((tool.namespace for tool in tools if isinstance(tool, FunctionTool) and tool.name == name), None)
