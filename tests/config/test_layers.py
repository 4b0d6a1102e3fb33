from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from setu.config.layers import Layer, dotted, leaves, merge

KEYS = st.sampled_from("abc")
TREES = st.recursive(st.integers(0, 9), lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)
TABLES = st.dictionaries(KEYS, TREES, max_size=3)


def layer(name: str, data: dict[str, Any]) -> Layer:
    return Layer(data, lambda path: f"{name}: {dotted(path)}", name)


def test_tables_are_united_and_values_replaced() -> None:
    merged = merge([layer("low", {"a": {"b": 1, "c": 2}, "d": [1]}), layer("high", {"a": {"b": 3}, "d": [2]})])

    assert merged.data == {"a": {"b": 3, "c": 2}, "d": [2]}


def test_the_last_word_on_a_key_is_known() -> None:
    merged = merge([layer("low", {"a": {"b": 1, "c": 2}}), layer("high", {"a": {"b": 3}})])
    found = [merged.layer(path) for path in (("a", "b"), ("a", "c"), ("a", "c", "0"), ("x",))]

    assert [one.source if one is not None else None for one in found] == ["high", "low", "low", None]


@given(TABLES, TABLES)
def test_everything_the_stronger_one_says_stands(low: dict[str, Any], high: dict[str, Any]) -> None:
    merged = merge([layer("low", low), layer("high", high)])
    said = dict(leaves(merged.data))

    assert dict(leaves(high)).items() <= said.items()
    assert set(said) <= {path for path, _ in (*leaves(low), *leaves(high))}
    assert all((one := merged.layer(path)) is not None and path in dict(leaves(one.data)) for path in said)


def test_a_name_that_would_break_the_line_is_quoted() -> None:
    assert dotted(("a", "b\n", "")) == r"a.'b\n'.''"
