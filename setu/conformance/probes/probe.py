"""A probe: a request or a few that a subject must answer rightly, and the checks that they decide."""

from collections.abc import Awaitable, Callable

import msgspec

from setu.conformance.lab import Lab

Body = Callable[[Lab], Awaitable[None]]


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """`checks` are those it concludes on; `needs` are capabilities that the subject must declare.

    `scripted` says that it needs an upstream that does what it is told; `name` is the function's.
    """

    name: str
    checks: tuple[str, ...]
    run: Body
    needs: frozenset[str] = frozenset()
    scripted: bool = False


class Probes:
    """The probes of one area, in the order they are written."""

    def __init__(self) -> None:
        self.all: list[Probe] = []

    def add(self, *checks: str, needs: tuple[str, ...] = (), scripted: bool = False) -> Callable[[Body], Body]:
        """Register the decorated function as a probe of some checks."""

        def register(body: Body) -> Body:
            self.all.append(
                Probe(name=body.__name__, checks=checks, run=body, needs=frozenset(needs), scripted=scripted)
            )
            return body

        return register
