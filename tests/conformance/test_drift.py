"""Two descriptions of a value: what counts as a difference, and how it is said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.conformance.drift import ANY, Difference, Side, compare, intentions, unexplained


def side(name: str, schema: dict[str, Any], *, nulls: bool = True) -> Side:
    return Side(name=name, schema=schema, root=schema, nulls=nulls)


def parted(mine: dict[str, Any], theirs: dict[str, Any], **options: bool) -> list[str]:
    found = compare(side("mine", mine, **options), side("theirs", theirs, **options))
    return [str(one) for one in found]


def an_object(*required: str, **members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": members}


TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        (an_object(a=TEXT), an_object(), []),  # an object that says nothing has nothing to compare
        (an_object(a=TEXT), an_object(b=TEXT), ["theirs member lacks 'a' that mine has", "mine member lacks 'b' that theirs has"]),
        (an_object("a", a=TEXT), an_object(a=TEXT), ["theirs required lacks 'a' that mine has"]),
        (an_object(a=TEXT), an_object(a=WHOLE), ["theirs.a type lacks 'string' that mine has", "mine.a type lacks 'integer' that theirs has"]),
        (an_object(a=NUMBER), an_object(a={"type": ["integer", "number"]}), []),  # every integer is a number
        (an_object(a={"enum": ["x"]}), an_object(a={"enum": ["x", "y"]}), ["mine.a value lacks 'y' that theirs has"]),
        (an_object(a={"enum": ["x"]}), an_object(a=TEXT), [f"mine.a value lacks '{ANY}' that theirs has"]),
        (an_object(a={"anyOf": [TEXT, {"const": "x"}]}), an_object(a=TEXT), []),  # open sets, whatever they name
        (an_object(a={}), an_object(a=TEXT), []),
        (an_object(a={"type": "array", "items": TEXT}), an_object(a={"type": "array", "items": WHOLE}), [
            "theirs.a[] type lacks 'string' that mine has",
            "mine.a[] type lacks 'integer' that theirs has",
        ]),
    ],
)  # fmt: skip
def test_a_difference_names_who_lacks_what(mine: dict[str, Any], theirs: dict[str, Any], said: list[str]) -> None:
    assert sorted(parted(mine, theirs)) == sorted(said)


def test_null_counts_where_both_mean_it_or_both_require_the_member() -> None:
    loose, bare = an_object(a={"type": ["string", "null"]}), an_object(a=TEXT)
    needed = an_object("a", a={"type": ["string", "null"]})

    assert parted(loose, bare) == ["theirs.a type lacks 'null' that mine has"]
    assert parted(loose, bare, nulls=False) == []
    assert parted(needed, an_object("a", a=TEXT), nulls=False) == ["theirs.a type lacks 'null' that mine has"]


def kinds(**members: Any) -> dict[str, Any]:
    return {"anyOf": [an_object("type", type={"const": name}, **inner) for name, inner in members.items()]}


def test_kinds_are_compared_by_their_tag() -> None:
    mine, theirs = kinds(a={"x": TEXT}, b={"y": TEXT}), kinds(b={"y": WHOLE}, c={"z": TEXT})

    assert sorted(parted(mine, theirs)) == [
        "mine.type value lacks 'c' that theirs has",
        "mine<b>.y type lacks 'integer' that theirs has",
        "theirs.type value lacks 'a' that mine has",
        "theirs<b>.y type lacks 'string' that mine has",
    ]


def test_a_kind_for_all_others_excuses_those_that_are_not_listed() -> None:
    mine = kinds(a={"x": TEXT})
    mine["anyOf"].append(an_object("type", type={"type": "string", "not": {"const": "a"}}))

    assert parted(mine, kinds(a={"x": TEXT}, b={"y": TEXT})) == []


def test_a_recursive_description_comes_to_an_end() -> None:
    tree = {"$defs": {"tree": an_object(child={"$ref": "#/$defs/tree"}, leaf=TEXT)}, "$ref": "#/$defs/tree"}
    other = {"$defs": {"tree": an_object(child={"$ref": "#/$defs/tree"}, leaf=WHOLE)}, "$ref": "#/$defs/tree"}

    assert "mine.leaf type lacks 'integer' that theirs has" in parted(tree, other)


TOML = """
[[intended]]
lacks = "mine"
has = "their*"
place = ".a[]*"
what = "{what}"
reason = "for the sake of it"
"""


def test_a_reason_covers_its_difference_and_is_stale_without_one() -> None:
    found = [Difference(place=".a[].b", aspect="member", what="c", lacks="mine", has="theirs")]

    covered = unexplained(found, intentions(TOML.format(what="c")))
    missed = unexplained(found, intentions(TOML.format(what="d")))

    assert covered == ([], [])
    assert missed == (found, intentions(TOML.format(what="d")))


LEAVES = st.sampled_from([TEXT, WHOLE, {"enum": ["x", "y"]}, {"type": ["string", "null"]}, {}])
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner).map(lambda members: an_object(*members, **members)),
    max_leaves=6,
)


@given(SCHEMAS, SCHEMAS)
def test_nothing_parts_from_itself_and_both_ways_say_the_same(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    forth = compare(side("one", mine), side("two", theirs))
    back = compare(side("two", theirs), side("one", mine))

    assert compare(side("one", mine), side("two", mine)) == []
    assert forth == back
