"""The reference of checks says what the catalogue and the table of clients say."""

from setu.conformance.catalogue import load
from setu.conformance.clients import load as load_clients
from tests.docs.checks import PAGE, page


def test_the_page_is_what_the_catalogue_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.checks"


def test_the_page_has_a_row_for_every_check_and_a_table_for_every_client() -> None:
    lines = page().splitlines()
    rows = [line.split(" | ")[0][2:] for line in lines if " | MUST | " in line or " | SHOULD | " in line]

    assert rows == [check.id for check in load().checks]
    assert [line[4:] for line in lines if line.startswith("### ")] == [client.name for client in load_clients()]
