"""P02 once more, with the providers' own SDKs as judges of what goes upstream."""

import json
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from setu.conformance import strategies
from setu.conformance.laws.bench import Profile, bench
from setu.conformance.laws.pair import Pair, Sent, refused
from setu.conformance.natives.values import Say, Story, Turn
from setu.dialects.registry import DIALECTS
from tests.dialects.anthropic import oracle as anthropic
from tests.dialects.bedrock import oracle as bedrock
from tests.dialects.gemini import oracle as gemini
from tests.dialects.openai_chat import oracle as openai_chat
from tests.dialects.openai_responses import oracle as openai_responses

FEW = Profile(25, 25, derandomize=True)


def accepted_by_anthropic(body: bytes) -> None:
    assert anthropic.request_problems(body) == []


def accepted_by_google(body: bytes) -> None:
    gemini.check_request(body)


def accepted_by_amazon(body: bytes) -> None:
    assert bedrock.request_problems(body, "anthropic.claude-sonnet-4-5") == []


def accepted_by_openai(body: bytes) -> None:
    assert openai_responses.request_problems(body) == []


def accepted_by_openai_chat(body: bytes) -> None:
    assert openai_chat.request_problems(body) == []


ORACLES: dict[str, Callable[[bytes], object]] = {
    "anthropic": accepted_by_anthropic,
    "gemini": accepted_by_google,
    "bedrock": accepted_by_amazon,
    "openai_responses": accepted_by_openai,
    "openai_chat": accepted_by_openai_chat,
}
PAIRS = [pair for pair in bench(DIALECTS, FEW) if pair.upstream.name in ORACLES]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.client.name}-{pair.upstream.name}")
def test_an_sdk_could_have_sent_what_goes_upstream(pair: Pair) -> None:
    def law(story: Story) -> None:
        sent = refused(lambda: pair.send(story))
        if isinstance(sent, Sent):
            ORACLES[pair.upstream.name](sent.body)

    pair.check(strategies.stories(pair.by, media=True, scalars=True, thinking=True), law)


def talk() -> Story:
    return Story(
        system=("be brief",), turns=(Turn("user", (Say("hi"), Say("there"))),), tools=strategies.KIT, stream=False
    )


def leak(body: bytes, place: tuple[str | int, ...]) -> bytes:
    """Put a member that no SDK has into the object at a place."""
    members = json.loads(body)
    target = members
    for step in place:
        target = target[step]
    target["brand_new"] = 1
    return json.dumps(members).encode()


DEPTHS: dict[str, tuple[tuple[str | int, ...], ...]] = {
    "anthropic": ((), ("messages", 0), ("messages", 0, "content", 0), ("tools", 0)),
    "gemini": ((), ("contents", 0), ("contents", 0, "parts", 0), ("tools", 0), ("tools", 0, "functionDeclarations", 0)),
    "bedrock": ((), ("messages", 0), ("messages", 0, "content", 0), ("toolConfig", "tools", 0, "toolSpec")),
    "openai_responses": ((), ("input", 0), ("input", 0, "content", 0), ("tools", 0)),
    "openai_chat": ((), ("messages", 0), ("messages", 1, "content", 0), ("tools", 0), ("tools", 0, "function")),
}


@pytest.mark.parametrize(("name", "place"), [(name, place) for name in ORACLES for place in DEPTHS[name]])
def test_no_oracle_takes_a_member_it_does_not_know(name: str, place: tuple[str | int, ...]) -> None:
    pair = next(pair for pair in PAIRS if (pair.client.name, pair.upstream.name) == ("anthropic", name))
    body = pair.send(talk()).body
    ORACLES[name](body)

    with pytest.raises((AssertionError, ValidationError)):
        ORACLES[name](leak(body, place))
