"""How hard the laws are tried: the numbers that the profiles promise."""

from collections import Counter

import pytest

from setu.conformance.laws.__main__ import main
from setu.conformance.laws.bench import PROFILES, Profile, bench
from setu.dialects.registry import DIALECTS


def test_ci_tries_each_dialect_with_a_hundred_examples_and_every_other_pair_with_twenty_five() -> None:
    pairs = bench(DIALECTS, PROFILES["ci"])

    assert PROFILES["ci"] == Profile(own=100, other=25, derandomize=True)
    assert all(pair.derandomize for pair in pairs)
    assert Counter(pair.upstream.name for pair in pairs if pair.examples == 100) == Counter(list(DIALECTS))
    assert {pair.examples for pair in pairs} == {100, 25}


def test_nightly_tries_every_pair_with_two_thousand_and_another_seed_each_night() -> None:
    assert PROFILES["nightly"] == Profile(own=2000, other=2000, derandomize=False)


def test_a_slice_tries_one_law_on_one_pair(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--law", "P20", "--pair", "openai_chat,gemini", "--examples", "2", "--seed", "7", "--jobs", "1"])

    rows = [row for row in capsys.readouterr().out.splitlines() if row.startswith("P")]
    assert code == 0
    assert [row.split()[0] for row in rows] == ["P20"]
    assert "openai_chat → gemini" in rows[0]


@pytest.mark.parametrize("given", [["--pair", "openai_chat,martian"], ["--examples", "0"]])
def test_a_slice_of_nothing_is_a_usage_error(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(given)

    assert left.value.code == 2
    assert given[0] in capsys.readouterr().err
