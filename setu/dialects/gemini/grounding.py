"""Citations and token probabilities of a candidate, both ways.

Source: ai.google.dev/api/generate-content#GroundingMetadata and #LogprobsResult, read 2026-11-20.
"""

from collections.abc import Iterable
from typing import Any

from setu import _json
from setu._json import Json
from setu.chat.seals import Cite
from setu.dialects.gemini.proto import NAME, Fields
from setu.errors import RemoteDialectError


def parse_grounding(raw: Json, text: str) -> list[Cite]:
    """Return a cite for each source of each supported segment; segments count UTF-8 bytes, cites characters."""
    try:
        metadata = Fields(raw, "groundingMetadata", lenient=True)
    except RemoteDialectError:
        return []
    sources = [_source(chunk) for chunk in metadata.objects("groundingChunks") or ()]
    data = text.encode("utf-8", "replace")
    cites: list[Cite] = []
    for support in metadata.objects("groundingSupports") or ():
        segment = support.obj("segment")
        start = end = quoted = None
        if segment is not None:
            start = _characters(data, segment.integer("startIndex") or 0)
            end = _characters(data, segment.integer("endIndex") or 0)
            quoted = segment.text("text")
        for index in support.value("groundingChunkIndices") or ():
            if isinstance(index, int) and 0 <= index < len(sources):
                url, title = sources[index]
                cites.append(
                    Cite(kind="grounding", dialect=NAME, start=start, end=end, url=url, title=title, quoted=quoted)
                )
    return cites


def _source(chunk: Fields) -> tuple[str | None, str | None]:
    for kind in ("web", "retrievedContext", "maps", "image"):
        source = chunk.obj(kind)
        if source is not None:
            return source.text("uri") or source.text("sourceUri"), source.text("title")
    return None, None


def _characters(data: bytes, count: int) -> int:
    return len(data[: max(count, 0)].decode("utf-8", "ignore"))


def render_grounding(cites: Iterable[tuple[Cite, str]]) -> dict[str, Any] | None:
    """Return groundingMetadata for other dialects' cites, each with the text it belongs to; None without a URL."""
    chunks: list[dict[str, Any]] = []
    supports: list[dict[str, Any]] = []
    for cite, text in cites:
        if cite.url is None:
            continue
        web = {"uri": cite.url} | ({"title": cite.title} if cite.title is not None else {})
        if {"web": web} not in chunks:
            chunks.append({"web": web})
        segment: dict[str, Any] = {}
        if cite.start is not None and cite.end is not None:
            segment["startIndex"] = len(text[: cite.start].encode("utf-8", "replace"))
            segment["endIndex"] = len(text[: cite.end].encode("utf-8", "replace"))
            segment["text"] = text[cite.start : cite.end]
        supports.append({"segment": segment, "groundingChunkIndices": [chunks.index({"web": web})]})
    return {"groundingChunks": chunks, "groundingSupports": supports} if chunks else None


def parse_logprobs(raw: Json) -> tuple[Json, ...] | None:
    """Return OpenAI's token entries for a logprobsResult; None when it holds none."""
    try:
        result = Fields(raw, "logprobsResult", lenient=True)
    except RemoteDialectError:
        return None
    tops = [
        [_token(token) for token in position.objects("candidates") or ()]
        for position in result.objects("topCandidates") or ()
    ]
    entries: list[Json] = []
    for index, chosen in enumerate(result.objects("chosenCandidates") or ()):
        top = tops[index] if index < len(tops) else []
        entries.append(_json.encode(_token(chosen) | {"top_logprobs": top}))
    return tuple(entries) or None


def _token(token: Fields) -> dict[str, Any]:
    text = token.text("token") or ""
    return {
        "token": text,
        "logprob": token.number("logProbability") or 0.0,
        "bytes": list(text.encode("utf-8", "replace")),
    }


def render_logprobs(entries: Iterable[Json]) -> dict[str, Any] | None:
    """Return a logprobsResult for OpenAI's token entries; None for none."""
    read = [Fields(entry, "logprobs", lenient=True) for entry in entries if _json.kind_of(entry) == "object"]
    if not read:
        return None
    tops = [{"candidates": [_written(top) for top in entry.objects("topLogprobs") or ()]} for entry in read]
    result: dict[str, Any] = {"chosenCandidates": [_written(entry) for entry in read]}
    if any(top["candidates"] for top in tops):
        result["topCandidates"] = tops
    return result


def _written(entry: Fields) -> dict[str, Any]:
    return {"token": entry.text("token") or "", "logProbability": entry.number("logprob") or 0.0}
