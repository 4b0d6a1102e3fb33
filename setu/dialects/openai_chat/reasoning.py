"""Thinking as chat hosts show it: a string, OpenRouter's `reasoning_details`, Mistral's thinking parts.

A seal travels to chat clients inside `reasoning_details` and comes back from there
(https://openrouter.ai/docs/use-cases/reasoning-tokens, 2026-11).
"""

from typing import Any

from setu.chat.parts import Reasoning
from setu.chat.seals import Extra, Seal
from setu.dialects.openai_chat.extras import known
from setu.dialects.openai_chat.words import NAME
from setu.dialects.reader import Obj

ISSUERS = {
    "anthropic-claude-v1": "anthropic",
    "google-gemini-v1": "gemini",
    "openai-responses-v1": "openai_responses",
}
"""OpenRouter's `format` of a detail, by whose seal it holds."""

FORMATS = {issuer: form for form, issuer in ISSUERS.items()}


def parse_reasoning(details: list[Obj], text: str | None) -> list[Reasoning]:
    """Return one part per detail; the plain string counts where the details have no words of their own."""
    parts = [part for part in map(_detail, details) if part is not None]
    if not text:
        return parts
    if not any(part.text or part.summary for part in parts):
        return _with_words(parts, text)
    return parts


def _with_words(parts: list[Reasoning], text: str) -> list[Reasoning]:
    """Give the string to the first detail that signs words without repeating them, else to a part of its own."""
    for index, part in enumerate(parts):
        if not part.redacted:
            worded = Reasoning(id=part.id, seal=part.seal, extra=part.extra, text=(text,))
            return [*parts[:index], worded, *parts[index + 1 :]]
    return [Reasoning(text=(text,)), *parts]


def _detail(obj: Obj) -> Reasoning | None:
    kind = obj.text("type")
    identity = obj.text("id")
    form = obj.text("format")
    obj.raw("index")
    text, summary, data = obj.text("text"), obj.text("summary"), obj.text("data")
    signature = obj.text("signature")
    if kind not in {"reasoning.text", "reasoning.summary", "reasoning.encrypted"}:
        return None
    return Reasoning(
        id=identity,
        text=(text,) if text else (),
        summary=(summary,) if summary else (),
        redacted=kind == "reasoning.encrypted",
        seal=seal_of(form, signature, data),
        extra=form_extra(form),
    )


def seal_of(form: str | None, signature: str | None, data: str | None) -> Seal | None:
    """Return a detail's seal; the format says who can check it."""
    if signature:
        return Seal(issuer=ISSUERS.get(form or "", NAME), kind="signature", data=signature)
    if data:
        issuer = ISSUERS.get(form or "", NAME)
        return Seal(issuer=issuer, kind="redacted" if issuer == "anthropic" else "encrypted", data=data)
    return None


def form_extra(form: str | None) -> Extra | None:
    """Keep a detail's format: a host wants its details back as they were."""
    return Extra(dialect=NAME, members={"format": b'"%s"' % form.encode()}) if form and form.isascii() else None


def is_plain(part: Reasoning) -> bool:
    """Tell whether the plain string says everything about a part."""
    return not (part.seal or part.summary or part.redacted or part.id or known(part.extra))


def words(part: Reasoning) -> str:
    """Return what a reader may see of a part."""
    return "\n\n".join(part.text or part.summary)


def render_details(parts: list[Reasoning]) -> list[dict[str, Any]]:
    """Return `reasoning_details` for parts; empty when the string alone says it all."""
    if all(is_plain(part) for part in parts):
        return []
    details = [detail for part in parts for detail in detail_of(part)]
    for index, detail in enumerate(details):
        detail["index"] = index
    return details


def detail_of(part: Reasoning) -> list[dict[str, Any]]:
    """Return a part as details: the words with their signature, a summary and what is encrypted beside it."""
    form = _form(part)
    seal = part.seal
    details: list[dict[str, Any]] = []
    if part.summary:
        details.append({"type": "reasoning.summary", "summary": "\n\n".join(part.summary)})
    if part.text or not (part.summary or part.redacted or seal) or (seal and seal.kind == "signature"):
        detail: dict[str, Any] = {"type": "reasoning.text"}
        if part.text:
            detail["text"] = "\n\n".join(part.text)
        if seal is not None and seal.kind == "signature":
            detail["signature"] = seal.data
        details.append(detail)
    if part.redacted or (seal is not None and seal.kind != "signature"):
        details.append({"type": "reasoning.encrypted"} | ({"data": seal.data} if seal is not None else {}))
    for detail in details:
        if part.id is not None:
            detail["id"] = part.id
        if form is not None:
            detail["format"] = form
    return details


def _form(part: Reasoning) -> str | None:
    kept = known(part.extra).get("format")
    if kept is not None:
        return kept[1:-1].decode()
    return FORMATS.get(part.seal.issuer) if part.seal is not None else None
