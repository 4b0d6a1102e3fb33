import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.emit import emit_item, fits_literal

LOADERS = [yaml.SafeLoader, yaml.CSafeLoader]
# Everything UTF-8 can carry.
TEXT = st.text(
    st.one_of(st.sampled_from(" \t\n\r\"'#:-|>\\\u0085\u2028\ufeff😀"), st.characters(exclude_categories=["Cs"]))
)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        "a",
        "a\n",
        "a\n\n",
        "\na",
        " a\nb",
        "\n  a\n b\n",
        "a \nb",
        "a\tb\n",
        "a\r\nb\r\n",
        "a\r\n  b",
        "😀\né\n",
        "a\u2028b\n",
        "a\x85b\n",
        "\ufeffa\n",
        "--- a\n...\n",
        "# a\n- b: c\n",
        "%YAML 2.0\n",
        'say "hi"\\n\n \n',
        "true",
        "null",
        "12",
        "1e3",
        "2026-11-20",
        "~",
        "=",
        "a: b",
        "a #b",
        "{a}",
        "a, b",
        "https://x/y?z=1&a[0]=%20#f:",
    ],
)
def test_text_reads_back_exactly(loader, text) -> None:
    document = {"request": {"body": text, "headers": {"x": [text, "b"]}}, "status": {"m": text}}

    assert yaml.load("a:\n" + emit_item(document), loader) == {"a": [document]}


@pytest.mark.parametrize("loader", LOADERS)
@given(text=TEXT)
def test_any_text_reads_back_exactly(loader, text) -> None:
    document = {"a": {"b": text, "c": [text]}, "wire": {"x": text}, "d": "e"}

    assert yaml.load(emit_item(document), loader) == [document]


@pytest.mark.parametrize("loader", LOADERS)
@given(data=st.binary(max_size=300))
def test_any_bytes_read_back_exactly(loader, data) -> None:
    assert yaml.load(emit_item({"a": {"b": data}, "c": 1}), loader) == [{"a": {"b": data}, "c": 1}]


def test_a_readable_text_is_a_literal_block() -> None:
    block = emit_item({"body": {"string": 'event: a\ndata: {"x":"é😀"}\n\n'}})

    assert block == '- body:\n    string: |+\n      event: a\n      data: {"x":"é😀"}\n\n'


def test_lines_that_a_block_cannot_hold_are_quoted_one_a_line() -> None:
    block = emit_item({"body": "data: 1\r\n  tab\t\r\n"})

    assert block == '- body: "data: 1\\r\\n\\\n    \\  tab\\t\\r\\n"\n'


def test_small_facts_stand_on_one_line() -> None:
    block = emit_item(
        {"status": {"code": 200, "message": "OK"}, "headers": {"a": ["x; y=z", "1"]}, "list": [], "o": {}}
    )

    assert block == '- status: {code: 200, message: OK}\n  headers:\n    a: [x; y=z, "1"]\n  list: []\n  o: {}\n'


@pytest.mark.parametrize("text", ["", "\n", "a \n", "a ", "a\tb", "a\r", "\u2028", "\x85", "\ufeff", "\x7f", "\ud800"])
def test_texts_that_do_not_survive_a_literal_block_are_known(text) -> None:
    assert not fits_literal(text)
