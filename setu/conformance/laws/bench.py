"""The bench: every ordered pair of dialects, each in front of a host that speaks nothing else."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from setu.conformance.laws.pair import Pair
from setu.conformance.laws.table import LAWS, pairs, tried
from setu.dialects.record import Dialect, Facts
from setu.dialects.registry import DIALECTS
from setu.providers.deployment import Deployment
from setu.providers.record import Provider


class Profile(NamedTuple):
    """Examples of a dialect in front of itself, and of any other pair."""

    own: int
    other: int
    derandomize: bool


PROFILES = {"dev": Profile(30, 8, False), "ci": Profile(100, 25, True), "nightly": Profile(2000, 2000, False)}

FACTS = Facts(max_output=16_384, thinking="budget", vision=True, tools=True)
CAPABILITIES = frozenset({"stream_usage", "max_completion_tokens", "developer", "tool_media"})


MODELS = {"bedrock": "anthropic.claude-sonnet-4-5"}
"""Where the model's name decides what may be said; the others take any."""


HOSTS = {"openai_chat": "https://api.openai.com/v1"}
"""Where hosts of one dialect differ in what they take, the strictest; nothing is sent there."""


class Verdict(NamedTuple):
    """What became of one law on one pair; `excuse` says why it was not tried."""

    law: str
    title: str
    pair: str
    examples: int
    seconds: float
    problem: str | None
    excuse: str | None


def deployment(dialect: Dialect) -> Deployment:
    """Return a host that speaks a dialect and nothing else."""
    facts = Facts(max_output=16_384, thinking="effort") if dialect.name == "openai_chat" else FACTS
    provider = Provider(
        name="bench",
        base_url=HOSTS.get(dialect.name, "https://bench.test/v1"),
        dialects=(dialect.name,),
        scheme="none",
        capabilities=CAPABILITIES,
        headers={"anthropic-version": "2023-06-01"} if dialect.name == "anthropic" else {},
    )
    return Deployment(
        name="bench",
        provider=provider,
        base_url=provider.base_url,
        scheme="none",
        models={MODELS.get(dialect.name, "m"): facts},
        families=("*",),
    )


def bench(dialects: Mapping[str, Dialect], profile: Profile, seed: int = 0) -> list[Pair]:
    """Return every ordered pair of dialects."""
    found = pairs(
        dialects,
        [deployment(one) for one in dialects.values()],
        seed=seed,
        own=profile.own,
        other=profile.other,
        derandomize=profile.derandomize,
    )
    return list(found)


def judged(number: int, place: int, profile: Profile, seed: int) -> Verdict:
    """Try a law on a pair, both by their places in the tables: this runs in a process of its own."""
    law, pair = LAWS[number], bench(DIALECTS, profile, seed)[place]
    excuse = law.excuse(pair)
    start = time.perf_counter()
    problem = None if excuse else tried(law, pair)
    return Verdict(law.id, law.title, pair.name, pair.examples, time.perf_counter() - start, problem, excuse)
