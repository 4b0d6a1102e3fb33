"""Calls for the tests of usage."""

import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from hypothesis import strategies as st

from setu.signals import Attempt, Call
from setu.store.usage import Pace
from tests.processes import environment

NOVEMBER = 1_793_995_200_000
"""2026-11-06T20:00:00Z in milliseconds."""

QUICK = Pace(interval=0.01, retry=0.05, longest_retry=0.2)

_PLAIN: dict[str, Any] = {
    "request_id": "req-1",
    "dialect": "openai_chat",
    "model": "gpt-4o-mini",
    "provider": "openai",
    "upstream_model": "gpt-4o-mini",
    "route": "alias",
    "stream": False,
    "status": 200,
    "end": "complete",
    "duration_ms": 40,
    "started": NOVEMBER,
    "input_tokens": 100,
    "output_tokens": 10,
}


def call(**changes: Any) -> Call:
    """A plain call with an id of its own."""
    return Call(**{"id": str(uuid.uuid4()), **_PLAIN, **changes})


def calls(count: int, **changes: Any) -> list[Call]:
    return [call(**changes) for _ in range(count)]


def attempt(number: int = 1, **changes: Any) -> Attempt:
    plain = {"provider": "openai", "model": "gpt-4o-mini", "outcome": "ok", "status": 200, "started": NOVEMBER}
    return Attempt(number=number, **{**plain, **changes})


_WHOLE = st.integers(0, 2**31 - 1)
_MAYBE = st.none() | _WHOLE
_SAID = st.text(st.characters(), max_size=30)
_MOMENT = st.integers(1, 4_102_444_800_000)
_ATTEMPTS = st.builds(
    Attempt,
    number=st.integers(1, 9),
    provider=_SAID,
    model=_SAID,
    outcome=st.sampled_from(["ok", "failed", "denied", "cut"]),
    status=st.integers(0, 599),
    started=_MOMENT,
    duration_ms=_WHOLE,
    ttfb_ms=_MAYBE,
    error=st.none() | _SAID,
)
ANY_CALL = st.builds(
    Call,
    id=st.uuids().map(str) | st.text(min_size=1, max_size=40),
    request_id=_SAID,
    dialect=_SAID,
    model=_SAID,
    provider=_SAID,
    upstream_model=_SAID,
    route=_SAID,
    stream=st.booleans(),
    status=st.integers(0, 599),
    end=st.sampled_from(["complete", "error", "truncated-upstream", "reset", "closed-by-client"]),
    duration_ms=_WHOLE,
    started=_MOMENT,
    tenant=_SAID,
    key=_SAID,
    cache=st.sampled_from(["", "hit", "miss", "bypass"]),
    ttfb_ms=_MAYBE,
    input_tokens=_MAYBE,
    output_tokens=_MAYBE,
    cached_tokens=_MAYBE,
    cache_write_tokens=_MAYBE,
    reasoning_tokens=_MAYBE,
    cost=st.none() | st.integers(0, 2**63 - 1),
    error=st.none() | _SAID,
    losses=st.lists(_SAID, max_size=3).map(tuple),
    attempts=st.lists(_ATTEMPTS, max_size=3).map(tuple),
)
"""Whatever a hostile client or upstream can make of a call, half surrogate pairs and NUL included."""


def stored(url: str, table: str = "requests") -> list[dict[str, Any]]:
    """Read a table's rows."""
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}")).mappings()]
    finally:
        engine.dispose()


def ids(url: str) -> list[str]:
    """Read the ids of all requests, in their order, as UUIDs are written."""
    return sorted(str(uuid.UUID(str(row["id"]))) for row in stored(url))


def count(url: str) -> int:
    """Count the requests; -1 while nobody can say."""
    try:
        return len(ids(url))
    except (sa.exc.DBAPIError, sqlite3.Error):
        return -1


def lines(folder: Path) -> list[Call]:
    """Read the calls that wait in files."""
    decode = msgspec.json.Decoder(Call).decode
    return [decode(line) for path in sorted(folder.glob("usage-*.jsonl")) for line in path.read_bytes().splitlines()]


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.02)


CHILD = """
import sys
from pathlib import Path
from tests.store.calls import QUICK, calls
from setu.store.usage import UsageStore

store = UsageStore(sys.argv[1], Path(sys.argv[2]), pace=QUICK)
"""


def child(script: str, url: str, spill: Path) -> "subprocess.Popen[str]":
    """Start a process that has a `store` and runs a script."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + script, url, str(spill)],
        cwd=Path(__file__).parents[2], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
