"""The page about redaction says what the tables say."""

from setu.cassette.redact_names import POINTERS
from setu.cassette.redact_shapes import SHAPES
from tests.docs.redaction import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.docs.redaction"


def test_every_pointer_and_shape_is_on_the_page() -> None:
    text = page()

    assert [each.pointer for each in POINTERS if f"`{each.pointer}`" not in text] == []
    assert [shape.name for shape in SHAPES if shape.name not in text] == []
