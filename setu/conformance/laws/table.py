"""The laws: statements about every input, checked on generated ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from setu.conformance.judges.finding import Finding
from setu.conformance.laws import answers, gateway, rendering, requests, streams, tools, traffic
from setu.conformance.laws.book import Law
from setu.conformance.laws.pair import Pair
from setu.conformance.tally import Tally
from setu.dialects.record import Dialect
from setu.providers.deployment import Deployment

LAWS: tuple[Law, ...] = tuple(
    sorted(
        (law for area in (requests, tools, rendering, answers, streams, traffic, gateway) for law in area.BOOK.laws),
        key=lambda law: law.id,
    )
)


def pairs(
    dialects: Mapping[str, Dialect],
    deployments: Iterable[Deployment],
    *,
    seed: int,
    own: int,
    other: int,
    derandomize: bool,
) -> Iterator[Pair]:
    """Yield each client's dialect in front of each deployment, which answers in it or else in its own first one.

    The dialect in front of itself, or of one that no client speaks chat, gets `own` examples, any other `other`.
    """
    for deployment in deployments:
        spoken = deployment.provider.dialects
        for client in dialects.values():
            upstream = dialects[client.name if client.name in spoken else spoken[0]]
            if "chat" not in client.client or "chat" not in upstream.upstream:
                continue
            nearest = upstream.name if "chat" in upstream.client else "openai_chat"
            provider = msgspec.structs.replace(deployment.provider, dialects=(upstream.name,), speaks={})
            yield Pair(
                client=client,
                upstream=upstream,
                dialects=dialects,
                deployment=msgspec.structs.replace(deployment, provider=provider),
                model=next(iter(deployment.models), "m"),
                seed=seed,
                examples=own if client.name == nearest else other,
                derandomize=derandomize,
            )


def tried(law: Law, pair: Pair) -> str | None:
    """Try a law; return what broke it, None if it holds."""
    try:
        law.statement(pair)
    except AssertionError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a law that breaks the code has found a bug
        return f"{type(error).__name__}: {error}"
    return None


def run(found: Iterable[Pair], tally: Tally, laws: Sequence[Law] = LAWS) -> None:
    """Check laws on some pairs, all of them unless some are named."""
    for pair in found:
        for law in laws:
            if law.excuse(pair) is not None:
                continue
            place = f"law: {law.title} ({pair.name})"
            broken = tried(law, pair)
            tally.add(law.check, [] if broken is None else [Finding(law.check, broken[:1500])], place)
