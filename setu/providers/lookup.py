"""Find a provider by name: a built-in module, an import string, or an entry point, in that order.

Entry points are read on a miss only: the reader of metadata loads a mail parser, and with it socket and random.
"""

import importlib
import pkgutil
from difflib import get_close_matches

import setu.providers
from setu.errors import ConfigError
from setu.providers.imports import imported
from setu.providers.record import Provider

PLUMBING = frozenset({"deployment", "imports", "lookup", "models", "quirks", "record", "signing"})
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
    reference = reference_of(name)
    if reference is None:
        near = get_close_matches(name, BUILT_IN, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ConfigError(f"unknown provider {name!r}{hint}; built in are {', '.join(BUILT_IN)}")
    return _checked(_of(name, reference), reference)


def reference_of(name: str) -> str | None:
    """Return the import string behind a name that is not built in: itself, or what a package announced for it.

    None for a built-in one, too: it has no package of its own.

    Raises:
        ConfigError: two packages announce different objects under the name.
    """
    if ":" in name:
        return name
    if name in BUILT_IN or name in ALIASES:
        return None
    from importlib.metadata import entry_points

    # A package that is found twice on the path announces the same thing twice.
    found = sorted({f"{entry.module}:{entry.attr or ''}" for entry in entry_points(group=GROUP, name=name)})
    if len(found) > 1:
        raise ConfigError(f"provider {name!r} is announced by several packages: {', '.join(found)}; name one of these")
    return found[0] if found else None


def installed(name: str) -> bool:
    """Tell whether a name is a provider's: built in, an alias, or announced by an installed package."""
    return name in BUILT_IN or name in ALIASES or reference_of(name) is not None


def _of(name: str, reference: str) -> object:
    try:
        return imported(reference)
    except ConfigError as error:
        by = f"provider {name!r}: " if name != reference else "provider "
        raise ConfigError(f"{by}{error}") from None


def _checked(found: object, name: str) -> Provider:
    if not isinstance(found, Provider):
        raise ConfigError(f"{name!r} is a {type(found).__name__}, not a setu.providers.record.Provider")
    return found
