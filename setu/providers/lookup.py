"""Find a provider by name: a built-in module, an import string, or an entry point, in that order."""

import importlib
import pkgutil
from difflib import get_close_matches

import setu.providers
from setu.errors import ConfigError
from setu.providers.record import Provider

PLUMBING = frozenset({"deployment", "lookup", "models", "quirks", "record", "signing"})
"""Modules of this package that are no provider."""
FIRST = ("openai", "anthropic", "gemini", "openrouter")
"""The providers that decide a tie, when nothing is configured and several serve a model."""
_HERE = {module.name for module in pkgutil.iter_modules(setu.providers.__path__)}
BUILT_IN = (*FIRST, *sorted(_HERE - PLUMBING - {*FIRST}))
ALIASES = {"google": "gemini", "aws": "bedrock"}
GROUP = "setu.providers"


def find(name: str) -> Provider:
    """Return the provider that a name or an import string (`package.module:OBJECT`) means.

    Raises:
        ConfigError: there is none, or the object is no provider.
    """
    name = ALIASES.get(name, name)
    if name in BUILT_IN:
        return _checked(importlib.import_module(f"setu.providers.{name}").PROVIDER, name)
    if ":" in name:
        module, _, attribute = name.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # noqa: BLE001 - somebody else's module may do anything
            raise ConfigError(f"provider {name!r} cannot be imported: {error}") from None
        return _checked(found, name)
    from importlib.metadata import entry_points  # only on a miss: it loads a mail parser, and with it socket and random

    for entry in entry_points(group=GROUP, name=name):
        try:
            return _checked(entry.load(), name)
        except Exception as error:  # noqa: BLE001 - somebody else's module may do anything
            raise ConfigError(f"provider {name!r} of {entry.value} cannot be imported: {error}") from None
    near = get_close_matches(name, BUILT_IN, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise ConfigError(f"unknown provider {name!r}{hint}; built in are {', '.join(BUILT_IN)}")


def _checked(found: object, name: str) -> Provider:
    if not isinstance(found, Provider):
        raise ConfigError(f"{name!r} is a {type(found).__name__}, not a setu.providers.record.Provider")
    return found
