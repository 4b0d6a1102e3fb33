"""The catalogue and the judges agree, and a broken catalogue is refused with its place."""

import re
from pathlib import Path

import pytest

from setu.bundled import data_dir
from setu.conformance.catalogue import AREA_ORDER, Check, area_of, load
from setu.conformance.judges.registry import JUDGES, PAIR_JUDGES, SET_JUDGES
from setu.conformance.laws.table import LAWS
from setu.errors import ConfigError
from tests.conformance.examples import MUTANTS, PAIR_MUTANTS, SET_MUTANTS

JUDGED = set(JUDGES) | set(PAIR_JUDGES) | set(SET_JUDGES)
RUN_OTHERWISE = {"SCN-001", "SCN-002"} | {law.check for law in LAWS} | {f"FUZ-00{number}" for number in range(1, 5)}
"""Checks of scenario assertions, laws and fuzzing, which judge more than exchanges."""

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


def test_every_judge_has_a_row_and_every_row_a_judge() -> None:
    assert set(load().by_id) == JUDGED | RUN_OTHERWISE


def test_rows_name_the_mutants_that_prove_them() -> None:
    proven = {check: tuple(named) for table in (MUTANTS, PAIR_MUTANTS, SET_MUTANTS) for check, named in table.items()}

    assert {check.id: check.mutants for check in load().checks if check.mutants} == proven


@pytest.mark.parametrize("check", load().checks, ids=lambda check: check.id)
def test_a_row_says_why_and_on_what_ground(check: Check) -> None:
    assert re.fullmatch(r"[A-Z]{2,5}-(\d{3}|(?<=XLT-)\d{2})", check.id)
    assert check.area in AREA_ORDER
    assert check.why.endswith(".")
    assert check.fix.endswith(".")
    assert check.basis
    assert all(re.fullmatch(r"B-[A-Z]{3,4}-\d{2}|[\w.-]+[:#/].+|rfc\d+#.+", basis) for basis in check.basis)


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
