"""Run an ASGI app with uvicorn: in this thread until a signal, or in another one until stopped."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Self

import uvicorn

from setu.errors import ConfigError, SetuError

GRACE_SECONDS = 30


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


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Calls back once it accepts connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

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


def _wanted(record: logging.LogRecord) -> bool:
    """Tell what uvicorn says of answers that were broken off: ours are on purpose, a fault that was asked for."""
    return not str(record.msg).startswith("ASGI callable returned without")


logging.getLogger("uvicorn.error").addFilter(_wanted)


def _config(app: Any) -> uvicorn.Config:
    # uvicorn's own keep-alive of 5 s breaks requests behind proxies that keep idle connections longer.
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="on",
        ws="websockets-sansio",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def run(app: Any, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; streams under way are drained."""
    _Server(_config(app), ready).run(sockets=[listener])


class Background:
    """The same server in a thread: for `setu record -- CMD`, for conformance over sockets, for tests.

    Use it as a context manager; `url` is where it listens.
    """

    def __init__(self, app: Any, host: str = "127.0.0.1", port: int = 0) -> None:
        self._listener = bind(host, port)
        self.url = url_of(self._listener)
        self._up = threading.Event()
        self._server = _Server(_config(app), self._up.set)
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
        self._thread.join(GRACE_SECONDS + 5)

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._server.run(sockets=[self._listener])
        self._listener.close()
