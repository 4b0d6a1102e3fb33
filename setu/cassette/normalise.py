"""What two requests may differ in and still be the same, because somebody said so.

Nothing here is on by default: each normaliser is asked for by name, and an answer that needed one is marked.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Literal, get_args

import msgspec

from setu.cassette.match import Canonical, conversation
from setu.errors import ConfigError

Match = Literal["exact", "normalised", "shape", "last-user", "sequence"]
"""How a recording was found; each is looser than the one before."""

Looser = Literal["exact", "shape", "last-user", "sequence"]
"""How loosely a recording may be found when nothing fits better."""

LOOSER: tuple[Looser, ...] = get_args(Looser)

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DAY = "(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AP]M)?(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
_LONG_DATE = rf"{_DAY}(?:{_MONTH} \d{{1,2}},? \d{{4}}|\d{{1,2}} {_MONTH} \d{{4}})"
_DATE = rf"\d{{4}}-\d{{2}}-\d{{2}}|{_LONG_DATE}|\d{{1,2}}/\d{{1,2}}/\d{{4}}"
_KNOWN: dict[str, re.Pattern[str]] = {
    "uuid": re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9A-Za-z])"),
    "timestamp": re.compile(rf"(?<!\d)(?:(?:{_DATE})[T ,]+(?:at )?{_CLOCK}|1[5-9]\d{{8}}(?:\.\d+|\d{{3}})?(?!\d))"),
    "date": re.compile(rf"(?<!\d)(?:{_DATE})(?!\d)"),
    "path": re.compile(
        r"(?<![\w/.:])(?:~|/(?:home|Users|tmp|var|private|root|opt|mnt|workspaces?|builds?|runner))(?:/[\w.@+~-]+)+/?"
        r"|(?<!\w)[A-Za-z]:\\(?:[\w.@+ -]+\\)*[\w.@+-]*"
    ),
}
_FORMS = ("uuid", "timestamp", "date", "path", "regex:PATTERN", "pointer:/JSON/POINTER (* is any key or index)")


class Normalisers(msgspec.Struct, frozen=True):
    """`patterns` are names and what they stand for in any text; `pointers` are members that do not count."""

    patterns: tuple[tuple[str, re.Pattern[str]], ...] = ()
    pointers: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns or self.pointers)


NONE = Normalisers()

_Numbers = dict[str, dict[str, int]]
"""By normaliser, what it found and which one that was."""


def parse_normalisers(texts: Iterable[str]) -> Normalisers:
    """Read `uuid`, `timestamp`, `date`, `path`, `regex:PATTERN` and `pointer:/a/*/b`.

    Raises:
        ConfigError: an unknown name, or a pattern that is none; names it.
    """
    patterns: list[tuple[str, re.Pattern[str]]] = []
    pointers: list[tuple[str, ...]] = []
    for text in texts:
        name, _, rest = text.partition(":")
        if name in _KNOWN and not rest:
            patterns.append((name, _KNOWN[name]))
        elif name == "regex" and rest:
            patterns.append(("text", _compiled(rest)))
        elif name == "pointer" and rest.startswith("/"):
            steps = rest[1:].split("/")
            pointers.append(tuple(step.replace("~1", "/").replace("~0", "~") for step in steps))
        else:
            raise ConfigError(f"unknown normaliser {text!r}; known are {', '.join(_FORMS)}")
    # A timestamp starts with a date: the longer one goes first, whatever order they were named in.
    patterns.sort(key=lambda pair: [*_KNOWN, "text"].index(pair[0]))
    return Normalisers(tuple(patterns), tuple(pointers))


def normalised(canonical: Canonical, normalisers: Normalisers) -> Canonical:
    """Return the request without what the normalisers take out.

    What a pattern finds becomes its name and a number, the same for the same text: exchanged values still differ.
    """
    body = canonical.body
    for steps in normalisers.pointers:
        body = _without(body, steps)
    numbers: _Numbers = {}
    head = dict(canonical.head)
    head["query"] = _texts(head["query"], normalisers, numbers)
    return Canonical(head, _texts(body, normalisers, numbers))


def loosened(canonical: Canonical, looser: Looser) -> Any:
    """Return what is left of a request to be compared, at a level of looseness."""
    match looser:
        case "exact":
            return canonical
        case "shape":
            return [canonical.head, _shape(canonical.body, "")]
        case "last-user":
            return [canonical.head, _last_user(canonical.body)]
        case "sequence":
            return [canonical.head]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"regex:{pattern} is no regular expression: {error}") from None


def _texts(value: Any, normalisers: Normalisers, numbers: _Numbers) -> Any:
    if isinstance(value, str):
        for name, pattern in normalisers.patterns:
            value = pattern.sub(partial(_placeholder, name, numbers), value)
        return value
    if isinstance(value, dict):
        return {key: _texts(item, normalisers, numbers) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item, normalisers, numbers) for item in value]
    return value


def _placeholder(name: str, numbers: _Numbers, found: re.Match[str]) -> str:
    known = numbers.setdefault(name, {})
    return f"<{name}-{known.setdefault(found.group(), len(known) + 1)}>"


def _without(value: Any, steps: tuple[str, ...]) -> Any:
    step, *rest = steps
    if isinstance(value, dict):
        named = [key for key in value if step in ("*", key)]
        if not rest:
            return {key: item for key, item in value.items() if key not in named}
        return {key: _without(item, tuple(rest)) if key in named else item for key, item in value.items()}
    if isinstance(value, list):
        met = [step == "*" or str(index) == step for index in range(len(value))]
        if not rest:
            return [item for item, out in zip(value, met, strict=True) if not out]
        return [_without(item, tuple(rest)) if into else item for item, into in zip(value, met, strict=True)]
    return value


_WORDS_THAT_SHAPE = frozenset({"model", "role", "type", "name"})


def _shape(value: Any, key: str) -> Any:
    """Keep the structure and the words that say what a thing is; drop what was said."""
    if isinstance(value, dict):
        return {name: _shape(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_shape(item, key) for item in value]
    if isinstance(value, str):
        return value if key in _WORDS_THAT_SHAPE else ""
    return type(value).__name__


def _last_user(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    said = [message for _, message in conversation(body) if isinstance(message, dict) and message.get("role") == "user"]
    return said[-1] if said else [*_strings(body)][-1:]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
