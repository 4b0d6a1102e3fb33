"""Where virtual keys are kept: a file of one machine, or a table that several share."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Protocol

import msgspec

from setu.access import keys
from setu.access.keys import PREFIX, SECRET_LENGTH, Key, Pass, passes_of
from setu.errors import ConfigError, SetuError
from setu.resilience.ledger import Limit
from setu.store.locked import locked

LOG = logging.getLogger("setu")

Edit = Callable[[Key], Key]


class Shelf(Protocol):
    """Keys as they are stored. All methods block, and raise SetuError when the place cannot be read or written."""

    blocks: bool
    """Whether reading may take long enough to hold up a server."""

    def version(self) -> object:
        """Return what differs once keys have changed; cheap."""
        ...

    def read(self) -> list[Key]: ...

    def add(self, key: Key) -> None: ...

    def change(self, identifier: str, edit: Edit) -> Key:
        """Replace a key by its edited self, and return that."""
        ...

    def touch(self, used: Mapping[str, float]) -> None:
        """Remember when keys were last used."""
        ...

    def close(self) -> None:
        """Let go of connections; the next call opens them again."""
        ...


def shelf_at(place: str) -> Shelf:
    """Return the keys at a path, or at a database's URL.

    Raises:
        ConfigError: the database's driver is not installed.
    """
    if "://" not in place:
        return FileShelf(Path(place))
    from setu.store.key_table import TableShelf

    return TableShelf(place)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int = 1
    keys: tuple[Key, ...] = ()


class FileShelf:
    """A JSON file, replaced as a whole. It holds digests, so reading it gives no one a key; writing it would."""

    blocks = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def version(self) -> object:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error) from None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read(self) -> list[Key]:
        try:
            data = self.path.read_bytes()
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unreadable(error) from None
        if os.name == "posix" and mode & 0o022:
            raise ConfigError(f"{self.path} can be written by others, who could let themselves in: chmod 600 it")
        try:
            found = msgspec.json.decode(data, type=_File)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.path} is no list of keys: {error}") from None
        if found.version != 1:
            raise ConfigError(f"{self.path} was written by a newer Setu (version {found.version})")
        return list(found.keys)

    def add(self, key: Key) -> None:
        self._rewrite(lambda found: [*found, key])

    def change(self, identifier: str, edit: Edit) -> Key:
        changed: list[Key] = []

        def edited(key: Key) -> Key:
            if key.id != identifier:
                return key
            changed.append(edit(key))
            return changed[0]

        self._rewrite(lambda found: [edited(key) for key in found])
        if not changed:
            raise unknown(identifier)
        return changed[0]

    def touch(self, used: Mapping[str, float]) -> None:
        self._rewrite(lambda found: [with_use(key, used.get(key.id)) for key in found])

    def close(self) -> None:
        pass

    def _rewrite(self, edit: Callable[[list[Key]], list[Key]]) -> None:
        try:
            with locked(self.path.with_name(self.path.name + ".lock")):
                before = self.read()
                after = edit(before)
                if after != before:
                    self._replace(after)
        except OSError as error:
            raise SetuError(f"{self.path} cannot be written: {error.strerror or error}") from None

    def _replace(self, found: list[Key]) -> None:
        data = msgspec.json.format(msgspec.json.encode(_File(keys=tuple(found)))) + b"\n"
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def _unreadable(self, error: OSError) -> ConfigError:
        return ConfigError(f"{self.path} cannot be read: {error.strerror or error}")


def with_use(key: Key, when: float | None) -> Key:
    """Return the key as last used then, if that is news."""
    if when is None or when <= (key.last_used or 0.0):
        return key
    return msgspec.structs.replace(key, last_used=when)


def unknown(identifier: str) -> SetuError:
    return SetuError(f"there is no key '{identifier}': `setu keys list` shows those there are")


class KeyStore:
    """Makes keys and changes them, which is rare: no connection is kept. A secret is returned once, stored nowhere."""

    def __init__(self, shelf: Shelf, now: Callable[[], float] = time.time) -> None:
        self._shelf = shelf
        self._now = now

    def all(self) -> list[Key]:
        with closing(self._shelf) as shelf:
            return sorted(shelf.read(), key=lambda key: (key.created_at, key.id))

    def create(self, **said: object) -> tuple[Key, str]:
        """Make a key; `said` are members of `Key`. Return it with its secret."""
        secret = _secret()
        key = keys.made("key_" + secrets.token_hex(8), secret, self._now(), **said)
        with closing(self._shelf) as shelf:
            shelf.add(key)
        return key, secret

    def revoke(self, identifier: str) -> Key:
        """Let a key let nobody in any more.

        Raises:
            SetuError: there is none of that id.
        """
        with closing(self._shelf) as shelf:
            return shelf.change(identifier, lambda key: keys.revoked(key, self._now()))

    def rotate(self, identifier: str, grace: float) -> tuple[Key, str]:
        """Give a key a new secret; the old one counts for `grace` seconds more.

        Raises:
            SetuError: there is none of that id, or it lets nobody in any more.
        """
        secret = _secret()
        with closing(self._shelf) as shelf:
            return shelf.change(identifier, lambda key: keys.rotated(key, secret, self._now(), grace)), secret


def _secret() -> str:
    return PREFIX + secrets.token_urlsafe(SECRET_LENGTH * 3 // 4)


class LiveKeys:
    """The keys as a running server knows them: a table in memory, looked after at most every `every` seconds.

    A place that cannot be read leaves the keys that were last read; the next look is later then.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        every: float = 2.0,
        save_every: float = 60.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shelf = shelf
        self._every = every
        self._save_every = save_every
        self._monotonic = monotonic
        self._version = shelf.version()
        self._passes = passes_of(shelf.read())
        self._due = monotonic() + every
        self._save_due = monotonic() + save_every
        self._used: dict[str, float] = {}
        self._looking: asyncio.Future[None] | None = None
        self._failing = False

    def find(self, digest: str) -> Pass | None:
        return self._passes.get(digest)

    def used(self, key: str, now: float) -> None:
        self._used[key] = now

    def limits(self) -> dict[str, tuple[Limit, ...]]:
        """Return the limits that keys bring, by their ids."""
        return {each.caller.key: each.caller.limits for each in self._passes.values() if each.caller.limits}

    async def refresh(self) -> None:
        """Look again if it is time to; a place that is slow to answer is not waited for."""
        if self._monotonic() < self._due:
            return
        if not self._shelf.blocks:
            self._look()
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(asyncio.to_thread(self._look))
        await asyncio.wait([self._looking], timeout=_PATIENCE)

    def close(self) -> None:
        """Save when keys were last used, and let go of the place."""
        self._save()
        self._shelf.close()

    def _look(self) -> None:
        try:
            self._reload()
            if self._monotonic() >= self._save_due:
                self._save()
            self._failing = False
            self._due = self._monotonic() + self._every
        except SetuError as error:
            if not self._failing:
                LOG.warning("virtual keys: %s; those last read still count", error)
            self._failing = True
            self._due = self._monotonic() + 5 * self._every

    def _reload(self) -> None:
        version = self._shelf.version()
        if version != self._version:
            self._passes = passes_of(self._shelf.read())
            self._version = version

    def _save(self) -> None:
        self._save_due = self._monotonic() + self._save_every
        if self._used:
            used, self._used = self._used, {}
            try:
                self._shelf.touch(used)
            except SetuError as error:
                LOG.debug("when keys were last used is not saved: %s", error)  # a read-only file is no defect


_PATIENCE = 1.0
"""Seconds that a request waits for a database to say whether keys have changed."""
