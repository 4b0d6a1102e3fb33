"""Routing strategies of other people's packages, by import string (`package.module:function`)."""

from collections.abc import Iterable, Mapping
from inspect import signature

from setu.errors import ConfigError
from setu.providers.imports import imported
from setu.routing.policy import Strategy

_ARGUMENTS = ("targets", "ask", "policy", "outlook")


def load_strategy(reference: str) -> Strategy:
    """Return the strategy that an import string names.

    Raises:
        ConfigError: it cannot be imported, or is no function of four arguments.
    """
    try:
        found = imported(reference)
    except ConfigError as error:
        raise ConfigError(f"strategy {error}") from None
    if not callable(found):
        raise ConfigError(f"strategy {reference!r} is a {type(found).__name__}, not a function")
    try:
        signature(found).bind(*_ARGUMENTS)
    except TypeError as error:
        wanted = f"({', '.join(_ARGUMENTS)}) as setu.routing.policy.Strategy does"
        raise ConfigError(f"strategy {reference!r} does not take {wanted}: {error}") from None
    except ValueError:
        pass  # a function of an extension module does not say what it takes
    return found


def strategies_of(names: Iterable[str]) -> Mapping[str, Strategy]:
    """Return those of a configuration's strategies that are import strings, by just these names.

    A client can then ask for them in `x-setu-strategy`, and for no other module's function.
    """
    return {name: load_strategy(name) for name in sorted(names) if ":" in name}
