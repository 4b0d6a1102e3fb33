"""Media as Converse's blocks, and document names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.parts import Blocks, Inline, Media, Plain, Ref, Text, Url
from setu.dialects.bedrock.media import Names
from setu.errors import LocalDialectError
from tests.dialects.bedrock.wire import body, rendered, user

PDF = "JVBERi0xLjEKJSVFT0YK"


def _document(name: str | None = None, **fields) -> Media:
    return Media(kind="document", source=Inline(b64=PDF, mime="application/pdf"), name=name, **fields)


@given(st.lists(st.one_of(st.none(), st.text(max_size=230), st.sampled_from(["a.pdf", "a", "A.PDF"])), max_size=6))
def test_document_names_are_legal_and_unique(names) -> None:
    """B-MED-08."""
    picker = Names()

    picked = [picker.pick(name) for name in names]

    assert len(set(picked)) == len(picked)
    assert all(re.fullmatch(r"(?!.*\s\s)[a-zA-Z0-9\s\-()\[\]]{1,200}", name) for name in picked)


@pytest.mark.parametrize(
    ("given_name", "wire"),
    [("John's report.pdf", "John s report"), ("v1.2 plan", "v1 2 plan"), (None, "document"), ("отчёт.pdf", "document")],
)
def test_document_names_stay_readable(given_name, wire) -> None:
    assert Names().pick(given_name) == wire


def test_a_turn_of_documents_alone_gets_a_text() -> None:
    """B-MED-06."""
    made, losses = rendered(user(_document("plan.pdf")))

    assert made["messages"][0]["content"][1] == {"text": "plan"}
    assert [(loss.pointer, loss.severity) for loss in losses] == [("/messages/0", "info")]
    assert len(body(user(_document(), "Read."))["messages"][0]["content"]) == 2


def test_a_document_keeps_context_and_citations() -> None:
    made = body(user(_document("a", context="old", cited=True), "Read."))

    assert made["messages"][0]["content"][0]["document"] == {
        "name": "a",
        "format": "pdf",
        "source": {"bytes": PDF},
        "context": "old",
        "citations": {"enabled": True},
    }


@pytest.mark.parametrize(
    ("media", "kind", "form"),
    [
        (Media(kind="image", source=Inline(b64="/9j/4AAQ", mime="image/png")), "image", "jpeg"),
        (Media(kind="image", source=Inline(b64=PDF, mime="image/png")), "document", "pdf"),
        (Media(kind="document", source=Inline(b64="YSxi", mime="text/plain"), name="t.csv"), "document", "csv"),
        (
            Media(kind="document", source=Inline(b64="YSxi", mime="application/octet-stream"), name="t.docx"),
            "document",
            "docx",
        ),
        (Media(kind="document", source=Inline(b64="YSxi", mime="text/x-python")), "document", "txt"),
        (Media(kind="video", source=Inline(b64="AAAA", mime="video/3gpp")), "video", "three_gp"),
        (Media(kind="audio", source=Inline(b64="AAAA", mime="audio/x-wav")), "audio", "wav"),
        (Media(kind="document", source=Plain(text="x")), "document", "txt"),
        (Media(kind="image", source=Url(url="s3://bkt/a.jpg")), "image", "jpeg"),
        (Media(kind="video", source=Url(url="s3://bkt/a", mime="video/mp4")), "video", "mp4"),
    ],
)
def test_bytes_are_labelled_as_what_they_are(media, kind, form) -> None:
    """B-MED-01, B-MED-02, B-MED-07."""
    made = body(user(media, "Look."))

    assert made["messages"][0]["content"][0][kind]["format"] == form


def test_a_document_of_parts_is_its_texts() -> None:
    made = body(user(Media(kind="document", source=Blocks(parts=(Text(text="a"), Text(text="b"))), name="d"), "Read."))

    assert made["messages"][0]["content"][0] == {
        "document": {"name": "d", "source": {"content": [{"text": "a"}, {"text": "b"}]}}
    }


def test_a_url_needs_its_bytes_fetched() -> None:
    """B-MED-03."""
    url = Media(kind="image", source=Url(url="https://h/cat.png"))

    made = body(user(url, "Look."), media={"https://h/cat.png": Inline(b64="R0lGODlh", mime="image/png")})

    assert made["messages"][0]["content"][0] == {"image": {"format": "gif", "source": {"bytes": "R0lGODlh"}}}


@pytest.mark.parametrize(
    "source",
    [
        Url(url="https://h/cat.png"),
        Ref(issuer="gemini", id="f"),
        Inline(b64="AAAA", mime="application/zip"),
        Url(url="s3://b/x"),
    ],
)
def test_media_that_cannot_be_sent_are_a_400_that_names_them(source) -> None:
    """B-MED-05."""
    with pytest.raises(LocalDialectError) as caught:
        rendered(user("Look.", Media(kind="image", source=source)))

    assert (caught.value.param, caught.value.code) == ("messages[0].content[1]", "unsupported_media")


def test_what_media_cannot_say_is_an_info() -> None:
    media = Media(kind="image", source=Inline(b64="/9j/4AAQ", mime="image/jpeg"), detail="high", clip=b"{}")

    _, losses = rendered(user(media, "Look."))

    assert [loss.severity for loss in losses] == ["info", "info"]
