"""Find a provider by name: a built-in module, an import string, or an entry point, in that order."""

import importlib

from setu.errors import ConfigError
from setu.providers.record import Provider

BUILT_IN = ("openai", "anthropic", "gemini", "openrouter", "openai_compatible")
ALIASES = {"google": "gemini"}
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
            return _checked(getattr(importlib.import_module(module), attribute), name)
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"provider {name!r} cannot be imported: {error}") from None
    from importlib.metadata import entry_points  # only on a miss: it loads a mail parser, and with it socket and random

    for entry in entry_points(group=GROUP, name=name):
        return _checked(entry.load(), name)
    raise ConfigError(f"unknown provider {name!r}; built in are {', '.join(BUILT_IN)}")


def _checked(found: object, name: str) -> Provider:
    if not isinstance(found, Provider):
        raise ConfigError(f"{name!r} is a {type(found).__name__}, not a setu.providers.record.Provider")
    return found
