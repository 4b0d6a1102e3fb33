"""The reference of faults says what the code does; tests/clients/test_faults.py says that it is so."""

from tests.docs.faults import PAGE, page


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.faults"
