"""The benchmark of `python -m tests.benchmarks` still runs; its figures are not for a test."""

import json
import os

import pytest

from tests.benchmarks import table
from tests.benchmarks.__main__ import chosen, measured
from tests.benchmarks.load import Done
from tests.benchmarks.measure import Effort, Figures, Sample
from tests.benchmarks.targets import SETU, available, load_of

EFFORT = Effort(0.3, 1, 0.1)


@pytest.mark.slow
def test_a_feature_is_measured_beside_the_bare_gateway_and_streams_give_all_chunks() -> None:
    able = os.sched_getaffinity(0)

    found, floor = measured(chosen(["bare", "breaker"], SETU), ["inside", "burst"], EFFORT)

    assert [(each.work, each.target.name) for each in found] == [
        ("inside", "bare (inside)"),
        ("inside", "breaker (inside)"),
        ("burst", "bare"),
    ]
    assert all(each.each > 0 and each.memory > 0 for each in found)
    assert [len(each.pairs) for each in found] == [0, 1, 0]
    stream = found[2].samples[0].done
    assert stream.chunks == 100 * stream.requests > 0
    assert floor.requests > 0
    assert os.sched_getaffinity(0) == able


def test_a_row_is_the_median_and_costs_what_it_differs_from_its_neighbour() -> None:
    row = next(target for target in SETU if target.name == "breaker (inside)")
    own = [Sample(Done(10, 1.0), cpu) for cpu in (3000, 1000, 2000)]
    base = [Sample(Done(10, 1.0), cpu) for cpu in (2900, 950, 1000)]
    figures = Figures(row, "inside", own, base, 2048, 0.5)

    said = table.text([figures], Done(50, 1.0), EFFORT, 0.25)
    kept = table.records([figures], Done(50, 1.0), EFFORT, 0.25)

    assert "| breaker | 200 | +10 | 100 … 300 | 10 | 2 |" in said
    assert json.loads(json.dumps(kept))["rows"][0]["over_base_us"] == 10


def test_every_row_has_its_base_and_one_name() -> None:
    names = [target.name for target in SETU]

    assert len(set(names)) == len(names)
    for target in SETU:
        found = {one.name for one in chosen([target.name], SETU)}
        assert {target.name, target.base or target.name} <= found


def test_redis_is_needed_for_its_own_rows_alone() -> None:
    without = available(SETU, lambda _: None)

    assert {target.name for target in SETU} - {target.name for target in without} == {
        f"{count} {kind}, Redis{where}"
        for count, kind, where in [("1", "limit", " (inside)"), ("6", "limits", " (inside)"), ("6", "limits", "")]
    }


def test_a_request_is_of_the_usual_size_and_json() -> None:
    for target in SETU:
        load = load_of(target, "json", {})

        assert 500 < len(load.body) < 900
        assert json.loads(load.body)["stream"] is load.stream is False
