"""Legal requests with one node replaced by anything: what a fuzzer sends, but deep inside."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["auto", "any", "object", "#", "#/x", "text", "function", "tool", "1e400", [], {}, [[]], [None], 0, -1]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def mutations(whole: Any) -> st.SearchStrategy[Any]:
    """One node of a document replaced, or removed with its key."""
    places = list(_places(whole))
    return st.builds(_replaced, st.just(whole), st.sampled_from(places), JSON_VALUES, st.booleans())


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        yield from _places(inner, (*at, key))


def _replaced(whole: Any, place: tuple[Any, ...], value: Any, remove: bool) -> Any:
    changed = copy.deepcopy(whole)
    owner = changed
    for step in place[:-1]:
        owner = owner[step]
    if remove:
        del owner[place[-1]]
    else:
        owner[place[-1]] = value
    return changed
