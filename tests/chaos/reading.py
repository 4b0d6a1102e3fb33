"""What a client makes of the bytes that it got: a definite outcome, or a finding."""

import json
from collections.abc import Collection
from typing import NamedTuple

from tests.chaos.upstream import said


class Read(NamedTuple):
    """`ok`, `error` (a status), `broken` (an error event after content), `lost`, which must never be: `why` says how."""

    outcome: str
    status: int = 0
    why: str = ""


def read(answer: bytes, nonce: str, *, stream: bool, proxied: Collection[int] = ()) -> Read:
    """Judge a whole answer; `proxied` are statuses that a proxy may give in its own words."""
    status, fields, rest = head_of(answer)
    if not status:
        return Read("lost", why=f"no head: {answer[:80]!r}")
    body = dechunked(rest) if b"transfer-encoding: chunked" in fields.lower() else rest
    if body is None:
        return Read("lost", status, "the connection broke without a word")
    if status in proxied:
        return Read("error", status)
    if status != 200:
        return Read("error", status) if b'"error"' in body else Read("lost", status, f"no error in: {body[:80]!r}")
    return _streamed(body, nonce) if stream else _whole(body, nonce)


def head_of(answer: bytes) -> tuple[int, bytes, bytes]:
    """Return status, fields and what follows; a status of 0 where the head is not whole."""
    head, end, rest = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if not end or len(words) < 2 or not words[1].isdigit():
        return 0, b"", b""
    return int(words[1]), head, rest


def dechunked(data: bytes) -> bytes | None:
    """Undo the chunked coding; None where its end is missing."""
    pieces: list[bytes] = []
    while True:
        size, mark, data = data.partition(b"\r\n")
        if not mark:
            return None
        length = int(size, 16)
        if length == 0:
            return b"".join(pieces)
        if len(data) < length + 2:
            return None
        pieces.append(data[:length])
        data = data[length + 2 :]


def _whole(body: bytes, nonce: str) -> Read:
    try:
        text = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError):
        return Read("lost", 200, f"no answer: {body[-80:]!r}")
    right = text == "".join(said(nonce))
    return Read("ok" if right else "lost", 200, "" if right else f"another answer: {text[:60]!r}")


def _streamed(body: bytes, nonce: str) -> Read:
    text, finished, done, broken = "", False, False, False
    for line in body.split(b"\n"):
        if not line.startswith(b"data: "):
            continue
        if done or broken:
            return Read("lost", 200, f"something after the end: {line[:80]!r}")
        if line == b"data: [DONE]":
            done = True
            continue
        event = json.loads(line[6:])
        if "error" in event:
            broken = True
            continue
        for choice in event["choices"]:
            text += choice["delta"].get("content") or ""
            finished = finished or choice["finish_reason"] is not None
    return _ended(text, "".join(said(nonce)), finished=finished, done=done, broken=broken)


def _ended(text: str, expected: str, *, finished: bool, done: bool, broken: bool) -> Read:
    if not expected.startswith(text):
        return Read("lost", 200, f"not what was said: {text!r}")
    if broken:
        return Read("lost", 200, "an error after the end") if finished else Read("broken", 200)
    if not (done and finished):
        return Read("lost", 200, f"a stream that only stopped: {text!r}")
    return Read("ok", 200) if text == expected else Read("lost", 200, f"complete, but cut: {text!r}")
