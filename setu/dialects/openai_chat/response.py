"""Chat answers, both ways. Upstream bodies are read liberally, client bodies are strictly OpenAI's."""

import msgspec

from setu import _json
from setu._json import Json, kind_of
from setu.chat.ids import Mint
from setu.chat.parts import AnyPart, Inline, Media, Refusal, Text, ToolCall
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse, Finish
from setu.chat.seals import Cite, Extra
from setu.dialects.addresses import source_of
from setu.dialects.openai_chat.media import parse_content
from setu.dialects.openai_chat.messages import google_seal, parse_call, sealed
from setu.dialects.openai_chat.reasoning import parse_reasoning
from setu.dialects.openai_chat.usage import parse_usage
from setu.dialects.openai_chat.words import NAME, finish_of
from setu.dialects.openai_errors import error_of
from setu.dialects.reader import Obj
from setu.errors import ProviderError, RemoteDialectError


def parse_response(body: bytes, mint: Mint) -> ChatResponse:
    """Read an answer.

    Raises:
        ProviderError: the body holds an error instead (B-SSE-13, B-ERR-08).
        RemoteDialectError: there is no answer in it.
    """
    try:
        return _parse(body.strip(), mint)
    except _json.JsonError as error:
        raise RemoteDialectError(f"the upstream's answer is not valid JSON: {error}") from None


def _parse(body: bytes, mint: Mint) -> ChatResponse:
    obj = Obj(body, lenient=True)
    choices = obj.objects("choices")
    if not choices:
        refuse(body, "choices")
    obj.text("object")
    created = obj.number("created")
    candidates = tuple(_candidate(choice, position, mint) for position, choice in enumerate(choices or ()))
    raw = obj.raw("usage")
    return ChatResponse(
        id=obj.text("id") or None,
        model=obj.text("model") or None,
        created=int(created) if created else None,
        candidates=candidates,
        usage=parse_usage(_json.decode(raw), raw) if raw is not None else None,
        service_tier=obj.text("service_tier"),
        extra=_extra(obj),
    )


def refuse(body: bytes, wanted: str) -> None:
    """Raise what an answer without its content (`choices`, `data`) says instead."""
    decoded = _json.decode(body)
    if decoded.get("error") or decoded.get("object") == "error" or wanted not in decoded:
        if any(key in decoded for key in ("error", "message", "detail", "errors")):
            info = error_of(decoded)
            raise ProviderError(msgspec.structs.replace(info, raw=body))
        raise RemoteDialectError(f"the upstream's answer has no '{wanted}'", param=wanted)


def _extra(obj: Obj) -> Extra | None:
    """Keep what nobody took and what says something."""
    members = {key: raw for key, raw in obj.members.items() if raw not in (b"null", b"[]", b"{}")}
    return Extra(dialect=NAME, members=members) if members else None


def _candidate(choice: Obj, position: int, mint: Mint) -> Candidate:
    index = choice.integer("index")
    message = choice.obj("message")
    if message is not None:
        choice.raw("delta")
    else:
        message = choice.obj("delta") or Obj(b"{}", lenient=True)
    parts, extra = _message(message, mint)
    parts, logprobs = _logprobs(parts, choice.raw("logprobs"))
    native = choice.text("native_finish_reason")
    word = choice.text("finish_reason")
    calls = any(isinstance(part, ToolCall) for part in parts)
    reason = finish_of(word, calls=calls)
    identity = message.text("id")
    return Candidate(
        index=position if index is None else index,
        messages=(Message(role="assistant", parts=parts, id=identity, extra=extra),),
        finish=Finish(reason=reason, native=native or word or None),
        logprobs=logprobs,
        extra=_extra(choice),
    )


def _message(message: Obj, mint: Mint) -> tuple[tuple[AnyPart, ...], Extra | None]:
    """Return the parts in reading order: thinking, words, media, calls."""
    message.text("role")
    text = message.text("reasoning_content") or ""
    if kind_of(message.members.get("reasoning", b"")) in ("string", "null"):
        text = message.text("reasoning") or text
    parts: list[AnyPart] = [*parse_reasoning(message.objects("reasoning_details") or [], text)]
    parts += parse_content(message, "content")
    refusal = message.text("refusal")
    if refusal:
        parts.append(Refusal(text=refusal))
    parts = _cited(parts, message.array("annotations") or [])
    seal = google_seal(message)
    if seal is not None:
        parts = sealed(parts, seal)
    audio = message.obj("audio")
    if audio is not None and (media := parse_audio(audio)) is not None:
        parts.append(media)
    parts += parse_images(message)
    for call in message.objects("tool_calls") or ():
        parts += _call(call, mint)
    legacy = message.obj("function_call")
    if legacy is not None and (name := legacy.text("name")):
        parts.append(ToolCall(call_id=mint("call_"), name=name, arguments=legacy.text("arguments") or ""))
    return tuple(parts), _extra(message)


def _call(call: Obj, mint: Mint) -> list[AnyPart]:
    kind = "custom" if call.members.get("type") == b'"custom"' else "function"
    if kind_of(call.members.get(kind, b"")) != "object":
        return []
    for other in {"custom", "function"} - {kind}:  # Databricks: both, one of them empty
        call.raw(other)
    has_id = call.members.get("id", b"null") not in (b"null", b'""')
    return [parse_call(call, None if has_id else mint("call_"))]


def parse_audio(audio: Obj) -> Media | None:
    """Read spoken output; a zero-filled object is none (Snowflake)."""
    identity, data, transcript = audio.text("id"), audio.text("data"), audio.text("transcript")
    if not data and not transcript:
        return None
    # The answer does not say its format; the request's `audio.format` did, and wav is what OpenAI documents first.
    source = Inline(b64=data or "", mime="audio/wav")
    return Media(kind="audio", source=source, id=identity, transcript=transcript, extra=_extra(audio))


def parse_images(message: Obj) -> list[AnyPart]:
    """Read OpenRouter's `images`."""
    urls = [image.obj("image_url") for image in message.objects("images") or ()]
    found = [url.text("url") for url in urls if url is not None]
    return [Media(kind="image", source=source_of(url)) for url in found if url]


def _cited(parts: list[AnyPart], raws: list[Json]) -> list[AnyPart]:
    cites = tuple(cite for cite in map(parse_cite, raws) if cite is not None)
    if not cites:
        return parts
    for index, part in enumerate(parts):
        if isinstance(part, Text):
            return [*parts[:index], msgspec.structs.replace(part, cites=cites), *parts[index + 1 :]]
    return [*parts, Text(text="", cites=cites)]


def parse_cite(raw: Json) -> Cite | None:
    """Read an annotation: OpenAI's `url_citation`, or a host's own with an address (Z.ai)."""
    if kind_of(raw) != "object":
        return None
    obj = Obj(raw, lenient=True)
    kind = obj.text("type") or "url_citation"
    inner = obj.obj("url_citation") or obj
    url = inner.text("url")
    if not url:
        return Cite(kind=kind, dialect=NAME, raw=raw)
    start, end = inner.integer("start_index"), inner.integer("end_index")
    if not end:  # an empty range points nowhere
        start = end = None
    return Cite(
        kind="url_citation",
        dialect=NAME,
        start=start,
        end=end,
        url=url,
        title=inner.text("title"),
        quoted=inner.text("content") or inner.text("summary"),
    )


def _logprobs(parts: tuple[AnyPart, ...], raw: Json | None) -> tuple[tuple[AnyPart, ...], Json | None]:
    """Give token entries to the one text they are of; any other form stays with the candidate."""
    if raw is None or kind_of(raw) != "object":
        return parts, raw
    obj = Obj(raw, lenient=True)
    entries = obj.array("content")
    refusal = obj.array("refusal")
    texts = [index for index, part in enumerate(parts) if isinstance(part, Text)]
    if entries and not refusal and len(texts) == 1 and all(kind_of(entry) == "object" for entry in entries):
        at = texts[0]
        worded = msgspec.structs.replace(parts[at], logprobs=tuple(entries))
        return (*parts[:at], worded, *parts[at + 1 :]), None
    if not entries and not refusal and not obj.members:
        return parts, None
    return parts, raw
