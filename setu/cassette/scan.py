"""Search files for secrets that should not be there: cassettes of any tool, JSON, misses, any text.

The whole text is searched as it stands. A cassette is searched by its parts, too: there a header or a query member
tells by its name, and a body is free of the escapes and the base64 of the file around it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from setu.cassette import spots
from setu.cassette.edits import Edit, Rules, edits_of
from setu.cassette.gate import searchable
from setu.cassette.model import Interaction
from setu.cassette.redact_names import CREDENTIAL_HEADERS, SECRET_QUERY
from setu.cassette.redact_stream import spelt_in_pieces
from setu.http import Headers, Request


class Hit(NamedTuple):
    """Where a secret stands and what kind it is, never the secret itself.

    `where` is a header, a query member or a body with a JSON pointer, empty where nothing names it; `guess` says that
    only its name or its looks tell.
    """

    file: str
    line: int
    where: str
    kind: str
    guess: bool = False


class _Part(NamedTuple):
    """A secret in a part of a recording; `held` is what to look for in the file, empty where it stands otherwise."""

    where: str
    kind: str
    held: str = ""
    guess: bool = False


_STAND_IN = re.compile(
    r"(?i)redacted|filtered|removed|hidden|masked|dummy|fake|mock|example|placeholder|test|your|x{3}|\*{3}|[<>{}$]"
)


def scan(
    text: str, name: str, rules: Rules, recordings: Sequence[Interaction] = (), *, guess: bool = True
) -> list[Hit]:
    """Return what is secret in a file; `recordings` are those that were read from it, each with its place."""
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    hits = [Hit(name, *rest) for rest in _in_recordings(text, starts, recordings, rules, guess)]
    told = {hit.line for hit in hits}
    # What a recording is guessed to hold is known better from its parts than from the base64 and the folds of YAML.
    for edit in edits_of(text, rules, guess=guess and not recordings):
        line = bisect_right(starts, edit.start)
        if line not in told and not is_stand_in(text[edit.start : edit.end]):
            hits.append(Hit(name, line, _pointer(text, starts[line - 1], edit), edit.what, edit.guess))
    return sorted(dict.fromkeys(hits))


def is_stand_in(value: str) -> bool:
    """Say whether a value only stands where a secret was: `<token>`, `REDACTED`, `test-key`."""
    return len(value) < 4 or _STAND_IN.search(value) is not None


def _in_recordings(
    text: str, starts: Sequence[int], recordings: Sequence[Interaction], rules: Rules, guess: bool
) -> Iterator[tuple[int, str, str, bool]]:
    for each, following in zip_longest(recordings, recordings[1:]):
        first = _line_of(each)
        end = starts[_line_of(following) - 1] if following is not None else len(text)
        answer = max(text.find("response:", starts[first - 1], end), starts[first - 1])
        seen: dict[str, int] = {}
        for part in _parts(each, rules, guess):
            # A secret that stands there twice is found in two lines.
            at = max(seen.get(part.held, 0), answer if part.where.startswith("response") else starts[first - 1])
            at = text.find(part.held, at, end) if part.held else -1
            seen[part.held] = at + 1 if at >= 0 else end
            yield bisect_right(starts, at) if at >= 0 else first, part.where, part.kind, part.guess


def _line_of(interaction: Interaction) -> int:
    number = interaction.place.rpartition(":")[2]
    return int(number) if number.isdigit() else 1


def _parts(each: Interaction, rules: Rules, guess: bool) -> Iterator[_Part]:
    exchange = each.exchange
    assert isinstance(exchange.request.body, bytes)
    yield from _in_headers(exchange.request.headers, "request.headers", rules)
    yield from _in_url(exchange.request, rules)
    yield from _in_body(exchange.request.body, "request.body", rules, guess)
    yield from _in_headers(exchange.headers, "response.headers", rules)
    pieces = searchable(exchange)
    found = [part for piece in pieces for part in _in_body(piece, "response.body", rules, guess)]
    yield from found
    if not found:
        yield from (_Part("response.body", kind) for kind in spelt_in_pieces(pieces, rules))


def _in_headers(headers: Headers, place: str, rules: Rules) -> Iterator[_Part]:
    for name, value in headers.items():
        if name in CREDENTIAL_HEADERS or name in rules.headers:
            if not is_stand_in(value):
                yield _Part(f"{place}.{name}", "a credential header", value)
        else:
            yield from _in_value(value, f"{place}.{name}", rules)


def _in_url(request: Request, rules: Rules) -> Iterator[_Part]:
    yield from _in_value(request.origin + request.path, "request.uri", rules)
    for member in request.query.split("&"):
        name, _, value = member.partition("=")
        if SECRET_QUERY.fullmatch(name):
            if not is_stand_in(value):
                yield _Part(f"request.query.{name}", "a credential in the query", member)
        else:
            yield from _in_value(value, "request.query", rules)


def _in_value(value: str, where: str, rules: Rules) -> Iterator[_Part]:
    return (_Part(where, edit.what, value[edit.start : edit.end]) for edit in edits_of(value, rules))


def _in_body(body: bytes, where: str, rules: Rules, guess: bool) -> Iterator[_Part]:
    text = body.decode("latin-1")
    for edit in edits_of(text, rules, guess=guess, as_bytes=True):
        held = text[edit.start : edit.end]
        if not is_stand_in(held):
            pointer = spots.pointer_at(text, edit.start)
            yield _Part(f"{where}:{pointer}" if pointer else where, edit.what, held, edit.guess)


def _pointer(text: str, line_start: int, edit: Edit) -> str:
    """Return a pointer where the text is JSON, whole or line by line."""
    if text.lstrip()[:1] not in ("{", "["):
        return ""
    start = line_start if text[line_start : line_start + 1] == "{" else 0
    return spots.pointer_at(text[start:], edit.start - start)


def listed(hits: Iterable[Hit]) -> list[str]:
    """Return a line for each hit, as compilers write them."""
    return [
        f"{hit.file}:{hit.line}: {hit.kind}{' (perhaps)' if hit.guess else ''}{f' in {hit.where}' if hit.where else ''}"
        for hit in hits
    ]
