"""Ends that ASGI cannot say: a connection closed in mid-body, or reset.

uvicorn keeps the connection's transport behind `receive`. That is its own business, so it is looked for, in this one
place, and not relied on.
"""

import contextlib
import socket
import struct
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Wire(Protocol):
    """What is needed of a connection's transport: asyncio's has it."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...

    def get_extra_info(self, name: str) -> Any: ...


def wire_of(receive: Any) -> Wire | None:
    """Return the transport of the connection that a request came by; None for a server that does not show it."""
    found = getattr(getattr(receive, "__self__", None), "transport", None)
    return found if isinstance(found, Wire) else None


def break_off(receive: Any, *, reset: bool, promised: tuple[bytes, int] | None = None) -> bool:
    """Close the connection under an unfinished response: FIN, or RST when `reset`.

    `promised` is a chunk of which only a part is written although its size line promises more. False where the
    connection cannot be got at: then the caller must fail, for an app that fails is what makes every server close
    the connection without the end of the body.
    """
    transport = wire_of(receive)
    if transport is None:
        return False
    if promised is not None:
        data, size = promised
        transport.write(b"%x\r\n" % size + data)
    if not reset:
        transport.close()
        return True
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return True
