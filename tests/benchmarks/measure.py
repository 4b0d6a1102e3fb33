"""What a load costs a server: its own processor time by request, taken in pairs with the row it is compared with.

Processor time survives a busy machine better than requests a second do, and differences of neighbours in time better
than differences of figures that lie minutes apart.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.load import Done, put
from tests.benchmarks.targets import Place, Running, Target, Work, load_of, quiet

TICK = 1 / os.sysconf("SC_CLK_TCK")
SETTLED = 0.1
"""Seconds of rest after which a server has written down what it was asked."""


class Effort(NamedTuple):
    """How long and how often."""

    seconds: float = 1
    rounds: int = 4
    warm_up: float = 0.7


QUICK = Effort(0.2, 1, 0.1)


class Sample(NamedTuple):
    """One run of one row; `cpu` is in microseconds of the server's processor time, all its threads."""

    done: Done
    cpu: float

    @property
    def each(self) -> float:
        """Return microseconds a request, or a chunk where the answers are streams."""
        return self.cpu / (self.done.chunks or self.done.requests)


class Figures(NamedTuple):
    """All runs of one row under one load; `pairs` are the runs of its base row just before each."""

    target: Target
    work: Work
    samples: list[Sample]
    pairs: list[Sample]
    memory: int
    """The most KiB it ever held."""
    start: float
    """Seconds from its start until it listened."""

    @property
    def each(self) -> float:
        return median(sample.each for sample in self.samples)

    @property
    def over(self) -> float | None:
        """Return what it costs more than its base."""
        if not self.pairs:
            return None
        return median(own.each - base.each for own, base in zip(self.samples, self.pairs, strict=True))

    def middle(self, of: Callable[[Done], float | None]) -> float | None:
        """Return a median over the runs of what a load looked at."""
        found = [value for sample in self.samples if (value := of(sample.done)) is not None]
        return median(found) if found else None


class Bench:
    """Servers side by side, started when they are first needed."""

    def __init__(self, targets: Sequence[Target], room: Path, stack: ExitStack, tell: Callable[[str], None]) -> None:
        self._targets = {target.name: target for target in targets}
        self._room = room
        self._stack = stack
        self._tell = tell
        self._running: dict[str, Running] = {}
        self._starts: dict[str, float] = {}
        self._server_core, self._load_core = _cores()
        if self._load_core is not None:
            stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
            os.sched_setaffinity(0, {self._load_core})
        self._upstream = stack.enter_context(upstream(room))

    def run(self, work: Work, names: Sequence[str], effort: Effort) -> list[Figures]:
        """Measure rows under one load, in rounds; each after its base."""
        chosen = [self._targets[name] for name in names if work in self._targets[name].works]
        samples: dict[str, list[Sample]] = {target.name: [] for target in chosen}
        pairs: dict[str, list[Sample]] = {target.name: [] for target in chosen}
        for target in chosen:
            self._once(target, work, effort.warm_up)
        for number in range(effort.rounds):
            for target in chosen:
                base = self._targets.get(target.base or "")
                if base is not None and base.name in samples:
                    pairs[target.name].append(self._once(base, work, effort.seconds))
                samples[target.name].append(self._once(target, work, effort.seconds))
                self._tell(f"{work}, round {number + 1}: {target.name}: {samples[target.name][-1].each:.0f} µs")
        return [self._figures(target, work, samples[target.name], pairs[target.name]) for target in chosen]

    def floor(self, effort: Effort) -> Done:
        """Return what the upstream does by itself: it must not be what is measured."""
        target = Target("upstream", lambda _: ExitStack(), base=None)  # type: ignore[arg-type,return-value]  # not served
        return put(self._upstream, load_of(target, "json", {}), effort.seconds, self._room, self._load_core)

    def _once(self, target: Target, work: Work, seconds: float) -> Sample:
        running = self._running.get(target.name) or self._start(target)
        load = load_of(target, work, running.headers)
        before = cpu_seconds(running.pid)
        done = put(running.url, load, seconds, self._room, self._load_core)
        return Sample(done, (_rested(running.pid) - before) * 1e6)

    def _start(self, target: Target) -> Running:
        began = time.monotonic()
        place = Place(self._room / target.name.replace(" ", "-"), self._upstream, self._server_core)
        running = self._running[target.name] = self._stack.enter_context(target.serve(place))
        self._starts[target.name] = time.monotonic() - began
        return running

    def _figures(self, target: Target, work: Work, samples: list[Sample], pairs: list[Sample]) -> Figures:
        memory = _peak_memory(self._running[target.name].pid)
        return Figures(target, work, samples, pairs, memory, self._starts[target.name])


@contextmanager
def upstream(room: Path) -> Iterator[str]:
    """Run the provider; give its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.upstream"], env=quiet(room), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process, all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def _rested(pid: int, patience: float = 2.0) -> float:
    """Return the processor time when nothing is added any more: rows are written after the answers."""
    until = time.monotonic() + patience
    used = cpu_seconds(pid)
    while time.monotonic() < until:
        time.sleep(SETTLED)
        now = cpu_seconds(pid)
        if now - used < 2 * TICK:
            return now
        used = now
    return used


def _peak_memory(pid: int) -> int:
    fields: Mapping[str, str] = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    )
    return int(fields["VmHWM"].split()[0])


def _cores() -> tuple[int | None, int | None]:
    """Return a processor for the server and one for all others, where there are two."""
    able = sorted(os.sched_getaffinity(0))
    return (able[0], able[1]) if len(able) > 1 else (None, None)
