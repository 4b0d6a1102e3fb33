"""Every kind of report can be written to a file."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings

from setu.conformance.report import json_
from setu.conformance.report.registry import KINDS, RENDERERS, write
from setu.conformance.results import Run
from setu.errors import ConfigError
from tests.conformance.report.samples import everything, runs

BEGINNINGS = {
    "json": '{\n  "schema": "setu.conformance/1",',
    "junit": "<?xml",
    "markdown": "# Conformance",
    "html": "<!doctype html>",
    "badge": '{\n  "schemaVersion": 1,',
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_written_as_its_kind(kind: str, tmp_path: Path) -> None:
    write(kind, tmp_path / "x", [everything()])

    assert (tmp_path / "x").read_bytes().decode("utf-8").startswith(BEGINNINGS[kind])


@pytest.mark.parametrize("kind", ["markdown", "html"])
def test_the_previous_runs_show_what_changed(kind: str, tmp_path: Path) -> None:
    write(kind, tmp_path / "x", [everything()], previous=[everything()])

    assert "Since the previous run" in (tmp_path / "x").read_text(encoding="utf-8")


def test_an_unknown_kind_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no report 'pdf'; there are junit, json, markdown, html, badge"):
        write("pdf", tmp_path / "x", [])


def test_a_file_that_cannot_be_written_is_a_mistake_of_usage(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot write .*: No such file"):
        write("json", tmp_path / "none" / "x", [])


@given(runs())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_kind_takes_every_run(tmp_path: Path, run: Run) -> None:
    for kind in KINDS:
        write(kind, tmp_path / kind, [run], previous=[run])

    assert json_.read(tmp_path / "json") == (run.condensed(),)
    assert ET.parse(tmp_path / "junit").getroot().tag == "testsuites"
    assert json.loads((tmp_path / "badge").read_text(encoding="utf-8"))["schemaVersion"] == 1


@given(runs())
@settings(max_examples=30, deadline=None)
def test_a_report_that_was_read_back_makes_the_same_reports(run: Run) -> None:
    (again,) = json_.loads(json_.render([run]), "x")

    named = run.condensed()
    assert {kind: RENDERERS[kind]([again], []) for kind in KINDS} == {
        kind: RENDERERS[kind]([named], []) for kind in KINDS
    }
