"""What clients depend on: every entry has a source; tests/clients/test_measured.py plays what was measured."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.conformance import clients
from setu.conformance.catalogue import load as load_catalogue
from setu.conformance.clients import Client, Need
from setu.conformance.explain import link
from setu.conformance.results import CheckResult, Run, Status
from setu.errors import ConfigError
from tests.conformance.examples import MUTANTS

CLIENTS = clients.load()
NEEDS = [
    pytest.param(client, need, id=f"{client.name}-{need.checks[0]}") for client in CLIENTS for need in client.needs
]
PROMISED = {
    "openai-python", "openai-node", "anthropic-sdk-python", "anthropic-sdk-typescript", "LangChain", "LlamaIndex",
    "AI SDK", "Codex CLI", "Claude Code", "Gemini CLI", "Cursor", "Continue", "aider",
}  # fmt: skip
ONE = Client(
    name="one",
    versions="1",
    dialect="openai",
    needs=(
        Need(checks=("STR-003", "STR-005"), because="it stops", source="gh:a/b#1", read="2026-11"),
        Need(checks=("STR-003",), because="it says so", source="gh:a/b#2", read="2026-11"),
    ),
)

ENTRY = """
[[client]]
name = "x"
versions = "1"
dialect = "openai"
needs = [{checks = ["STR-003"], because = "b", source = "gh:a/b#1", read = "2026-11-21"}]
"""


def run(**statuses: Status) -> Run:
    """Return a run with a status for each check, `STR_003=Status.PASS`."""
    known = load_catalogue().by_id
    results = tuple(
        CheckResult(check=known[name.replace("_", "-")], status=status) for name, status in statuses.items()
    )
    return Run(target="t", catalogue="2026.11", results=results)


def test_every_client_that_was_promised_is_there() -> None:
    assert {client.name for client in CLIENTS} == PROMISED


@pytest.mark.parametrize(("client", "need"), NEEDS)
def test_a_need_names_checks_of_the_catalogue_and_where_it_was_seen(client: Client, need: Need) -> None:
    assert client.versions
    assert set(need.checks) <= set(load_catalogue().by_id)
    assert need.source == "measured" or str(link(need.source)).startswith("https://github.com/")
    assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", need.read)
    assert bool(need.mutants) == (need.source == "measured")
    assert set(need.mutants) <= {name for check in need.checks for name in MUTANTS.get(check, {})}
    assert len(need.because) > 20


@pytest.mark.parametrize(
    ("statuses", "safe", "broken", "untested"),
    [
        ({"STR_003": Status.PASS, "STR_005": Status.PASS}, True, (), ()),
        ({"STR_003": Status.PASS, "STR_005": Status.XPASS}, True, (), ()),
        ({"STR_003": Status.FAIL, "STR_005": Status.WARN}, False, ("STR-003", "STR-005"), ()),
        ({"STR_003": Status.XFAIL}, False, ("STR-003",), ("STR-005",)),
        ({"STR_003": Status.PASS}, None, (), ("STR-005",)),
        ({"STR_003": Status.PASS, "STR_005": Status.INCONCLUSIVE}, None, (), ("STR-005",)),
        ({"STR_003": Status.UNSUPPORTED, "STR_005": Status.ERROR}, None, (), ("STR-003", "STR-005")),
    ],
    ids=["held", "expectation stale", "broken", "expected to break", "not run", "inconclusive", "could not run"],
)
def test_a_verdict_is_safe_broken_or_unknown(
    statuses: dict[str, Status], safe: bool | None, broken: tuple[str, ...], untested: tuple[str, ...]
) -> None:
    (found,) = clients.verdict(run(**statuses), [ONE])

    assert (found.safe, found.broken, found.untested) == (safe, broken, untested)


@given(st.lists(st.sampled_from(list(Status)), min_size=2, max_size=2))
def test_no_client_is_safe_with_a_check_that_did_not_pass(statuses: list[Status]) -> None:
    (found,) = clients.verdict(run(STR_003=statuses[0], STR_005=statuses[1]), [ONE])

    assert (found.safe is True) == all(status in (Status.PASS, Status.XPASS) for status in statuses)
    assert not set(found.broken) & set(found.untested)


def test_a_verdict_reads_as_a_line_with_the_reasons_under_it() -> None:
    held, half, broken = (
        clients.render(clients.verdict(run(**statuses), [ONE]))
        for statuses in (
            {"STR_003": Status.PASS, "STR_005": Status.PASS},
            {"STR_003": Status.PASS},
            {"STR_003": Status.FAIL},
        )
    )

    assert re.fullmatch(r"one +safe \(2 checks\)\n", held)
    assert re.fullmatch(r"one +unknown: untested STR-005\n", half)
    assert re.fullmatch(r"one +not safe: STR-003\n  STR-003: it stops; it says so\n", broken)


def test_verdicts_come_as_json() -> None:
    found: list[dict[str, Any]] = clients.to_builtins(clients.verdict(run(STR_003=Status.FAIL), [ONE]))

    assert json.loads(json.dumps(found)) == [
        {
            "client": "one",
            "versions": "1",
            "dialect": "openai",
            "safe": False,
            "broken": {"STR-003": "it stops; it says so"},
            "untested": ["STR-005"],
        }
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ENTRY + ENTRY, "two entries for x"),
        (ENTRY.replace('versions = "1"\n', ""), "versions"),
        (ENTRY.replace("because", "why"), "why"),
        ("[[client", "clients.toml"),
    ],
)
def test_a_broken_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "clients.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=message):
        clients.load(path)


def test_a_table_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"clients\.toml"):
        clients.load(tmp_path / "clients.toml")
