"""What another suite says of the same mutants: the tests of llm-comply that pass on the reference and fail on a mutant.

Only mutants that face the client can be shown to it, and only in the dialect that their check is about.
"""

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from setu.conformance import rivals
from setu.conformance.front import KEY, front
from setu.conformance.mutants.mutant import Mutant, unchanged
from setu.conformance.runner import deployment_of
from setu.dialects.registry import DIALECTS

_DIALECTS = {"ANT": "anthropic", "GEM": "gemini", "RSP": "openai_responses"}
_WORKERS = 2


def shown(mutant: Mutant) -> bool:
    """Say whether a suite that is only a client could see a mutant at all."""
    return mutant.stage == "probes" and mutant.front is not None


def kills(mutants: Iterable[Mutant]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each mutant that can be shown, as `CHECK name`, and the tests that fail on it and not on the reference.

    Raises:
        SetuError: the other suite cannot be installed, or does not run.
    """
    asked = [mutant for mutant in mutants if shown(mutant)]
    kinds = sorted({(mutant.provider, dialect_of(mutant)) for mutant in asked})
    good = {kind: _passed(Mutant(name="reference", check="", about="", provider=kind[0]), kind[1]) for kind in kinds}
    with ThreadPoolExecutor(_WORKERS) as pool:
        found = pool.map(lambda mutant: _passed(mutant, dialect_of(mutant)), asked)
        for mutant, passed in zip(asked, found, strict=True):
            yield f"{mutant.check} {mutant.name}", tuple(sorted(good[mutant.provider, dialect_of(mutant)] - passed))


def dialect_of(mutant: Mutant) -> str:
    """Return the dialect in which a mutant's check is about a client."""
    return _DIALECTS.get(mutant.check.partition("-")[0], "openai_chat")


def _passed(mutant: Mutant, dialect: str) -> frozenset[str]:
    async def main() -> frozenset[str]:
        deployment = deployment_of(mutant.provider)
        model = f"{deployment.name}/{next(iter(deployment.models), 'model')}"
        async with front(deployment, DIALECTS, before=mutant.front or unchanged) as served:
            return await asyncio.to_thread(_comply, served.url, model, dialect)

    return asyncio.run(main())


def _comply(url: str, model: str, dialect: str) -> frozenset[str]:
    try:
        found = rivals.comply(url, model, KEY, dialect=dialect)
    except rivals.RivalError:
        return frozenset()  # it broke on the mutant: every test of it failed
    return frozenset(test for test, verdict in found.items() if verdict.passed)
