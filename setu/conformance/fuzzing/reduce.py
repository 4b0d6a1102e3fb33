"""The smallest request that still fails: what is sent along with it says nothing about the fault."""

from collections.abc import Callable, Iterator
from typing import Any


def reduced(value: Any, still: Callable[[Any], bool], tries: int) -> Any:
    """Return the value with as much taken out of it as `still` allows, asked at most `tries` times."""
    shrinking = True
    while shrinking:
        shrinking = False
        for smaller in _smaller(value):
            if not tries:
                return value
            tries -= 1
            if still(smaller):
                value = smaller
                shrinking = True
                break
    return value


def _smaller(value: Any) -> Iterator[Any]:
    """Yield values with one thing less, the largest steps first."""
    match value:
        case dict():
            for name in value:
                yield {key: inner for key, inner in value.items() if key != name}
            for name, inner in value.items():
                for less in _smaller(inner):
                    yield {**value, name: less}
        case list():
            for index in range(len(value)):
                yield value[:index] + value[index + 1 :]
            for index, inner in enumerate(value):
                for less in _smaller(inner):
                    yield [*value[:index], less, *value[index + 1 :]]
        case str() if len(value) > 1:
            yield value[: len(value) // 2]
            yield value[len(value) // 2 :]
        case _:
            return
