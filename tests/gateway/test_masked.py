"""Masking over real sockets: the upstream never sees it, the client gets it back."""

import json
from typing import Any

import pytest

from tests.gateway.test_streams import text_of
from tests.gateway.whole import SSE, Whole, failing, said
from tests.gateway.wire import COMPLETION, chunk
from tests.live import asked, reply, sse

HOSTS = {"a": "openai", "b": "anthropic"}
MAIL, OTHER = "anna.smith@example.org", "bob.jones@example.com"
ECHO = "I wrote to [EMAIL_1] and it is done"
TOLD = f"I wrote to {MAIL} and it is done"


def echoing(stream: bool, text: str = ECHO) -> bytes:
    """Return an answer that repeats a mask; a stream has it in two pieces."""
    if not stream:
        body = json.loads(COMPLETION)
        body["choices"][0]["message"]["content"] = text
        return reply(json.dumps(body).encode())
    half = text.index("IL_1") + 2 if "IL_1" in text else 4
    pieces = (chunk({"role": "assistant", "content": text[:half]}), chunk({"content": text[half:]}), chunk({}, "stop"))
    return reply(sse(*pieces, "[DONE]"), kind=SSE)


def text(body: bytes, dialect: str, stream: bool) -> str:
    if stream:
        return text_of(body, dialect)
    found: Any = json.loads(body)
    return str(found["choices"][0]["message"]["content"] if dialect == "openai_chat" else found["content"][0]["text"])


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("cached", [False, True], ids=["", "with a cache"])
def test_there_and_back(dialect: str, stream: bool, cached: bool) -> None:
    with Whole(HOSTS, privacy={"enabled": True}, cache={"enabled": cached}) as whole:
        whole["a"].script.append(echoing(stream))
        body, path = asked("a/m", dialect, stream=stream)
        asks = json.loads(body)
        asks["messages"][0]["content"] = f"write to {MAIL}"

        answers = [whole.ask(asks, path) for _ in range(2 if cached else 1)]

        for answer in answers:
            assert (answer.status, text(answer.body, dialect, stream)) == (200, TOLD)
        assert MAIL.encode() not in b"".join(sent.body for sent in whole["a"].sent)
        assert b"write to [EMAIL_1]" in whole["a"].sent[0].body
        if cached:
            assert [answer.field("x-setu-cache") for answer in answers] == ["miss", "hit"]
        assert MAIL not in str(whole.reported(len(answers)))


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_one_answer_in_the_cache_is_told_to_each_with_their_own(stream: bool) -> None:
    """The masked request is the same; what stands behind the masks is each client's."""
    with Whole(HOSTS, privacy={"enabled": True}, cache={"enabled": True}) as whole:
        whole["a"].script.append(echoing(stream))
        answers = [whole.ask(said("a/m", f"write to {mail}", stream=stream)) for mail in (MAIL, OTHER)]

        assert [answer.field("x-setu-cache") for answer in answers] == ["miss", "hit"]
        assert text(answers[1].body, "openai_chat", stream) == TOLD.replace(MAIL, OTHER)
        assert MAIL.encode() not in answers[1].body


def test_a_fallback_sees_no_more() -> None:
    routing = {"models": {"x": ["a/m", "b/m"]}}
    with Whole(HOSTS, privacy={"enabled": True}, routing=routing, resilience={"retry": {"max_attempts": 1}}) as whole:
        whole["a"].script.append(failing(500))
        assert whole.ask(said("x", MAIL)).status == 200

        assert b"[EMAIL_1]" in whole["b"].sent[0].body


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
def test_a_request_can_be_refused_instead(dialect: str) -> None:
    with Whole(HOSTS, privacy={"enabled": True, "mode": "refuse"}) as whole:
        body, path = asked("a/m", dialect)
        refused = whole.ask(body.replace(b'"hi"', f'"{MAIL}"'.encode()), path)

        assert (refused.status, len(whole["a"].sent)) == (400, 0)
        assert MAIL not in refused.body.decode()
        assert whole.ask(body, path).status == 200


def test_only_the_providers_that_are_named_see_masks() -> None:
    with Whole(HOSTS, privacy={"enabled": True, "providers": ["b"]}) as whole:
        whole.ask(said("a/m", MAIL))
        whole.ask(said("b/m", MAIL))

        assert MAIL.encode() in whole["a"].sent[0].body
        assert MAIL.encode() not in whole["b"].sent[0].body


def test_an_error_that_repeats_a_mask_tells_nobody_elses() -> None:
    with Whole(HOSTS, privacy={"enabled": True}) as whole:
        whole["a"].script.append(failing(400, message="[EMAIL_1] is no address"))
        answer = whole.ask(said("a/m", MAIL))

        assert answer.status == 400
        assert answer.error["message"] in {"[EMAIL_1] is no address", f"{MAIL} is no address"}
