"""A mutant: the reference server with one thing wrong, and the check that must see it."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from setu.conformance.laws.pair import Pair
from setu.dialects.record import Dialect
from setu.ports import Transport

Change = Callable[[Transport], Transport]
"""Wraps a transport with a broken one."""


def unchanged(transport: Transport) -> Transport:
    """Break nothing."""
    return transport


Stage = Literal["probes", "laws", "fuzz", "scenarios", "recordings"]


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong. `about` says what, in a sentence.

    `front` breaks what faces the client, `back` what faces the upstream, `dialects` the translators, `wiring` how the
    gateway of laws is put together; one of the four is given. `implies` are checks that cannot but fail with it.
    `stage` is the part of the suite that must find it: `provider` is whose API stands behind the reference then, `pair`
    the client's and the upstream's dialect of laws.
    """

    name: str
    check: str
    about: str
    front: Change | None = None
    back: Change | None = None
    dialects: Callable[[Mapping[str, Dialect]], Mapping[str, Dialect]] | None = None
    wiring: Callable[[Pair], Pair] | None = None
    implies: frozenset[str] = frozenset()
    stage: Stage = "probes"
    provider: str = "openai"
    pair: tuple[str, str] = ("openai_chat", "anthropic")


class Mutants:
    """The mutants of one area, in the order they are written."""

    def __init__(self) -> None:
        self.all: list[Mutant] = []

    def front(self, check: str, name: str, about: str, change: Change, **more: Any) -> None:
        """Note a mutant that breaks what faces the client; `more` are other members of it."""
        self.add(Mutant(name=name, check=check, about=about, front=change, **_sets(more)))

    def back(self, check: str, name: str, about: str, change: Change, **more: Any) -> None:
        """Note a mutant that breaks what faces the upstream."""
        self.add(Mutant(name=name, check=check, about=about, back=change, **_sets(more)))

    def law(self, check: str, name: str, about: str, **more: Any) -> None:
        """Note a mutant that a law must find; `more` says what it breaks, and other members."""
        self.add(Mutant(name=name, check=check, about=about, stage="laws", **_sets(more)))

    def scenario(self, check: str, name: str, about: str, **more: Any) -> None:
        """Note a mutant that a scenario must find."""
        self.add(Mutant(name=name, check=check, about=about, stage="scenarios", **_sets(more)))

    def fuzz(self, check: str, name: str, about: str, change: Change, **more: Any) -> None:
        """Note a mutant of what faces the client that generated requests must find."""
        self.add(Mutant(name=name, check=check, about=about, front=change, stage="fuzz", **_sets(more)))

    def add(self, mutant: Mutant) -> None:
        self.all.append(mutant)


def _sets(members: dict[str, Any]) -> dict[str, Any]:
    """Let `implies` be written as one check, or several."""
    implied = members.get("implies", ())
    return members | {"implies": frozenset([implied] if isinstance(implied, str) else implied)}
