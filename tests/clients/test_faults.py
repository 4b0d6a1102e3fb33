"""Every fault over a real socket, and what the vendors' clients make of it."""

from collections import Counter
from typing import Any
from urllib.parse import unquote

import anthropic
import openai
import pytest
from botocore.config import Config
from botocore.session import Session

from setu.cassette.faults import FORMS, parse_rule
from setu.cassette.verdict import verdict
from tests.clients.faulted import (
    CALLS,
    CHAT,
    CHAT_STREAM,
    CONVERSE_STREAM,
    FINE,
    MESSAGE,
    MESSAGE_STREAM,
    OUTCOMES,
    asked,
    outcome,
    replaying,
)
from tests.clients.upstreams import ANSWER

# The recordings name a model that the client warns about; it is a fault of theirs that is looked at here.
pytestmark = pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")


@pytest.mark.parametrize("fault", OUTCOMES)
def test_a_fault_has_the_outcome_that_the_reference_says(fault: str) -> None:
    with replaying(fault, times=2) as (url, player):
        found = []
        for call in CALLS.values():
            player.set_faults([parse_rule(fault)])  # an error answer comes once
            found.append(outcome(url, call))

    assert tuple(found) == OUTCOMES[fault]


def test_without_a_fault_every_call_is_answered() -> None:
    with replaying(times=2) as (url, _):
        assert [outcome(url, call) for call in CALLS.values()] == [FINE] * len(CALLS)


def test_amazons_client_skips_a_sign_of_life_of_an_unknown_kind() -> None:
    with replaying("ping@event=2") as (url, player):
        before = converse_events(url)
        (entry,) = player.journal.entries

    assert entry.fault == "ping@event=2"
    assert entry.events == len(before) + 1
    assert (
        "".join(event["contentBlockDelta"]["delta"]["text"] for event in before if "contentBlockDelta" in event)
        == ANSWER
    )
    assert list(before[-1]) == ["metadata"]


def converse_events(url: str) -> list[dict[str, Any]]:
    body = asked(CONVERSE_STREAM)
    options = Config(retries={"max_attempts": 0}, read_timeout=20)
    client = Session().create_client(
        "bedrock-runtime", "us-east-1", endpoint_url=url, config=options, aws_access_key_id="a", aws_secret_access_key="b"
    )  # fmt: skip
    model = unquote(CONVERSE_STREAM.exchange.request.path.split("/")[2])
    return list(client.converse_stream(modelId=model, **body)["stream"])


def test_every_form_of_fault_has_an_outcome() -> None:
    tried = [parse_rule(fault) for fault in OUTCOMES]

    assert [form.text for form in FORMS if not any(form.pattern.fullmatch(rule.text) for rule in tried)] == []


def clients(url: str, retries: int) -> tuple[openai.OpenAI, anthropic.Anthropic]:
    chat = openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=retries, timeout=20)
    messages = anthropic.Anthropic(base_url=url, api_key="k", max_retries=retries, timeout=20)
    return chat, messages


def test_clients_give_up_after_their_retries() -> None:
    with replaying("openai: 429x3 retry-after-ms=20", "anthropic: 429x3 retry-after-ms=20") as (url, player):
        chat, messages = clients(url, 2)
        with chat, messages:
            with pytest.raises(openai.RateLimitError) as limited:
                chat.chat.completions.create(**asked(CHAT))
            with pytest.raises(anthropic.RateLimitError) as also:
                messages.messages.create(**asked(MESSAGE))
        entries = player.journal.entries

    assert limited.value.code == "rate_limit_exceeded"
    assert limited.value.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert also.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert [(entry.dialect, entry.status, entry.attempt) for entry in entries] == [
        (dialect, 429, attempt) for dialect in ("openai_chat", "anthropic") for attempt in range(3)
    ]
    assert verdict(entries, exit_status=1).ok


def test_clients_come_back_when_they_are_told_to() -> None:
    rules = ("openai: 429x2 retry-after-ms=300", "anthropic: 529 retry-after=1")
    with replaying(*rules) as (url, player):
        chat, messages = clients(url, 2)
        with chat, messages:
            assert chat.chat.completions.create(**asked(CHAT)).choices
            assert messages.messages.create(**asked(MESSAGE)).content
        made = verdict(player.journal.entries, exit_status=0)

    assert made.ok, made.table()
    assert (made.calls, made.requests) == (2, 5)
    assert made.judged["retry-after"] == 3
    assert made.judged["retried"] == 3


def test_a_date_to_come_back_at_is_kept_too() -> None:
    with replaying("429 retry-after=http-date+1") as (url, player):
        chat, _ = clients(url, 1)
        with chat:
            assert chat.chat.completions.create(**asked(CHAT)).choices
        first, second = player.journal.entries

    assert first.retry_after_ms is not None
    assert second.at_ms - first.done_ms >= first.retry_after_ms - 50


def test_clients_do_not_ask_again_for_what_they_may_not_have() -> None:
    with replaying("400") as (url, player):
        chat, _ = clients(url, 3)
        with chat, pytest.raises(openai.BadRequestError):
            chat.chat.completions.create(**asked(CHAT))
        made = verdict(player.journal.entries, exit_status=1)

    assert (made.ok, made.requests, made.judged["not-retried"]) == (True, 1, 1)


def test_a_client_that_may_not_retry_fails_the_verdict() -> None:
    with replaying("503") as (url, player):
        chat, _ = clients(url, 0)
        with chat, pytest.raises(openai.InternalServerError):
            chat.chat.completions.create(**asked(CHAT))
        made = verdict(player.journal.entries, exit_status=1)

    assert [finding.check for finding in made.findings] == ["retried"]


@pytest.mark.parametrize("fault", ["end@event=4", "truncate-gzip"])
def test_a_part_taken_for_the_whole_fails_the_verdict(fault: str) -> None:
    with replaying(fault) as (url, player):
        _, messages = clients(url, 2)
        with messages:
            assert list(messages.messages.create(**asked(MESSAGE_STREAM)))
        made = verdict(player.journal.entries, exit_status=0)

    assert [(finding.check, finding.level) for finding in made.findings] == [("truncation", "fail")]


def test_a_client_that_waits_too_short_leaves_and_the_journal_says_so() -> None:
    with replaying("stall=3s@event=2") as (url, player):
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0, timeout=0.3)
        with client, pytest.raises(openai.APITimeoutError):
            list(client.chat.completions.create(**asked(CHAT_STREAM)))
        (entry,) = player.journal.entries

    assert (entry.ended, entry.events) == ("closed-by-client", 2)


def test_the_same_seed_gives_the_same_faults() -> None:
    def fates(seed: int) -> list[Any]:
        with replaying(f"5xx p=0.5 seed={seed}", f"end@event=4 p=0.5 seed={seed}", times=12) as (url, _):
            return [outcome(url, call) for call in CALLS.values() for _ in range(4)]

    assert fates(3) == fates(3)
    assert fates(3) != fates(4)


def test_a_fault_for_one_request_comes_in_a_field() -> None:
    with replaying(times=2) as (url, _):
        chat, _ = clients(url, 0)
        with chat:
            with pytest.raises(openai.InternalServerError):
                chat.chat.completions.create(**asked(CHAT), extra_headers={"X-Setu-Fault": "503"})
            assert chat.chat.completions.create(**asked(CHAT)).choices


def test_what_breaks_before_it_is_handed_out_is_tried_again_and_what_breaks_after_is_not() -> None:
    with replaying("close@event=0", times=3) as (url, player):
        chat, messages = clients(url, 1)
        with chat, messages:
            with pytest.raises(openai.APIConnectionError):
                chat.chat.completions.create(**asked(CHAT))
            with pytest.raises(anthropic.APIConnectionError):
                messages.messages.create(**asked(MESSAGE))
            with pytest.raises(openai.APIConnectionError):
                list(chat.chat.completions.create(**asked(CHAT_STREAM)))
            with pytest.raises(Exception, match="incomplete chunked read"):
                list(messages.messages.create(**asked(MESSAGE_STREAM)))
        tries = Counter((entry.dialect, entry.key) for entry in player.journal)

    assert list(tries.values()) == [2, 2, 1, 1]
