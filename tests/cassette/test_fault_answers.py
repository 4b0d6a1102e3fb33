import json
from email.utils import parsedate_to_datetime

import pytest

from setu.cassette.fault_answers import SERVER_ERRORS, Burst, RetryAfter, answers
from setu.cassette.fault_steps import Struck
from setu.cassette.script import Bytes, End, Head
from setu.dialects.registry import DIALECTS

NOW = 1_795_165_200.25  # 2026-11-20T09:00:00.25Z


def render(dialect, info):
    return DIALECTS.get(dialect, DIALECTS["openai_chat"]).errors.render(info)


def answer(dialect, burst, *, seed=0, key="k"):
    """The first answer of a burst: its head, and its body as JSON."""
    head, body, end = answers(burst, Struck(dialect=dialect, seed=seed, key=key, now=NOW), render)[0]
    assert isinstance(head, Head)
    assert isinstance(body, Bytes)
    assert end == End()
    return head, json.loads(body.data)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529])
def test_a_dialect_reads_in_its_own_error_what_was_meant(dialect, status) -> None:
    head, body = answer(dialect, Burst(status=status))

    read = DIALECTS[dialect].errors.parse(status, head.headers, json.dumps(body).encode())

    assert (head.status, read.status) == (status, status)
    assert "a fault that the replay was told to play" in read.message


@pytest.mark.parametrize(
    ("dialect", "status", "said"),
    [
        ("openai_chat", 429, {"type": "requests", "code": "rate_limit_exceeded", "param": None}),
        ("openai_responses", 500, {"type": "server_error", "code": None}),
        ("openai_chat", 401, {"type": "invalid_request_error", "code": "invalid_api_key"}),
        ("anthropic", 429, {"type": "rate_limit_error"}),
        ("anthropic", 529, {"type": "overloaded_error"}),
        ("anthropic", 500, {"type": "api_error"}),
        ("gemini", 429, {"code": 429, "status": "RESOURCE_EXHAUSTED"}),
        ("gemini", 503, {"code": 503, "status": "UNAVAILABLE"}),
    ],
)
def test_errors_have_the_words_of_their_provider(dialect, status, said) -> None:
    _, body = answer(dialect, Burst(status=status))

    assert said.items() <= body["error"].items()


def test_openai_says_how_much_is_left() -> None:
    head, body = answer("openai_chat", Burst(status=429, retry_after=RetryAfter(90)))

    fields = dict(head.headers.items())
    assert fields["x-ratelimit-remaining-requests"] == "0"
    assert fields["x-ratelimit-limit-requests"] == "500"
    assert fields["x-ratelimit-reset-requests"] == "1m30s"
    assert fields["retry-after"] == "90"
    assert "retry_after" not in body["error"]


@pytest.mark.parametrize(("seconds", "text"), [(0.885, "885ms"), (1, "1s"), (1.5, "1.5s"), (360, "6m0s")])
def test_durations_are_written_as_openai_writes_them(seconds, text) -> None:
    head, _ = answer("openai_chat", Burst(status=429, retry_after=RetryAfter(seconds)))

    assert head.headers.get("x-ratelimit-reset-requests") == text


def test_anthropic_says_how_much_is_left_and_when_there_is_more() -> None:
    head, body = answer("anthropic", Burst(status=429, retry_after=RetryAfter(17)))

    fields = dict(head.headers.items())
    assert fields["anthropic-ratelimit-requests-remaining"] == "0"
    assert fields["anthropic-ratelimit-requests-reset"] == "2026-11-20T09:00:17Z"
    assert fields["anthropic-ratelimit-tokens-limit"] == "60000"
    assert {name for name in fields if name.startswith("anthropic-ratelimit-")} == {
        f"anthropic-ratelimit-{what}-{name}"
        for what in ("requests", "input-tokens", "output-tokens", "tokens")
        for name in ("limit", "remaining", "reset")
    }
    assert (fields["retry-after"], fields["x-should-retry"]) == ("17", "true")
    assert fields["request-id"] == body["request_id"]


def test_gemini_says_in_the_body_when_to_come_back() -> None:
    _, body = answer("gemini", Burst(status=429, retry_after=RetryAfter(1.5)))

    (detail,) = body["error"]["details"]
    assert (detail["@type"], detail["retryDelay"]) == ("type.googleapis.com/google.rpc.RetryInfo", "1.5s")


def test_bedrock_names_the_class_of_the_error_in_a_field() -> None:
    head, _ = answer("bedrock", Burst(status=429))

    assert (head.headers.get("x-amzn-errortype") or "").startswith("ThrottlingException:")
    assert len(head.headers.get("x-amzn-requestid") or "") == 36


def test_other_errors_say_nothing_of_limits() -> None:
    for dialect in ("openai_chat", "anthropic"):
        head, _ = answer(dialect, Burst(status=500))
        assert not [name for name, _ in head.headers.items() if "ratelimit" in name]


def test_a_wait_may_be_said_in_milliseconds_or_as_a_date() -> None:
    exact, _ = answer("openai_chat", Burst(status=429, retry_after=RetryAfter(0.25, "ms")))
    dated, _ = answer("openai_chat", Burst(status=503, retry_after=RetryAfter(2, "date")))

    assert (exact.headers.get("retry-after-ms"), exact.headers.get("retry-after")) == ("250", None)
    at = parsedate_to_datetime(dated.headers.get("retry-after") or "").timestamp()
    assert NOW + 2 <= at < NOW + 3
    assert (dated.headers.get("retry-after") or "").endswith(" GMT")


@pytest.mark.parametrize(
    ("dialect", "known"),
    [
        ("openai_chat", {500, 502, 503, 504}),
        ("gemini", {500, 502, 503, 504}),
        ("anthropic", {500, 502, 503, 504, 529}),
        ("bedrock", {500, 503}),
    ],
)
def test_a_class_of_statuses_is_the_providers(dialect, known) -> None:
    drawn = [answer(dialect, Burst(status=SERVER_ERRORS), seed=seed)[0].status for seed in range(60)]

    assert set(drawn) == known
    assert drawn == [answer(dialect, Burst(status=SERVER_ERRORS), seed=seed)[0].status for seed in range(60)]


def test_each_answer_of_a_burst_is_one_of_its_own() -> None:
    made = answers(Burst(status=SERVER_ERRORS, times=20), Struck(dialect="anthropic"), render)

    heads = [steps[0] for steps in made]
    assert len({head.status for head in heads}) > 1
    assert len({head.headers.get("request-id") for head in heads}) == 20


def test_a_path_that_no_dialect_knows_gets_an_error_too() -> None:
    head, body = answer("", Burst(status=503))

    assert (head.status, "error" in body) == (503, True)


def test_a_body_that_is_no_object_names_no_class() -> None:
    struck = Struck(dialect="bedrock")

    for body in (b"no json", b"[]"):
        head = answers(Burst(status=500), struck, lambda *_: body)[0][0]  # noqa: B023  # called at once
        assert "x-amzn-errortype" not in head.headers
