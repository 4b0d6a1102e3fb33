"""Recorded traffic of any kind as a stream of exchanges, each with its place and who answered."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
import tomli

from setu.bundled import data_dir
from setu.cassette.formats import corpus
from setu.cassette.formats.files import import_files, unpacked
from setu.cassette.formats.intake import Intake, Skipped
from setu.cassette.match import route_of
from setu.cassette.model import Interaction
from setu.cassette.shelf import cassette_files, read_cassette
from setu.errors import CassetteDecodeError, CassetteError, CassetteNotFoundError
from setu.http import Exchange

Kind = Literal["cassette", "har", "corpus"]

NO_API = "other"
_APIS: Mapping[tuple[str, str], str] = {
    ("openai_chat", "chat"): "openai.chat",
    ("openai_chat", "complete"): "openai.completions",
    ("openai_chat", "embed"): "openai.embeddings",
    ("openai_chat", "models"): "models.list",
    ("openai_responses", "chat"): "openai.responses",
    ("anthropic", "chat"): "anthropic.messages",
    ("bedrock", "chat"): "bedrock.converse",
    ("cohere", "chat"): "cohere.v2",
    ("gemini", "chat"): "gemini.generate",
}
"""Names of APIs where dialect and operation alone would not be what people call them."""

_UNTRUE: Mapping[str, str] = {
    "maybe_synthetic": "perhaps written by hand",
    "response_scrubbed": "ids and headers of the answer were taken out",
    "sse_framing_inferred": "its framing is rebuilt",
    "status_inferred": "its status is inferred",
}
"""Flags of a corpus whose exchanges are not evidence of what a server sends."""


_OF_THE_HEAD = frozenset({"TRN-001", "TRN-002", "TRN-008", "TRN-010", "SSE-006", "ERR-003", "GEM-012"})
"""Checks of header fields, which say nothing about an answer whose header was not kept."""

_TAKEN_OUT = frozenset({"TRN-008"})
"""Checks of what recorders and corpora take out: ids of requests change with every recording."""


class Source(NamedTuple):
    """Where traffic is kept; a directory stands for all files of its kind below it."""

    kind: Kind
    path: Path


class Recorded(NamedTuple):
    """One exchange. `party` is a corpus' name of the provider, or the host; empty when neither is known.

    `untold` are checks on which the recording cannot be judged, because it did not keep what they look at.
    """

    exchange: Exchange
    place: str
    api: str
    party: str
    untold: frozenset[str] = frozenset()


class _AsItIs(Intake):
    """What is only judged is not stored: nothing is taken out of it, its evidence is redacted where it is shown."""

    __slots__ = ()

    def take_in(self, raw: Interaction) -> Interaction:
        return raw


def files_of(sources: Sequence[Source]) -> Iterator[Source]:
    """Yield every single file that the sources name.

    Raises:
        CassetteNotFoundError: a source is not there.
    """
    for source in sources:
        if source.kind == "cassette":
            yield from (Source("cassette", file) for file in cassette_files(source.path))
        elif source.path.is_dir():
            suffixes = (".har", ".har.gz") if source.kind == "har" else (".jsonl", ".jsonl.gz")
            found = (path for path in sorted(source.path.rglob("*")) if path.name.endswith(suffixes))
            yield from (Source(source.kind, path) for path in found if path.is_file())
        elif source.path.is_file():
            yield source
        else:
            raise CassetteNotFoundError(f"no file or directory at {source.path}")


def read(source: Source) -> Iterator[Recorded | Skipped]:
    """Read one file, one exchange in memory at a time where its format allows; what cannot be read is named."""
    try:
        yield from _corpus(source.path) if source.kind == "corpus" else _interactions(source)
    except CassetteError as error:
        yield Skipped(str(source.path), str(error).removeprefix(f"{source.path}: "))


def api_of(exchange: Exchange) -> str:
    """Name what was asked for, as `openai.chat`; `other` for what is nobody's dialect here."""
    route = route_of(exchange.request)
    if route is None:
        return NO_API
    name = _APIS.get((route.dialect, route.operation), f"{route.dialect}.{route.operation}")
    if name == "gemini.generate" and route.stream:
        return "gemini.stream"
    return name


def _interactions(source: Source) -> Iterator[Recorded | Skipped]:
    found: Iterator[Interaction | Skipped] = (
        iter(read_cassette(source.path))
        if source.kind == "cassette"
        else import_files(source.path, source.kind, _AsItIs())
    )
    for each in found:
        if isinstance(each, Skipped):
            yield each
        elif each.recording.provenance == "reconstructed":
            yield Skipped(each.place, "its framing is rebuilt")
        else:
            host = urlsplit(each.exchange.request.origin).netloc
            # Browsers keep every field; so does Setu, whose recordings have a key.
            whole = source.kind == "har" or bool(each.recording.key)
            yield Recorded(each.exchange, each.place, api_of(each.exchange), host, _untold(each.exchange, whole=whole))


def _untold(exchange: Exchange, *, whole: bool) -> frozenset[str]:
    if not exchange.headers.get("content-type"):
        return frozenset() if whole else _OF_THE_HEAD
    return frozenset() if whole else _TAKEN_OUT


def _corpus(path: Path) -> Iterator[Recorded | Skipped]:
    try:
        with path.open("rb") as file:
            for each in corpus.listed(unpacked(file), str(path)):
                yield each if isinstance(each, Skipped) else _listed(each)
    except (OSError, EOFError, ValueError) as error:
        raise CassetteDecodeError(f"{path}: {error}") from None


class _Untrue(msgspec.Struct, forbid_unknown_fields=True):
    reason: str
    ids: tuple[str, ...]


@cache
def not_as_sent() -> Mapping[str, str]:
    """Return, by id, why exchanges of the corpus are no evidence, where only looking at them tells."""
    text = (data_dir("conformance") / "expected" / "recordings.toml").read_text(encoding="utf-8")
    rows = msgspec.convert(tomli.loads(text)["recording"], tuple[_Untrue, ...])
    return {name: row.reason for row in rows for name in row.ids}


def _listed(each: corpus.Listed) -> Recorded | Skipped:
    flagged = next((reason for flag, reason in _UNTRUE.items() if flag in each.flags), None)
    untrue = flagged or not_as_sent().get(each.id)
    if untrue is not None:
        return Skipped(each.id, untrue)
    exchange = each.interaction.exchange
    party = each.provider or urlsplit(exchange.request.origin).netloc
    return Recorded(exchange, each.id, api_of(exchange), party, _untold(exchange, whole=False))
