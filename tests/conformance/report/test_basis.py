"""Where a basis can be read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.conformance.catalogue import load
from setu.conformance.report.basis import address


@pytest.mark.parametrize(
    ("basis", "url"),
    [
        ("gh:ggml-org/llama.cpp#20198", "https://github.com/ggml-org/llama.cpp/issues/20198"),
        ("rfc9110#section-10.2.3", "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3"),
        ("rfc8259", "https://www.rfc-editor.org/rfc/rfc8259"),
        ("npm:@ai-sdk/openai-compatible", "https://www.npmjs.com/package/@ai-sdk/openai-compatible"),
        ("pypi:openai", "https://pypi.org/project/openai/"),
        ("https://example.org/x", "https://example.org/x"),
        ("openai:#/components/schemas/X", None),
        ("B-STR-04", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_basis_has_the_address_of_its_kind(basis: str, url: str | None) -> None:
    assert address(basis) == url


def test_every_issue_of_the_catalogue_has_an_address() -> None:
    named = [basis for check in load().checks for basis in check.basis if basis.startswith(("gh:", "rfc", "whatwg:"))]

    assert [basis for basis in named if address(basis) is None] == []


@given(st.text() | st.from_regex(r"(gh|rfc|npm|pypi|https?):?[\x20-\x7e]*", fullmatch=True))
def test_an_address_is_https_or_nothing_and_holds_no_markup(text: str) -> None:
    found = address(text)

    assert found is None or re.fullmatch(r"https?://[^\s<>\"']+", found)
