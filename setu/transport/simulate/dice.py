"""Choices that look arbitrary and never change: a stream of numbers that is a pure function of its seed."""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def digest(value: Any, salt: str = "") -> bytes:
    """Hash a JSON value; the order of keys does not matter.

    Raises:
        UnicodeEncodeError: a string holds a lone surrogate.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode() + salt.encode(), digest_size=32).digest()


class Dice:
    """A deterministic source of choices: the same seed gives the same throws, in order."""

    __slots__ = ("_count", "_seed")

    def __init__(self, seed: bytes, salt: str = "") -> None:
        self._seed = hashlib.blake2b(seed + salt.encode(), digest_size=32).digest()
        self._count = 0

    def below(self, limit: int) -> int:
        """Return an integer of 0 … limit - 1."""
        self._count += 1
        block = hashlib.blake2b(self._seed + self._count.to_bytes(8, "big"), digest_size=8).digest()
        return int.from_bytes(block, "big") % limit

    def between(self, low: int, high: int) -> int:
        """Return an integer of low … high, both included."""
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def chance(self, one_in: int) -> bool:
        return self.below(one_in) == 0

    def token(self, length: int) -> str:
        """Return letters and digits, as identifiers have them."""
        return "".join(self.pick(_ALPHABET) for _ in range(length))

    def hexadecimal(self, length: int) -> str:
        return "".join(self.pick("0123456789abcdef") for _ in range(length))

    def base64(self, size: int) -> str:
        """Return `size` bytes as base64 text, as signatures come."""
        return base64.b64encode(bytes(self.below(256) for _ in range(size))).decode()
