"""Templates: escaped values, no missing ones, and assets that a policy can name."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, UndefinedError

from setu.web.template import asset, template


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'title' is undefined"):
        template("recordings.html").render(version="1")


@given(st.text())
def test_what_is_put_into_a_page_is_escaped(text: str) -> None:
    environment: Environment = template("recordings.html").environment

    shown = environment.from_string("{{ text }}").render(text=text)

    assert not set("<>\"'") & set(shown)


@pytest.mark.parametrize("name", ["conformance.css", "conformance.js"])
def test_an_asset_is_named_by_its_digest(name: str) -> None:
    found = asset(name)

    assert found.source == f"'sha256-{base64.b64encode(hashlib.sha256(found.text.encode()).digest()).decode()}'"
    assert "</" not in found.text
