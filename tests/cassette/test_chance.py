from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.chance import choose, token, unit


@given(st.lists(st.integers() | st.text(), max_size=3))
def test_chance_depends_on_what_it_is_about_and_on_nothing_else(about) -> None:
    assert 0 <= unit(*about) < 1
    assert unit(*about) == unit(*about)
    assert choose("abc", *about) in "abc"


def test_numbers_are_spread_evenly() -> None:
    drawn = [unit("x", n) for n in range(2000)]

    assert all(150 < sum(step / 10 <= value < (step + 1) / 10 for value in drawn) < 250 for step in range(10))


def test_what_it_is_about_is_told_apart() -> None:
    assert len({unit("a", 1), unit("a1"), unit("a", "1"), unit("a")}) == 4


def test_tokens_have_the_size_that_is_asked_for() -> None:
    assert [len(token(size, "x")) for size in (1, 7, 32)] == [1, 7, 32]
    assert token(32, "x") != token(32, "y")
