"""How a statement becomes a law: its number, where it holds, and the function that tries it."""

from collections.abc import Callable

import msgspec

from setu.conformance.laws.pair import Pair

Statement = Callable[[Pair], None]
"""Raises AssertionError with a sentence and the smallest example."""

Excuse = Callable[[Pair], str | None]
"""Says why a law has nothing to say about a pair; None where it has."""


class Law(msgspec.Struct, frozen=True):
    """One statement about every input; `id` is the number of the specification (P29)."""

    id: str
    statement: Statement
    excuse: Excuse

    @property
    def check(self) -> str:
        return f"XLT-{self.id[1:]}"

    @property
    def title(self) -> str:
        return self.statement.__name__.replace("_", " ")


def everywhere(pair: Pair) -> str | None:  # noqa: ARG001 - an excuse looks at the pair
    """Have no excuse."""
    return None


class Book:
    """The laws of one area, in the order they are written."""

    def __init__(self) -> None:
        self.laws: list[Law] = []

    def law(self, number: str, excuse: Excuse = everywhere) -> Callable[[Statement], Statement]:
        """Register the decorated function."""

        def register(statement: Statement) -> Statement:
            self.laws.append(Law(number, statement, excuse))
            return statement

        return register
