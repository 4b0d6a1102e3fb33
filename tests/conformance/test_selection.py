"""Which checks a run is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.conformance.catalogue import load
from setu.conformance.probes.registry import PROBES
from setu.conformance.results import CheckResult, Observation, Run, Status, collect
from setu.conformance.selection import Selection, parse
from setu.errors import ConfigError

CATALOGUE = load()
NAMES = st.sampled_from([*CATALOGUE.areas, *CATALOGUE.by_id])


def wanted(selection: Selection) -> set[str]:
    return {check.id for check in CATALOGUE.checks if selection.wants(check)}


def test_without_words_every_check_is_wanted() -> None:
    assert wanted(parse([], None, CATALOGUE)) == set(CATALOGUE.by_id)


def test_an_area_is_wanted_but_for_what_is_left_out() -> None:
    found = wanted(parse(["TOOL,-TOOL-019"], None, CATALOGUE))

    assert found == {name for name in CATALOGUE.by_id if name.startswith("TOOL-")} - {"TOOL-019"}


def test_a_profile_narrows() -> None:
    found = wanted(parse([], "agent", CATALOGUE))

    assert {CATALOGUE.by_id[name].profile for name in found} == {"core", "tools"}


@pytest.mark.parametrize(("texts", "profile"), [(["TOLL"], None), (["-CHAT-999"], None), ([], "corre")])
def test_what_is_not_there_is_said(texts: list[str], profile: str | None) -> None:
    with pytest.raises(ConfigError, match=r"TOLL|CHAT-999|corre"):
        parse(texts, profile, CATALOGUE)


@given(st.lists(NAMES, max_size=4), st.lists(NAMES, max_size=4))
def test_leaving_out_takes_away_and_nothing_else(take: list[str], leave: list[str]) -> None:
    whole = wanted(parse([",".join(take)], None, CATALOGUE))
    less = wanted(parse([",".join([*take, *(f"-{name}" for name in leave)])], None, CATALOGUE))

    assert less == {name for name in whole if name not in leave and name.partition("-")[0] not in leave}


def test_only_probes_of_wanted_checks_run() -> None:
    found = parse(["RF"], None, CATALOGUE).probes(CATALOGUE, PROBES)

    assert found
    assert all(any(check.startswith("RF-") for check in probe.checks) for probe in found)


def test_a_run_is_narrowed_to_wanted_results() -> None:
    run = collect("x", CATALOGUE, [Observation(check=name, place="p") for name in ("CHAT-001", "TOOL-001")])

    assert [one.check.id for one in parse(["TOOL"], None, CATALOGUE).narrow(run).results] == ["TOOL-001"]


def test_what_a_selection_leaves_out_is_named_as_untried() -> None:
    checks = [CATALOGUE.by_id[name] for name in ("TOOL-001", "STR-003")]
    results = tuple(CheckResult(check=check, status=Status.PASS) for check in checks)
    run = Run(target="x", catalogue="2026.11", results=results, untried=("CHAT-001",))

    assert parse(["TOOL"], None, CATALOGUE).narrow(run).untried == ("CHAT-001", "STR-003")
    assert parse([], None, CATALOGUE).narrow(run) == run
