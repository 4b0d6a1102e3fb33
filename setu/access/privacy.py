"""Personal data and keys in texts, replaced by masks that can be put back.

The same value has the same mask within a request, so that a model can still tell who is who. Every pattern starts at a
boundary and repeats a bounded number of times: a text of any kind is read in linear time.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from typing import Literal, NamedTuple, get_args

Kind = Literal["api_key", "email", "ipv6", "ipv4", "credit_card", "ssn", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they are looked for: of two that overlap the first has the word."""

# Each pattern that can starts with one character and only then looks behind it: so the search skips to that character.
_EMAIL = re.compile(
    # RFC 5321 §4.5.3.1: 64 characters before the @; RFC 6531 allows letters of any script.
    r"(?<![\w.%+-])\w[\w.%+'-]{0,63}@\w[\w-]{0,62}(?:\.\w[\w-]{0,62}){0,8}\.(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})"
)
# E.164: at most 15 digits behind the +.
_PHONE = re.compile(r"\+(?<![\w+]\+)(?:[0-9]{8,15}|[0-9](?:(?:[ .-]|\) ?| ?\()?[0-9]){6,14})(?![0-9])")
# Without a + only the North American form is told from other numbers.
_LOCAL_PHONE = re.compile(
    r"[(0-9](?<![\w.+-].)(?:(?<=1)[ .-](?:\([0-9]{3}\) ?|[0-9]{3}[ .-])|(?<=\()[0-9]{3}\) ?|(?<=[0-9])[0-9]{2}[ .-])"
    r"[0-9]{3}[ .-][0-9]{4}(?![\w-])"
)
_CARD = re.compile(
    r"[2-6](?<![0-9.].)(?:[0-9]{12,18}"
    r"|[0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}"
    r"|[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5})(?![0-9])"
)
_SSN = re.compile(r"[0-8](?<![\w-].)[0-9]{2}(?<!000)(?<!666)-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])")
_V4 = re.compile(r"[0-9](?<![\w.].)[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?!\w|\.[0-9])")
_V6 = re.compile(r"[0-9A-Fa-f:](?<![\w:.].)[0-9A-Fa-f:]{2,38}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:]|\.[0-9])")
_MASK = re.compile(rf"\[(?:{'|'.join(kind.upper() for kind in KINDS)})_[0-9]{{1,9}}\]")
LONGEST_MASK = len("[CREDIT_CARD_999999999]")


class Finder(NamedTuple):
    """`hint` is in every text that has one, and a digit if it is made of `digits`; `valid` judges a candidate."""

    kind: Kind
    hint: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool] | None = None
    digits: bool = True


def luhn(text: str) -> bool:
    """Say whether the digits of a card number add up (ISO/IEC 7812-1)."""
    digits = [int(char) for char in text if char in "0123456789"]
    doubled = sum(digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + doubled) % 10 == 0


def _is_ipv4(text: str) -> bool:
    return all(int(group) <= 255 for group in text.split("."))


def _is_ipv6(text: str) -> bool:
    """Say whether it is an address (RFC 4291 §2.2); a hundred thousand of them are asked in a hostile text."""
    if not text.strip(":ABCDEFabcdef"):  # `de::ad`, without a digit, is a path in a program
        return False
    halves = text.split("::")
    groups = [group for half in halves if half for group in half.split(":")]
    size = len(groups)
    if "." in text:
        if not _is_ipv4(groups[-1]):
            return False
        groups[-1] = ""
        size += 1
    if len(halves) > 2 or (size != 8 if len(halves) == 1 else size > 7):
        return False
    lengths = [*map(len, groups)]
    return max(lengths) <= 4 and lengths.count(0) == ("." in text)


@cache
def _finders() -> tuple[Finder, ...]:
    from setu.cassette.redact_shapes import SHAPES  # forty patterns to compile, for whoever masks

    keys = (Finder("api_key", shape.hint, shape.pattern, digits=False) for shape in SHAPES)
    return (*keys, *_FINDERS)


_FINDERS: tuple[Finder, ...] = (
    Finder("email", "@", _EMAIL, digits=False),
    Finder("ipv6", ":", _V6, _is_ipv6),
    Finder("ipv4", ".", _V4, _is_ipv4),
    Finder("credit_card", "", _CARD, luhn),
    Finder("ssn", "-", _SSN),
    Finder("phone", "+", _PHONE),
    Finder("phone", "", _LOCAL_PHONE),
)
_DIGIT = re.compile("[0-9]")


Found = tuple[int, int, Kind]
"""Where a value starts and ends, and what it is."""


def find(text: str, kinds: Collection[Kind] = KINDS) -> list[Found]:
    """Return what a text holds, in order, without overlaps."""
    found: list[Found] = []
    taken = bytearray()
    numbered = _DIGIT.search(text) is not None
    for finder in _finders():
        if finder.hint not in text or finder.kind not in kinds or (finder.digits and not numbered):
            continue
        for start, end in _spans(finder, text):
            taken = taken or bytearray(len(text))
            if taken.find(1, start, end) < 0:
                taken[start:end] = b"\x01" * (end - start)
                found.append((start, end, finder.kind))
    found.sort()
    return found


def _spans(finder: Finder, text: str) -> Iterator[tuple[int, int]]:
    group = "secret" if "secret" in finder.pattern.groupindex else 0
    at = 0
    while (match := finder.pattern.search(text, at)) is not None:
        if finder.valid is None or finder.valid(match[0]):
            yield match.span(group)
            at = match.end()
        else:
            at = match.start() + 1  # a number before a card must not swallow its first group


def masks_in(text: str) -> frozenset[str]:
    """Return what already looks like a mask, and must not be taken for one of ours."""
    return frozenset(_MASK.findall(text)) if "_" in text else frozenset()


class Masker:
    """Masks the texts of one request; `reserved` are masks that some text of it already holds."""

    def __init__(self, kinds: Collection[Kind] = KINDS, reserved: Collection[str] = ()) -> None:
        self._kinds = frozenset(kinds)
        self._reserved = reserved
        self._masks: dict[str, str] = {}
        self._counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)

    @property
    def table(self) -> Mapping[str, str]:
        """Return the values by their masks."""
        return {mask: value for value, mask in self._masks.items()}

    @property
    def found(self) -> tuple[Kind, ...]:
        """Return the kinds that were found."""
        return tuple(kind for kind in KINDS if self._counts[kind])

    def mask(self, text: str) -> str:
        """Replace every value by its mask; the same text where there is none."""
        found = find(text, self._kinds)
        if not found:
            return text
        pieces: list[str] = []
        at = 0
        for start, end, kind in found:
            pieces += [text[at:start], self._mask(text[start:end], kind)]
            at = end
        return "".join([*pieces, text[at:]])

    def _mask(self, value: str, kind: Kind) -> str:
        mask = self._masks.get(value)
        while mask is None:
            self._counts[kind] += 1
            candidate = f"[{kind.upper()}_{self._counts[kind]}]"
            mask = None if candidate in self._reserved else candidate
        self._masks[value] = mask
        return mask


def mask(text: str, kinds: Collection[Kind] = KINDS) -> tuple[str, Mapping[str, str]]:
    """Return a text with masks, and what they stand for."""
    masker = Masker(kinds, masks_in(text))
    return masker.mask(text), masker.table


def unmask(text: str, table: Mapping[str, str]) -> str:
    """Put the values back; a mask that nobody made stays."""
    return _MASK.sub(lambda found: table.get(found[0], found[0]), text) if "[" in text else text


def tail_of(text: str, table: Mapping[str, str]) -> str:
    """Return the end of a text that may be the beginning of one of the masks; at most a mask without its bracket."""
    at = text.rfind("[", -LONGEST_MASK)
    tail = text[at:] if at >= 0 else ""
    return tail if tail and any(mask.startswith(tail) and mask != tail for mask in table) else ""
