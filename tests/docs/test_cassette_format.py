"""The reference of the format names what the model has, all of it and nothing else."""

import re
from typing import Any, get_args

import msgspec
import pytest

from setu.cassette.bodies import store
from setu.cassette.model import Eol, Provenance, Recording, Side, Timing, Wire
from setu.cassette.serialize import to_document
from setu.dialects.registry import DIALECTS
from setu.http import Ending
from tests.cassette.samples import CHAT_STREAM, interaction
from tests.docs.blocks import ROOT

PAGE = ROOT / "docs" / "reference" / "cassette-format.md"


def section(name: str) -> str:
    """Return the text below a heading, up to the next one."""
    found = re.search(
        rf"^#+ {re.escape(name)}\n(.*?)(?=^#|\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None, name
    return found[1]


def rows(name: str) -> dict[str, list[str]]:
    """Return the other cells of each row of a section's table, by the first."""
    cells = [line.strip("| ").split(" | ") for line in section(name).splitlines() if line.startswith("| `")]
    return {first.strip("`"): rest for first, *rest in cells}


@pytest.mark.parametrize(("name", "model"), [("response.setu", Recording), ("wire", Wire), ("timing", Timing)])
def test_every_key_is_on_the_page_and_no_other(name: str, model: Any) -> None:
    keys = [field.encode_name for field in msgspec.structs.fields(model)]
    if model is Recording:
        keys.append("end")  # the exchange's own

    assert sorted(rows(name)) == sorted(keys)


@pytest.mark.parametrize("field", msgspec.structs.fields(Recording) + msgspec.structs.fields(Wire), ids=str)
def test_a_default_is_the_models(field: Any) -> None:
    said = (rows("response.setu") | rows("wire"))[field.encode_name][1]

    if isinstance(field.default, str | int) and field.default:
        assert said.strip("`") == str(field.default)
    else:
        assert said.startswith(("none", "as it stands"))


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("side", get_args(Side)),
        ("provenance", get_args(Provenance)),
        ("eol", get_args(Eol)),
        ("dialect", tuple(DIALECTS)),
    ],
)
def test_every_value_of_a_key_is_told(key: str, values: tuple[str, ...]) -> None:
    told = (rows("response.setu") | rows("wire"))[key][0]

    assert [value for value in values if f"`{value}`" not in told] == []


def test_every_ending_is_told() -> None:
    assert list(rows("end")) == list(Ending)


@pytest.mark.parametrize("body", [b'{"a":1,"b":"\xc3\xa9"}', b'{"a": 1, "b": "\\u00e9"}\n'])
def test_a_style_that_is_written_is_told(body: bytes) -> None:
    style = store(body).json
    assert style is not None

    assert [part for part in style.split("-") if f"`{part}`" not in section("wire").replace("`-", "`")] == []


def test_the_keys_of_an_interaction_are_those_that_are_written() -> None:
    document = to_document(interaction(CHAT_STREAM))
    document["response"]["body.string"] = document["response"].pop("body")["string"]

    assert set(rows("One interaction")) == {f"{half}.{key}" for half, keys in document.items() for key in keys}
