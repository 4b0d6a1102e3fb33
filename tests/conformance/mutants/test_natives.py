"""Mutants of one endpoint leave the answers of the others alone, and change their own."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import build
from setu.cassette.script import Bytes, End, Head
from setu.conformance.mutants import embeddings, failures, natives, responses
from setu.conformance.mutants.mutant import Change, Mutant
from setu.http import Headers, Request
from setu.transport.play import Playlist

NATIVE = [mutant for area in (natives, responses) for mutant in area.MUTANTS.all]
FAILING = [mutant for mutant in failures.MUTANTS.all if mutant.check.startswith("ERR")]
JSON = "application/json"


def through(
    change: Change | None, path: str, status: int, kind: str, body: bytes, asked: Any = None
) -> tuple[int, bytes]:
    """Return what a broken server makes of an answer: status and body."""
    assert change is not None

    async def use() -> tuple[int, bytes]:
        script = (Head(status, Headers.of({"content-type": kind})), Bytes(body), End())
        request = Request(method="POST", path=path, headers=Headers(), body=json.dumps(asked or {}).encode())
        response = await change(Playlist([script], build.SystemClock())).send(request)
        return response.status, await response.read()

    return asyncio.run(use())


@given(
    mutant=st.sampled_from(NATIVE),
    status=st.sampled_from([200, 400, 503]),
    members=st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.integers())),
)
def test_a_native_mutant_leaves_chats_as_they_are(mutant: Mutant, status: int, members: dict[str, Any]) -> None:
    body = json.dumps(members).encode()

    made = through(mutant.front, "/v1/chat/completions", status, JSON, body)

    assert made == (status, body)


@pytest.mark.parametrize("mutant", FAILING, ids=lambda mutant: mutant.name)
def test_a_mutant_of_failures_leaves_messages_as_they_are(mutant: Mutant) -> None:
    body = b'{"type": "error", "error": {"type": "api_error", "message": "before a response"}}'

    made = through(mutant.front, "/v1/messages", 502, JSON, body)

    assert made == (502, body)


@pytest.mark.parametrize(
    ("name", "status", "error", "expected"),
    [
        ("unavailable_as_400", 503, {"message": "down"}, (400, {"message": "down"})),
        ("unavailable_as_400", 502, {"message": "down"}, (502, {"message": "down"})),
        ("refused_as_500", 502, {"message": "it ended before a response"}, (500, None)),
        ("refused_as_500", 502, {"message": "other"}, (502, {"message": "other"})),
        ("no_type", 400, {"message": "m", "type": "t"}, (400, {"message": "m"})),
        ("no_code", 400, {"code": "context_length_exceeded"}, (400, {"code": None})),
        ("no_code", 400, {"code": "other"}, (400, {"code": "other"})),
    ],
)
def test_a_failure_is_changed_where_it_is_meant(
    name: str, status: int, error: dict[str, Any], expected: tuple[int, dict[str, Any] | None]
) -> None:
    mutant = next(mutant for mutant in FAILING if mutant.name == name)

    made, body = through(mutant.front, "/v1/chat/completions", status, JSON, json.dumps({"error": error}).encode())

    assert (made, json.loads(body)["error"]) == (expected[0], expected[1] or error)


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("error_swallowed", []),
        ("done_after_error", ['{"error":{"code":null}}', "[DONE]"]),
        ("truncated_as_whole", ['{"error":{"code":null}}']),
    ],
)
def test_a_late_failure_is_told_from_a_stream_that_was_cut(name: str, frames: list[str]) -> None:
    mutant = next(mutant for mutant in FAILING if mutant.name == name)

    error = b'data: {"error":{"code":null}}\n\n'

    _, made = through(mutant.front, "/v1/chat/completions", 200, "text/event-stream", error)

    assert made == "".join(f"data: {frame}\n\n" for frame in frames).encode()


def test_a_stream_that_never_began_is_one_event() -> None:
    mutant = next(mutant for mutant in FAILING if mutant.name == "error_as_stream")

    made = through(mutant.front, "/v1/chat/completions", 503, JSON, b'{"error":{"message":"m"}}', {"stream": True})

    assert made == (200, b'data: {"error":{"message":"m"}}\n\n')


def test_an_empty_input_goes_on_as_something() -> None:
    mutant = next(mutant for mutant in embeddings.MUTANTS.all if mutant.name == "empty_answered")
    upstream = Playlist([(Head(200, Headers()), End())], build.SystemClock())
    request = Request(method="POST", path="/v1/embeddings", headers=Headers(), body=b'{"input":[]}')
    assert mutant.front is not None

    asyncio.run(mutant.front(upstream).send(request))

    assert upstream.received[0].body == b'{"input":[" "]}'
