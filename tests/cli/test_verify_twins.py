"""`setu verify --twins` over what a real `setu start --record` has kept of calls to the simulator."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from setu import build
from setu.config.model import Config
from setu.server.serve import Background
from setu.transport.simulate.simulator import Simulator
from tests.cli import forks
from tests.processes import Serving

TOML = '[providers.anthropic]\nbase_url = "{url}"\napi_key = "any"\n[providers.gemini]\nbase_url = "{url}"\napi_key = "any"\n'
COMMANDS = {
    "good": "kept --twins --config twins.toml",
    "json": "kept --twins --config twins.toml --json",
    "only": "kept --twins --config twins.toml --only *.stream",
    "elsewhere": "kept --twins",
    "none": "other.yaml --twins",
    "both": "kept --twins --live",
    "native": "native --twins --config twins.toml",
    "client": "client --twins --config twins.toml",
    "client json": "client --twins --config twins.toml --json",
    "alone": "alone --twins --config twins.toml",
}
CALL = {"model": "anthropic/claude-sonnet-4-5", "max_tokens": 500, "messages": [{"role": "user", "content": "hello"}]}


def edited(folder: Path, name: str, file: str, old: str, new: str) -> None:
    """Copy the recordings and change one."""
    shutil.copytree(folder / "kept", folder / name)
    [path] = (folder / name).glob(file)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str]]:
    folder = tmp_path_factory.mktemp("twins")
    with Background(build.app(Simulator(build.SystemClock()), Config(), dict)) as upstream:
        (folder / "twins.toml").write_text(TOML.format(url=upstream.url))
        with Serving("start", "--record", "kept", "--port", "0", "--config", "twins.toml", cwd=folder) as server:
            gemini = {**CALL, "model": "gemini/gemini-2.5-flash", "stream": True}
            for path, body in (
                ("chat/completions", CALL),
                ("chat/completions", {**CALL, "stream": True}),
                ("messages", gemini),
                ("messages", CALL),
            ):
                assert httpx.post(f"{server.url}/v1/{path}", json=body).status_code == 200
    edited(folder, "native", "127.0.0.1_*/anthropic.chat.yaml", '"max_tokens": 500', '"max_tokens": 501')
    edited(folder, "client", "setu/openai_chat.chat.stream.yaml", '"finish_reason":"stop"', '"finish_reason":"length"')
    shutil.copytree(folder / "kept" / "setu", folder / "alone")
    (folder / "other.yaml").write_text("version: 1\ninteractions: []\n")
    found = forks.run([["verify", *command.split()] for command in COMMANDS.values()], folder)
    return dict(zip(COMMANDS, found, strict=True))


def test_translations_that_are_what_they_were_pass(ended: dict[str, tuple[int, str, str]]) -> None:
    # The fourth call was not translated: it has one side.
    assert ended["good"] == (0, "3 answers compared, 0 not: 0 error, 0 warn, 0 info\n", "")
    assert ended["only"][:2] == (0, "2 answers compared, 0 not: 0 error, 0 warn, 0 info\n")
    assert json.loads(ended["json"][1]) == {
        "compared": 3,
        "counts": {"error": 0, "warn": 0, "info": 0},
        "drift": [],
        "skipped": [],
    }


def test_another_request_to_the_provider_fails_with_place_pointer_and_both_values(
    ended: dict[str, tuple[int, str, str]],
) -> None:
    status, out, _ = ended["native"]

    assert status == 1
    row = out.splitlines()[1].split(maxsplit=3)
    assert row[0] == "error"
    assert row[1].startswith("native/127.0.0.1_")
    assert row[1].endswith("/anthropic.chat.yaml:3")
    assert row[2:] == ["request:/max_tokens", "is 500, was 501"]


def test_another_answer_to_the_client_fails_in_words_and_as_json(ended: dict[str, tuple[int, str, str]]) -> None:
    status, out, _ = ended["client"]
    document: Any = json.loads(ended["client json"][1])

    assert (status, ended["client json"][0]) == (1, 1)
    assert "client/setu/openai_chat.chat.stream.yaml:3" in out
    assert document["counts"]["error"] == len(document["drift"]) > 0
    event = next(each for each in document["drift"] if each["pointer"].startswith("events/"))
    assert event["pointer"].endswith(":/choices/0/finish_reason")
    assert (event["place"], event["got"], event["want"]) == (
        "client/setu/openai_chat.chat.stream.yaml:3",
        '"stop"',
        '"length"',
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("elsewhere", "no provider is configured at http://127.0.0.1:"),
        ("none", "no translation with both sides among 0 recordings"),
        ("alone", "0 recordings of the provider's side for 1 of the client's"),
        ("both", "--live, --against and --twins exclude each other"),
    ],
)
def test_what_would_compare_nothing_is_no_success(ended: dict[str, tuple[int, str, str]], name: str, told: str) -> None:
    status, out, errors = ended[name]

    assert (status, out) == (78, "")
    assert told in errors
