"""The writer alone, without its thread."""

from pathlib import Path

import pytest

from setu.signals import Call
from setu.store.prices import Prices
from setu.store.spill import Spill
from setu.store.writer import Writer
from tests.store.calls import calls, count, ids, lines


class BrokenPrices(Prices):
    """A price list that cannot be had."""

    def load(self) -> None:
        raise ImportError("no list")

    def cost(self, call: Call) -> int | None:
        raise ValueError("no figures")


def test_without_a_price_list_rows_have_no_cost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = Writer(f"sqlite:///{tmp_path / 'usage.db'}", Spill(tmp_path / "spill"), prices=BrokenPrices())
    writer.prepare()
    writer.write([writer.seal(each) for each in calls(2)])
    writer.close()

    assert count(f"sqlite:///{tmp_path / 'usage.db'}") == 2
    assert "the price list cannot be loaded: no list" in caplog.text


def test_while_the_database_is_down_rows_are_in_a_file_before_it_is_tried(tmp_path: Path) -> None:
    blocked = tmp_path / "home"
    blocked.write_text("no folder")
    url = f"sqlite:///{blocked / 'usage.db'}"
    writer = Writer(url, Spill(tmp_path / "spill"), retry=0.0)
    first, second = calls(2)
    writer.write([first])
    was_down = writer.down
    blocked.unlink()

    writer.write([second])
    assert was_down
    assert lines(tmp_path / "spill") == [first, second]
    assert writer.pause() == 0.0
    while writer.catch_up():
        pass
    assert ids(url) == sorted([first.id, second.id])
    assert not writer.down
    assert writer.pause() is None
    writer.close()


def test_a_database_that_stays_down_is_asked_less_and_less_often(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    writer = Writer(f"sqlite:///{tmp_path}/home/usage.db", Spill(tmp_path / "spill"), retry=0.0625, longest=0.25)
    waits = []
    writer.write(calls(1))
    for _ in range(4):
        waits.append(writer._retry)
        writer._retry_at = 0.0
        assert not writer.catch_up()
    writer.close()

    assert waits == [0.125, 0.25, 0.25, 0.25]


def test_the_cost_is_computed_when_it_was_not_known(tmp_path: Path) -> None:
    prices = Prices()
    writer = Writer(f"sqlite:///{tmp_path / 'usage.db'}", Spill(tmp_path / "spill"), prices=prices)
    writer.prepare()
    [one] = calls(1)

    assert one.cost is None
    assert writer.seal(one).cost == 100 * 150 + 10 * 600
    writer.close()
