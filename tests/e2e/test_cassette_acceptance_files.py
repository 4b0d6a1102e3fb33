"""Acceptance of cassettes: what is on the disk after a crash, on a full disk, of many processes, of a second recording."""

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from pathlib import Path

import pytest

from setu.cassette.model import Interaction
from setu.cassette.shelf import read_cassette
from setu.errors import CassetteDecodeError
from tests.e2e.acceptance import CHAT, Answer, Call, Client, Exact, asking, completion, kept, post, said, through, told
from tests.processes import SETU, Serving, setu
from tests.servers import RawServer

LARGE = 100_000
KILLS = 3


def asked(interaction: Interaction) -> str:
    body = interaction.exchange.request.body
    assert isinstance(body, bytes)
    text: str = json.loads(body)["messages"][-1]["content"]
    return text


@contextmanager
def recording(directory: Path, *options: str, command: tuple[str, ...] = SETU) -> Iterator[Serving]:
    with Serving("record", "--port", "0", "-o", str(directory), *options, command=command) as proxy:
        yield proxy


def call_until_it_dies(url: str, upstream: str, numbers: Iterator[int], answered: list[str]) -> None:
    try:
        with Client(url) as client:
            for number in numbers:
                client.post(through(upstream, CHAT), asking(str(number)))
                answered.append(str(number))
    except (OSError, ValueError, IndexError):
        return  # killed


def tear(file: Path, share: float) -> None:
    """Leave a file as a kill within an append does: part of an interaction at its end. Most kills do not hit one."""
    last = file.read_bytes().rpartition(b"\n- request:")[2]
    with file.open("ab") as end:
        end.write(b"- request:" + last[: int(len(last) * share)])


def test_a_kill_at_any_moment_loses_at_most_the_call_under_way_and_recording_goes_on(tmp_path: Path) -> None:
    """Killed as soon as a file has outgrown a size drawn at random."""
    chance = random.Random(7)
    numbers, answered, torn = count(), list[str](), 0
    with RawServer(Exact(lambda call: completion(said(call) + "x" * LARGE))) as upstream:
        file = tmp_path / f"127.0.0.1_{upstream.port}" / "openai_chat.chat.yaml"
        for _ in range(KILLS):
            with recording(tmp_path) as proxy:
                enough = size(file) + chance.randint(1, 8 * LARGE)
                client = threading.Thread(target=call_until_it_dies, args=(proxy.url, upstream.url, numbers, answered))
                client.start()
                while size(file) < enough and client.is_alive():
                    pass  # a pause would miss every append
                proxy.kill()
                client.join(20)
            assert size(file) >= enough
            torn += not whole(file)
            if whole(file):
                tear(file, chance.uniform(0.05, 0.9))
            repaired = setu("cassettes", "repair", str(tmp_path))
            found = [asked(interaction) for interaction in kept(tmp_path)]

            assert (repaired.returncode, repaired.stderr) == (0, "")
            assert "the incomplete rest is in" in repaired.stdout
            assert set(answered) <= set(found)
            assert len(set(found)) == len(found)
        with recording(tmp_path) as proxy:
            post(proxy.url, through(upstream.url, CHAT), asking("last"))

    assert asked(kept(tmp_path)[-1]) == "last"
    print(f"killed {KILLS} times, {torn} of them within an append; {len(answered)} answered calls, all kept")


def whole(file: Path) -> bool:
    try:
        return bool(read_cassette(file))
    except CassetteDecodeError:
        return False


def size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def test_four_processes_that_record_into_one_directory_lose_nothing(tmp_path: Path) -> None:
    texts = [[f"process {process}, call {call}" for call in range(12)] for process in range(4)]

    def calls(url: str, upstream: str, process: int) -> None:
        with Client(url) as client:
            for text in texts[process]:
                client.post(through(upstream, CHAT), asking(text))

    with (
        RawServer(Exact(lambda call: completion(said(call) * 100))) as upstream,
        ExitStack() as stack,
        ThreadPoolExecutor(4) as threads,
    ):
        proxies = list(threads.map(lambda _: stack.enter_context(recording(tmp_path)), range(4)))
        list(threads.map(lambda each: calls(each[1].url, upstream.url, each[0]), enumerate(proxies)))

    assert Counter(asked(interaction) for interaction in kept(tmp_path)) == Counter(chain.from_iterable(texts))
    assert len(list(tmp_path.rglob("*.yaml"))) == 1


LIMITED = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); os.execv(sys.argv[1], sys.argv[1:])"


def test_a_full_disk_is_one_clear_error_and_every_call_succeeds(tmp_path: Path) -> None:
    """No file may grow beyond 20,000 bytes: two answers do not fit, what comes before and after them is kept."""
    command = (sys.executable, "-c", LIMITED, *SETU)
    texts = ["a", "b" * 30_000, "c" * 30_000, "d"]
    with (
        RawServer(Exact(lambda call: completion(said(call)))) as upstream,
        recording(tmp_path, command=command) as proxy,
    ):
        heard = [told(post(proxy.url, through(upstream.url, CHAT), asking(text))) for text in texts]

    (file,) = tmp_path.rglob("*.yaml")
    assert heard == texts
    assert proxy.errors == f"setu: note: recording failed: {file} cannot be written: File too large\n"
    assert [asked(interaction) for interaction in kept(tmp_path)] == ["a", "d"]


def test_a_directory_that_cannot_be_written_is_one_clear_error_and_every_call_succeeds(tmp_path: Path) -> None:
    with RawServer(Exact(lambda call: completion(said(call)))) as upstream, recording(tmp_path) as proxy:
        taken = tmp_path / f"127.0.0.1_{upstream.port}"
        taken.write_text("not a directory")
        heard = [told(post(proxy.url, through(upstream.url, CHAT), asking(text))) for text in "abc"]

    assert heard == ["a", "b", "c"]
    assert proxy.errors.count("\n") == 1
    assert proxy.errors.startswith(f"setu: note: recording failed: {taken}/openai_chat.chat.yaml cannot be written: ")


def test_a_directory_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    refused = setu("record", "-o", str(tmp_path / "file" / "cassettes"), "--port", "0")

    assert refused.returncode == 78
    assert refused.stderr == f"setu: error: cannot record into {tmp_path}/file/cassettes: Not a directory\n"


class Provider:
    """An upstream whose answers are the same but for what providers mint anew: ids where asked, quotas, pauses."""

    def __init__(self, *, mint: bool) -> None:
        self._chance = random.Random(3)
        self._mint = mint
        self.word = "sunny"

    def __call__(self, call: Call) -> Answer:
        quota = str(self._chance.randint(1, 10_000))
        identity, tool = (self._identity(lead) for lead in ("chatcmpl-", "call_"))
        headers = (("x-request-id", self._chance.randbytes(16).hex()), ("x-ratelimit-remaining-tokens", quota))
        if json.loads(call.body).get("stream"):
            deltas = [{"content": word} for word in ("It ", "is ", self.word)]
            gap = self._chance.uniform(0, 0.03)
            return Answer(tuple(event(identity, delta) for delta in deltas), "text/event-stream", 200, headers, gap)
        function = {"name": "weather", "arguments": "{}"}
        calls = [{"id": tool, "type": "function", "function": function}]
        return completion("let me see", identity, tool_calls=calls)._replace(headers=headers)

    def _identity(self, lead: str) -> str:
        return lead + (self._chance.randbytes(12).hex() if self._mint else "0123456789abcdef01234567")


def event(identity: str, delta: dict[str, str]) -> bytes:
    chunk = {"id": identity, "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps({**chunk, "choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def converse(url: str, upstream: str) -> None:
    """Hold a conversation in which the second request says the id that the first answer minted."""
    path = through(upstream, CHAT)
    answer = json.loads(post(url, path, asking("weather?")).body)["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": each["id"], "content": "20 C"} for each in answer["tool_calls"]]
    messages = [{"role": "user", "content": "weather?"}, answer, *results, {"role": "user", "content": "so?"}]
    post(url, path, json.dumps({"model": "m", "stream": True, "messages": messages}).encode())
    post(url, path, asking("weather?"))


class Repository:
    """A git repository with cassettes in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.cassettes = root / "cassettes"
        self.git("init", "-q")

    def git(self, *args: str) -> subprocess.CompletedProcess[str]:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        return subprocess.run(["git", *who, *args], cwd=self._root, capture_output=True, text=True, check=False)

    def commit(self) -> None:
        self.git("add", "-A")
        assert self.git("commit", "-q", "-m", "record").returncode == 0

    def record(self, upstream: str, *options: str) -> None:
        with recording(self.cassettes, *options) as proxy:
            converse(proxy.url, upstream)
        assert (proxy.status, proxy.errors) == (0, "")


@pytest.mark.parametrize("options", [(), ("--scrub-ids",)], ids=["same ids", "--scrub-ids"])
def test_to_record_an_unchanged_upstream_again_gives_an_empty_diff(tmp_path: Path, options: tuple[str, ...]) -> None:
    repository = Repository(tmp_path)
    provider = Provider(mint=bool(options))
    with RawServer(Exact(provider)) as upstream:
        repository.record(upstream.url, *options)
        repository.commit()
        repository.record(upstream.url, "--mode", "rewrite", *options)
        again = repository.git("diff", "--exit-code")
        assert (again.returncode, again.stdout) == (0, "")
        assert repository.git("status", "--porcelain").stdout == ""

        provider.word = "rainy"
        repository.record(upstream.url, "--mode", "rewrite", *options)

    changed = [line for line in repository.git("diff", "-U0").stdout.splitlines() if "ny" in line and line[0] in "+-"]
    assert [(line[0], "sunny" in line, "rainy" in line) for line in changed] == [("-", True, False), ("+", False, True)]
