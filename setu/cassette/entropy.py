"""Secrets without a known shape: values whose name speaks of a credential, and words no person would write.

Both are guesses. What they find is masked and marked as such, and never keeps a recording from being written. Most of
what looks random in this traffic is none: identifiers, digests, signatures of thoughts, encrypted reasoning, media.
So a word counts only where it stands in prose, and a whole value only below a name that says what it is.
"""

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

NAMED = "a value named like a secret"
RANDOM = "a word of high entropy"

Span = tuple[int, int]

_HINTS = (
    "secret",
    "token",
    "passw",
    "passphrase",
    "pwd",
    "credential",
    "key",
    "authorization",
    "cookie",
    "jwt",
    "connection",
)
_BACK = re.compile(r"[A-Za-z0-9_.-]{0,48}\Z")
_SECRET_NAME = re.compile(
    r"(?:.*[_.-])?(?:secret|token|passw(?:or)?d|passphrase|pwd|credentials?|(?:set_)?cookie|jwt|authorization"
    r"|(?:api|access|account|auth|client|encryption|hmac|license|master|private|secret|service|shared|signing"
    r"|storage|subscription|webhook)[_.-]?key|connection[_.-]?string)(?:[_.-](?:key|value|header))?"
)
_OTHER_NAME = re.compile(
    r"(?:.*[_.-])?(?:page|next|prev|previous|continuation|sync|pagination|resume|resumption|cursor|cache|stop|eos|bos"
    r"|pad|unk|mask|sep|cls|special|image|audio|video|text|first|last|logprob|top|start|end|pipeline|billing"
    r"|thinking|thought)[_.-]?token"
)
"""Tokens that are no credentials: of pages, of models."""

# What may stand between a name and its value: JSON at any level of escapes, `NAME=value` and `Name: value` in text,
# a field of a multipart form, and pairs such as {"name": …, "value": …}.
_VALUE = r"(?P<value>[^\s\"'\\<>{}(),;&]{8,1024})"
_COLON = r"\s{0,9}:\s{0,9}"
_OPEN = rf"(?:\{{\s{{0,9}}(?P=q)value(?P=q){_COLON})?"
_JSON = rf"(?P<q>\\{{0,7}}\"){_COLON}{_OPEN}(?P=q)(?P<json>[^\s\"\\]{{8,1024}})(?=(?P=q))"
_PAIR = r"(?P<p>\\{0,7}\")\s{0,9},\s{0,9}(?P=p)value(?P=p)\s{0,9}:\s{0,9}(?P=p)(?P<pair>[^\s\"\\]{8,1024})(?=(?P=p))"
_FORM = r"\"\r?\n(?:[A-Za-z-]{1,40}: [^\r\n]{0,200}\r?\n){0,4}\r?\n(?P<form>[^\s\"]{8,1024})(?=\r?\n--)"
_PLAIN = rf"(?:\s{{0,2}}=\s{{0,2}}|:\s{{1,2}})[\"']?(?:(?:Bearer|Token)\s)?{_VALUE}"
_AFTER = re.compile(rf"(?:{_JSON}|{_PAIR}|{_FORM}|{_PLAIN})")
_PLACEHOLDER = re.compile(
    r"(?i)\W*(?:redacted|x{3,}|\*{3,}|your|my[-_]|example|changeme|change[-_]me|dummy|test|fake|sample|placeholder|none"
    r"|null|undefined|env[.:(_]|os\.|process\.|config|settings|self\.|secrets\.|vault:|https?://|filtered|hidden|masked|todo)"
)

_MIN_RANDOM, _MAX_RANDOM = 32, 128
_IN_RUN = bytes(
    97 if chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "+/_-") else 32 for byte in range(256)
)
"""Maps the characters of keys and of base64 to `a`, others to a space."""
_IDENTIFIER = re.compile(r"[a-z]{2,12}(?:_[a-z]{2,8})?[_-]|[0-9a-fA-F-]+\Z|/")
_BEFORE = " \t\n`('\"=:["
_AFTER_RUN = " \t\n`)'\",;.:!?]"
_BITS = 4.2


def named(text: str) -> Iterator[Span]:
    """Yield the values whose name speaks of a credential, where they look like one."""
    folded = text.lower()
    if len(folded) != len(text):  # some letters grow; then only names in lower case are found
        folded = text
    for hint in _HINTS:
        at = folded.find(hint)
        while at >= 0:
            after = _assigned(text, at + len(hint))
            if after is not None and _is_secret(text, at, after):
                yield after.span(after.lastgroup or 0)
            at = folded.find(hint, after.end() if after is not None else at + len(hint))


def random_words(text: str) -> Iterator[Span]:
    """Yield the words of prose that look like a key: long, mixed, and none of what looks random by design."""
    for start, end in runs(text):
        if _in_prose(text, start, end) and looks_random(text[start:end]) and not _in_url(text, start):
            yield start, end


def runs(text: str) -> Iterator[Span]:
    """Yield the long words that could be keys or base64, padding included."""
    # A search for one letter in a translated copy is several times as fast as one for a class of letters.
    mask = text.encode("latin-1", "replace").translate(_IN_RUN)
    wanted = b"a" * _MIN_RANDOM
    start = mask.find(wanted)
    while start >= 0:
        end = mask.find(b" ", start)
        end = len(mask) if end < 0 else end
        padded = end + len(_PADDING.match(text, end).group())  # type: ignore[union-attr]  # it matches nothing, too
        if text[start - 1 : start] != "=" or not start:
            yield start, padded
        start = mask.find(wanted, end)


_PADDING = re.compile("={0,2}")


def looks_random(word: str) -> bool:
    """Say whether a word is random enough, and not an identifier, a path, a digest or text in base64."""
    return (
        _MIN_RANDOM <= len(word) <= _MAX_RANDOM
        and not _IDENTIFIER.match(word)
        and not (any(c in word for c in "+/") and any(c in word for c in "-_"))  # a key has one alphabet, a path both
        and _is_mixed(word)
        and bits(word) >= _BITS
        and base64_text(word) is None
    )


def bits(text: str) -> float:
    """Return the Shannon entropy of a text in bits a character."""
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values())


def base64_text(word: str) -> str | None:
    """Return the text that a word is the base64 of; None when it is not, which media and ciphertext are not."""
    plain = word.rstrip("=").translate(_STANDARD)
    try:
        # A look at the first bytes saves the work on megabytes of media.
        base64.b64decode(plain[:48] + "=" * (-len(plain[:48]) % 4), validate=True).decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        if error.start < 30:  # a character may be cut in two at the end of the look
            return None
    except binascii.Error:
        return None
    try:
        text = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return None if _CONTROL.search(text) else text


_STANDARD = str.maketrans("-_", "+/")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _assigned(text: str, at: int) -> re.Match[str] | None:
    """Return what is assigned to the name that the text at `at` is within or behind."""
    tail = _NAME_TAIL.match(text, at)
    assert tail is not None
    return _AFTER.match(text, tail.end())


def _is_secret(text: str, at: int, after: re.Match[str]) -> bool:
    before = _BACK.search(text, max(at - 48, 0), at)
    assert before is not None
    name = text[before.start() : after.start()]
    loose = after.lastgroup == "value"
    value = after[after.lastgroup or 0]
    if name == "token" and not (len(value) >= _MIN_TOKEN and value.isascii() and any(map(str.isdigit, value))):
        return False  # a token of a model, beside its probability
    return speaks_of_secret(name) and _credible(value, loose=loose)


_MIN_TOKEN = 20
_NAME_TAIL = re.compile(r"[A-Za-z0-9_.-]{0,24}")


def speaks_of_secret(name: str) -> bool:
    """Say whether a member, a variable or a field by this name holds a credential."""
    plain = _CAMEL.sub(r"\1_\2", name).lower().strip("_.-")
    return _SECRET_NAME.fullmatch(plain) is not None and _OTHER_NAME.fullmatch(plain) is None


_CAMEL = re.compile(r"([a-z0-9])([A-Z])")


def _credible(value: str, *, loose: bool) -> bool:
    """Say whether a value may be a secret: no placeholder, no expression, no word of a language.

    In text (`loose`) anything may follow a name, so that more is asked of it.
    """
    if "REDACTED" in value or _PLACEHOLDER.match(value) or value.startswith(("$", "%", "{", "<", "/", "#")):
        return False
    kinds = sum(any(test(c) for c in value) for test in (str.islower, str.isupper, str.isdigit))
    if loose:
        digits = sum(c.isdigit() for c in value)
        return len(value) >= 12 and digits >= 2 and kinds >= 2 and bits(value) >= 3.0 and "[" not in value
    return kinds + any(not c.isalnum() for c in value) >= 2 and bits(value) >= 2.5


def _is_mixed(word: str) -> bool:
    """Say whether letters of both cases and digits alternate as they do at random, unlike in names and paths."""
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" if c.islower() else "p" for c in word]
    turns = sum(one != two for one, two in pairwise(kinds))
    figures = sum(two == "d" != one for one, two in pairwise(kinds))
    few = max(3, len(word) // 14)
    return min(map(kinds.count, "dul")) >= few and figures >= 3 and turns >= 0.4 * len(word)


def _in_prose(text: str, start: int, end: int) -> bool:
    """Say whether a word stands among others: it is not a whole value, nor part of something longer."""
    before = text[start - 1 : start] if start else " "
    after = text[end : end + 1] or " "
    escaped = text[start - 2 : start] in ("\\n", "\\t")
    if before == '"' and after in ('"', "\\"):
        return False
    if text[end : end + 2] in ("\\n", "\\t"):
        after = " "
    return (before in _BEFORE or escaped) and after in _AFTER_RUN and not _goes_on(text, end)


def _goes_on(text: str, end: int) -> bool:
    return text[end : end + 1] == "." and text[end + 1 : end + 2].isalnum()


def _in_url(text: str, start: int) -> bool:
    word = _WORD_BACK.search(text, max(start - 1024, 0), start)
    return word is not None and any(mark in word.group() for mark in ("://", "data:", "base64,", "www."))


_WORD_BACK = re.compile(r"[^\s\"'<>()]{0,1024}\Z")
