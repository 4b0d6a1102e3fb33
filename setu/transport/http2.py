"""What HTTP/2 needs beyond what httpx gives: whoever leaves a stream has to say so.

httpcore 1.0 forgets a stream that is closed early, but sends no RST_STREAM (RFC 9113 §5.4.2): the host would write on,
and charge for it, until its answer is whole. On HTTP/1.1 the connection is closed, which says the same.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from setu.errors import ConfigError

_CANCEL = 0x8
_SECONDS = 1.0
"""How long a host that reads nothing may hold up who leaves."""


def require() -> None:
    """Refuse a configuration that asks for HTTP/2 where it is not installed.

    Raises:
        ConfigError: the package h2 is missing.
    """
    try:
        import h2.connection  # noqa: F401 # only whether it is there
    except ImportError:
        raise ConfigError('HTTP/2 support is not installed: pip install "setu-llm[http2]"') from None


class Leaving:
    """Follows one request through httpcore's `trace` extension, and resets its stream when it is left unfinished.

    The extension is public; the connection behind it is not. Where another httpcore is built otherwise nothing is
    reset, and everything else works: tests/transport/test_http2.py notices.
    """

    __slots__ = ("_request", "_stream", "_transport")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._request: Any = None
        self._stream = 0

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Take in an event, as httpcore calls it."""
        if event == "http2.send_request_headers.started":
            self._request, self._stream = info["request"], info["stream_id"]
        elif event == "http2.response_closed.started" and self._request is not None:
            # Whatever fails here: the stream is closed after it all the same, and the answer's end is known already.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_SECONDS):
                    await self._reset()

    async def _reset(self) -> None:
        import h2.events

        pooled = self._transport._pool._requests  # noqa: SLF001 # see above
        held: Any = next((each.connection for each in pooled if each.request is self._request), None)
        connection = held._connection  # noqa: SLF001 # see above
        state = connection._h2_state  # noqa: SLF001 # see above
        # What nobody will read gives its room in the connection's window back, or in the end all streams would stand.
        for event in connection._events.get(self._stream, ()):  # noqa: SLF001 # see above
            if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                state.acknowledge_received_data(event.flow_controlled_length, self._stream)
        stream = state.streams.get(self._stream)
        if stream is not None and not stream.closed:
            state.reset_stream(self._stream, _CANCEL)
        await connection._write_outgoing_data(self._request)  # noqa: SLF001 # see above


_ENDED = {
    "StreamReset": "it reset the stream",
    "ConnectionTerminated": "it closed the connection (GOAWAY)",
}


def ending(error: BaseException) -> str | None:
    """Say in words how a host ended an HTTP/2 stream or connection; None when it was something else."""
    cause = error.__cause__ or error.__context__
    event = cause.args[0] if cause is not None and cause.args else None
    return _ENDED.get(type(event).__name__)
