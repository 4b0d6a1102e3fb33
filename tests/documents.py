"""JSON documents as text beside the value they mean: odd space, escapes and duplicate keys included."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

SPACE = st.text(" \t\r\n", max_size=3)


class Document(NamedTuple):
    """JSON text, and the value that a reader who takes the last duplicate sees."""

    text: str
    value: Any

    @property
    def data(self) -> bytes:
        return self.text.encode()


class Object(NamedTuple):
    """An object's text, its value, and every member (key, value text) in order, duplicates included."""

    text: str
    value: dict[str, Any]
    members: list[tuple[str, str]]

    @property
    def data(self) -> bytes:
        return self.text.encode()


def _plain(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _escaped(text: str) -> str:
    units = text.encode("utf-16-be")
    return '"' + "".join(f"\\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2)) + '"'


TEXT = st.text(
    st.one_of(st.sampled_from('"\\/{}[],:\n\u2028\U0001f600é '), st.characters(exclude_categories=["Cs"])), max_size=6
)
_SPELLINGS: list[Callable[[str], str]] = [json.dumps, _plain, _escaped]
STRINGS = st.tuples(TEXT, st.sampled_from(_SPELLINGS)).map(lambda pair: Document(pair[1](pair[0]), pair[0]))
INTEGERS = st.one_of(st.integers(-10, 10), st.integers(-(10**40), 10**40)).map(lambda n: Document(str(n), n))
FLOATS = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: Document(repr(x), x))
CONSTANTS = st.sampled_from([Document("true", True), Document("false", False), Document("null", None)])
SCALARS = st.one_of(STRINGS, INTEGERS, FLOATS, CONSTANTS)


def _array(draw_items: list[tuple[str, Document, str]], empty: str) -> Document:
    inner = ",".join(before + item.text + after for before, item, after in draw_items) or empty
    return Document(f"[{inner}]", [item.value for _, item, _ in draw_items])


def _object(rows: list[tuple[Document, Document, str, str, str]], empty: str) -> Object:
    inner = ",".join(f"{a}{key.text}{b}:{c}{value.text}{a}" for key, value, a, b, c in rows) or empty
    value = {key.value: value.value for key, value, *_ in rows}
    return Object(f"{{{inner}}}", value, [(key.value, value.text) for key, value, *_ in rows])


def _compound(children: st.SearchStrategy[Document]) -> st.SearchStrategy[Document]:
    arrays = st.builds(_array, st.lists(st.tuples(SPACE, children, SPACE), max_size=4), SPACE)
    return st.one_of(arrays, _objects(children).map(lambda found: Document(found.text, found.value)))


def _objects(children: st.SearchStrategy[Document]) -> st.SearchStrategy[Object]:
    keys = st.one_of(
        STRINGS, st.sampled_from([Document('"a"', "a"), Document('"\\u0061"', "a"), Document('"model"', "model")])
    )
    return st.builds(_object, st.lists(st.tuples(keys, children, SPACE, SPACE, SPACE), max_size=5), SPACE)


DOCUMENTS = st.recursive(SCALARS, _compound, max_leaves=8)
OBJECTS = st.builds(
    lambda before, found, after: Object(before + found.text + after, found.value, found.members),
    SPACE,
    _objects(DOCUMENTS),
    SPACE,
)
