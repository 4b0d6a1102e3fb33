"""A new configuration without a new process: on SIGHUP, when a file changes, when an operator asks."""

import asyncio
import contextlib
import hashlib
import logging
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from setu.errors import ConfigError, SetuError
from setu.ports import Clock

LOG = logging.getLogger("setu")
DEBOUNCE_MS = 200
"""An editor writes a file in several steps."""
LOOK_MS = 2000

T = TypeVar("T")


class Reloaded(NamedTuple):
    """How the last reload went. `at` is in seconds since the epoch; `generation` counts the configurations so far."""

    generation: int
    at: float
    ok: bool
    why: str
    error: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return what GET /health and the answer of a reload say."""
        return {"generation": self.generation, "at": round(self.at), "ok": self.ok, "why": self.why} | (
            {"error": self.error} if self.error is not None else {}
        )


class Reloader(Generic[T]):
    """Loads, and applies what it loaded; one reload at a time.

    `load` reads and checks, in a thread, so that no stream waits for it; `apply` builds and swaps, in the loop. What
    either refuses with a `SetuError` has changed nothing. `spread`, if given, tells the other workers of a reload that
    an operator asked for; `told` hears how each reload went.
    """

    def __init__(
        self,
        load: Callable[[], T],
        apply: Callable[[T], Awaitable[None]],
        clock: Clock,
        *,
        spread: Callable[[], None] | None = None,
        told: Callable[["Reloaded"], None] | None = None,
    ) -> None:
        self._load = load
        self._apply = apply
        self._clock = clock
        self._spread = spread
        self._told = told
        self._lock = asyncio.Lock()
        self._files: Callable[[], Sequence[Path]] = tuple
        self._seen = b""
        self.last = Reloaded(1, clock.now(), ok=True, why="start")

    async def reload(self, why: str) -> Reloaded:
        """Take over what the configuration says now, or say why not."""
        async with self._lock:
            self._seen = await asyncio.to_thread(digest, self._files())
            try:
                await self._apply(await asyncio.to_thread(self._load))
            except SetuError as error:
                self._note(ok=False, why=why, error=str(error))
                LOG.warning("configuration not reloaded, the old one stays (%s): %s", why, error)
            except Exception as error:
                self._note(ok=False, why=why, error=f"internal error: {type(error).__name__}")
                LOG.exception("configuration not reloaded, the old one stays (%s)", why)
            else:
                self._note(ok=True, why=why)
                LOG.warning("configuration reloaded (%s): generation %d", why, self.last.generation)
            return self.last

    async def asked(self, why: str) -> Reloaded:
        """Reload because an operator asks.

        Raises:
            ConfigError: the configuration cannot be used; nothing has changed.
        """
        reloaded = await self.reload(why)
        if not reloaded.ok:
            raise ConfigError(reloaded.error or "the configuration cannot be used")
        if self._spread is not None:
            self._spread()
        return reloaded

    def _note(self, *, ok: bool, why: str, error: str | None = None) -> None:
        self.last = Reloaded(self.last.generation + ok, self._clock.now(), ok, why, error)
        if self._told is not None:
            self._told(self.last)

    @contextlib.asynccontextmanager
    async def running(self, files: Callable[[], Sequence[Path]]) -> AsyncIterator[None]:
        """Reload on SIGHUP and when one of the files changes, as long as this lasts.

        `files` is asked anew after every reload: another configuration may have others.
        """
        tasks: set[asyncio.Task[Any]] = set()

        def hang_up() -> None:
            task = asyncio.ensure_future(self.reload("SIGHUP"))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        self._files = files
        self._seen = digest(files())
        heard = _on_hang_up(hang_up)
        watching = asyncio.ensure_future(self._watched())
        try:
            yield
        finally:
            if heard:
                asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
            for task in (watching, *tasks):
                task.cancel()
            await asyncio.gather(watching, *tasks, return_exceptions=True)

    async def _watched(self) -> None:
        try:
            while watched := list(self._files()):
                async for _ in _changes(watched):
                    if await asyncio.to_thread(digest, watched) != self._seen:
                        await self.reload("file change")
                    if list(self._files()) != watched:
                        self._seen = digest(self._files())
                        break
        except (OSError, RuntimeError) as error:  # the limit of inotify, among others
            LOG.warning("the configuration is not read again when it changes, only on SIGHUP: %s", error)


def digest(files: Sequence[Path]) -> bytes:
    """Return what the files hold, as a digest; a file that is not there holds nothing."""
    whole = hashlib.blake2b(digest_size=16)
    for path in files:
        try:
            content = path.read_bytes()
        except OSError:
            content = b""
        whole.update(len(content).to_bytes(8, "big") + content)
    return whole.digest()


def _on_hang_up(then: Callable[[], None]) -> bool:
    """Call back on SIGHUP, where there is one and this thread may listen for it; tell whether it does."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGHUP"):
        return False
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, then)
    except RuntimeError:  # a loop that cannot
        return False
    return True


async def _changes(files: Sequence[Path]) -> AsyncIterator[None]:
    """Yield when something happens in the folders of the files, and every other second.

    The folder is watched, not the file: editors, `kubectl` and `mv` put another file in its place. Network and
    container mounts say nothing of what happens, so one has to look.
    """
    from watchfiles import awatch

    folders = {folder for path in files if (folder := path.absolute().parent).is_dir()}
    options: dict[str, Any] = {"recursive": False, "watch_filter": None, "debounce": DEBOUNCE_MS}
    async for _ in awatch(*folders, **options, rust_timeout=LOOK_MS, yield_on_timeout=True):
        yield
