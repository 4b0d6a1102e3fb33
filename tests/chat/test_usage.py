"""Usage in a stream: later reports replace field by field, and None replaces nothing."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from setu.chat.response import Usage
from setu.chat.usage import merge

COUNTS = st.one_of(st.none(), st.integers(0, 9))
USAGES = st.builds(
    Usage,
    input=COUNTS,
    output=COUNTS,
    cache_read=COUNTS,
    reasoning=COUNTS,
    total=COUNTS,
    hosted=st.sampled_from([None, {"web_search": 1}]),
    raw=st.sampled_from([None, b"{}", b'{"n":1}']),
)


@given(st.lists(USAGES, min_size=1, max_size=5))
def test_each_field_is_the_last_one_that_was_said(reports: list[Usage]) -> None:
    merged = reduce(merge, reports[1:], reports[0])

    for field in Usage.__struct_fields__:
        said = [value for report in reports if (value := getattr(report, field)) is not None]
        assert getattr(merged, field) == (said[-1] if said else None)


@given(USAGES, USAGES, USAGES)
def test_merging_is_associative(one: Usage, two: Usage, three: Usage) -> None:
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


def test_the_first_report_stands_alone() -> None:
    assert merge(None, Usage(input=1)) == Usage(input=1)


def test_zero_is_said_and_none_is_not() -> None:
    assert merge(Usage(input=5, output=5), Usage(input=0)) == Usage(input=0, output=5)
