"""Cut bytes and texts at any places: the transformation that no incremental reader may notice."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from hypothesis import strategies as st

S = TypeVar("S", bytes, str)

PLACES = st.lists(st.integers(0, 400), max_size=12)


def cut(data: S, places: Sequence[int]) -> list[S]:
    """Return the pieces of a text between the given places (modulo its length)."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]
