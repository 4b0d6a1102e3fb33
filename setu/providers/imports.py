"""Objects of other people's packages, by import string: a miss is one sentence that says what is not there."""

import importlib

from setu.errors import ConfigError


def imported(reference: str) -> object:
    """Return what an import string (`package.module:OBJECT`) names.

    Raises:
        ConfigError: no such module or attribute, or the module breaks when it is imported.
    """
    module, _, attribute = reference.partition(":")
    if not module or not attribute:
        raise ConfigError(f"{reference!r} is no import string: write package.module:OBJECT")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        # Its own module, or one that it needs: the second is no mistake in the configuration.
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            raise ConfigError(f"{reference!r} cannot be imported: module {error.name!r} not found") from None
        raise ConfigError(f"{reference!r} cannot be imported: {error}") from None
    except Exception as error:  # noqa: BLE001 - somebody else's module may do anything
        raise ConfigError(f"{reference!r} cannot be imported: {error}") from None
    try:
        for step in attribute.split("."):
            found = getattr(found, step)
    except Exception:  # noqa: BLE001 - a module's own __getattr__ may do anything
        raise ConfigError(
            f"{reference!r} cannot be imported: module {module!r} has no attribute {attribute!r}"
        ) from None
    return found
