"""Acceptance of replay: misses explained and recorded, unused recordings, drift in tiers, faults, secrets."""

import json
import shlex
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from setu.cassette.faults import FORMS, parse_rule
from tests.cli import forks
from tests.clients.faulted import CALLS, OUTCOMES
from tests.e2e.acceptance import CHAT, Answer, Call, Exact, asking, completion, first, kept, post, said, through, told
from tests.processes import Serving, environment, setu
from tests.servers import RawServer


def echo(call: Call) -> Answer:
    return completion(f"re: {said(call)}")


def recorded(directory: Path, upstream: str, *bodies: bytes) -> None:
    with Serving("record", "--port", "0", "-o", str(directory)) as proxy:
        for body in bodies:
            post(proxy.url, through(upstream, CHAT), body)
    assert (proxy.status, proxy.errors) == (0, "")


def test_a_miss_names_the_message_and_its_command_records_just_that_call(tmp_path: Path) -> None:
    """Three conversations are near; one shares two messages with what is asked and differs in the third."""
    talks = [("hello", "hi", "tell a joke"), ("hello", "hi there", "tell a joke"), ("goodbye", "bye", "why?")]
    asked = asking("hello", "hi there", "tell two jokes")
    cassettes = tmp_path / "cassettes"
    with RawServer(Exact(echo)) as upstream:
        recorded(cassettes, upstream.url, *(asking(*talk) for talk in talks))
        place = kept(cassettes)[1].place
        with Serving("replay", "cassettes", "--port", "0", cwd=tmp_path) as server:
            missed = post(
                server.url, through(upstream.url, CHAT), asked, {"authorization": "Bearer sk-abcdef0123456789abcdef"}
            )
        miss = (tmp_path / "setu-misses.jsonl").read_text()
        explained = json.loads(missed.body)["error"]["message"]
        command = first(r"record just this call: (.+)", explained)
        again = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    with Serving("replay", "cassettes", "--port", "0", cwd=tmp_path) as served:
        answered = post(served.url, through(upstream.url, CHAT), asked)

    assert (missed.status, dict(missed.headers)["x-should-retry"]) == (424, "false")
    assert f"nearest recording: {Path(place).relative_to(tmp_path)}" in explained
    assert "first difference: /messages/2/content" in explained
    assert '- "tell a joke"' in explained
    assert '+ "tell two jokes"' in explained
    assert "sk-abcdef" not in miss + explained
    assert (server.status, miss.count("\n")) == (1, 1)
    assert server.errors == "1 request(s) had no recording; setu-misses.jsonl explains them\n"
    assert again.returncode == 0, again.stderr
    assert len(kept(cassettes)) == len(talks) + 1
    assert (served.status, answered.status, told(answered)) == (0, 200, "re: tell two jokes")


def test_unused_recordings_fail_with_strict_unused_and_are_named(tmp_path: Path) -> None:
    with RawServer(Exact(echo)) as upstream:
        recorded(tmp_path, upstream.url, asking("used"), asking("not used"))
    (_, unused) = kept(tmp_path)

    ended = []
    for options in ((), ("--strict-unused",)):
        with Serving("replay", str(tmp_path), "--port", "0", *options, cwd=tmp_path) as server:
            post(server.url, through(upstream.url, CHAT), asking("used"))
        ended.append((server.status, server.errors))

    assert ended == [(0, ""), (1, f"no request asked for the recording at {unused.place}\n")]


NUMBERS = count()
TIERS: dict[str, tuple[dict[str, Any], int, int]] = {
    "nothing": ({}, 0, 0),
    "info": ({"members": {"annotations": []}}, 0, 0),
    "warn": ({"without": "refusal"}, 0, 1),
    "error": ({"members": {"content": ["a list"]}}, 1, 1),
}
"""By level, what changes in the answers' messages, and the exit status, also with `--strict`."""


def changed(call: Call, change: dict[str, Any]) -> Answer:
    """Answer with other words each time, which is no drift, and with what changes."""
    members = {"content": f"{said(call)} {next(NUMBERS)}", "refusal": None, **change.get("members", {})}
    members.pop(change.get("without", ""), None)
    return completion("", f"chatcmpl-{next(NUMBERS)}", **members)


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[int, Any]]]:
    """By level, the exit status and the report of a comparison with it, without and with `--strict`."""
    root = tmp_path_factory.mktemp("drift")
    level = "nothing"
    with (
        RawServer(Exact(lambda call: changed(call, TIERS[level][0]))) as upstream,
        Serving("record", "--port", "0", "-o", str(root)) as proxy,
    ):
        post(proxy.url, f"/c/old{through(upstream.url, CHAT)}", asking("a"))
        for level in TIERS:
            post(proxy.url, f"/c/{level}{through(upstream.url, CHAT)}", asking("a"))
    commands = [["verify", "old.yaml", "--against", f"{each}.yaml", "--json"] for each in TIERS]
    runs = forks.run([*commands, *([*command, "--strict"] for command in commands)], root)
    ended = [(status, json.loads(out)) for status, out, _ in runs]
    return {each: [ended[index], ended[index + len(TIERS)]] for index, each in enumerate(TIERS)}


@pytest.mark.parametrize("level", TIERS)
def test_drift_is_told_in_tiers(verified: dict[str, list[tuple[int, Any]]], level: str) -> None:
    (plain, report), (strict, _) = verified[level]
    _, expected, expected_strict = TIERS[level]

    assert report["compared"] == 1
    assert {name for name, count in report["counts"].items() if count} == {level} - {"nothing"}
    assert (plain, strict) == (expected, expected_strict)


def test_what_providers_answer_today_is_compared_with_what_is_recorded(tmp_path: Path) -> None:
    """`--live` asks only hosts that are configured, with their keys; nothing is written."""
    change: dict[str, Any] = {}
    with RawServer(Exact(lambda call: changed(call, change))) as upstream:
        recorded(tmp_path / "cassettes", upstream.url, asking("a"))
        (tmp_path / "setu.toml").write_text(
            f'[providers.mine]\ntype = "openai_compatible"\nbase_url = "{upstream.url}/v1"\napi_key = "k"\n'
        )
        before = (file := next((tmp_path / "cassettes").rglob("*.yaml"))).read_bytes()
        same = setu("verify", "cassettes", "--live", "--json", cwd=tmp_path)
        change = {"members": {"content": 7}}
        drifted = setu("verify", "cassettes", "--live", "--json", cwd=tmp_path)

    assert (same.returncode, drifted.returncode) == (0, 1), same.stderr + drifted.stderr
    assert json.loads(same.stdout)["drift"] == []
    (drift,) = json.loads(drifted.stdout)["drift"]
    assert (drift["level"], drift["pointer"]) == ("error", "/choices/[]/message/content")
    assert file.read_bytes() == before


@pytest.mark.parametrize("form", FORMS, ids=[form.text for form in FORMS])
def test_each_fault_has_a_known_outcome_with_both_sdks(form: Any) -> None:
    """tests/clients/test_faults.py makes the calls, over sockets."""
    known = {fault: found for fault, found in OUTCOMES.items() if form.pattern.fullmatch(parse_rule(fault).text)}

    assert {call.partition(",")[0] for call in CALLS} == {"openai", "openai Responses", "anthropic"}
    assert known
    assert all(len(found) == len(CALLS) for found in known.values())
