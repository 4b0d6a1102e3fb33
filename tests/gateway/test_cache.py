"""Answers are kept and given again as they were, to those who may have them."""

import contextlib
import json
from collections.abc import Callable

import pytest

from setu.dialects.routes import classify
from setu.errors import ConnectionFailedError, TruncatedError
from setu.gateway.cache import decoded
from setu.gateway.cacheable import Lookup, lookup
from setu.http import Request, Response
from setu.store.cache import MemoryCache
from tests.gateway.cached import (
    BROKEN,
    CHAT,
    JSON,
    PIECES,
    SSE,
    Clock,
    Upstream,
    cache,
    chunks,
    place,
    response,
    run,
    settled,
    streamed,
)
from tests.gateway.wire import COMPLETION


def test_an_answer_is_given_again_with_its_bytes_and_its_age() -> None:
    async def main() -> None:
        clock, upstream = Clock(), Upstream(response)
        kept = cache(clock=clock)
        first = await kept.through(place(), upstream)
        await settled()
        clock.time += 7.9
        second = await kept.through(place(), upstream)

        assert (first.state, second.state, upstream.calls) == ("miss", "hit", 1)
        assert (await first.response.read(), await second.response.read()) == (COMPLETION, COMPLETION)
        assert first.response.headers.get("x-request-id") == "req_1"
        assert dict(second.response.headers.items()) == {
            "content-type": JSON, "age": "7", "x-setu-cache": "hit", "cache-control": "private, no-store",
        }  # fmt: skip
        assert kept.stats == (1, 1, 0)

    run(main)


def test_a_stream_is_given_again_as_the_chunks_it_was() -> None:
    """B-HDR-03: a stream stays a stream, a JSON answer JSON."""

    async def main() -> None:
        upstream = Upstream(streamed, response)
        kept = cache()
        first = await chunks(await kept.through(place(stream=True), upstream))
        await settled()
        again = await kept.through(place(stream=True), upstream)
        plain = await kept.through(place(), upstream)

        assert again.response.headers.get("content-type") == SSE
        assert first == await chunks(again) == list(PIECES)
        assert (plain.state, plain.response.headers.get("content-type")) == ("miss", JSON)
        assert upstream.calls == 2

    run(main)


UNKEPT: dict[str, tuple[bool, Callable[[], Response | Exception]]] = {
    "error": (False, lambda: response(status=500)),
    "client's error": (False, lambda: response(status=400)),
    "error within 200": (False, lambda: response(b'{"error": {"message": "m"}}')),
    "failed response": (False, lambda: response(b'{"status": "failed"}')),
    "page": (False, lambda: response(b"<html>")),
    "empty stream": (True, lambda: streamed(b"")),
    "stream without its end": (True, lambda: streamed(*PIECES[:-2])),
    "stream that broke": (True, lambda: streamed(*PIECES, error=TruncatedError("cut"))),
    "nothing": (False, lambda: BROKEN),
    "large": (False, lambda: response(json.dumps({"a": "b" * 5000}).encode())),
    "large stream": (True, lambda: streamed(*[b": ping\n\n"] * 900, *PIECES)),
}


@pytest.mark.parametrize("name", UNKEPT)
def test_what_is_no_whole_success_is_never_kept(name: str) -> None:
    async def main() -> None:
        stream, answer = UNKEPT[name]
        upstream = Upstream(answer)
        store = MemoryCache(Clock().monotonic)
        kept = cache(store, max_item=4000)
        for _ in range(2):
            with contextlib.suppress(TruncatedError, ConnectionFailedError):
                await chunks(await kept.through(place(stream=stream), upstream))
            await settled()

        assert upstream.calls == 2
        assert len(store) == 0

    run(main)


def test_tenants_share_nothing() -> None:
    """B-HDR-04."""

    async def main() -> None:
        upstream = Upstream(response)
        kept = cache()
        states = []
        for scope in ("a", "b", "a"):
            states.append((await kept.through(place(scope=scope), upstream)).state)
            await settled()

        assert states == ["miss", "miss", "hit"]

    run(main)


def test_a_request_that_may_not_be_kept_is_passed_and_says_so() -> None:
    async def main() -> None:
        upstream = Upstream(response)
        kept = cache()
        states = [(await kept.through(None, upstream)).response.headers.get("x-setu-cache") for _ in range(2)]

        assert (states, upstream.calls) == (["bypass", "bypass"], 2)

    run(main)


def test_no_cache_asks_again_and_keeps_the_new_answer() -> None:
    async def main() -> None:
        newer = b'{"id": "newer"}'
        upstream = Upstream(response, lambda: response(newer))
        kept = cache()
        for lookup_ in (place(), place(cache_control="no-cache")):
            await kept.through(lookup_, upstream)
            await settled()
        last = await kept.through(place(), upstream)

        assert upstream.calls == 2
        assert (last.state, await last.response.read()) == ("hit", newer)

    run(main)


def test_an_answer_older_than_the_client_takes_is_asked_for_again() -> None:
    async def main() -> None:
        clock, upstream = Clock(), Upstream(response)
        kept = cache(clock=clock, ttl=60)
        states = []
        for wait in (0, 5, 6, 61):
            clock.time += wait
            states.append((await kept.through(place(cache_control="max-age=5"), upstream)).state)
            await settled()

        assert states == ["miss", "hit", "miss", "miss"]

    run(main)


class Raising:
    """A store of somebody's that is broken."""

    async def get(self, key: str) -> bytes | None:
        raise OSError("down")

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        raise OSError("down")

    async def delete(self, key: str) -> None:
        raise OSError("down")

    async def aclose(self) -> None:
        pass


def test_a_broken_store_is_an_empty_one(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        outcome = await cache(Raising()).through(place(), Upstream(response))
        await settled()

        assert (outcome.state, await outcome.response.read()) == ("miss", COMPLETION)

    run(main)
    assert caplog.messages == ["the response cache failed: OSError"] * 2


class FirstWord(MemoryCache):
    """The smallest semantic cache: two prompts that begin with the same word mean the same."""

    def __init__(self) -> None:
        super().__init__(Clock().monotonic)
        self.asked: dict[str, tuple[str, str]] = {}

    async def near(self, key: str, scope: str, request: Request) -> bytes | None:
        assert isinstance(request.body, bytes)
        word = json.loads(request.body)["messages"][-1]["content"].split()[0]
        similar = [other for other, asked in self.asked.items() if asked == (scope, word)]
        self.asked[key] = (scope, word)
        return await self.get(similar[0]) if similar else None


def test_a_plug_in_may_find_an_answer_to_a_similar_question() -> None:
    def like(text: str, scope: str = "s") -> Lookup:
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
        request = Request(method="POST", path=CHAT, body=body)
        route = classify("POST", CHAT)
        assert route is not None
        found = lookup(request, route, scope=scope, targets=(), volatile=(), when="always")
        assert found is not None
        return found

    async def main() -> None:
        store, upstream = FirstWord(), Upstream(response)
        kept = cache(store, near=store)
        states = []
        for asked in (like("weather today"), like("weather now"), like("news"), like("weather now", scope="other")):
            states.append((await kept.through(asked, upstream)).state)
            await settled()

        assert states == ["miss", "hit", "miss", "miss"]

    run(main)


@pytest.mark.parametrize("value", [b"", b"\x90", b"{}", b"\xff" * 9])
def test_bytes_that_are_no_entry_are_no_answer(value: bytes) -> None:
    assert decoded(value) is None
