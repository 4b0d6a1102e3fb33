"""Every mistake is one sentence on standard error and an exit status; never a traceback."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli import forks
from tests.processes import setu

USAGE, FAILED, DATA, CONFIG, UNREACHABLE = 2, 1, 66, 78, 3


class Mistake(NamedTuple):
    """A command, the status it ends with, and what its sentence must say; `{tmp}` is a directory of the test's own."""

    args: str
    status: int
    says: str


MISTAKES = [
    Mistake("strat", USAGE, "start"),
    Mistake("start --prot 1", USAGE, "--port"),
    Mistake("start --port many", USAGE, "--port"),
    Mistake("start --port 70000", CONFIG, "--port 70000: must be between 0 and 65535"),
    Mistake("start --port 0 --host not.a.host.invalid", CONFIG, "cannot listen on not.a.host.invalid:0"),
    Mistake("start --config {tmp}/none.toml", CONFIG, "configuration file not found: {tmp}/none.toml"),
    Mistake("start --config {tmp}/bad.toml", CONFIG, "{tmp}/bad.toml:2: not valid TOML"),
    Mistake("start --config {tmp}/typo.toml", CONFIG, "{tmp}/typo.toml:2: server.prot: unknown key; did you mean 'port'?"),
    Mistake("start --config {tmp}/unknown.toml", CONFIG, "unknown provider 'nobody'"),
    Mistake("start --config {tmp}/userinfo.toml", CONFIG, "{tmp}/userinfo.toml:2: providers.local.base_url: must not hold"),
    Mistake("start --replay {tmp} --record {tmp}", CONFIG, "--replay and --record exclude each other"),
    Mistake("start --replay {tmp}/none", DATA, "no cassette at {tmp}/none"),
    Mistake("start --record {tmp}/file --port 0", CONFIG, "cannot record into {tmp}/file"),
    Mistake("replay {tmp}/none", DATA, "no cassette at {tmp}/none"),
    Mistake("replay {tmp}/broken --port 0", DATA, "{tmp}/broken/x.yaml"),
    Mistake("replay --fault explode", CONFIG, "unknown fault 'explode'"),
    Mistake("replay --physics ttft=1ms --no-delay", CONFIG, "--physics paces answers alone"),
    Mistake("replay --no-delay --speed 2", CONFIG, "--no-delay and --speed exclude each other"),
    Mistake("replay --expired fail", CONFIG, "--expired needs --max-age"),
    Mistake("record --miss {tmp}/file:1 -o {tmp}/out -- true", CONFIG, "--miss records one call"),
    Mistake("record --miss {tmp}/file:\u00b2 -o {tmp}/out", DATA, "no misses at"),
    Mistake("replay --speed -1", USAGE, "--speed"),
    Mistake("record -o {tmp}/file/below --port 0", CONFIG, "cannot record into {tmp}/file/below"),
    Mistake("record --upstream nobody", CONFIG, "--upstream nobody: no such provider; there are"),
    Mistake("record --upstream http://user:hunter2@x/v1", CONFIG, "--upstream: must not hold"),
    Mistake("record -o {tmp}/out -- no-such-program", 127, "cannot run no-such-program: No such file or directory"),
    Mistake("record -o {tmp}/out -- {tmp}/file", 126, "cannot run {tmp}/file: Permission denied"),
    Mistake("conformance --provider opanai", USAGE, "unknown provider 'opanai'; did you mean 'openai'?"),
    Mistake("conformance --provider no.such.module:P", USAGE, "cannot be imported"),
    Mistake("conformance --provider :P", USAGE, "is no import string"),
    Mistake("conformance --provider os:path", USAGE, "is a module, not a"),
    Mistake("conformance --report pdf=x", USAGE, "--report pdf=x: expected"),
    Mistake("conformance --provider openai --gateway http://x", USAGE, "--provider and --gateway exclude each other"),
    Mistake("conformance --cassette x --base-url http://x", USAGE, "--base-url and recordings exclude each other"),
    Mistake("conformance --gateway http://127.0.0.1:9", USAGE, "needs --model openai=NAME"),
    Mistake("conformance --gateway nosuch", USAGE, "nosuch"),
    Mistake("conformance --gateway http://127.0.0.1:9 -m gpt", USAGE, "'gpt' is not NAME=MODEL"),
    Mistake("conformance --gateway http://127.0.0.1:9 -m openai=x --upstream-port 0", UNREACHABLE, "127.0.0.1:9"),
    Mistake("conformance --base-url http://127.0.0.1:9", USAGE, "needs one --model"),
    Mistake("conformance --base-url ftp://x --model m", USAGE, "needs one --model"),
    Mistake("conformance --base-url http://127.0.0.1:9/v1 --model m", UNREACHABLE, "127.0.0.1:9"),
    Mistake("conformance --base-url http://127.0.0.1:9 -m m --api-key-env NO_SUCH_KEY", USAGE, "no variable NO_SUCH_KEY"),
    Mistake("conformance --base-url http://127.0.0.1:9 -m m --header sk-secret", USAGE, "--header is NAME=VALUE"),
    Mistake("conformance --select TOLL", USAGE, "no area or check is called TOLL"),
    Mistake("conformance --profile corre", USAGE, "--profile corre"),
    Mistake("conformance --expected-failures {tmp}/none.yml", USAGE, "{tmp}/none.yml"),
    Mistake("conformance --base-url http://127.0.0.1:9 -m m --caps {tmp}/none.toml", USAGE, "{tmp}/none.toml"),
    Mistake("conformance --har {tmp}/none.har", UNREACHABLE, "{tmp}/none.har"),
    Mistake("conformance explain CHAT-999", USAGE, "CHAT-999"),
    Mistake("conformance prove CHAT-999", USAGE, "CHAT-999"),
    Mistake("conformance diff {tmp}/a.json {tmp}/b.json", USAGE, "{tmp}/a.json"),
    Mistake("conformance rejudge {tmp}/none", UNREACHABLE, "{tmp}/none"),
    Mistake("conformance --report junit={tmp}/none/x.xml", USAGE, "cannot write {tmp}/none/x.xml"),
    Mistake("conformance --provider openai --cassettes {tmp}/none", UNREACHABLE, "no cassette at {tmp}/none"),
    Mistake("conformance --provider openai --cassettes {tmp}/empty", UNREACHABLE, "no recordings of openai in {tmp}/empty"),
]  # fmt: skip


@pytest.fixture(scope="module")
def tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "file").touch()
    (folder / "empty").mkdir()
    (folder / "broken").mkdir()
    (folder / "broken" / "x.yaml").write_text("interactions: [")
    (folder / "bad.toml").write_text("[server]\nport =\n")
    (folder / "typo.toml").write_text("[server]\nprot = 1\n")
    (folder / "unknown.toml").write_text("[providers.nobody]\n")
    (folder / "userinfo.toml").write_text("[providers.local]\nbase_url = 'http://user:hunter2@x/v1'\n")
    return folder


@pytest.fixture(scope="module")
def ended(tmp: Path) -> dict[Mistake, tuple[int, str, str]]:
    commands = [mistake.args.format(tmp=tmp).split() for mistake in MISTAKES]
    return dict(zip(MISTAKES, forks.run(commands, tmp), strict=True))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.args.replace("{tmp}/", ""))
def test_a_mistake_is_one_sentence_and_a_status(
    mistake: Mistake, ended: dict[Mistake, tuple[int, str, str]], tmp: Path
) -> None:
    status, out, errors = ended[mistake]

    assert (status, out) == (mistake.status, "")
    assert mistake.says.format(tmp=tmp) in errors
    assert "Traceback" not in errors
    assert "hunter2" not in errors
    if mistake.status != USAGE or errors.startswith("setu:"):
        assert errors.startswith("setu: error: ")
        assert errors.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", ["start", "replay"])
def test_a_port_in_use_is_one_sentence(command: str, tmp: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = setu(command, "--port", str(port), cwd=tmp)

    assert done.returncode == CONFIG
    assert done.stderr.splitlines()[-1] == f"setu: error: cannot listen on 127.0.0.1:{port}: Address already in use"


@pytest.mark.timed
def test_help_answers_at_once() -> None:
    def seconds(ask: Callable[[], object]) -> float:
        start = time.perf_counter()
        ask()
        return time.perf_counter() - start

    assert min(seconds(lambda: setu("--help")) for _ in range(3)) < 0.4


@pytest.mark.slow
def test_help_and_version() -> None:
    asked, version, nothing = setu("--help"), setu("--version"), setu()

    assert (asked.returncode, version.returncode) == (0, 0)
    assert all(word in asked.stdout for word in ("start", "record", "replay", "conformance"))
    assert version.stdout.startswith("setu 0.") or version.stdout.startswith("setu 1.")
    assert (nothing.returncode, "Usage" in nothing.stdout + nothing.stderr) == (USAGE, True)
