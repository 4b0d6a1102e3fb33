"""`list` and `explain` say what the catalogue holds, with places where it can be read."""

import json
from typing import Any

import pytest

from setu.conformance.catalogue import AREA_ORDER, Check, load
from setu.conformance.clients import load as load_clients
from setu.conformance.explain import (
    AREAS,
    BREAKAGES,
    explain,
    explain_json,
    ground,
    link,
    listing,
    listing_json,
    selected,
)
from setu.conformance.mutants.registry import MUTANTS
from setu.errors import ConfigError
from tests.docs.blocks import ROOT, anchors


def test_an_explanation_says_what_why_how_it_fails_and_how_to_fix_it() -> None:
    row = load().by_id["TOOL-010"]

    text = explain("TOOL-010")

    assert text.startswith(f"TOOL-010  {row.title}\nMUST · profile tools · passive: ")
    for told in (row.why, row.fix, str(row.example), *row.basis, *row.mutants):
        assert told in text


@pytest.mark.parametrize("check", load().checks, ids=lambda check: check.id)
def test_every_row_can_be_explained(check: Check) -> None:
    text = explain(check.id)

    assert text.splitlines()[0] == f"{check.id}  {check.title}"
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_an_explanation_names_the_clients_that_depend_on_the_check() -> None:
    depending = [client.name for client in load_clients() if "TOOL-010" in client.checks]

    text = explain("TOOL-010")

    assert "AI SDK" in depending
    assert all(f"{name} (" in text for name in depending)
    assert "clients" not in explain("TRN-007")


def test_an_explanation_names_the_servers_that_prove_the_check() -> None:
    mutant = MUTANTS[0]

    assert f"{mutant.name}: {mutant.about}" in explain(mutant.check)


def test_a_check_that_needs_a_capability_says_so() -> None:
    assert "needs     a target that declares json_schema" in explain("RF-002")
    assert "\nneeds" not in explain("CHAT-003")


def test_ids_are_found_in_any_case() -> None:
    assert explain("chat-003") == explain("CHAT-003")


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        ("CHAT-30", r"no check CHAT-30; do you mean CHAT-\d+, CHAT-\d+, CHAT-\d+\?"),
        ("TOLL-010", r"do you mean TOOL-010"),
        ("nonsense", r"no check nonsense; `setu conformance list` shows all"),
    ],
)
def test_an_unknown_check_is_refused_with_the_nearest(check: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        explain(check)


@pytest.mark.parametrize(
    ("basis", "url"),
    [
        (
            "openai:#/components/schemas/Error",
            "https://raw.githubusercontent.com/openai/openai-openapi/main/openapi.yaml#/components/schemas/Error",
        ),
        ("gh:vllm-project/vllm#16721", "https://github.com/vllm-project/vllm/issues/16721"),
        ("gh:a/b/src/c.ts", "https://github.com/a/b/blob/HEAD/src/c.ts"),
        ("rfc9110#section-8.3", "https://www.rfc-editor.org/rfc/rfc9110.html#section-8.3"),
        (
            "whatwg:server-sent-events#event-stream-interpretation",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
        ("conformance/scenarios", "conformance/scenarios"),
        ("hearsay:of-a-friend", None),
    ],
)
def test_a_basis_has_an_address(basis: str, url: str | None) -> None:
    assert link(basis) == url


def test_every_basis_of_the_catalogue_can_be_read() -> None:
    grounds = [ground(basis) for check in load().checks for basis in check.basis]

    assert [told.basis for told in grounds if told.url is None] == []
    assert all((ROOT / told.url).exists() for told in grounds if told.url and told.url.startswith("conformance/"))


def test_a_breakage_leads_to_its_table() -> None:
    page = anchors(ROOT / BREAKAGES)
    places = {
        str(ground(basis).url) for check in load().checks for basis in check.basis if basis.startswith("B-")
    }  # fmt: skip

    assert places
    assert {place.removeprefix(f"{BREAKAGES}#") for place in places} <= page
    assert ground("B-STR-04").says


def test_a_list_counts_what_it_shows() -> None:
    rows = listing(area="rf").splitlines()

    assert [row.split()[0] for row in rows[:4]] == ["RF-001", "RF-002", "RF-003", "RF-004"]
    assert rows[-1] == f"4 checks, 3 of them MUST; catalogue {load().version}"


def test_every_area_has_a_name() -> None:
    assert tuple(AREAS) == AREA_ORDER


def test_filters_add_up() -> None:
    found = selected(area="TOOL", level="should", profile="tools")

    assert found
    assert all((check.area, check.level, check.profile) == ("TOOL", "SHOULD", "tools") for check in found)
    assert selected() == load().checks


def test_a_profile_made_of_others_lists_them_all() -> None:
    assert {check.profile for check in selected(profile="Agent")} == {"core", "tools"}


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"area": "XYZ"}, "no check has the area XYZ; there are TRN, AUTH"),
        ({"level": "MIGHT"}, "no check has the level MIGHT; there are MUST, SHOULD"),
        ({"profile": "none"}, "no check has the profile none; there are core"),
        ({"area": "RF", "profile": "tools"}, "no check has the profile tools; there are structured"),
    ],
)
def test_a_filter_that_nothing_passes_is_refused(filters: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        listing(**filters)


def test_the_same_comes_as_json() -> None:
    told = json.loads(json.dumps(explain_json("STR-009")))

    assert told["id"] == "STR-009"
    assert {"basis", "url", "says"} == set(told["basis"][0])
    assert any("aider" in client for client in told["clients"])
    assert [row["id"] for row in listing_json(area="MM")] == ["MM-001", "MM-002", "MM-003"]
