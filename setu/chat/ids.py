"""Identifiers that wire formats demand and sources forget."""

import hashlib
from collections.abc import Callable

Mint = Callable[[str], str]
"""Returns a fresh identifier for a prefix; handed in, so that tests and replays repeat."""


def counter(start: int = 1) -> Mint:
    """Return a mint that counts: `call_1`, `call_2`, … each over all prefixes."""
    count = start - 1

    def mint(prefix: str) -> str:
        nonlocal count
        count += 1
        return f"{prefix}{count}"

    return mint


def bounded(call_id: str, *, prefix: str, length: int, legal: frozenset[str]) -> str:
    """Return the id itself if the target takes it, else a digest of it: the same for a call and its result."""
    if 0 < len(call_id) <= length and legal.issuperset(call_id):
        return call_id
    digest = hashlib.blake2b(call_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return (prefix + digest)[:length]
