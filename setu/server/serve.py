"""Run an ASGI app with uvicorn: in this thread until a signal, or in another one until stopped."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from math import ceil
from types import FrameType, TracebackType
from typing import Any, Self

import uvicorn

from setu.errors import ConfigError, SetuError

GRACE_SECONDS = 30
READ_SECONDS = 0.2
"""For how long a server that stops still waits for requests on connections that it has taken."""
KEEP_ALIVE_SECONDS = 75
"""uvicorn's own 5 s break requests behind proxies that keep idle connections longer."""
_LOOPBACK, _LAST_PORT = "127.0.0.1", 65535


def bind(host: str, port: int) -> socket.socket:
    """Listen, or say why not.

    Raises:
        ConfigError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot listen on {host}:{port}: {reason}") from None
    listener.setblocking(False)
    return listener


def address(text: str) -> tuple[str, int]:
    """Read `ADDRESS:PORT`, `[IPV6]:PORT`, `:PORT` or `PORT`; without an address it is this machine's loopback.

    Raises:
        ConfigError: it is none of these.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not port.isdecimal() or int(port) > _LAST_PORT or (":" in host and not bracketed) or (colon and "[]" in host):
        raise ConfigError(f"cannot listen on '{text}': write ADDRESS:PORT, such as 127.0.0.1:3742 or [::1]:3742")
    return host.strip("[]") or _LOOPBACK, int(port)


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Calls back once it accepts connections, and tells an app that can `drain` when it is to stop."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._drain: Callable[[], None] = getattr(config.app, "drain", lambda: None)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._drain()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop on a signal, and return: uvicorn raises it again, and then no command could say how it went."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to listen, read what has been accepted, then end: uvicorn resets connections whose request it has not
        read yet, and a proxy does not send a POST again.
        """
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        await asyncio.sleep(READ_SECONDS)
        await super().shutdown(sockets)


def _wanted(record: logging.LogRecord) -> bool:
    """Tell what uvicorn says of answers that were broken off: ours are on purpose, a fault that was asked for."""
    return not str(record.msg).startswith("ASGI callable returned without")


logging.getLogger("uvicorn.error").addFilter(_wanted)


def _config(app: Any, grace: int = GRACE_SECONDS, keep_alive: int = KEEP_ALIVE_SECONDS) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="on",
        ws="websockets-sansio",
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=grace,
    )


def run(
    app: Any,
    listeners: socket.socket | Sequence[socket.socket],
    ready: Callable[[], None],
    *,
    grace: float = GRACE_SECONDS,
    keep_alive: float = KEEP_ALIVE_SECONDS,
) -> None:
    """Serve until SIGINT or SIGTERM; answers under way have `grace` seconds to end, then they are broken off.

    `keep_alive` is for how many seconds an idle connection is kept.
    """
    sockets = [listeners] if isinstance(listeners, socket.socket) else list(listeners)
    _Server(_config(app, ceil(grace), ceil(keep_alive)), ready).run(sockets=sockets)


class Background:
    """The same server in a thread: for `setu record -- CMD`, for conformance over sockets, for tests.

    Use it as a context manager; `url` is where it listens, `grace` the seconds that answers have to end in.
    """

    def __init__(self, app: Any, host: str = "127.0.0.1", port: int = 0, *, grace: int = GRACE_SECONDS) -> None:
        self._grace = grace
        self._listener = bind(host, port)
        self.url = url_of(self._listener)
        self._up = threading.Event()
        self._server = _Server(_config(app, grace), self._up.set)
        self._thread = threading.Thread(target=self._run, name="setu-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._up.wait(0.05):
            if not self._thread.is_alive():
                raise SetuError(f"the server on {self.url} did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop accepting, let running answers end, and wait for the thread."""
        self._server.should_exit = True
        self._thread.join(self._grace + 5)

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._server.run(sockets=[self._listener])
        self._listener.close()
