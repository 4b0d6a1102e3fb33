"""The audit log as text: one JSON object a line, each of which holds the hash of the line before it.

A line's `hash` is the SHA-256 of the line without it, so a line cannot be changed, dropped or moved without breaking
the chain. Whoever may write the file can forge a whole new chain, or drop its end: a hash noted elsewhere (the head
that `setu audit verify` prints) shows either.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

import msgspec

from setu import _json
from setu.cassette.redact import redact_text

GENESIS = "0" * 64
"""What stands for the hash before the first line."""

_HASHED = re.compile(rb',"hash":"([0-9a-f]{64})"\}')
_TAIL = len(b',"hash":""}') + 64
_LONGEST = 500
Detail = str | int | float | bool | tuple[str, ...] | None


class Auditor(Protocol):
    """Takes what happened; never fails, and never waits for long."""

    def note(self, event: str, actor: str = "", **details: Detail) -> None: ...


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line as read; `ts` is in UTC (RFC 3339)."""

    seq: int
    ts: str
    event: str
    actor: str
    details: dict[str, str | int | float | bool | list[str] | None]
    prev: str
    hash: str


class Head(msgspec.Struct, frozen=True):
    """The end of a chain: what the next line builds on."""

    seq: int = 0
    hash: str = GENESIS


class Broken(msgspec.Struct, frozen=True):
    """The first line, counted from 1, at which a chain is broken, and how."""

    line: int
    why: str


class Verdict(msgspec.Struct, frozen=True):
    """What a log proves: so many lines up to its head, or where it is broken."""

    head: Head
    broken: Broken | None = None


def entry(head: Head, now: float, event: str, actor: str, details: Mapping[str, Detail]) -> tuple[bytes, Head]:
    """Return the next line, without its line break, and the new head. Secrets are taken out, long texts cut."""
    members = {
        "seq": head.seq + 1,
        "ts": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "event": event,
        "actor": _clean(actor),
        "details": {name: _safe(value) for name, value in sorted(details.items())},
        "prev": head.hash,
    }
    body = _json.encode(members)
    digest = sha256(body).hexdigest()
    return body[:-1] + b',"hash":"%s"}' % digest.encode(), Head(head.seq + 1, digest)


def read(line: bytes) -> Entry:
    """Read one line.

    Raises:
        ValueError: it is none, or its hash is not its own; says which.
    """
    tail = _HASHED.fullmatch(line[-_TAIL:])
    if tail is None:
        raise ValueError("it is no entry")
    if sha256(line[:-_TAIL] + b"}").hexdigest().encode() != tail[1]:
        raise ValueError("it was changed: its hash is another")
    try:
        return msgspec.json.decode(line, type=Entry)
    except msgspec.DecodeError as error:
        raise ValueError(f"it is no entry: {error}") from None


def walk(lines: Iterable[bytes], seen: Callable[[str], object] = str) -> Verdict:
    """Follow a chain from its start to its end, or to where it breaks; `seen` hears each hash."""
    head = Head()
    for number, line in enumerate(lines, 1):
        try:
            found = read(line.rstrip(b"\n"))
        except ValueError as error:
            return Verdict(head, Broken(number, str(error)))
        if found.prev != head.hash or found.seq != head.seq + 1:
            return Verdict(
                head, Broken(number, "it does not follow on the line before: one was dropped, added or moved")
            )
        head = Head(found.seq, found.hash)
        seen(found.hash)
    return Verdict(head)


def verify(lines: Iterable[bytes]) -> Broken | None:
    """Return the first broken line of a log, or None."""
    return walk(lines).broken


class Damper:
    """Lets so many events of one sort through a minute and counts the others: an attacker must not fill the disk."""

    def __init__(self, most: int, window: float = 60.0) -> None:
        self._most = most
        self._window = window
        self._since = 0.0
        self._taken = 0
        self.held = 0

    def take(self, now: float) -> bool:
        """Tell whether an event may be written; if not, it is counted in `held`."""
        if not 0 <= now - self._since < self._window:
            self._since, self._taken = now, 0
        if self._taken < self._most:
            self._taken += 1
            return True
        self.held += 1
        return False

    def release(self) -> int:
        """Return how many events were held back since last asked."""
        held, self.held = self.held, 0
        return held


def _safe(value: Detail) -> Detail:
    if isinstance(value, str):
        return _clean(value)
    return tuple(_clean(each) for each in value) if isinstance(value, tuple) else value


def _clean(text: str) -> str:
    text = redact_text(text.encode("utf-8", "replace").decode())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
