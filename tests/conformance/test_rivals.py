"""The other suite is read by test id; what it cannot say is refused."""

import json

import pytest

from setu.conformance.gateways import load, names
from setu.conformance.rivals import FORMATS, RivalError, Verdict, options, verdicts


def test_the_other_suites_verdicts_are_read_by_test_id() -> None:
    results = [
        {"id": "a", "name": "A", "status": "passed", "warnings": ["late"]},
        {"id": "b", "name": "B", "status": "failed", "errors": ["no"]},
        {"id": "c", "name": "C", "status": "skipped", "errors": ["not here"]},
    ]

    assert verdicts(json.dumps({"summary": {}, "results": results})) == {
        "a": Verdict(passed=True, warnings=("late",)),
        "b": Verdict(passed=False, errors=("no",)),
    }


@pytest.mark.parametrize("output", ["", "Traceback", "[]", '{"results": [{"id": "a"}]}'])
def test_what_are_no_verdicts_is_refused(output: str) -> None:
    with pytest.raises(RivalError, match="printed no results"):
        verdicts(output)


def test_every_dialect_of_a_client_has_a_format_in_the_other_suite() -> None:
    asked_in = {client for name in names() for model in load(name).models.values() for client in model.clients}

    assert asked_in <= FORMATS.keys()


def test_a_key_is_sent_where_the_dialect_has_it_and_headers_once() -> None:
    headers = {"authorization": "Bearer k", "x-provider": "anthropic"}

    said = options("http://127.0.0.1:1/", "m", "anthropic", headers)

    assert said[said.index("--base-url") + 1] == "http://127.0.0.1:1/v1"
    assert said[said.index("--auth-header") + 1] == "x-api-key"
    assert said[-2:] == ["--header", "anthropic-version:2023-06-01,x-provider:anthropic"]
