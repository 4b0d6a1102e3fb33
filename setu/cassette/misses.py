"""Why no recording answers a request: the nearest one, and where the two part.

The nearest shares the longest beginning of the conversation, found through hash chains in one look-up a message;
words in common decide between equals.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from setu.cassette.match import Canonical, chain_of, conversation

MAX_LINES = 40

_WORD = re.compile(r"\w+")
_MAX_COMPARED = 500
_MAX_TEXT = 20_000
"""Characters of a request whose words are compared; a miss must be explained before its client gives up."""

_WINDOW = 120
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "(absent)"})()


class Difference(NamedTuple):
    """Where two requests differ: a JSON pointer into the body (or a word such as `path`) and both values."""

    pointer: str
    recorded: Any
    asked: Any


class Neighbours:
    """Recordings by the beginnings of their conversations."""

    def __init__(self, recordings: Sequence[Canonical]) -> None:
        self._recordings = recordings
        self._by_prefix: dict[bytes, list[int]] = {}
        self._words: dict[int, frozenset[str]] = {}
        for index, canonical in enumerate(recordings):
            for step in chain_of(canonical):
                self._by_prefix.setdefault(step.digest, []).append(index)

    def nearest(self, asked: Canonical, limit: int = 3) -> list[int]:
        """Return the indices of the nearest recordings, best first."""
        found: list[int] = []
        for step in reversed(chain_of(asked)):
            level = [index for index in self._by_prefix.get(step.digest, ()) if index not in found]
            found += self._by_likeness(asked, level)
            if len(found) >= limit:
                return found[:limit]
        rest = [index for index in range(len(self._recordings)) if index not in found]
        return (found + self._by_likeness(asked, rest))[:limit]

    def _by_likeness(self, asked: Canonical, indices: list[int]) -> list[int]:
        words = _words(asked)

        def likeness(index: int) -> float:
            other = self._words.get(index)
            if other is None:
                other = self._words[index] = _words(self._recordings[index])
            return len(words & other) / max(len(words | other), 1)

        return sorted(indices[:_MAX_COMPARED], key=likeness, reverse=True)


def differences(recorded: Canonical, asked: Canonical) -> list[Difference]:
    """Return where the requests differ: the conversation first, then the rest of the body, then the head."""
    found = list(_differences(recorded.body, asked.body, ""))
    spoken = {pointer.split("/")[1] for body in (recorded.body, asked.body) for pointer in _conversation(body)}
    first: list[Difference] = []
    rest: list[Difference] = []
    for difference in found:
        lead = difference.pointer.split("/")[1:2]
        (first if lead and lead[0] in spoken else rest).append(difference)
    heads = [
        Difference(key, value, asked.head[key]) for key, value in recorded.head.items() if value != asked.head[key]
    ]
    return first + rest + heads


def explain(place: str, recorded: Canonical, asked: Canonical) -> list[str]:
    """Return the lines that say how a request differs from the recording at `place`."""
    found = differences(recorded, asked)
    lines = [f"nearest recording: {place}"]
    if found:
        lines.append(f"first difference: {found[0].pointer or 'the body'}")
    room = MAX_LINES - 8
    for difference in found[: room // 3]:
        lines.append(f"  {difference.pointer or 'the body'}")
        lines += [f"  - {shown(difference.recorded, difference.asked)}"]
        lines += [f"  + {shown(difference.asked, difference.recorded)}"]
    if len(found) > room // 3:
        lines.append(f"  and {len(found) - room // 3} more differences")
    return lines


def _conversation(body: Any) -> list[str]:
    return [pointer for pointer, _ in conversation(body)] if isinstance(body, Mapping) else []


def _differences(recorded: Any, asked: Any, pointer: str) -> Iterator[Difference]:
    if isinstance(recorded, dict) and isinstance(asked, dict):
        for key in sorted(recorded.keys() | asked.keys()):
            step = key.replace("~", "~0").replace("/", "~1")
            yield from _differences(recorded.get(key, ABSENT), asked.get(key, ABSENT), f"{pointer}/{step}")
    elif isinstance(recorded, list) and isinstance(asked, list):
        for index in range(max(len(recorded), len(asked))):
            ours = recorded[index] if index < len(recorded) else ABSENT
            theirs = asked[index] if index < len(asked) else ABSENT
            yield from _differences(ours, theirs, f"{pointer}/{index}")
    elif type(recorded) is not type(asked) or recorded != asked:
        yield Difference(pointer, recorded, asked)


def shown(value: Any, other: Any) -> str:
    """Return a value as JSON on one line; of a long one the part where it starts to differ from the other."""
    if value is ABSENT:
        return repr(value)
    text, beside = (json.dumps(each, ensure_ascii=False) if each is not ABSENT else "" for each in (value, other))
    if len(text) <= _WINDOW:
        return text
    same = next((at for at, pair in enumerate(zip(text, beside, strict=False)) if pair[0] != pair[1]), 0)
    start = max(min(same - _WINDOW // 3, len(text) - _WINDOW), 0)
    cut = text[start : start + _WINDOW]
    return f"{'…' if start else ''}{cut}{'…' if start + _WINDOW < len(text) else ''}"


def _words(canonical: Canonical) -> frozenset[str]:
    return frozenset(_WORD.findall(json.dumps(canonical, default=repr)[:_MAX_TEXT]))
