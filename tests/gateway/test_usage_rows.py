"""Rows of usage, from a request over a real socket to the database: one for each, whatever became of it."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.whole import Held, Whole, cut, failing, reset, said
from tests.gateway.wire import CHUNKS, OA_STREAM, USAGE_CHUNK
from tests.live import reply, sse
from tests.servers import SSE_HEAD, chunked

HOSTS = {"a": "openai", "b": "anthropic"}
PRICES = {"a/m": {"input_per_1m": 1000, "output_per_1m": 2000}, "b/m": {"input_per_1m": 1, "output_per_1m": 1}}
COLUMNS = 'request_id, provider, status_code, "end", stream, cache, prompt_tokens, completion_tokens, cost_nano_usd, error_message'  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Ask one request of each kind, stop, and return the rows by what the client called its request."""
    folder = tmp_path_factory.mktemp("usage")
    database = folder / "usage.db"
    usage = {"database_url": f"sqlite:///{database}", "spill_dir": str(folder / "spill")}
    routing = {"models": {"x": ["a/m", "b/m"]}}
    resilience = {"retry": {"max_attempts": 2, "initial_interval": 0.005}}
    with Whole(
        HOSTS, usage=usage, routing=routing, prices=PRICES, resilience=resilience, cache={"enabled": True},
        limits={"tenants": {"spent": {"daily_tokens": 1}}}, breaker={"enabled": False},
    ) as whole:  # fmt: skip
        asks(whole)
        assert whole.reported(11)
    with sqlite3.connect(database) as found:
        requests = found.execute(f"select {COLUMNS} from requests").fetchall()
        tries = found.execute(
            "select r.request_id, a.attempt_no, a.provider, a.status_code, a.outcome from provider_attempts a "
            "join requests r on a.request_id = r.id order by a.attempt_no"
        ).fetchall()
    found.close()
    by_name: dict[str, list[Any]] = {}
    for name, *values in requests:
        by_name.setdefault(name, []).append(tuple(values))
    by_name["tries"] = tries
    return by_name


def asks(whole: Whole) -> None:
    def ask(name: str, body: dict[str, Any], *steps: Any, **fields: str) -> None:
        whole["a"].script.extend(steps)
        pairs = [(field.replace("_", "-"), value) for field, value in fields.items()]
        whole.ask({**body, "messages": [{"role": "user", "content": name}]}, fields=[("x-request-id", name), *pairs])

    told = sse(*CHUNKS, USAGE_CHUNK, "[DONE]")
    ask("plain", said())
    ask("stream", said(stream=True, stream_options={"include_usage": True}), reply(told, kind="text/event-stream"))
    ask("failed", said(), failing(400, message="no"))
    ask("unreachable", said(), reset, reset)
    ask("cut", said(stream=True), cut(sse(*CHUNKS[:2])))
    ask("fallback", said("x"), failing(500), failing(500))
    ask("spent", said(), x_setu_tenant="spent")
    ask("unknown", said("nobody"))
    for _ in range(2):
        ask("twice", said())
    held = Held(chunked(OA_STREAM), SSE_HEAD + chunked(sse(*CHUNKS[:2]), end=False))
    whole["a"].script.append(held)
    with whole.begin(said(stream=True), fields=[("x-request-id", "left")]) as begun:
        begun.read_to(b"Hel")
    assert held.left.wait(2)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("plain", ("a", 200, "complete", 0, "miss", 3, 1, 5_000_000, None)),
        ("stream", ("a", 200, "complete", 1, "miss", 3, 1, 5_000_000, None)),
        ("failed", ("a", 400, "error", 0, "miss", None, None, None, "invalid_request")),
        ("unreachable", ("a", 502, "error", 0, "miss", None, None, None, "upstream_unreachable")),
        ("cut", ("a", 200, "truncated-upstream", 1, "miss", None, None, None, "upstream_truncated")),
        ("fallback", ("b", 200, "complete", 0, "miss", 3, 1, 4000, None)),
        ("spent", ("a", 400, "error", 0, "", None, None, None, "request_too_large_for_limit")),
        ("unknown", ("", 400, "error", 0, "", None, None, None, "model_not_found")),
        ("left", ("a", 200, "closed-by-client", 1, "miss", None, None, None, None)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_request_has_its_row(rows: dict[str, list[Any]], name: str, row: tuple[Any, ...]) -> None:
    assert rows[name] == [row]


def test_what_came_from_the_cache_cost_nothing(rows: dict[str, list[Any]]) -> None:
    assert sorted((row[4], row[5], row[7] or 0) for row in rows["twice"]) == [
        ("hit", None, 0),
        ("miss", 3, 5_000_000),
    ]


def test_each_try_has_its_row(rows: dict[str, list[Any]]) -> None:
    def of(name: str) -> list[Any]:
        return [tuple(each[1:]) for each in rows["tries"] if each[0] == name]

    assert of("plain") == [(1, "a", 200, "ok")]
    assert of("unreachable") == [(1, "a", None, "failed"), (2, "a", None, "failed")]
    assert of("fallback") == [(1, "a", 500, "failed"), (2, "a", 500, "failed"), (3, "b", 200, "ok")]
    assert of("cut") == [(1, "a", 200, "cut")]
    assert of("left") == [(1, "a", 200, "cut")]
    assert of("spent") == of("unknown") == []
    assert len(of("twice")) == 1


def test_no_key_is_in_the_database(tmp_path: Path) -> None:
    usage = {"database_url": f"sqlite:///{tmp_path / 'u.db'}", "spill_dir": str(tmp_path / "spill")}
    with Whole(HOSTS, usage=usage, auth={"mode": "passthrough"}) as whole:
        whole.ask(said(), fields=[("authorization", "Bearer sk-own-0123456789abcdef")])
        whole["a"].script.append(failing(401, message="Incorrect API key: sk-own-0123456789abcdef"))
        whole.ask(said(), fields=[("authorization", "Bearer sk-own-0123456789abcdef")])

    assert b"sk-own" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert json.dumps([str(call) for call in whole.calls]).count("sk-own") == 0
