"""`[usage]` and `[prices]`."""

from pathlib import Path

import pytest

from setu.config.load import parse
from setu.config.usage import Usage, database_url, normal_url, prices_of, spill_dir
from setu.errors import ConfigError
from setu.routing.plan import Price


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ("postgres://u:p@db:5432/aigw?sslmode=disable", "postgresql+psycopg://u:p@db:5432/aigw?sslmode=disable"),
        ("postgresql://db/aigw", "postgresql+psycopg://db/aigw"),
        ("postgresql+psycopg://db/aigw", "postgresql+psycopg://db/aigw"),
        ("sqlite:///usage.db", "sqlite:///usage.db"),
        ("sqlite:////var/lib/usage.db", "sqlite:////var/lib/usage.db"),
    ],
)
def test_a_database_url_gets_its_driver(said: str, used: str) -> None:
    assert normal_url(said) == used


@pytest.mark.parametrize("said", ["mysql://db/x", "usage.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", ""])
def test_another_database_is_refused_without_showing_the_url(said: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        normal_url(said)


def test_a_wrong_url_in_the_file_names_its_line_and_hides_the_password() -> None:
    with pytest.raises(ConfigError) as caught:
        parse('[usage]\ndatabase_url = "mysql://u:hunter2@db/x"\n', "setu.toml", {})

    assert str(caught.value) == "setu.toml:2: usage.database_url: must start with sqlite:/// or postgresql://"


def test_the_default_is_a_file_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert database_url(Usage(), {}) == f"sqlite:///{tmp_path}/setu/usage.db"


def test_database_url_of_the_environment_counts_for_the_profile_that_had_it() -> None:
    environ = {"DATABASE_URL": "postgres://db/aigw"}

    assert database_url(Usage(), environ, legacy=True) == "postgresql+psycopg://db/aigw"
    assert database_url(Usage(), environ).startswith("sqlite:///")
    with pytest.raises(ConfigError, match=r"^DATABASE_URL: must start with"):
        database_url(Usage(), {"DATABASE_URL": "redis://x"}, legacy=True)


def test_the_configured_url_wins() -> None:
    config = parse('[usage]\ndatabase_url = "sqlite:///here.db"\n', "setu.toml", {})

    assert database_url(config.usage, {"DATABASE_URL": "postgres://db/x"}, legacy=True) == "sqlite:///here.db"


def test_each_database_has_its_own_waiting_rows_whatever_its_password() -> None:
    one = spill_dir(Usage(), "postgresql+psycopg://u:old@db/one")

    assert one == spill_dir(Usage(), "postgresql+psycopg://u:new@db/one")
    assert one != spill_dir(Usage(), "postgresql+psycopg://u:old@db/two")
    assert spill_dir(Usage(spill_dir=Path("/var/spool/setu")), "sqlite:///x.db") == Path("/var/spool/setu")


def test_prices_are_said_per_million_and_counted_per_token() -> None:
    config = parse('[prices."gpt-4o-mini"]\ninput_per_1m = 0.15\noutput_per_1m = 0.6\n', "setu.toml", {})

    assert prices_of(config.prices) == {"gpt-4o-mini": Price(input=150.0, output=600.0)}


@pytest.mark.parametrize("line", ["input_per_1m = -1", "input = 1", "input_per_1m = nan", "input_per_1m = inf"])
def test_a_price_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match=r"^setu\.toml:"):
        parse(f"[prices.m]\n{line}\noutput_per_1m = 1\n", "setu.toml", {})
