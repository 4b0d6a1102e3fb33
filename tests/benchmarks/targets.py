"""What is measured: rows, each a server that somebody starts and the loads that it is put under.

A rival's row needs no more than a `serve` of its own. Setu's rows are configurations: what is switched on besides the
bare gateway, so that the difference is the price of that feature.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from setu.config.profiles import SIMULATED
from setu.store.keys import FileShelf, KeyStore
from tests.benchmarks.load import COUNTER, Load
from tests.benchmarks.upstream import MODEL, TIMED
from tests.processes import environment
from tests.redis_server import RedisServer

Work = Literal["json", "inside", "one", "burst", "timed"]
"""JSON on 16 connections; the same with the upstream inside the gateway's process; JSON on one; 16 streams that come
at once; 64 that keep a pace."""


class Running(NamedTuple):
    """A server that listens, and what it wants to see of a client."""

    url: str
    pid: int
    headers: Mapping[str, str] = {}


class Place(NamedTuple):
    """What a row's server is given: a folder of its own, the upstream's address, the processor it is to stay on."""

    room: Path
    upstream: str
    core: int | None = None


Serve = Callable[[Place], AbstractContextManager[Running]]


class Target(NamedTuple):
    """One row. `base` is the row that it is compared with; `extra` is how its request differs from everybody's."""

    name: str
    serve: Serve
    works: tuple[Work, ...] = ("json",)
    base: str | None = "bare"
    path: str = "/v1/chat/completions"
    numbered: bool = False
    personal: bool = False
    model: str = MODEL


_PROMPT = "How many high waters does a small harbour see on an ordinary day, and why is it not always so? " * 4
_PERSONAL = "Write to ada@example.org or call +44 20 7946 0958; the card is 4111 1111 1111 1111. "


def load_of(target: Target, work: Work, headers: Mapping[str, str]) -> Load:
    """Return a row's load: a chat request of 0.7 KB."""
    streams = work in {"burst", "timed"}
    said = (COUNTER.decode() if target.numbered else "") + (_PERSONAL if target.personal else "") + _PROMPT
    body = (
        f'{{"model":"{TIMED if work == "timed" else target.model}","messages":[{{"role":"system","content":'
        f'"You are brief and exact, and you say so when you do not know."}},{{"role":"user","content":"{said}"}}],'
        f'"temperature":0.2,"max_tokens":256,"stream":{str(streams).lower()}}}'
    )
    connections = {"one": 1, "timed": 64}.get(work, 16)
    fields = {"content-type": "application/json", "accept": "*/*", "user-agent": "bench", **headers}
    return Load(target.path, fields, body.encode(), connections, streams)


_OFF = {"breaker": "enabled = false", "usage": "enabled = false", "audit": "enabled = false"}
_HUGE = 1_000_000_000
_ONE_LIMIT = f"requests_per_minute = {_HUGE}"
_SIX_LIMITS = (
    f"requests_per_minute = {_HUGE}\ntokens_per_minute = {_HUGE}\nconcurrency = {_HUGE}\ndaily_tokens = {_HUGE}\n"
    f"default_tenant = {{ requests_per_minute = {_HUGE} }}\nmodels = {{ 'gpt-*' = {{ requests_per_minute = {_HUGE} }} }}"
)
_POLICIES = "".join(
    f"[[policy]]\neffect = 'deny'\nmodel = 'other-{n}*'\ntenant = 'tenant-{n}'\nreason = 'not here'\n"
    for n in range(10)
)
_RULES = "".join(
    f"[[routing.rule]]\nmodel = 'other-{n}-*'\nto = 'canned'\n" for n in range(100)
)  # fmt: skip
_CACHE = {"cache": "enabled = true\nmax_size = 10000"}
_MASKS = {"privacy": "enabled = true"}
_KEYS = "mode = 'keys'\nkey_store = 'keys.json'"


def setu(
    tables: Mapping[str, str] | None = None,
    *,
    tail: str = "",
    verbose: bool = False,
    keys: bool = False,
    redis: bool = False,
    bare: bool = True,
    inside: bool = False,
) -> Serve:
    """Return what starts `setu start` with some tables of its configuration.

    `bare`: what is on by default is off. `inside`: the upstream is in its own process.
    """

    @contextmanager
    def serve(place: Place) -> Iterator[Running]:
        place.room.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            said = dict(_OFF if bare else {}) | dict(tables or {})
            headers: dict[str, str] = {}
            if redis:
                server = stack.enter_context(RedisServer(place.room))
                said["state"] = f"redis_url = '{server.url}'"
            if keys:
                _, secret = KeyStore(FileShelf(place.room / "keys.json")).create(tenant="bench")
                said["auth"] = _KEYS
                headers["authorization"] = f"Bearer {secret}"
            tables_said = "".join(f"[{name}]\n{table}\n" for name, table in said.items())
            providers = _PROVIDERS.format(url=SIMULATED if inside else place.upstream)
            (place.room / "setu.toml").write_text(providers + tables_said + tail, encoding="utf-8")
            options = ("--verbose",) if verbose else ()
            yield stack.enter_context(_started(place, options))._replace(headers=headers)

    return serve


_PROVIDERS = f"""\
[providers.canned]
type = "openai"
api_key = "sk-bench"
base_url = "{{url}}/v1"
models = ["{MODEL}", "{TIMED}"]
[providers.other]
type = "anthropic"
api_key = "sk-bench"
base_url = "{{url}}"
models = ["claude-bench"]
"""


@contextmanager
def _started(place: Place, options: tuple[str, ...]) -> Iterator[Running]:
    """Run `setu start` with its log in a file; a pipe that nobody reads would stop it."""
    with (place.room / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "setu", "start", "--port", "0", *options],
            cwd=place.room, env=quiet(place.room), stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        try:
            if place.core is not None:
                os.sched_setaffinity(process.pid, {place.core})
            yield Running(_address(process, place.room), process.pid)
        finally:
            process.kill()  # what it would still write down is thrown away
            process.communicate()


def _address(process: subprocess.Popen[bytes], room: Path) -> str:
    assert process.stdout is not None
    found = re.search(rb"http://[^\s,]+", process.stdout.readline())
    if found is None:
        raise RuntimeError(f"did not start: {(room / 'log.txt').read_text(encoding='utf-8')}")
    return found.group().decode()


def quiet(room: Path) -> dict[str, str]:
    """Return an environment without anybody's keys, proxies and settings.

    PYTHONDONTWRITEBYTECODE would make every start compile its sources, and some rivals each request.
    """
    found = environment(XDG_DATA_HOME=str(room / "data"), HOME=str(room))
    kept = {
        name: value
        for name, value in found.items()
        if not name.lower().endswith("_proxy") and not name.startswith(("SETU_", "PYTHONDONT"))
    }
    return {**kept, "PYTHONHASHSEED": "0"}  # or two starts of one row differ by the luck of their dicts


class Feature(NamedTuple):
    """What is switched on besides the bare gateway, and how a request must look for it to have something to do."""

    name: str
    options: Mapping[str, Any]
    asked: Mapping[str, Any] = {}
    over_network: bool = False
    """Whether it is also measured with a real upstream: those that cost most, and those that need one."""


_EVERYTHING: Mapping[str, Any] = {
    "tables": {**_CACHE, **_MASKS, "limits": _SIX_LIMITS},
    "tail": _POLICIES + _RULES,
    "verbose": True,
    "keys": True,
    "bare": False,
}
FEATURES = (
    Feature("bare", {}, over_network=True),
    Feature("breaker", {"tables": {"breaker": "enabled = true"}}),
    Feature("usage row, SQLite", {"tables": {"usage": "enabled = true"}}, over_network=True),
    Feature("audit log", {"tables": {"audit": "enabled = true"}}),
    Feature("request log", {"verbose": True}),
    Feature("1 limit, memory", {"tables": {"limits": _ONE_LIMIT}}),
    Feature("6 limits, memory", {"tables": {"limits": _SIX_LIMITS}}),
    Feature("1 limit, Redis", {"tables": {"limits": _ONE_LIMIT}, "redis": True}),
    Feature("6 limits, Redis", {"tables": {"limits": _SIX_LIMITS}, "redis": True}, over_network=True),
    Feature("cache, miss", {"tables": _CACHE}, {"numbered": True}),
    Feature("cache, hit", {"tables": _CACHE}, over_network=True),
    Feature("virtual key", {"keys": True}),
    Feature("10 policies", {"tail": _POLICIES}),
    Feature("100 routing rules", {"tail": _RULES}),
    Feature("masking, nothing found", {"tables": _MASKS}),
    Feature("masking, 3 found", {"tables": _MASKS}, {"personal": True}),
    Feature("translation to Anthropic", {}, {"model": "claude-bench"}, over_network=True),
    Feature("all defaults", {"bare": False}, over_network=True),
    Feature("everything", _EVERYTHING, {"numbered": True, "personal": True}, over_network=True),
)
_STREAMED = frozenset({"bare", "all defaults"})
INSIDE = " (inside)"


def _rows(feature: Feature) -> Iterator[Target]:
    base = None if feature.name == "bare" else "bare"
    if feature.over_network:
        works: tuple[Work, ...] = ("json", "one", "burst", "timed") if feature.name in _STREAMED else ("json",)
        yield Target(feature.name, setu(**feature.options), works, base, **feature.asked)
    inside = setu(**feature.options, inside=True)
    yield Target(feature.name + INSIDE, inside, ("inside",), base and base + INSIDE, **feature.asked)


SETU = tuple(row for feature in FEATURES for row in _rows(feature))


def available(targets: tuple[Target, ...], which: Callable[[str], str | None]) -> tuple[Target, ...]:
    """Return the rows that this machine can start."""
    return tuple(target for target in targets if "Redis" not in target.name or which("redis-server") is not None)
