"""Find what is secret in a text, and what is to stand there instead.

Bodies are searched as text of single bytes (Latin-1), so that everything else stays byte for byte. What hides in an
escape of JSON or in base64 is searched too: such a string is written anew.
"""

import base64
import html
import json
import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, quote_plus

import msgspec

from setu.cassette import entropy
from setu.cassette.redact_names import SECRET_MEMBERS
from setu.cassette.redact_shapes import SHAPES, Shape

REDACTED = "REDACTED"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What to take out besides everything that Setu knows.

    `known` are values that go wherever and however they are spelt; `headers` are names (lower case) of fields that
    would be kept; `pointers` name members of bodies, `*` is any key or index; `patterns` are regular expressions, of
    which a group `secret` goes, or all that they match.
    """

    known: tuple[str, ...] = ()
    headers: frozenset[str] = frozenset()
    pointers: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()


Secrets = Collection[str] | Rules
"""Known values alone, or all rules."""


def rules_of(secrets: Secrets) -> Rules:
    return secrets if isinstance(secrets, Rules) else Rules(known=tuple(secrets))


class Edit(NamedTuple):
    """A half-open span, what replaces it, what kind of secret it held, and whether that is a guess."""

    start: int
    end: int
    text: str
    what: str
    guess: bool = False


_MEMBER_HINTS = ("key", "Key", "uthorization", "oken", "secret", "Secret", "passw", "onnection")
_NAMES = "|".join(map(re.escape, SECRET_MEMBERS))
_MEMBER = re.compile(rf'"(?P<name>{_NAMES})"\s*:\s*"(?P<value>(?:[^"\\\n]|\\.)*+)"', re.DOTALL)
# JSON within a JSON string has its quotes escaped. Deeper levels are found when the string is read.
_NESTED_MEMBER = re.compile(
    rf'(?<!\\)\\"(?P<name>{_NAMES})\\"\s*:\s*\\"'
    r'(?P<value>(?:[^"\\\n]|\\[u/]|\\\\(?:\\["\\]|[^"\\\n]))*+)\\"'
)
# No string starts after a backslash: a text that was cut off is searched once, not from each of its quotes.
_STRING = re.compile(r'(?<!\\)"((?:[^"\\\n]|\\[^\n])*+)"')
_HIDING = re.compile(r'\\u00[2-7]|\\/|\\\\|\\"')
"""Escapes that a key, or the quotes around it, may be written with."""

_LEVELS = 5


def edits_of(
    text: str, rules: Rules, *, guess: bool = False, as_bytes: bool = False, levels: int = _LEVELS
) -> list[Edit]:
    """Return the edits, in order and apart, that take every secret out of a text.

    `guess` looks for what has no known shape too. `as_bytes`: the text is bytes in Latin-1.
    """
    inner = [*_in_base64(text, rules, guess=guess, levels=levels)] if levels else []
    plain = _apart([*_plain(text, rules, as_bytes=as_bytes), *(_guesses(text) if guess else ())])
    # Base64 of text is written anew as a whole; of a string with escapes only where nothing else has to go.
    found = _apart(inner) + [edit for edit in plain if not _overlaps(edit, inner)]
    if levels:
        found += [
            edit
            for edit in _in_escapes(text, rules, guess=guess, as_bytes=as_bytes, levels=levels)
            if not _overlaps(edit, found)
        ]
    return sorted(found)


def applied(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with its edits made."""
    pieces: list[str] = []
    at = 0
    for edit in edits:
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join(pieces) + text[at:]


def as_latin(text: str) -> str:
    """Return the text as its UTF-8 bytes look in Latin-1."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _apart(edits: Iterable[Edit]) -> list[Edit]:
    """Join edits that overlap."""
    found: list[Edit] = []
    for edit in sorted(edits):
        if found and edit.start < found[-1].end:
            last = found[-1]
            sure = edit if last.guess and not edit.guess else last
            found[-1] = sure._replace(start=last.start, end=max(last.end, edit.end))
        else:
            found.append(edit)
    return found


def _overlaps(edit: Edit, others: list[Edit]) -> bool:
    return any(other.start < edit.end and edit.start < other.end for other in others)


def _plain(text: str, rules: Rules, *, as_bytes: bool) -> Iterator[Edit]:
    for shape in (each for each in SHAPES if each.hint in text):
        for found in _shaped(text, shape):
            yield Edit(*_secret_of(found), REDACTED, shape.name)
    for own in rules.patterns:
        for found in own.finditer(text):
            if REDACTED not in found.group() and found.group():
                yield Edit(*_secret_of(found), REDACTED, f"pattern {own.pattern!r}")
    if any(hint in text for hint in _MEMBER_HINTS):
        for pattern in (_MEMBER, _NESTED_MEMBER):
            for found in pattern.finditer(text):
                if found["value"] not in ("", REDACTED, f"Bearer {REDACTED}"):
                    yield Edit(*found.span("value"), REDACTED, f"member {found['name']!r}")
    for form in _forms(rules.known, as_bytes):
        at = text.find(form)
        while at >= 0:
            yield Edit(at, at + len(form), REDACTED, "a known secret")
            at = text.find(form, at + len(form))


def _shaped(text: str, shape: Shape) -> Iterator[re.Match[str]]:
    """Yield what has a shape; looking for its hint first is many times as fast as looking for the pattern."""
    at = text.find(shape.hint)
    if at >= 0 and shape.lead is None:
        yield from shape.pattern.finditer(text)
        return
    while at >= 0:
        found = shape.pattern.match(text, max(at - (shape.lead or 0), 0))
        if found is not None:
            yield found
        at = text.find(shape.hint, max(found.end() if found is not None else 0, at + 1))


def _secret_of(found: re.Match[str]) -> tuple[int, int]:
    return found.span("secret") if "secret" in found.re.groupindex else found.span()


def _guesses(text: str) -> Iterator[Edit]:
    for start, end in entropy.named(text):
        yield Edit(start, end, REDACTED, entropy.NAMED, guess=True)
    for start, end in entropy.random_words(text):
        yield Edit(start, end, REDACTED, entropy.RANDOM, guess=True)


def _in_base64(text: str, rules: Rules, *, guess: bool, levels: int) -> Iterator[Edit]:
    for start, end in entropy.runs(text):
        word = text[start:end]
        plain = entropy.base64_text(word)
        if plain is None:
            continue
        edits = edits_of(plain, rules, guess=guess, levels=min(levels - 1, 2))
        if edits:
            yield Edit(start, end, _encoded(applied(plain, edits), word), edits[0].what, _all_guesses(edits))


def _encoded(plain: str, like: str) -> str:
    """Write text in the alphabet and with the padding of another word."""
    encoded = base64.b64encode(plain.encode()).decode()
    if "-" in like or "_" in like:
        encoded = encoded.translate(str.maketrans("+/", "-_"))
    return encoded if like.endswith("=") or len(like) % 4 == 0 else encoded.rstrip("=")


def _in_escapes(text: str, rules: Rules, *, guess: bool, as_bytes: bool, levels: int) -> Iterator[Edit]:
    if not _HIDING.search(text):
        return
    hidden = [*_escaped_strings(text, as_bytes)]
    # Most often there is nothing in any of them: one look at all is faster than one at each.
    if not edits_of("\n\0\n".join(plain for _, plain in hidden), rules, guess=guess, levels=levels - 1):
        return
    for found, plain in hidden:
        literal = found[1]
        edits = edits_of(plain, rules, guess=guess, levels=levels - 1)
        if edits:
            written = _escaped(applied(plain, edits), literal, as_bytes)
            yield Edit(*found.span(1), written, edits[0].what, _all_guesses(edits))


def _escaped_strings(text: str, as_bytes: bool) -> Iterator[tuple[re.Match[str], str]]:
    for found in _STRING.finditer(text):
        plain = _unescaped(found[1], as_bytes) if "\\" in found[1] and _HIDING.search(found[1]) else None
        if plain is not None:
            yield found, plain


def _all_guesses(edits: list[Edit]) -> bool:
    return all(edit.guess for edit in edits)


def _unescaped(literal: str, as_bytes: bool) -> str | None:
    try:
        text = literal.encode("latin-1").decode() if as_bytes else literal
        value: str = json.loads(f'"{text}"', strict=False)
    except ValueError:
        return None
    return value


def _escaped(value: str, like: str, as_bytes: bool) -> str:
    written = json.dumps(value, ensure_ascii=like.isascii())[1:-1]
    if not as_bytes:
        return written
    try:
        return written.encode().decode("latin-1")
    except UnicodeEncodeError:  # half of a surrogate pair, which only its escape can write
        return json.dumps(value)[1:-1]


@lru_cache(maxsize=32)
def _forms(known: tuple[str, ...], as_bytes: bool) -> tuple[str, ...]:
    """Return the ways in which known secrets may be spelt."""
    spellings = dict.fromkeys(form for value in known for form in _spellings(value) if form)
    return tuple(dict.fromkeys(map(as_latin, spellings))) if as_bytes else tuple(spellings)


def _spellings(value: str) -> Iterator[str]:
    data = value.encode("utf-8", "surrogatepass")
    percent = quote(data, safe="")
    yield from (value, percent, quote_plus(data), quote(percent, safe=""), html.escape(value))
    yield re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), percent)
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (once, json.dumps(once)[1:-1])
    yield from (data.hex(), data.hex().upper())
    for shift in range(3):  # base64 of a longer text looks different by where the value starts in it
        start, end = -(-8 * shift // 6), 8 * (shift + len(data)) // 6
        encoded = base64.b64encode(b"\0" * shift + data + b"\0\0").decode()[start:end]
        if len(encoded) >= 10:
            yield from (encoded, encoded.translate(str.maketrans("+/", "-_")))
