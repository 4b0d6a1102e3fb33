"""What the commands about access have in common: the configuration's tables, the keys, the audit log."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from setu.config.model import Config
    from setu.store.audit import AuditLog
    from setu.store.keys import KeyStore


def read(path: Path | None) -> "Config":
    """Read the configuration; variables of keys need not be set.

    Raises:
        ConfigError: a named file does not exist, or one is no configuration.
    """
    from setu.config.load import find, load

    return load(find(path, os.environ), os.environ, offline=True)


def key_store(config: "Config", said: str | None) -> "KeyStore":
    """Return the keys at a place named on the command line, else at the configured one, else at the usual one.

    Raises:
        ConfigError: the place is a URL, but no database for keys.
    """
    from setu.config.access import LOCAL, key_place, place_of
    from setu.errors import ConfigError
    from setu.store.keys import KeyStore, shelf_at

    try:
        place = place_of(said) if said else key_place(config.auth) or place_of(LOCAL)
    except ValueError as error:
        raise ConfigError(f"--store: {error}") from None
    return KeyStore(shelf_at(place))


def audit_log(config: "Config") -> "AuditLog | None":
    from setu.config.access import audit_file
    from setu.store.audit import AuditLog

    file = audit_file(config.audit)
    return AuditLog(file) if file is not None else None


def operator() -> str:
    """Return who runs a command, as the audit log names them."""
    import getpass

    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # a container's user may have no name
        return "cli"
