"""The run: a crowd, misbehaving upstreams, and backends and configurations that come and go under it."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable
from os import kill
from pathlib import Path
from typing import NamedTuple

from tests.chaos import table
from tests.chaos.crowd import Crowd, Told
from tests.chaos.gateway import Holding, config, metrics, reload, serve, settled
from tests.chaos.upstream import Manner, Upstreams
from tests.postgres_server import PostgresServer
from tests.processes import Serving
from tests.redis_server import RedisServer

CLIENTS = 200
RELOAD_EVERY = 5.0
WARM = 4.0
"""Seconds of the same load without any fault but the upstreams', after which the baseline is taken."""
AWAY = 1.0
"""Seconds for which a backend is away."""

MANNERS = [
    Manner(),
    Manner(late=25),
    Manner(busy=12, failing=10),
    Manner(reset=6, cut=5, torn=5, short=5),
]


class Findings(NamedTuple):
    """What a run left behind: what clients were told, the tables, and what the gateway held before and after."""

    told: list[Told]
    requests: list[table.RowT]
    attempts: list[table.RowT]
    asked: Counter[str]
    before: Holding
    after: Holding
    total: int
    status: int | None
    log: str

    def __str__(self) -> str:
        outcomes = Counter(f"{each.outcome} {each.status}" for each in self.told)
        return "\n".join(
            [
                f"{len(self.told)} requests: " + ", ".join(f"{name}: {n}" for name, n in sorted(outcomes.items())),
                f"{len(self.attempts)} tries: {dict(Counter(each['outcome'] for each in self.attempts))}",
                f"ends: {dict(Counter(each['end'] for each in self.requests))}",
                f"before: {self.before}",
                f"after:  {self.after}",
            ]
        )


def run(folder: Path, seconds: float, seed: int = 1) -> Findings:
    """Start everything, let it storm, and look at what is left."""
    redis = RedisServer(folder, "--appendonly", "yes", "--appendfsync", "always")
    with redis, PostgresServer() as postgres, Upstreams(MANNERS, seed) as upstreams:
        ports = {redis.port: "redis", postgres.port: "postgres"}
        ports |= {int(each.url.rpartition(":")[2]): "upstream" for each in upstreams.all}

        def configured(generation: int) -> None:
            text = config(redis.url, postgres.url, [each.url for each in upstreams.all], generation)
            fresh = folder / "setu.toml.new"
            fresh.write_text(text)
            fresh.rename(folder / "setu.toml")

        configured(0)
        with serve(folder) as server:
            warm = Crowd(lambda: server.url, CLIENTS, seed, prefix="w")
            asyncio.run(warm.run(WARM))
            before = _quiet(server, ports, None)
            crowd = Crowd(lambda: server.url, CLIENTS, seed + 1)
            asyncio.run(_storm(crowd, seconds, server, redis, postgres, configured))
            after = _quiet(server, ports, before.tasks)
            total = metrics(server.url)["requests"]["total"]
        requests, attempts = table.rows(postgres.url)
        log = (folder / "log").read_text()
        told = [*warm.told, *crowd.told]
        return Findings(told, requests, attempts, upstreams.nonces, before, after, total, server.status, log)


def _quiet(server: Serving, ports: dict[int, str], tasks: int | None) -> Holding:
    """Let everything end that the load has begun, connections to the upstreams included."""
    time.sleep(1.0)
    reload(server.url)
    return settled(server, ports, tasks)


async def _storm(
    crowd: Crowd,
    seconds: float,
    server: Serving,
    redis: RedisServer,
    postgres: PostgresServer,
    configured: Callable[[int], None],
) -> None:
    faults = [
        asyncio.ensure_future(_away(seconds * 0.3, redis.kill, redis.start)),
        asyncio.ensure_future(_away(seconds * 0.6, postgres.kill, postgres.start)),
        asyncio.ensure_future(_reloads(server.pid, configured)),
    ]
    try:
        await crowd.run(seconds)
    finally:
        faults[-1].cancel()
        await asyncio.gather(*faults[:-1])


async def _away(after: float, kill: Callable[[], None], start: Callable[[], None]) -> None:
    await asyncio.sleep(after)
    await asyncio.to_thread(kill)
    await asyncio.sleep(AWAY)
    await asyncio.to_thread(start)


async def _reloads(pid: int, configured: Callable[[int], None]) -> None:
    """Put another configuration in place every so often; every other time a signal says so as well."""
    generation = 0
    while True:
        await asyncio.sleep(RELOAD_EVERY)
        generation += 1
        configured(generation)
        if generation % 2:
            kill(pid, signal.SIGHUP)
