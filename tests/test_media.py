"""What media are, by their first bytes."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.media import plain_mime, sniff, true_mime


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"GIF87a....", "image/gif"),
        (b"GIF89a....", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7....", "application/pdf"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"<svg>", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_type(data: bytes, mime: str | None) -> None:
    assert sniff(b64(data)) == mime


def test_bytes_outweigh_the_label_and_the_label_stands_where_they_say_nothing() -> None:  # B-MED-01
    assert true_mime(b64(b"\xff\xd8\xff\xe0...."), "image/png") == "image/jpeg"
    assert true_mime(b64(b"whatever"), "Image/JPG; charset=x") == "image/jpeg"


@pytest.mark.parametrize(
    ("label", "mime"), [("image/jpg", "image/jpeg"), ("TEXT/Plain;charset=utf-8", "text/plain"), ("", "")]
)
def test_a_label_is_read_by_its_registered_name(label: str, mime: str) -> None:  # B-MED-02
    assert plain_mime(label) == mime


@given(st.one_of(st.text(), st.binary().map(b64)))
def test_any_text_is_sniffed_without_a_fuss(text: str) -> None:
    assert sniff(text) in (None, "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")
