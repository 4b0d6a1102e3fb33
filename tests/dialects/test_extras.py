import pytest

from setu import _json
from setu._json import Raw
from setu.chat.seals import Extra
from setu.dialects.extras import dump, give_back, known, merge, put_back
from setu.dialects.reader import Obj
from setu.dialects.record import Loss

OWN = Extra(dialect="mine", members={"odd": b"1"})


def test_a_dialects_own_members_go_back_and_anothers_are_losses() -> None:
    losses: list[Loss] = []
    wire = {"known": 0}

    give_back(wire, OWN, "mine", ("messages", 0), losses)
    give_back(wire, Extra(dialect="theirs", members={"a/b": b"2"}), "mine", ("messages", 0), losses)

    assert _json.encode(wire) == b'{"known":0,"odd":1}'
    assert [(loss.pointer, loss.reason) for loss in losses] == [("/messages/0/a~1b", "only theirs knows this member")]


@pytest.mark.parametrize(("extra", "members"), [(OWN, {"odd": b"1"}), (None, {})])
def test_no_extra_has_no_members(extra: Extra | None, members: dict[str, bytes]) -> None:
    assert known(extra, "mine") == members
    assert known(extra, "theirs") == {}


def test_objects_merge_and_what_is_there_stays() -> None:
    wire = {"a": {"x": 1}, "b": 2}

    merge(wire, {"a": b'{"x":9,"y":3}', "b": b"9", "c": b"4"})

    assert _json.encode(wire) == b'{"a":{"x":1,"y":3},"b":2,"c":4}'


def test_what_is_left_of_a_nested_object_belongs_to_its_parent() -> None:
    parent = Obj(b'{"inner":{"read":1,"odd":2.50}}')
    inner = parent.obj("inner")
    assert inner is not None
    inner.raw("read")

    put_back(parent, "inner", inner)

    assert parent.members == {"inner": b'{"odd":2.50}'}


@pytest.mark.parametrize("half", ["\ud83d", "a\udca4b"])
def test_half_of_a_surrogate_pair_goes_out_as_the_escape_it_came_as(half: str) -> None:
    written = dump({"text": half, "list": [half, 1], "kept": Raw(b"1.50")})

    assert b"\\ud" in written
    assert b"1.50" in written
    assert written.isascii()
