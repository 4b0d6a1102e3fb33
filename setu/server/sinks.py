"""Ends that ASGI cannot say: a connection closed in mid-body, or reset.

uvicorn keeps the connection's transport behind `receive`; where another server does not, the connection is left to
end as that server ends an unfinished response.
"""

import contextlib
import socket
import struct
from typing import Any


def break_off(receive: Any, *, reset: bool, promised: tuple[bytes, int] | None = None) -> None:
    """Close the connection under an unfinished response: FIN, or RST when `reset`.

    `promised` is a chunk of which only a part is written although its size line promises more.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        return
    if promised is not None:
        data, size = promised
        transport.write(b"%x\r\n" % size + data)
    if not reset:
        transport.close()
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
