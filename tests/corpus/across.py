"""Real requests from one dialect to another and back: what the source said is in the body, or a loss names its place."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import tomli

from setu.chat.parts import Inline, Media, ToolResult, Url
from setu.chat.request import ChatRequest
from setu.dialects.record import Dialect, Facts, Loss, Route, Target
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError
from setu.translate import names
from setu.translate.state import without_state
from tests.corpus.leaves import Leaf, leaves
from tests.corpus.reader import exchanges
from tests.corpus.search import Search
from tests.dialects.bedrock.reading import read_request as read_bedrock

SOURCES = {
    "openai.chat": "openai_chat",
    "openai.responses": "openai_responses",
    "anthropic.messages": "anthropic",
    "anthropic.vertex": "anthropic",
    "gemini.generate": "gemini",
    "gemini.stream": "gemini",
    "bedrock.converse": "bedrock",
    "bedrock.converse_stream": "bedrock",
}
TARGETS = ("openai_chat", "openai_responses", "anthropic", "gemini", "bedrock", "cohere", "ollama")
_FACTS = Facts(max_output=64_000, sampling="both")
_CAPABILITIES = frozenset({"stream_usage", "max_completion_tokens", "developer"})
"""What OpenAI's own hosts take: the types of its SDK are what a body is held against."""
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
_BYTES = {
    "image": Inline(b64=_PIXEL, mime="image/png"),
    "document": Inline(b64="JVBERi0xLjQKJSVFT0YK", mime="application/pdf"),
    "audio": Inline(b64="UklGRiQAAABXQVZFZm10IBAAAAABAAEA", mime="audio/wav"),
    "video": Inline(b64="AAAAGGZ0eXBtcDQyAAAAAG1wNDJpc29t", mime="video/mp4"),
}
"""What URLs are taken to hold, by kind."""

_GRAVE = frozenset({"Text.text", "call", "result", "tool"})
"""What the model reads: only a loss that says the answer may change excuses these."""
_FIELDS = {"response_format": "output", "reasoning_effort": "thinking", "parallel_tool_calls": "parallel"}
"""Names that renderers use for fields which the canonical model calls otherwise."""


class Kind(NamedTuple):
    """A request that its own host took, and the ids of all exchanges that sent it.

    Requests that differ only in the model and in streaming are one: neither is in what is searched.
    """

    request: ChatRequest
    ids: tuple[str, ...]


class Sent(NamedTuple):
    """A translated request: what was asked, the body, what was declared lost, and where its words may hide."""

    asked: ChatRequest
    body: bytes
    losses: tuple[Loss, ...]
    renamed: Mapping[str, str]
    media: Mapping[str, Inline]


class Tally(NamedTuple):
    """One API against one target, in exchanges: what was searched, what was refused by name, what is wrong, by id."""

    searched: int
    refused: int
    wrong: dict[str, str]


def kinds(api: str) -> Iterator[Kind]:
    """Yield every request of an API that its own host took, once."""
    found: dict[bytes, list[dict[str, Any]]] = {}
    for exchange in exchanges(api):
        body = exchange["request_body"]
        if isinstance(body, dict) and exchange["status"] < 400:
            same = {key: value for key, value in body.items() if key not in {"model", "stream"}}
            found.setdefault(hashlib.sha256(_dumped(same)).digest(), []).append(exchange)
    for group in found.values():
        try:
            request = _read(SOURCES[api], group[0]["request_body"])
        except LocalDialectError:
            continue  # listed by the API's own test
        yield Kind(request, tuple(exchange["id"] for exchange in group))


def _read(dialect: str, body: Any) -> ChatRequest:
    if dialect == "bedrock":
        return read_bedrock(_dumped(body), "m")
    return _heard(DIALECTS[dialect], _dumped(body))


def _heard(dialect: Dialect, body: bytes) -> ChatRequest:
    route = Route(dialect=dialect.name, operation="chat", model="m")
    request: ChatRequest = dialect.client["chat"].parse_request(body, route)
    return request


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def send(request: ChatRequest, to: Dialect) -> Sent:
    """Translate as the gateway does, with every URL fetched that the target wants the bytes of.

    Raises:
        LocalDialectError: the target cannot be asked this; it names what.
    """
    asked, losses = (request, ()) if to.name == "openai_responses" else without_state(request)
    fitted, back = names.fit(asked, to.tool_names)
    media = dict(_fetched(asked)) if to.inline_media else {}
    target = Target(model="m", facts=_FACTS, capabilities=_CAPABILITIES, media=media)
    rendered = to.upstream["chat"].render_request(fitted, target)
    return Sent(asked, rendered.body, (*losses, *rendered.losses), {old: new for new, old in back.items()}, media)


def _fetched(request: ChatRequest) -> Iterator[tuple[str, Inline]]:
    """Yield bytes of the right kind for every URL."""
    for message in request.messages:
        inner = [part for result in message.parts if isinstance(result, ToolResult) for part in result.content]
        for part in (*message.parts, *inner):
            if isinstance(part, Media) and isinstance(part.source, Url):
                yield part.source.url, _BYTES.get(part.kind, _BYTES["image"])


def unexplained(sent: Sent, to: Dialect) -> list[str]:
    """Return what was lost in silence: leaves that are neither in the body nor at or below a loss's pointer."""
    search = Search(sent.asked, sent.body, to.name, sent.renamed, sent.media)
    lost = [leaf for leaf in leaves(sent.asked) if not search.finds(leaf) and not covered(leaf, sent.losses)]
    return [f"{'/'.join(map(str, leaf.place))} {leaf.kind}" for leaf in lost]


def covered(leaf: Leaf, losses: tuple[Loss, ...]) -> bool:
    """Tell whether a loss names the leaf, something it is part of, or a part of it."""
    place = _steps("/".join(map(str, leaf.place)))
    for loss in losses:
        where = _steps(loss.pointer)
        short = min(len(where), len(place))
        if where[:short] == place[:short] and (leaf.kind not in _GRAVE or loss.severity == "warn"):
            return True
    return False


def _steps(pointer: str) -> list[str]:
    """Return the steps of a pointer without the members that only hold lists of parts."""
    steps = [step for step in pointer.strip("/").split("/") if step not in {"content", "parts"}]
    return [_FIELDS.get(step, step) for step in steps]


def check(kind: Kind, source: str, to: Dialect, problems: Callable[[bytes], list[str]]) -> str | None:
    """Translate one request there and back; return what is wrong.

    Raises:
        LocalDialectError: the target cannot be asked this.
    """
    sent = send(kind.request, to)
    found = [*problems(sent.body), *unexplained(sent, to)]
    if "chat" in to.client and not found:
        found = [f"back: {one}" for one in _back(sent, source, to)]
    return "; ".join(found)[:300] or None


def _back(sent: Sent, source: str, to: Dialect) -> list[str]:
    """Read the body as its own host would and write it for where it came from."""
    again = send(_heard(to, sent.body), DIALECTS[source])
    return unexplained(again, DIALECTS[source])


def tally(api: str, target: str, problems: Callable[[bytes], list[str]]) -> Tally:
    """Translate every request of an API there and back."""
    counts: Counter[str] = Counter()
    wrong: dict[str, str] = {}
    for kind in kinds(api):
        try:
            problem = check(kind, SOURCES[api], DIALECTS[target], problems)
        except LocalDialectError as error:
            counts["refused"] += len(kind.ids)
            problem = None if error.param or error.code else f"a refusal that names nothing: {error}"
        except Exception as error:  # noqa: BLE001 - any crash is a finding
            problem = f"{type(error).__name__}: {error}"[:300]
        else:
            counts["searched"] += len(kind.ids)
        if problem:
            wrong |= dict.fromkeys(kind.ids, problem)
    return Tally(counts["searched"], counts["refused"], wrong)


def excused(api: str, target: str) -> dict[str, str]:
    """Return the exchanges whose translation may be wrong, with the reason of each."""
    rows = tomli.loads((Path(__file__).parent / "exceptions.toml").read_text(encoding="utf-8")).get("across", [])
    return {row["id"]: row["reason"] for row in rows if row["api"] == api and target in row["targets"]}
