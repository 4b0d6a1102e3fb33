"""Limits over real sockets: who is refused, in whose words, and what comes back when an answer is over."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.gateway.whole import SSE, Held, Whole, cut, failing, reset, said
from tests.gateway.wire import CHUNKS, OA_STREAM, USAGE_CHUNK
from tests.live import MESSAGES, Answer, asked, reply, sse
from tests.servers import SSE_HEAD, chunked

ONCE = {"retry": {"max_attempts": 1}}


def completion(tokens: int) -> bytes:
    """Return an answer that used so many tokens."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
    used = {"prompt_tokens": tokens - 1, "completion_tokens": 1, "total_tokens": tokens}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": used}
    return reply(json.dumps(body).encode())


def streamed(tokens: int) -> bytes:
    used = {"prompt_tokens": tokens - 1, "completion_tokens": 1, "total_tokens": tokens}
    return reply(sse(*CHUNKS, {**USAGE_CHUNK, "usage": used}, "[DONE]"), kind=SSE)


def left(answer: Answer, unit: str = "tokens") -> int:
    """Return what is left of a limit."""
    return int(answer.field(f"x-ratelimit-remaining-{unit}") or -1)


def test_a_burst_passes_and_then_nothing() -> None:
    limits = {"requests_per_minute": 3, "burst_size": 2}
    with Whole({"a": "openai"}, limits=limits) as whole:
        answers = [whole.ask(said()) for _ in range(7)]

        assert [answer.status for answer in answers] == [200] * 5 + [429] * 2
        assert [left(answer, "requests") for answer in answers] == [4, 3, 2, 1, 0, 0, 0]
        assert answers[0].field("x-ratelimit-limit-requests") == "3"
        assert len(whole["a"].sent) == 5
        calls = whole.reported(7)
        assert [(call.status, call.error, call.attempts) for call in calls[5:]] == [
            (429, "rate_limit_exceeded", ())
        ] * 2


def test_the_429_in_openais_words() -> None:
    with Whole({"a": "openai"}, limits={"requests_per_minute": 1}) as whole:
        whole.ask(said())
        answer = whole.ask(said())

        error = answer.error
        assert answer.status == 429
        assert error["message"] == "Rate limit exceeded for this gateway"
        assert (error["type"], error["code"], error["limit"]) == ("rate_limit_error", "rate_limit_exceeded", 1)
        assert 1 <= error["retry_after"] <= 61
        assert 0 <= error["reset"] - time.time() <= 63
        assert answer.field("retry-after") == str(error["retry_after"])
        assert int(answer.field("retry-after-ms") or 0) > 1000
        assert answer.field("x-ratelimit-remaining-requests") == "0"


def test_the_429_in_anthropics_words() -> None:
    with Whole({"a": "anthropic"}, limits={"requests_per_minute": 1}) as whole:
        body, path = asked("a/m", "anthropic")
        first, second = whole.ask(body, path), whole.ask(body, path)

        assert first.field("anthropic-ratelimit-requests-remaining") == "0"
        assert (first.field("anthropic-ratelimit-requests-reset") or "").endswith("Z")
        assert (second.status, second.json["type"], second.error["type"]) == (429, "error", "rate_limit_error")
        assert second.error["message"] == "Rate limit exceeded for this gateway"
        assert second.field("retry-after") is not None
        assert second.field("x-ratelimit-limit-requests") is None


def test_a_full_provider_is_stood_in_for() -> None:
    providers = {"a": {"rate_limit": {"requests_per_minute": 1}}}
    with Whole({"a": "openai", "b": "openai"}, providers, routing={"models": {"x": ["a/m", "b/m"]}}) as whole:
        assert [whole.ask(said("x")).field("x-setu-provider") for _ in range(2)] == ["a", "b"]
        alone = whole.ask(said("a/m"))

        assert (alone.status, alone.error["provider"], alone.error["limit"]) == (429, "a", 1)
        assert alone.error["message"] == "Rate limit exceeded for provider a"
        assert alone.field("retry-after") is not None
        assert [each.outcome for each in whole.reported(3)[2].attempts] == ["denied"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_what_was_really_used_counts(stream: bool) -> None:
    with Whole({"a": "openai"}, limits={"tokens_per_minute": 5000}) as whole:
        whole["a"].script.append(streamed(100) if stream else completion(100))
        body = said(stream=True, stream_options={"include_usage": True}) if stream else said()
        before = whole.ask(body)
        whole.reported(1)
        after = whole.ask(body)

        assert 3900 < left(before) < 3976, "an estimate of prompt and answer is reserved"
        assert left(before) - left(after) == 100


def test_a_request_that_allows_itself_less_reserves_less() -> None:
    with Whole({"a": "openai"}, limits={"tokens_per_minute": 500}) as whole:
        assert whole.ask(said(max_tokens=20)).status == 200
        greedy = whole.ask(said(max_tokens=900))

        assert (greedy.status, greedy.error["code"]) == (400, "request_too_large_for_limit")


@pytest.mark.parametrize(
    ("step", "status"), [(failing(500), 500), (failing(400), 400), (reset, 502)], ids=["500", "400", "reset"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_request_that_fails_costs_no_tokens(step: Any, status: int, stream: bool) -> None:
    limits = {"tokens_per_minute": 5000, "requests_per_minute": 10}
    with Whole({"a": "openai"}, limits=limits, resilience=ONCE) as whole:
        whole["a"].script.append(step)
        failed = whole.ask(said(stream=stream))
        again = whole.ask(said(stream=stream))

        assert failed.status == status
        assert left(again) == left(failed)
        assert (left(failed, "requests"), left(again, "requests")) == (9, 8), "but it was a request"


def test_a_stream_that_is_cut_costs_what_was_reserved() -> None:
    with Whole({"a": "openai"}, limits={"tokens_per_minute": 5000}) as whole:
        whole["a"].script.append(cut(sse(*CHUNKS[:2])))
        first = whole.ask(said(stream=True))
        whole.reported(1)
        second = whole.ask(said())

        assert left(second) < left(first) - 900


def test_an_answer_from_the_cache_costs_no_tokens() -> None:
    with Whole({"a": "openai"}, limits={"tokens_per_minute": 5000}, cache={"enabled": True}) as whole:
        whole["a"].script.append(completion(100))
        answers = [whole.ask(said()) for _ in range(3)]

        assert [answer.field("x-setu-cache") for answer in answers] == ["miss", "hit", "hit"]
        assert left(answers[1]) == left(answers[2]) == left(answers[0]) - 100


DIMENSIONS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], list[tuple[str, str]]]] = {
    "tenant": ({"tenants": {"acme": {"requests_per_minute": 1}}}, said(), [("x-setu-tenant", "acme")]),
    "default tenant": ({"default_tenant": {"requests_per_minute": 1}}, said(), [("x-setu-tenant", "any")]),
    "model": ({"models": {"m*": {"requests_per_minute": 1}}}, said(), []),
}


@pytest.mark.parametrize("name", DIMENSIONS)
def test_each_subject_has_a_count_of_its_own(name: str) -> None:
    limits, body, fields = DIMENSIONS[name]
    with Whole({"a": "openai"}, limits=limits) as whole:
        statuses = [whole.ask(body, fields=fields).status for _ in range(2)]
        other = whole.ask(said("a/other"), fields=[("x-setu-tenant", "somebody")])

        assert (statuses, other.status) == ([200, 429], 200)


def test_a_whole_body_gives_its_place_back() -> None:
    with Whole({"a": "openai"}, limits={"concurrency": 1}) as whole:
        held = Held(reply(OA_STREAM, kind=SSE))
        whole["a"].script.append(held)
        with whole.begin(said(stream=True)) as begun:
            assert held.reached.wait(2)
            refused = whole.ask(said())
            held.released.set()
            begun.read_to(b"[DONE]")
        whole.reported(2)

        assert (refused.status, refused.error["message"]) == (429, "Concurrency limit exceeded for this gateway")
        assert whole.ask(said()).status == 200


PHASES: Mapping[str, tuple[bytes, bool]] = {
    "before the head": (b"", False),
    "in a whole body": (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{", False),
    "before the first event": (SSE_HEAD, True),
    "before content": (SSE_HEAD + chunked(sse(CHUNKS[0]), end=False), True),
    "in mid-stream": (SSE_HEAD + chunked(sse(*CHUNKS[:2]), end=False), True),
}


@pytest.fixture(scope="module", params=[False, True], ids=["", "with a cache"])
def narrow(request: pytest.FixtureRequest) -> Iterator[Whole]:
    """Return a gateway with room for one request at a time, in every dimension."""
    providers = {"a": {"rate_limit": {"concurrency": 1}}}
    limits = {"concurrency": 1, "default_tenant": {"concurrency": 1}}
    with Whole({"a": "openai"}, providers, limits=limits, cache={"enabled": request.param}) as whole:
        yield whole


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_client_that_leaves_gives_its_place_back(narrow: Whole, phase: str, dialect: str) -> None:
    first, stream = PHASES[phase]
    narrow.clear()
    held = Held(b"", first)
    narrow["a"].script.append(held)
    body, path = asked("a/m", dialect, stream=stream)
    with narrow.begin({**json.loads(body), "temperature": len(phase) / 100}, path) as begun:
        assert held.reached.wait(2)
        if phase == "in mid-stream":
            begun.read_to(b"Hel")
    assert held.left.wait(2)
    call = narrow.call()

    assert call.end == "closed-by-client"
    assert [each.outcome for each in call.attempts] == ["cut"]
    assert narrow.ask(*asked("a/m", dialect)).status == 200


def test_tokens_of_a_stream_whose_client_left_are_counted_as_far_as_they_are_known() -> None:
    """USG-14."""
    start = {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 40, "output_tokens": 1}}}  # fmt: skip
    more: list[Any] = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    ]
    with Whole({"a": "anthropic"}, limits={"tokens_per_minute": 5000}) as whole:
        held = Held(b"", SSE_HEAD + chunked(sse(start, *more, named=True), end=False))
        whole["a"].script.append(held)
        body, path = asked("a/m", "anthropic", stream=True)
        with whole.begin(json.loads(body), path) as begun:
            begun.read_to(b"Hel")
        assert held.left.wait(2)

        call = whole.call()
        assert (call.end, call.input_tokens, call.status) == ("closed-by-client", 40, 200)
        assert left_of(whole) > 3800


def left_of(whole: Whole) -> int:
    answer = whole.ask(*asked("a/m", "anthropic"))
    return int(answer.field("anthropic-ratelimit-tokens-remaining") or -1)


def test_money_is_counted_by_the_configured_prices() -> None:
    """4 tokens a request at 0.1 USD a token; an estimate of nothing more is reserved."""
    prices = {"a/m": {"input_per_1m": 100_000, "output_per_1m": 100_000}}
    limits = {"default_tenant": {"daily_usd": 5.0}, "reserve_output": 1}
    with Whole({"a": "openai"}, prices=prices, limits=limits) as whole:
        answers = []
        for _ in range(20):
            answers.append(whole.ask(said(), fields=[("x-setu-tenant", "acme")]))
            if answers[-1].status != 200:
                break
        last = answers[-1]
        other = whole.ask(said(), fields=[("x-setu-tenant", "else")])

        assert 3 <= len(answers) <= 12
        assert (last.status, last.error["code"], last.field("x-should-retry")) == (429, "budget_exceeded", "false")
        assert last.error["message"] == "Daily budget exceeded for tenant acme"
        assert other.status == 200


def test_a_dear_answer_uses_the_budget_up() -> None:
    prices = {"a/m": {"input_per_1m": 1000, "output_per_1m": 1000}}
    with Whole({"a": "openai"}, prices=prices, limits={"daily_usd": 10.0}) as whole:
        whole["a"].script.append(completion(9_990))
        assert [whole.ask(said()).status for _ in range(2)] == [200, 429]
        assert len(whole["a"].sent) == 1


def test_limits_are_for_requests_that_nobody_reads_too() -> None:
    with Whole({"a": "openai"}, limits={"requests_per_minute": 1, "concurrency": 3}) as whole:
        whole["a"].script.append(reply(b"{}"))
        answers = [whole.ask(b"", "/v1/files", [("x-setu-provider", "a")], "GET") for _ in range(2)]
        whole.reported(2)

        assert [answer.status for answer in answers] == [200, 429]


def test_a_limit_is_told_where_there_is_room() -> None:
    with Whole({"a": "anthropic"}, limits={"requests_per_minute": 5, "tokens_per_minute": 9000}) as whole:
        answer = whole.ask({"model": "a/m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}, MESSAGES)

        assert answer.field("anthropic-ratelimit-requests-limit") == "5"
        assert answer.field("anthropic-ratelimit-tokens-limit") == "9000"
