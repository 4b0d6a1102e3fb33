"""Canonical answers to chat completions, valid under the `openai` SDK's strict models."""

from typing import Any

import msgspec

from setu import _json
from setu._json import Json, Raw, kind_of
from setu.chat.parts import AnyPart, Inline, Media, Reasoning, Refusal, Text, ToolCall, Url
from setu.chat.response import Candidate, ChatResponse, Finish
from setu.chat.seals import Cite, Extra, Seal
from setu.dialects.addresses import address
from setu.dialects.extras import dump, merge
from setu.dialects.openai_chat.extras import known
from setu.dialects.openai_chat.reasoning import render_details, words
from setu.dialects.openai_chat.usage import render_usage
from setu.dialects.openai_chat.words import FINISH_OUT, NAME, OWN_FINISHES, SERVICE_TIERS
from setu.dialects.record import Loss, Rendered, Reply, pointer
from setu.dialects.token_entries import render_token

Where = tuple[str | int, ...]


def render_response(response: ChatResponse, reply: Reply) -> Rendered:
    """Write a chat completion; it always has a choice (B-FIN-04, B-FIN-05)."""
    losses: list[Loss] = []
    candidates = response.candidates or (_blocked(response, losses),)
    body: dict[str, Any] = {
        "id": response.id or reply.id,
        "object": "chat.completion",
        "created": response.created or reply.created,
        "model": response.model or reply.model,
        "choices": [
            _choice(candidate, reply, ("candidates", index), losses) for index, candidate in enumerate(candidates)
        ],
    }
    usage = render_usage(response.usage) if response.usage is not None else None
    if usage is not None:
        body["usage"] = usage
    merge(body, head_members(response.service_tier, response.extra, losses))
    return Rendered(body=dump(body), losses=tuple(losses))


def _blocked(response: ChatResponse, losses: list[Loss]) -> Candidate:
    """Stand in for an answer that has no candidate: Gemini blocked the prompt, or the upstream gave nothing."""
    if response.feedback is not None:
        reason = "why the prompt was blocked has no place in chat"
        losses.append(Loss(phase="response", pointer="/feedback", reason=reason, severity="info"))
    return Candidate(messages=(), finish=Finish(reason="content_filter"))


_TIERS = {"standard": "default"}
"""Anthropic's word for the tier that OpenAI calls default."""

_TYPED: dict[str, Any] = {
    "system_fingerprint": str,
    "metadata": dict[str, str],
    "moderation": None,  # an object of OpenAI's that other hosts fill with their own
    "object": None,
    "usage": None,
}


def head_members(tier: str | None, extra: Extra | None, losses: list[Loss]) -> dict[str, Json]:
    """Return the members of an answer beside the five that are always there, such as `system_fingerprint`."""
    members: dict[str, Json] = {}
    if tier is not None:
        tier = _TIERS.get(tier, tier)
        if tier in SERVICE_TIERS:
            members["service_tier"] = _json.encode(tier)
        else:
            lost(losses, ("service_tier",), f"{tier} is not a service tier of this dialect", info=True)
    if extra is not None and extra.dialect != NAME:
        for key in extra.members:
            lost(losses, (key,), f"only {extra.dialect} knows this member", info=True)
    for key, raw in known(extra).items():
        if key not in _TYPED or _is(raw, _TYPED[key]):
            members[key] = raw
        else:
            lost(losses, (key,), "not a value that this dialect allows here", info=True)
    return members


def _is(raw: Json, kind: Any) -> bool:
    if kind is None:
        return False
    try:
        msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def lost(losses: list[Loss], where: Where, reason: str, *, info: bool = False) -> None:
    losses.append(Loss(phase="response", pointer=pointer(*where), reason=reason, severity="info" if info else "warn"))


def _choice(candidate: Candidate, reply: Reply, where: Where, losses: list[Loss]) -> dict[str, Any]:
    writer = _Answer(reply, where, losses)
    for message in candidate.messages:
        for index, part in enumerate(message.parts):
            writer.part(part, (*where, "content", index))
    message_extras = [message.extra for message in candidate.messages]
    wire = writer.message(message_extras)
    choice: dict[str, Any] = {
        "index": candidate.index,
        "message": wire,
        "logprobs": writer.logprobs(candidate),
        "finish_reason": finish_word(candidate.finish, calls=bool(writer.calls)),
    }
    if candidate.finish is not None:
        choice |= native_member(candidate.finish)
    merge(choice, known(candidate.extra))
    return choice


def finish_word(finish: Finish | None, *, calls: bool) -> str:
    """Return one of the five words; a call makes a plain stop `tool_calls` (B-STR-14)."""
    word = FINISH_OUT[finish.reason] if finish is not None else "stop"
    if word == "stop":
        return "tool_calls" if calls else "stop"
    return "stop" if word == "tool_calls" and not calls else word


def native_member(finish: Finish) -> dict[str, Any]:
    """Return OpenRouter's `native_finish_reason`, where the source's word is not one of this dialect (B-FIN-02)."""
    if finish.native is None or finish.native in OWN_FINISHES:
        return {}
    return {"native_finish_reason": finish.native}


class _Answer:
    """One choice's message while its parts are sorted into members."""

    def __init__(self, reply: Reply, where: Where, losses: list[Loss]) -> None:
        self.reply = reply
        self.where = where
        self.losses = losses
        self.texts: list[str] = []
        self.length = 0
        self.refusals: list[str] = []
        self.reasoning: list[Reasoning] = []
        self.annotations: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self.audio: dict[str, Any] | None = None
        self.tokens: list[Json] | None = []
        self.seal: Seal | None = None

    def part(self, part: AnyPart, where: Where) -> None:
        match part:
            case Text():
                self._text(part, where)
            case Refusal():
                self.refusals.append(part.text)
            case Reasoning():
                if self.reply.include_thoughts:
                    self.reasoning.append(part)
            case ToolCall():
                self.calls.append(render_call(part, where, self.losses))
            case Media():
                self._media(part, where)
            case _:
                lost(self.losses, where, f"{type(part).__name__} has no place in a chat answer")

    def _text(self, part: Text, where: Where) -> None:
        for cite in part.cites:
            rendered = render_cite(cite, self.length)
            if rendered is None:
                lost(self.losses, (*where, "cites"), "a citation without an address", info=True)
            else:
                self.annotations.append(rendered)
        self.texts.append(part.text)
        self.length += len(part.text)
        if part.logprobs is None and part.text:
            self.tokens = None  # entries that do not add up to the text would mislead
        elif part.logprobs is not None and self.tokens is not None:
            self.tokens += part.logprobs
        if part.seal is not None and part.seal.issuer == "gemini":
            self.seal = part.seal
        elif part.seal is not None:
            lost(self.losses, (*where, "seal"), "chat has no place for this signature", info=True)

    def _media(self, part: Media, where: Where) -> None:
        source = part.source
        if part.kind == "image" and isinstance(source, (Inline, Url)):
            self.images.append(render_image(source))
        elif part.kind == "audio" and isinstance(source, Inline) and self.audio is None:
            self.audio = {"id": part.id or self.reply.mint("audio_"), "data": source.b64}
            self.audio |= {"expires_at": _expiry(part.extra, self.reply), "transcript": part.transcript or ""}
            merge(self.audio, known(part.extra))
        else:
            lost(self.losses, where, f"a chat answer holds no {part.kind} here")

    def message(self, extras: list[Extra | None]) -> dict[str, Any]:
        text = "".join(self.texts)
        spoken = bool(self.calls or self.refusals or self.audio)
        message: dict[str, Any] = {"role": "assistant", "content": None if spoken and not text else text}
        message["refusal"] = "".join(self.refusals) if self.refusals else None
        shown = "\n\n".join(filter(None, map(words, self.reasoning)))
        if shown:
            message["reasoning_content"] = shown
        details = render_details(self.reasoning)
        if details:
            message["reasoning_details"] = details
        lists = {"annotations": self.annotations, "images": self.images, "audio": self.audio, "tool_calls": self.calls}
        message |= {key: value for key, value in lists.items() if value}
        if self.seal is not None:
            message["extra_content"] = {"google": {"thought_signature": self.seal.data}}
        for extra in extras:
            merge(message, known(extra))
        return message

    def logprobs(self, candidate: Candidate) -> Any:
        if self.tokens:
            return {"content": [render_token(entry) for entry in self.tokens], "refusal": None}
        raw = candidate.logprobs
        if raw is None:
            return None
        value = _json.decode(raw) if kind_of(raw) == "object" else None
        if not isinstance(value, dict) or not ("content" in value or "refusal" in value):
            lost(self.losses, (*self.where, "logprobs"), "a form of log probabilities that chat does not have")
            return None
        return {
            key: None if not value.get(key) else [render_token(_json.encode(entry)) for entry in value[key]]
            for key in ("content", "refusal")
        }


def _expiry(extra: Extra | None, reply: Reply) -> Any:
    raw = known(extra).get("expires_at", b"")
    return Raw(raw) if raw.isdigit() else reply.created


def render_call(call: ToolCall, where: Where, losses: list[Loss]) -> dict[str, Any]:
    """Write a call; one without arguments still carries JSON (B-STR-09)."""
    arguments = call.arguments if call.arguments or call.kind == "custom" else "{}"
    inner = {"name": call.name, "input" if call.kind == "custom" else "arguments": arguments}
    wire: dict[str, Any] = {"id": call.call_id, "type": call.kind, call.kind: inner}
    if call.seal is not None and call.seal.issuer == "gemini":
        wire["extra_content"] = {"google": {"thought_signature": call.seal.data}}
    elif call.seal is not None:
        lost(losses, (*where, "seal"), "chat has no place for this signature", info=True)
    merge(wire, known(call.extra))
    return wire


def render_cite(cite: Cite, offset: int) -> dict[str, Any] | None:
    """Write an annotation; None for a citation that has no address."""
    if cite.url is None:
        return None
    start, end = cite.start or 0, cite.end or 0
    if cite.end is not None:
        start, end = start + offset, end + offset
    inner: dict[str, Any] = {"url": cite.url, "title": cite.title or cite.url, "start_index": start, "end_index": end}
    if cite.quoted is not None:
        inner["content"] = cite.quoted
    return {"type": "url_citation", "url_citation": inner}


def render_image(source: Inline | Url) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": address(source)}}
