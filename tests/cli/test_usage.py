"""`setu usage` as a user runs it."""

import csv
import io
import json
from pathlib import Path

import pytest

from setu.store import database
from tests.processes import setu
from tests.store.calls import call


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('usage') / 'usage.db'}"
    engine = database.connect(url)
    database.migrate(engine)
    database.write(
        engine,
        [
            call(tenant="acme", cost=1_500_000),
            call(tenant="acme", cost=500_000, model="evil\x1b[2Jname"),
            call(tenant="beta", status=503, end="error", input_tokens=None, output_tokens=None),
        ],
    )
    engine.dispose()
    return url


def test_in_a_pipe_it_is_a_plain_table(url: str) -> None:
    done = setu("usage", "--by", "tenant", "--database", url)

    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == [
        "tenant",
        "requests",
        "failures",
        "input",
        "cached",
        "output",
        "USD",
        "unpriced",
        "ms",
        "first",
        "byte",
    ]
    assert [line[:7] for line in lines[1:]] == [
        ["acme", "2", "0", "200", "0", "20", "0.002000"],
        ["beta", "1", "1", "0", "0", "0", "0.000000"],
        ["total", "3", "1", "200", "0", "20", "0.002000"],
    ]


def test_a_models_name_cannot_steer_the_terminal(url: str) -> None:
    assert "\x1b" not in setu("usage", "--database", url).stdout


def test_json_is_the_admin_report(url: str) -> None:
    report = json.loads(setu("usage", "--tenant", "acme", "--json", "--database", url).stdout)

    assert report["total"]["requests"] == 2
    assert report["by"] == "model"


def test_csv_is_read_by_a_reader(url: str) -> None:
    rows = list(csv.DictReader(io.StringIO(setu("usage", "--by", "tenant", "--csv", "--database", url).stdout)))

    assert [(row["group"], row["requests"], row["cost_usd"]) for row in rows] == [
        ("acme", "2", "0.002"),
        ("beta", "1", "0.0"),
    ]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_second_export_has_the_same_bytes(url: str, form: str) -> None:
    arguments = ("usage", "export", "--tenant", "acme", "--period", "2026-11", "--format", form, "--database", url)
    first, second = setu(*arguments), setu(*arguments)

    assert first.stdout == second.stdout
    assert (first.returncode, first.stderr) == (0, "")
    assert "0.002000000" in first.stdout


def test_the_configured_database_is_the_one_that_is_read(url: str, tmp_path: Path) -> None:
    config = tmp_path / "setu.toml"
    config.write_text(f'[usage]\ndatabase_url = "{url}"\n')

    assert "total" in setu("usage", "--config", str(config)).stdout
    assert setu("usage", "--config", str(config), "--json").stdout == setu("usage", "--database", url, "--json").stdout


def test_before_the_first_request_there_is_nothing_and_nothing_is_made(tmp_path: Path) -> None:
    done = setu("usage", XDG_DATA_HOME=str(tmp_path))

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].split()[:2] == ["total", "0"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("--database", "mysql://u:hunter2@db/x"), 78, "--database: must start with sqlite:/// or postgresql://"),
        (("--since", "soon"), 78, "usage: since: 'soon' is no moment: write 2026-11-20, 2026-11-20T08:00:00Z or 7d"),
        (("--csv", "--json"), 78, "--csv and --json do not go together"),
        (("export", "--tenant", "a", "--period", "may"), 78, "usage: a period is a month such as 2026-11, not 'may'"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[str, ...], status: int, says: str) -> None:
    done = setu("usage", *arguments)

    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"setu: error: {says}\n")
