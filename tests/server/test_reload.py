"""A reload takes over what can be used and leaves everything alone when it cannot."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from setu.errors import ConfigError
from setu.server.reload import Reloader, digest
from tests.clocks import RealClock
from tests.loops import in_loop


class Source:
    """A file with a number in it; no number is no configuration."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.applied: list[int] = []
        self.spread = 0
        self._news = asyncio.Condition()

    def load(self) -> int:
        text = self.path.read_text()
        if not text.isdigit():
            raise ConfigError(f"{self.path.name}:1: no number")
        return int(text)

    async def apply(self, number: int) -> None:
        if number == 13:
            raise ConfigError("13 cannot be built")
        if number == 14:
            raise RuntimeError("a defect")
        self.applied.append(number)
        async with self._news:
            self._news.notify_all()

    def reloader(self) -> Reloader[int]:
        def count() -> None:
            self.spread += 1

        return Reloader(self.load, self.apply, RealClock(), spread=count)

    async def seen(self, number: int) -> None:
        async with asyncio.timeout(10):
            async with self._news:
                await self._news.wait_for(lambda: number in self.applied)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "setu.toml"
    path.write_text("1")
    return Source(path)


@in_loop
async def test_what_can_be_used_is_taken_over(source: Source) -> None:
    reloader = source.reloader()
    first = reloader.last
    reloaded = await reloader.reload("SIGHUP")

    assert (first.generation, first.ok, first.why) == (1, True, "start")
    assert (reloaded.generation, reloaded.ok, reloaded.why, source.applied) == (2, True, "SIGHUP", [1])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nonsense", "setu.toml:1: no number"),
        ("13", "13 cannot be built"),
        ("14", "internal error: RuntimeError"),
    ],
)
@in_loop
async def test_what_cannot_be_used_changes_nothing_and_says_why(source: Source, text: str, error: str) -> None:
    reloader = source.reloader()
    source.path.write_text(text)
    reloaded = await reloader.reload("file change")

    assert (reloaded.generation, reloaded.ok, reloaded.error, source.applied) == (1, False, error, [])
    assert reloaded.facts() | {"at": 0} == {"generation": 1, "at": 0, "ok": False, "why": "file change", "error": error}


@in_loop
async def test_an_operator_who_asks_is_told_and_the_other_workers_are(source: Source) -> None:
    reloader = source.reloader()
    await reloader.asked("POST /admin/reload")
    source.path.write_text("nonsense")
    with pytest.raises(ConfigError, match="no number"):
        await reloader.asked("POST /admin/reload")

    assert source.spread == 1


@in_loop
async def test_reloads_come_one_after_the_other(tmp_path: Path) -> None:
    running = overlaps = 0

    async def apply(_: int) -> None:
        nonlocal running, overlaps
        running += 1
        overlaps = max(overlaps, running)
        await asyncio.sleep(0.01)
        running -= 1

    reloader = Reloader(lambda: 1, apply, RealClock())
    await asyncio.gather(*(reloader.reload("SIGHUP") for _ in range(3)))

    assert (overlaps, reloader.last.generation) == (1, 4)


@in_loop
async def test_a_file_that_another_takes_the_place_of_is_read_again(source: Source) -> None:
    reloader = source.reloader()
    async with reloader.running(lambda: [source.path]):
        await asyncio.sleep(0.3)
        other = source.path.with_name("new")
        other.write_text("2")
        other.rename(source.path)
        await source.seen(2)

    assert source.applied == [2]


@in_loop
async def test_other_files_of_the_folder_and_the_same_content_are_no_change(source: Source) -> None:
    reloader = source.reloader()
    async with reloader.running(lambda: [source.path]):
        await asyncio.sleep(0.3)
        source.path.with_name("other").write_text("9")
        source.path.write_text("1")
        await asyncio.sleep(0.6)
        untouched = list(source.applied)
        source.path.write_text("3")
        await source.seen(3)

    assert untouched == []


@in_loop
async def test_sighup_reloads_as_long_as_it_runs(source: Source) -> None:
    reloader = source.reloader()
    before = signal.getsignal(signal.SIGHUP)
    async with reloader.running(list):
        os.kill(os.getpid(), signal.SIGHUP)
        await source.seen(1)

    assert signal.getsignal(signal.SIGHUP) == before


@in_loop
async def test_a_configuration_may_have_other_files_after_a_reload(source: Source) -> None:
    files = [source.path]
    second = source.path.with_name("second")
    second.write_text("0")

    def load() -> int:
        files[:] = [source.path, second]
        return int(source.path.read_text()) + int(second.read_text())

    reloader = Reloader(load, source.apply, RealClock())
    async with reloader.running(lambda: files):
        await asyncio.sleep(0.3)
        source.path.write_text("2")
        await source.seen(2)
        await asyncio.sleep(0.5)
        second.write_text("5")
        await source.seen(7)

    assert source.applied == [2, 7]


def test_the_digest_tells_files_apart(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"ab")
    empty = digest([one, two])
    two.write_bytes(b"c")

    assert digest([one, two]) != empty
    assert digest([one, two]) != digest([two, one])
