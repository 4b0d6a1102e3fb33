"""Chance that can be repeated: numbers that depend on a seed and on what they are for, and on nothing else."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_BYTES = 8


def unit(*about: object) -> float:
    """Return a number from 0 up to but not 1."""
    # 53 bits are what a float holds exactly; the other 11 could round a number up to 1.
    return (int.from_bytes(_digest(about, _BYTES)) >> 11) / 2**53


def choose(options: Sequence[T], *about: object) -> T:
    return options[int(unit(*about) * len(options))]


def token(size: int, *about: object) -> str:
    """Return `size` hex digits, at most 128."""
    return _digest(about, (size + 1) // 2).hex()[:size]


def _digest(about: tuple[object, ...], size: int) -> bytes:
    return blake2b("\n".join(map(repr, about)).encode(), digest_size=size).digest()
