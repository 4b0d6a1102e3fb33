import re
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.errors import ErrorKind
from setu.resilience.ledger import Dimension, Limit, Refusal, Room
from setu.resilience.limits import limits_for
from setu.resilience.refusals import (
    BREAKER_OPEN,
    LIMITS_UNAVAILABLE,
    go_duration,
    ratelimit_headers,
    refusal_headers,
    refusal_info,
)

NOW = 1_795_176_000.0  # 2026-11-20T12:00:00Z
REQUESTS, TOKENS = limits_for("provider", requests_per_minute=100, tokens_per_minute=5000)
BUDGET = limits_for("tenant", daily_usd=2.5)[0]


def room(limit: Limit, remaining: int, reset: float, subject: str = "openrouter") -> Room:
    return Room(limit=limit, subject=subject, remaining=remaining, reset=reset)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.012, "12ms"),
        (0.0001, "1ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (60, "1m0s"),
        (360, "6m0s"),
        (3661.25, "1h1m1.25s"),
    ],
)
def test_durations_are_written_as_go_does(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


def test_openais_headers() -> None:
    rooms = [room(REQUESTS, 99, 60.5), room(TOKENS, 4900, 0.0)]

    assert ratelimit_headers(rooms, "openai_chat", NOW) == {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "99",
        "x-ratelimit-reset-requests": "1m0.5s",
        "x-ratelimit-limit-tokens": "5000",
        "x-ratelimit-remaining-tokens": "4900",
        "x-ratelimit-reset-tokens": "0s",
    }


def test_anthropics_headers() -> None:
    assert ratelimit_headers([room(REQUESTS, 99, 60.5)], "anthropic", NOW) == {
        "anthropic-ratelimit-requests-limit": "100",
        "anthropic-ratelimit-requests-remaining": "99",
        "anthropic-ratelimit-requests-reset": "2026-11-20T12:01:01Z",
    }


def test_of_several_limits_the_one_that_ends_first_is_told_and_money_never() -> None:
    other = limits_for("tenant", requests_per_minute=10)[0]

    headers = ratelimit_headers([room(REQUESTS, 99, 1), room(other, 3, 9), room(BUDGET, 1, 1)], "openai_chat", NOW)

    assert headers["x-ratelimit-limit-requests"] == "10"
    assert len(headers) == 3


def test_a_used_up_limit_is_the_documented_429() -> None:
    refusal = Refusal(subject="openrouter", limit=REQUESTS, retry_after=59.2, room=room(REQUESTS, 0, 60.0))

    info = refusal_info(refusal, NOW)

    assert (info.status, info.kind, info.message) == (
        429,
        ErrorKind.RATE_LIMIT,
        "Rate limit exceeded for provider openrouter",
    )
    assert (info.type, info.code, info.provider) == ("rate_limit_error", "rate_limit_exceeded", "openrouter")
    assert info.extra == {
        "provider": "openrouter",
        "retry_after": 60,
        "limit": 100,
        "limit_name": "requests_per_minute",
        "reset": NOW + 60,
    }


def test_the_time_to_wait_is_rounded_up_and_told_twice() -> None:
    refusal = Refusal(subject="openrouter", limit=REQUESTS, retry_after=1.2, room=room(REQUESTS, 0, 60.0))

    headers = refusal_headers(refusal, "openai_chat", NOW)

    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1200")
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert "x-should-retry" not in headers


@pytest.mark.parametrize(
    ("dimension", "subject", "whose"),
    [
        ("gateway", "default", "this gateway"),
        ("tenant", "acme", "tenant acme"),
        ("key", "k1", "key k1"),
        ("model", "gpt-4o", "model gpt-4o"),
    ],
)
def test_the_message_says_whose_limit_it_is(dimension: Dimension, subject: str, whose: str) -> None:
    limit = limits_for(dimension, requests_per_minute=1)[0]

    info = refusal_info(Refusal(subject=subject, limit=limit, retry_after=1.0), NOW)

    assert info.message == f"Rate limit exceeded for {whose}"
    assert info.provider is None


def test_a_spent_budget_is_no_rate_limit_and_not_worth_a_retry() -> None:
    refusal = Refusal(subject="acme", limit=BUDGET, retry_after=43_200.0, room=room(BUDGET, 0, 43_200.0, "acme"))

    info = refusal_info(refusal, NOW)

    assert (info.status, info.kind, info.code) == (429, ErrorKind.QUOTA, "budget_exceeded")
    assert info.message == "Daily budget exceeded for tenant acme"
    assert info.extra["limit"] == 2.5
    assert refusal_headers(refusal, "openai_chat", NOW)["x-should-retry"] == "false"


def test_a_request_that_can_never_fit_is_the_clients_error() -> None:
    refusal = Refusal(subject="openrouter", limit=TOKENS, retry_after=inf, room=room(TOKENS, 5000, 0.0), never=True)

    info = refusal_info(refusal, NOW)

    assert (info.status, info.code) == (400, "request_too_large_for_limit")
    assert "more than the whole tokens_per_minute limit of 5000 for provider openrouter" in info.message
    headers = refusal_headers(refusal, "openai_chat", NOW)
    assert "retry-after" not in headers
    assert headers["x-should-retry"] == "false"


def test_an_open_breaker_is_the_documented_503() -> None:
    info = refusal_info(Refusal(subject="anthropic", retry_after=29.3, reason=BREAKER_OPEN), NOW)

    assert (info.status, info.message) == (503, "Provider anthropic is currently unavailable")
    assert (info.type, info.code) == ("provider_error", "provider_unavailable")
    assert info.extra == {"provider": "anthropic", "retry_after": 30}


def test_limits_that_nobody_can_check_are_not_a_providers_fault() -> None:
    info = refusal_info(Refusal(subject="", retry_after=1.0, reason=LIMITS_UNAVAILABLE), NOW)

    assert (info.status, info.code, info.provider) == (503, "limits_unavailable", None)


@given(st.floats(0, 1e6))
@settings(max_examples=100)
def test_a_duration_says_at_least_the_time_and_a_millisecond_more_at_most(seconds: float) -> None:
    text = go_duration(seconds)

    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    read = sum(float(number) * units[unit] for number, unit in re.findall(r"([0-9.]+)(ms|h|m|s)", text))
    assert seconds - 1e-6 <= read <= seconds + 0.001 + 1e-6
