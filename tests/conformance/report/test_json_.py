"""The JSON report: its published schema, its determinism, and that it can be read back whole."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.bundled import data_dir
from setu.conformance.report import json_
from setu.conformance.results import Run
from setu.errors import ConfigError
from tests.conformance.report.samples import everything, runs

SCHEMA = json.loads((data_dir("conformance") / "report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)


def written() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json_.render([everything()]))
    return document


def test_a_check_tells_its_status_its_evidence_and_how_to_repeat_it() -> None:
    check = next(each for each in written()["checks"] if each["id"] == "STR-003")

    assert (check["level"], check["profile"], check["status"], check["exchanges"]) == ("MUST", "core", "fail", 1)
    assert check["repro"] == "curl -sN http://x/v1"
    (finding,) = check["findings"]
    assert (finding["path"], finding["want"]) == ("$.id", '"a"')
    assert finding["evidence"] == {
        "place": "scenario tool-call", "exchange": 0, "event": 2, "bytes": [10, 20], "repro": "curl -sN http://x/v1",
    }  # fmt: skip


def test_the_summary_counts_by_profile_level_and_status_without_a_percentage() -> None:
    document = written()

    must = document["summary"]["core"]["MUST"]
    assert must["fail"] == 1
    assert must["error"] == 1
    assert must["xfail"] == 1
    assert must["xpass"] == 1
    assert document["summary"]["core"]["SHOULD"]["warn"] == 1
    assert document["summary"]["tools"]["MUST"]["unsupported"] == 1
    assert document["verdicts"] == {"compat": "fail", "strict": "fail"}
    assert "%" not in json.dumps(document["summary"])


def test_it_says_what_was_not_tested() -> None:
    limits = written()["limits"]

    assert "RSP-001" in limits["untried"]
    assert any("no live model was asked" in each for each in limits["sentences"])
    assert any(each == "Inconclusive, so neither held nor broken: 1 check." for each in limits["sentences"])


def test_the_same_runs_give_the_same_text_and_no_time_of_day() -> None:
    assert json_.render([everything()]) == json_.render([everything()])
    assert written()["started"] == ""


@given(st.lists(runs(), max_size=3))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_what_is_read(made: list[Run]) -> None:
    text = json_.render(made)

    assert json_.loads(text, "x.json") == tuple(run.condensed() for run in made)
    assert json_.render(json_.loads(text, "x.json")) == text
    assert VALIDATOR.is_valid(json.loads(text))


def test_evidence_that_no_file_can_hold_is_replaced() -> None:
    text = json_.render([everything(evil="\ud800")])

    (finding,) = next(each for each in json.loads(text)["checks"] if each["id"] == "STR-003")["findings"]
    assert finding["got"] == "?"


def spoilt(pointer: str, value: Any) -> dict[str, Any]:
    """Return a report with another value at a pointer; None takes the member away."""
    document = written()
    *steps, last = pointer.split("/")[1:]
    place: Any = document
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/schema", "setu.conformance/2"),
        ("/target", None),
        ("/target/name", None),
        ("/checks/0/status", "ok"),
        ("/checks/0/level", "SHALL"),
        ("/checks/0/findings", None),
        ("/checks/0/exchanges", "2"),
    ],
)
def test_neither_the_schema_nor_the_reader_takes_another_shape(pointer: str, value: Any) -> None:
    document = spoilt(pointer, value)

    assert not VALIDATOR.is_valid(document)
    with pytest.raises(ConfigError, match=r"^x\.json: not a setu\.conformance/1 report: "):
        json_.loads(json.dumps(document), "x.json")


def test_members_of_a_later_version_are_passed_over() -> None:
    document = spoilt("/checks/0/severity", 3) | {"host": "a"}

    assert VALIDATOR.is_valid(document)
    assert json_.loads(json.dumps(document), "x.json") == (everything().condensed(),)


@pytest.mark.parametrize(
    "text", ["", "[]", "7", "null", '{"schema": "setu.conformance/1", "runs": 7}', "{", '{"runs": [{}]}']
)
def test_what_is_no_report_is_a_mistake_of_usage(text: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.json: not a setu"):
        json_.loads(text, "x.json")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json: cannot be read: No such file"):
        json_.read(tmp_path / "none.json")
