import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.spots import fits, pointer_at, strings

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def pointers(value: Any, at: str = "") -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(at, value)]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in pointers(item, f"{at}/{index}")]
    if isinstance(value, dict):
        steps = ((json.dumps(key)[1:-1].replace("~", "~0").replace("/", "~1"), item) for key, item in value.items())
        return [found for step, item in steps for found in pointers(item, f"{at}/{step}")]
    return []


@given(VALUES, st.sampled_from([None, 2]))
def test_every_string_value_is_found_with_its_pointer(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)

    found = [(spot.pointer, json.loads(f'"{text[spot.start : spot.end]}"')) for spot in strings(text)]

    assert found == pointers(value)


def test_the_events_of_a_stream_are_passed_through() -> None:
    text = 'event: a\ndata: {"a":["x",{"b":"y"}]}\n\ndata: [DONE]\n\ndata: {"a":["z"]}\n\n'

    assert [spot.pointer for spot in strings(text)] == ["/a/0", "/a/1/b", "/a/0"]
    assert pointer_at(text, text.index("y")) == "/a/1/b"
    assert pointer_at(text, text.index("event")) == ""
    assert pointer_at(text, len(text)) == ""


@given(st.text('"\\{}[],:a\n', max_size=40))
def test_any_text_is_searched(text: str) -> None:
    assert all(spot.start <= spot.end <= len(text) for spot in strings(text))


def test_a_star_is_any_one_step() -> None:
    assert fits("/tools/0/headers/X", "/tools/*/headers/*")
    assert not fits("/tools/0/headers/X/y", "/tools/*/headers/*")
    assert not fits("/tools/0/header/X", "/tools/*/headers/*")
