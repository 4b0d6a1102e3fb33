"""Pieces of an answer that a document and a stream have in common: citations, log probabilities, calls."""

from typing import Any

from setu import _json
from setu._json import Json
from setu.chat.seals import Cite
from setu.dialects.cohere.words import NAME
from setu.dialects.reader import Obj


def parse_cite(raw: Json) -> Cite | None:
    """Read a citation; None for one of thinking or of a plan, which has no text that a client sees.

    Its first source gives address and title: Cohere's documents and tool outputs name them as their author did.
    """
    if _json.kind_of(raw) != "object":
        return None
    obj = Obj(raw, lenient=True)
    kind = obj.text("type") or "TEXT_CONTENT"
    if kind != "TEXT_CONTENT":
        return None
    source = next(iter(obj.objects("sources") or ()), None)
    identity = source.text("id") if source is not None else None
    held = source.obj("document") or source.obj("tool_output") if source is not None else None
    return Cite(
        kind=kind,
        dialect=NAME,
        start=obj.integer("start"),
        end=obj.integer("end"),
        quoted=obj.text("text"),
        source=identity,
        url=held.text("url") if held is not None else None,
        title=held.text("title") if held is not None else None,
        raw=raw,
    )


def parse_logprob(obj: Obj) -> dict[str, Any] | None:
    """Read a log probability in OpenAI's form.

    Cohere gives the text of several tokens and a number for each: their sum is the text's own.
    """
    text = obj.text("text")
    numbers = [_json.decode(raw) for raw in obj.array("logprobs") or () if _json.kind_of(raw) == "number"]
    if text is None or not numbers:
        return None
    spelt = list(text.encode("utf-8", "replace"))
    return {"token": text, "logprob": float(sum(numbers)), "bytes": spelt, "top_logprobs": []}


def call_arguments(function: Obj) -> str:
    """Take the arguments of a call; an object in place of its text is written as one (B-STR-12)."""
    raw = function.members.get("arguments", b"null")
    if _json.kind_of(raw) not in ("string", "null"):
        function.raw("arguments")
        return raw.decode("utf-8", "replace")
    return function.text("arguments") or ""
