"""The catalogue and the judges agree, and a broken catalogue is refused with its place."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from setu.bundled import data_dir
from setu.conformance.caps import KNOWN
from setu.conformance.catalogue import AREA_ORDER, Check, area_of, load
from setu.conformance.judges.finding import Finding
from setu.conformance.judges.registry import JUDGES, PAIR_JUDGES, SET_JUDGES
from setu.conformance.laws.table import LAWS
from setu.conformance.mutants.registry import MUTANTS as SERVERS
from setu.conformance.probes.registry import PROBES
from setu.conformance.prove import unproved
from setu.errors import ConfigError
from tests.conformance.examples import MUTANTS, PAIR_MUTANTS, SET_MUTANTS

JUDGED = set(JUDGES) | set(PAIR_JUDGES) | set(SET_JUDGES)
RUN_OTHERWISE = {"SCN-001", "SCN-002"} | {law.check for law in LAWS} | {f"FUZ-00{number}" for number in range(1, 5)}
"""Checks of scenario assertions, laws and fuzzing, which judge more than exchanges."""

PROBED = {check for probe in PROBES for check in probe.checks}

ROW = """
[[check]]
id = "STR-001"
level = "MUST"
profile = "core"
kind = "passive"
introduced = "2026.11"
title = "t"
basis = ["B-STR-01"]
why = "w"
fix = "f"
"""


def test_every_row_is_concluded_on_by_something_and_everything_concludes_on_a_row() -> None:
    assert set(load().by_id) == JUDGED | RUN_OTHERWISE | PROBED


def test_what_judges_any_exchange_has_a_judge() -> None:
    assert {check.id for check in load().checks if check.kind == "passive"} <= JUDGED


def test_a_row_needs_what_its_probes_need() -> None:
    """Passive rows need nothing: what does not occur is not judged."""
    needed = {check: probe.needs for probe in PROBES for check in probe.checks}

    rows = [check for check in load().checks if check.kind != "passive" and check.id in needed]

    assert rows
    assert {check.id: check.needs for check in rows} == {check.id: next(iter(needed[check.id]), None) for check in rows}


def test_what_a_row_needs_a_target_can_declare() -> None:
    assert {check.needs for check in load().checks} - {None} <= KNOWN


def test_the_catalogue_is_the_one_that_was_promised() -> None:
    areas = {"ANT", "GEM", "XLT", "SCN"}  # beyond the 151: the other dialects, laws and scenarios
    core = [check for check in load().checks if check.area not in areas]

    assert len(core) == 151


def test_rows_name_the_mutants_that_prove_them() -> None:
    made = {check: tuple(one.name for one in SERVERS if one.check == check) for check in {one.check for one in SERVERS}}

    assert {check.id: check.mutants for check in load().checks if check.mutants} == made


def test_every_must_has_a_mutant() -> None:
    assert unproved() == ()


def test_a_mutant_is_found_by_its_check_and_name() -> None:
    named = [(one.check, one.name) for one in SERVERS]

    assert len(named) == len(set(named))


def test_what_a_mutant_implies_are_other_checks() -> None:
    known = set(load().by_id)

    assert [one.name for one in SERVERS if not one.implies <= known - {one.check}] == []


def test_a_mutant_has_one_thing_wrong_and_says_what() -> None:
    parts = {(one.check, one.name): (one.front, one.back, one.dialects, one.wiring) for one in SERVERS}

    assert [name for name, broken in parts.items() if len(broken) - broken.count(None) != 1] == []
    assert [one.name for one in SERVERS if not one.about.endswith(".")] == []


@pytest.mark.parametrize("check", load().checks, ids=lambda check: check.id)
def test_a_row_says_why_and_on_what_ground(check: Check) -> None:
    assert re.fullmatch(r"[A-Z]{2,5}-(\d{3}|(?<=XLT-)\d{2})", check.id)
    assert check.area in AREA_ORDER
    assert check.why.endswith(".")
    assert check.fix.endswith(".")
    assert check.basis
    assert all(re.fullmatch(r"B-[A-Z]{3,4}-\d{2}|[\w.-]+[:#/].+|rfc\d+#.+", basis) for basis in check.basis)


@pytest.mark.parametrize(
    "check", [check for check in load().checks if check.level == "MUST"], ids=lambda check: check.id
)
def test_a_must_shows_a_failure_in_one_short_line(check: Check) -> None:
    assert check.example
    assert "\n" not in check.example
    assert len(check.example) <= 150


@pytest.mark.parametrize("check", sorted(JUDGED))
def test_the_example_of_a_judged_row_is_what_its_judge_says_of_a_mutant(check: str) -> None:
    said = {re.sub(r" \(B-.*\)", "", found.message) for found in _findings(check)}

    assert str(load().by_id[check].example).startswith(tuple(said)), said


def _findings(check: str) -> Iterator[Finding]:
    """Yield the first finding of each mutant of a check."""
    found = [JUDGES[check](mutant) for mutant in MUTANTS.get(check, {}).values()]
    found += [PAIR_JUDGES[check](*mutant) for mutant in PAIR_MUTANTS.get(check, {}).values()]
    found += [SET_JUDGES[check](mutant) for mutant in SET_MUTANTS.get(check, {}).values()]
    yield from (each[0] for each in found if each)


def test_areas_come_in_their_order() -> None:
    assert load().areas == AREA_ORDER
    assert area_of("STR-009") == "STR"
    assert load().version == "2026.11"


def test_the_bundled_folder_is_the_checkouts() -> None:
    assert (data_dir("conformance") / "catalogue" / "chat.toml").is_file()


def test_an_unknown_data_folder_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no nonsense folder"):
        data_dir("nonsense")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROW + ROW, "two rows for STR-001"),
        (ROW.replace('"MUST"', '"MIGHT"'), "MIGHT"),
        (ROW + 'colour = "red"\n', "colour"),
        (ROW.replace('why = "w"\n', ""), "why"),
        ("[[check", "str.toml"),
        ("check = []", "no checks"),
    ],
)
def test_a_broken_catalogue_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "str.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=re.escape(message)):
        load(tmp_path)
