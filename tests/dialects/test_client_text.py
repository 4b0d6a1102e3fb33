import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.dialects.client_text import check_text
from setu.errors import LocalDialectError


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a":"\xff"}', "not valid UTF-8 at byte 6"),
        (rb'{"a":"\ud83d"}', "not valid JSON"),
        (rb'{"a":"\udca4\ud83d"}', "not valid JSON"),
        (rb'{"a":\ud83d}', "not valid JSON"),
    ],
)
def test_text_that_cannot_be_written_again_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(LocalDialectError, match=message):
        check_text(body)


@given(st.dictionaries(st.text(), st.text()))
def test_any_text_of_whole_characters_passes(value: dict[str, str]) -> None:
    check_text(_json.encode(value))
