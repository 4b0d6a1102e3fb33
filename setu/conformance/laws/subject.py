"""What a law is about: one deployment, the dialects under test, and how hard to try."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import msgspec

from setu.conformance.target import Target
from setu.dialects.record import Dialect
from setu.http import Exchange, Headers, Request
from setu.providers.deployment import Deployment
from setu.transport.simulate.simulator import Simulator

T = TypeVar("T")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment and the dialects it is reached with; `model` is the client's name for it."""

    deployment: Deployment
    dialects: Mapping[str, Dialect]
    model: str
    seed: int
    examples: int

    @property
    def upstream(self) -> Dialect:
        return self.dialects[self.deployment.provider.dialects[0]]

    def check(self, strategy: Any, law: Callable[[Any], None]) -> None:
        """Try a law on generated examples; the smallest one that breaks it is in the error."""
        from hypothesis import HealthCheck, given, settings
        from hypothesis import seed as seeded

        profile = settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )

        @seeded(self.seed)
        @profile
        @given(example=strategy)
        def trial(example: Any) -> None:
            law(example)

        trial()

    def ask(self, body: bytes, path: str = "/v1/chat/completions", query: str = "") -> Exchange:
        """Send a request through the gateway to the simulator."""
        target = Target(self.dialects, {self.deployment.name: self.deployment}, Simulator)
        headers = Headers.of({"content-type": "application/json"})
        return run(target.exchange(Request(method="POST", path=path, query=query, headers=headers, body=body)))


_LOOP: list[asyncio.AbstractEventLoop] = []


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; one loop serves all examples, because making one costs more than most of them."""
    if not _LOOP:
        _LOOP.append(asyncio.new_event_loop())
    return _LOOP[0].run_until_complete(work)
