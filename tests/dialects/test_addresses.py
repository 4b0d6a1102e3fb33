import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.parts import Inline, Url
from setu.dialects.addresses import address, source_of


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("data:image/png;base64,AAAA", Inline(b64="AAAA", mime="image/png")),
        ("data:;base64,AAAA", Inline(b64="AAAA", mime="")),
        ("data:text/plain,hello", Url(url="data:text/plain,hello")),
        ("https://x.test/a.png", Url(url="https://x.test/a.png")),
    ],
)
def test_a_base64_data_url_is_media_in_the_request_itself(url: str, source: Inline | Url) -> None:
    assert source_of(url) == source


@given(st.binary(max_size=20), st.sampled_from(["image/png", "application/pdf"]))
def test_what_is_written_as_an_address_is_read_from_it(data: bytes, mime: str) -> None:
    source = Inline(b64=data.hex(), mime=mime)

    assert source_of(address(source)) == source
