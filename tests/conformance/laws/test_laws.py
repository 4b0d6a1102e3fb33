"""Each law holds for the finished dialects, and each can fail: a defect made for it breaks it."""

from collections.abc import Mapping
from typing import Any

import pytest

from setu.conformance.laws.bench import Profile, bench
from setu.conformance.laws.book import Law
from setu.conformance.laws.pair import Pair
from setu.conformance.laws.table import LAWS, tried
from setu.dialects.record import Dialect
from setu.dialects.registry import DIALECTS
from tests.conformance.laws.seeds import SEEDS, WIRINGS

BY_NAME = {law.statement.__name__: law for law in LAWS}
FEW = Profile(3, 3, derandomize=True)
MANY = Profile(240, 240, derandomize=True)
"""Hypothesis draws from the constants of every module of ours that is loaded, so that even derandomised examples differ
between a run of one file and a run of all: a defect gets four times the examples that found it in each of eight seeds.
A law stops at the first example that breaks it, so most of them are never tried."""


def pair_of(dialects: Mapping[str, Dialect], client: Any, upstream: Any, profile: Profile) -> Pair:
    return next(p for p in bench(dialects, profile) if (p.client.name, p.upstream.name) == (client, upstream))


def test_the_laws_are_p01_to_p42_and_each_says_so() -> None:
    numbered = {law.id for law in LAWS}

    assert numbered >= {f"P{number:02}" for number in range(1, 43)}
    assert all((law.statement.__doc__ or "").startswith("P") for law in LAWS)
    assert len(BY_NAME) == len(LAWS)


def test_every_law_has_a_defect() -> None:
    assert SEEDS.keys() | WIRINGS.keys() == BY_NAME.keys()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.statement.__name__)
def test_the_law_holds_without_a_defect(law: Law) -> None:
    client, upstream, *_ = {**SEEDS, **WIRINGS}[law.statement.__name__]

    assert tried(law, pair_of(DIALECTS, client, upstream, FEW)) is None


@pytest.mark.parametrize("name", SEEDS)
def test_a_defect_of_a_dialect_breaks_its_law(name: str) -> None:
    client, upstream, broken, change = SEEDS[name]
    pair = pair_of({**DIALECTS, broken: change(DIALECTS[broken])}, client, upstream, MANY)

    assert BY_NAME[name].excuse(pair) is None
    assert tried(BY_NAME[name], pair)


@pytest.mark.parametrize("name", WIRINGS)
def test_a_defect_of_the_wiring_breaks_its_law(name: str) -> None:
    client, upstream, change = WIRINGS[name]
    pair = change(pair_of(DIALECTS, client, upstream, MANY))

    assert BY_NAME[name].excuse(pair) is None
    assert tried(BY_NAME[name], pair)


def test_every_dialect_is_tried_as_client_and_as_upstream() -> None:
    tried_pairs = {(pair.client.name, pair.upstream.name) for pair in bench(DIALECTS, FEW)}

    clients = {name for name, dialect in DIALECTS.items() if "chat" in dialect.client}
    upstreams = {name for name, dialect in DIALECTS.items() if "chat" in dialect.upstream}
    assert tried_pairs == {(client, upstream) for client in clients for upstream in upstreams}
