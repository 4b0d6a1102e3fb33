"""Our document, our strict models and the vendors' SDKs describe one wire: where they part, somebody has to say why."""

from functools import cache
from typing import Any

import pytest

from setu.bundled import data_dir
from setu.conformance.drift import Difference, Side, compare, intentions, unexplained
from setu.server.openapi import document
from tests.clients.contracts import CONTRACTS, Contract, ours, strict, theirs

BY_NAME = {contract.schema: contract for contract in CONTRACTS}
INTENDED = intentions((data_dir("conformance") / "drift.toml").read_text(encoding="utf-8"))


@cache
def differences(name: str) -> list[Difference]:
    """Return where any two of the three part that describe a schema."""
    contract = BY_NAME[name]
    found = compare(ours(contract), theirs(contract))
    if contract.wire is not None:
        found += compare(strict(contract), theirs(contract)) + compare(strict(contract), ours(contract))
    return found


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.schema)
def test_no_two_of_document_models_and_sdk_part_without_a_reason(contract: Contract) -> None:
    strange, _ = unexplained(differences(contract.schema), INTENDED)

    assert [str(one) for one in strange] == []


def test_every_reason_is_still_needed() -> None:
    found = [one for contract in CONTRACTS for one in differences(contract.schema)]

    _, stale = unexplained(found, INTENDED)

    assert stale == []


def test_a_value_that_the_document_forgets_is_found_and_names_both_sides() -> None:
    contract = BY_NAME["ChatCompletion"]
    choices = {**document()["components"]["schemas"]["ChatCompletion"]["properties"]["choices"]}
    members = {**choices["items"]["properties"], "finish_reason": {"enum": ["stop", "length", "tool_calls"]}}
    items: dict[str, Any] = {"type": "object", "properties": members}
    forgetful = {"type": "object", "properties": {"choices": {**choices, "items": items}}}
    side = Side(name="openapi ChatCompletion", schema=forgetful, root=document())

    said = [str(one) for one in unexplained(compare(side, theirs(contract)), INTENDED)[0]]

    wanted = "openapi ChatCompletion.choices[].finish_reason value lacks 'content_filter'"
    assert f"{wanted} that openai.types.chat.ChatCompletion has" in said


def test_the_sdks_say_what_is_in_every_value_that_is_compared() -> None:
    for contract in CONTRACTS:
        nothing = Side(name="nothing", schema={"type": "object", "properties": {"x": {}}}, root={})

        assert len(compare(nothing, theirs(contract))) > 0, contract.schema


def test_a_reason_has_words() -> None:
    assert [one for one in INTENDED if len(one.reason.split()) < 3] == []
