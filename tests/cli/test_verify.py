"""`setu verify`, `setu record --mode verify` and `--max-age`: are recordings still true?"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from setu.cassette.model import Interaction, Recording
from setu.cassette.shelf import read_cassette, write_cassette
from setu.http import Request
from tests.cassette.samples import interaction, request, talk
from tests.cli import forks
from tests.live import Upstream, reply
from tests.servers import RawServer

KEY = "sk-test-0123456789abcdef"
TOML = '[providers.here]\ntype = "openai_compatible"\nbase_url = "{url}/v1"\napi_key = "{key}"\n'
CALL = """
import os, urllib.request
body = b'{"model":"m","messages":[]}'
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"content-type": "application/json"})
print(urllib.request.urlopen(request).read().decode())
"""


def answer(value: Any, text: str = "hello", **recording: Any) -> Interaction:
    return interaction(msgspec.json.encode(value), asked=talk(text), recording=Recording(**recording))


def chat(origin: str) -> Request:
    return request({"model": "m", "messages": []}, path="/v1/chat/completions", origin=origin)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    old = [answer({"a": 1, "b": 1}, recorded="2020-01-01"), answer({"a": 1}, "alone")]
    write_cassette(folder / "old.yaml", old)
    write_cassette(folder / "new.yaml", [answer({"a": 2, "b": 2, "c": 3})])
    write_cassette(folder / "less.yaml", [answer({"a": 2})])
    write_cassette(folder / "other.yaml", [answer({"a": "2", "b": 1})])
    return folder


@pytest.fixture(scope="module")
def offline(folder: Path) -> dict[str, tuple[int, str, str]]:
    commands = [
        "old.yaml --against old.yaml",
        "old.yaml --against new.yaml",
        "old.yaml --against less.yaml",
        "old.yaml --against less.yaml --strict",
        "old.yaml --against other.yaml",
        "old.yaml --against other.yaml --json",
        "old.yaml --against other.yaml --only gemini*",
        "old.yaml --max-age 30d",
        "old.yaml --max-age 30d --expired fail",
        "old.yaml",
        "old.yaml --live --against new.yaml",
        "old.yaml --max-age soon",
        "old.yaml --live",
        "none.yaml --live",
    ]
    ended = forks.run([["verify", *command.split()] for command in commands], folder)
    return dict(zip(commands, ended, strict=True))


def test_recordings_that_say_the_same_have_not_drifted(offline: dict[str, tuple[int, str, str]]) -> None:
    assert offline["old.yaml --against old.yaml"] == (0, "2 answers compared, 0 not: 0 error, 0 warn, 0 info\n", "")


@pytest.mark.parametrize(
    ("options", "status", "level", "where"),
    [
        ("--against new.yaml", 0, "info", "/c"),
        ("--against less.yaml", 0, "warn", "/b"),
        ("--against less.yaml --strict", 1, "warn", "/b"),
        ("--against other.yaml", 1, "error", "/a"),
        ("--max-age 30d", 0, "warn", "recorded"),
        ("--max-age 30d --expired fail", 1, "error", "recorded"),
    ],
)
def test_drift_is_told_by_level_and_place_and_errors_fail(
    offline: dict[str, tuple[int, str, str]], options: str, status: int, level: str, where: str
) -> None:
    found, out, errors = offline[f"old.yaml {options}"]

    assert (found, errors) == (status, "")
    assert out.splitlines()[1].split()[:3] == [level, "old.yaml:3", where]


def test_what_was_not_compared_is_told(offline: dict[str, tuple[int, str, str]], folder: Path) -> None:
    _, out, _ = offline["old.yaml --against new.yaml"]

    line = read_cassette(folder / "old.yaml")[1].place.rpartition(":")[2]
    assert f"not compared: old.yaml:{line}: the other side has no recording of this call" in out
    assert out.splitlines()[-1] == "1 answers compared, 1 not: 0 error, 0 warn, 1 info"


def test_as_json_it_is_one_document(offline: dict[str, tuple[int, str, str]]) -> None:
    status, out, _ = offline["old.yaml --against other.yaml --json"]

    document = json.loads(out)
    assert (status, document["compared"], document["counts"]["error"]) == (1, 1, 1)
    assert document["drift"] == [
        {"level": "error", "place": "old.yaml:3", "pointer": "/a", "message": "was number, is string"}
    ]


def test_only_what_was_asked_for_is_compared(offline: dict[str, tuple[int, str, str]]) -> None:
    assert offline["old.yaml --against other.yaml --only gemini*"][:2] == (
        0, "0 answers compared, 0 not: 0 error, 0 warn, 0 info\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        ("old.yaml", 78, "verify needs --live, --against DIR, --twins or --max-age AGE"),
        ("old.yaml --live --against new.yaml", 78, "--live, --against and --twins exclude each other"),
        ("old.yaml --max-age soon", 78, "'soon' is no age"),
        ("old.yaml --live", 78, "none of 2 calls can be made again; old.yaml:3: no key for https://api.anthropic.com"),
        ("none.yaml --live", 66, "no cassette at none.yaml"),
    ],
)
def test_a_mistake_is_one_sentence(
    offline: dict[str, tuple[int, str, str]], command: str, status: int, says: str
) -> None:
    found, out, errors = offline[command]

    assert (found, out) == (status, "")
    assert errors.startswith(f"setu: error: {says}")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, tuple[int, str, str]], Path, Upstream]:
    folder = tmp_path_factory.mktemp("live")
    upstream = Upstream(reply(b'{"id":"new","choices":"none"}'))
    with RawServer(upstream) as raw:
        (folder / "setu.toml").write_text(TOML.format(url=raw.url, key=KEY))
        told = Recording(dialect="openai_chat", recorded="2020-01-01")
        recorded = interaction(b'{"id":"old","choices":[]}', asked=chat(raw.url), recording=told)
        write_cassette(folder / "kept" / "a.yaml", [recorded])
        write_cassette(folder / "aged" / "mine.yaml", [recorded])
        child = ["--upstream", f"{raw.url}/v1", "--", sys.executable, "-c", CALL]
        aged = ["record", "-o", "aged", "--mode", "once", "--cassette", "mine", "--max-age"]
        commands = {
            "verify": ["verify", "kept", "--live"],
            "dead": ["verify", "kept", "--live", "--config", "dead.toml"],
            "record": ["record", "-o", "kept", "--mode", "verify", *child],
            "young": [*aged, "99999d", *child],
            "old": [*aged, "30d", *child],
            "refused": ["record", "-o", "kept", "--max-age", "30d", *child],
            "expired": ["replay", "kept", "--max-age", "30d", "--expired", "fail", "--port", "0"],
        }
        dead = TOML.format(url="http://127.0.0.1:9", key=KEY)
        write_cassette(folder / "dead" / "a.yaml", [interaction(asked=chat("http://127.0.0.1:9"))])
        (folder / "dead.toml").write_text(dead)
        commands["dead"][1] = "dead"
        ended = forks.run(list(commands.values()), folder)
    return dict(zip(commands, ended, strict=True)), folder, upstream


def test_the_provider_is_asked_again_with_its_key(live: Any) -> None:
    ended, folder, upstream = live

    status, out, errors = ended["verify"]
    assert (status, errors) == (1, "")
    assert out.splitlines()[1].split()[:3] == ["error", "kept/a.yaml:3", "/choices"]
    assert upstream.sent[0].field("authorization") == f"Bearer {KEY}"
    [kept] = read_cassette(folder / "kept" / "a.yaml")
    assert kept.exchange.body == b'{"id":"old","choices":[]}'


def test_a_provider_that_cannot_be_reached_is_an_error(live: Any) -> None:
    status, out, _ = live[0]["dead"]

    assert status == 1
    assert "could not be asked" in out


def test_a_client_gets_the_recording_while_the_provider_is_asked_too(live: Any) -> None:
    status, out, _ = live[0]["record"]

    assert status == 1
    assert out.splitlines()[0] == '{"id":"old","choices":[]}'
    assert "was array, is string" in out
    assert out.splitlines()[-1] == "1 answers compared, 0 not: 1 error, 0 warn, 0 info"


def test_a_cassette_that_is_too_old_is_recorded_anew_in_mode_once(live: Any) -> None:
    ended, folder, _ = live

    assert [ended[name][1].strip() for name in ("young", "old")] == [
        '{"id":"old","choices":[]}', '{"id":"new","choices":"none"}',
    ]  # fmt: skip
    [kept] = read_cassette(folder / "aged" / "mine.yaml")
    assert kept.exchange.body == b'{"id":"new","choices":"none"}'
    assert "the recording is older than 30 days: aged/mine.yaml:3" in ended["old"][2]


def test_a_cassette_that_is_too_old_can_be_refused(live: Any) -> None:
    assert live[0]["refused"][:2] == (78, "")
    assert "--max-age needs --mode once" in live[0]["refused"][2]
    status, _, errors = live[0]["expired"]
    assert status == 66
    assert errors.startswith("setu: error: the recording is older than 30 days: kept/a.yaml:3 was recorded")
