"""`setu keys`: a secret is shown once, everything else whenever asked."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from setu.access.audit import verify
from setu.access.keys import digest_of, passes_of
from setu.cli.main import app
from setu.errors import SetuError
from setu.store.audit import lines
from setu.store.keys import FileShelf
from tests.processes import setu

HOUR = 3600.0
SECRET = re.compile(r"sk-setu-[A-Za-z0-9_-]{40}")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's own keys and configuration are touched."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "setu"


def keys(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments])


def made(*arguments: str) -> dict[str, Any]:
    result = keys("create", "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refusal(*arguments: str) -> str:
    result = keys(*arguments)
    assert isinstance(result.exception, SetuError), result.output
    return str(result.exception)


def test_a_new_keys_secret_is_all_of_standard_output(home: Path) -> None:
    result = keys("create", "--tenant", "acme", "--name", "ci")

    secret = result.stdout.strip()
    stored = FileShelf(home / "keys.json").read()
    assert SECRET.fullmatch(secret)
    assert [(key.digest, key.tenant, key.name) for key in stored] == [(digest_of(secret), "acme", "ci")]
    assert f"the secret of {stored[0].id}" in result.stderr


def test_every_option_is_kept(home: Path) -> None:
    made("--tenant", "acme", "--models", "gpt-*, claude-*", "--providers", "openai", "--require", "region:eu", "--require",
         "tag:gdpr", "--rpm", "60", "--tpm", "1000", "--daily-tokens", "5", "--monthly-tokens", "6", "--daily-usd", "2.5",
         "--monthly-usd", "0.000001", "--admin")  # fmt: skip

    key = FileShelf(home / "keys.json").read()[0]

    assert (key.models, key.providers, key.require) == (("gpt-*", "claude-*"), ("openai",), ("region:eu", "tag:gdpr"))
    assert (key.requests_per_minute, key.tokens_per_minute, key.daily_tokens, key.monthly_tokens) == (60, 1000, 5, 6)
    assert (key.daily_nano_usd, key.monthly_nano_usd, key.admin) == (2_500_000_000, 1000, True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 30 * 24 * HOUR), ("12h", 12 * HOUR), ("90s", 90.0)],
)
def test_a_key_can_end_after_a_while(home: Path, text: str, seconds: float) -> None:
    before = time.time()
    made("--expires", text)

    ends = FileShelf(home / "keys.json").read()[0].expires_at

    assert ends is not None
    assert before + seconds <= ends <= time.time() + seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [("2999-01-31", "2999-01-31T00:00:00+00:00"), ("2999-01-31T12:00:00+02:00", "2999-01-31T10:00:00+00:00")],
)
def test_a_key_can_end_at_a_moment(text: str, moment: str) -> None:
    assert made("--expires", text)["expires_at"] == moment


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--expires", "2020-01-01"], "--expires 2020-01-01: that is over already"),
        (["--expires", "soon"], "--expires soon: expected a time such as 30d"),
        (["--expires", "99999999d"], "never comes"),
        (["--daily-usd", "0"], "--daily-usd 0: expected an amount of money"),
        (["--monthly-usd", "nan"], "--monthly-usd nan: expected an amount of money"),
        (["--require", "eu"], "--require eu: expected region:NAME or tag:NAME"),
        (["--store", "mysql://u:hunter2@h/d"], "must start with sqlite:/// or postgresql://"),
    ],
)
def test_a_mistake_is_one_sentence_and_makes_no_key(home: Path, arguments: list[str], says: str) -> None:
    message = refusal("create", *arguments)

    assert says in message
    assert "hunter2" not in message
    assert not (home / "keys.json").exists()


def test_the_list_shows_what_keys_are_for_and_no_secret() -> None:
    secret = made("--tenant", "acme", "--name", "ci", "--models", "gpt-*")["secret"]
    made("--expires", "30d")

    table, document = keys("list").stdout, keys("list", "--json").stdout

    assert re.search(r"key_[0-9a-f]{16}  sk-setu-\S{4}…  acme +ci +active  never +never +gpt-\*", table)
    assert [key["state"] for key in json.loads(document)] == ["active", "active"]
    assert secret not in table + document
    assert digest_of(secret) not in table + document


def test_without_keys_there_is_an_empty_list() -> None:
    assert keys("list", "--json").stdout == "[]\n"


def test_a_revoked_key_is_listed_as_such(home: Path) -> None:
    key = made()

    result = keys("revoke", key["id"])

    assert result.stdout == f"{key['id']} is revoked\n"
    assert json.loads(keys("list", "--json").stdout)[0]["state"] == "revoked"


def test_a_rotated_key_has_a_new_secret_and_the_old_one_for_a_day(home: Path) -> None:
    key = made()

    secret = keys("rotate", key["id"]).stdout.strip()

    passes = passes_of(FileShelf(home / "keys.json").read())
    old, new = passes[digest_of(key["secret"])], passes[digest_of(secret)]
    assert SECRET.fullmatch(secret)
    assert (new.ends, old.why) == (None, "replaced")
    assert old.ends is not None
    assert 23 * HOUR < old.ends - time.time() < 25 * HOUR


def test_a_secret_that_leaked_can_be_replaced_at_once(home: Path) -> None:
    key = made()
    keys("rotate", key["id"], "--grace", "0")

    assert digest_of(key["secret"]) not in passes_of(FileShelf(home / "keys.json").read())


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_a_key_that_is_not_there_is_said_not_to_be(command: str) -> None:
    assert refusal(command, "key_none").startswith("there is no key 'key_none'")


def test_what_is_done_is_in_the_audit_log_without_secrets(home: Path) -> None:
    key = made("--tenant", "acme")
    again = keys("rotate", key["id"], "--json")
    keys("revoke", key["id"])

    found = [json.loads(line) for line in lines(home / "audit.log")]

    assert verify(lines(home / "audit.log")) is None
    assert [(line["event"], line["details"]["key"]) for line in found] == [
        (event, key["id"]) for event in ("key_created", "key_rotated", "key_revoked")
    ]
    assert all(line["actor"].startswith("cli:") for line in found)
    for secret in (key["secret"], json.loads(again.stdout)["secret"]):
        assert secret not in (home / "audit.log").read_text()


def test_a_log_that_cannot_be_written_does_not_undo_a_key(home: Path) -> None:
    (home / "audit.log").mkdir(parents=True)

    result = keys("create")

    assert (result.exit_code, len(FileShelf(home / "keys.json").read())) == (0, 1)
    assert "done, but not in the audit log" in result.stderr


def test_keys_are_kept_where_the_command_says(home: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/keys.db"
    key = made("--store", url)

    assert [each["id"] for each in json.loads(keys("list", "--json", "--store", url).stdout)] == [key["id"]]
    assert not (home / "keys.json").exists()


def test_keys_are_kept_where_the_configuration_says(home: Path, tmp_path: Path) -> None:
    (tmp_path / "setu.toml").write_text(
        '[auth]\nmode = "hybrid"\nkeys = ["${NOT_SET}"]\nadmin_keys = ["${NOR_THIS}"]\nkey_store = "team.json"\n[audit]\nenabled = false\n'
    )

    made()

    assert len(FileShelf(tmp_path / "team.json").read()) == 1
    assert not home.exists()


def test_a_process_ends_with_the_status_of_its_mistake(tmp_path: Path) -> None:
    statuses = [
        setu("keys", *arguments, cwd=tmp_path, XDG_DATA_HOME=str(tmp_path)).returncode
        for arguments in (["list"], ["revoke", "key_none"], ["create", "--expires", "soon"], ["create", "--rpm", "0"])
    ]

    assert statuses == [0, 1, 78, 2]
