"""P02 once more, with the providers' own SDKs as judges of what goes upstream."""

from collections.abc import Callable

import pytest

from setu.conformance import strategies
from setu.conformance.laws.bench import Profile, bench
from setu.conformance.laws.pair import Pair, Sent, refused
from setu.conformance.natives.values import Story
from setu.dialects.registry import DIALECTS
from tests.dialects.anthropic import oracle as anthropic
from tests.dialects.bedrock import oracle as bedrock
from tests.dialects.gemini import oracle as gemini
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


ORACLES: dict[str, Callable[[bytes], object]] = {
    "anthropic": accepted_by_anthropic,
    "gemini": accepted_by_google,
    "bedrock": accepted_by_amazon,
    "openai_responses": accepted_by_openai,
}
PAIRS = [pair for pair in bench(DIALECTS, FEW) if pair.upstream.name in ORACLES]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.client.name}-{pair.upstream.name}")
def test_an_sdk_could_have_sent_what_goes_upstream(pair: Pair) -> None:
    def law(story: Story) -> None:
        sent = refused(lambda: pair.send(story))
        if isinstance(sent, Sent):
            ORACLES[pair.upstream.name](sent.body)

    pair.check(strategies.stories(pair.by, media=True, scalars=True, thinking=True), law)
