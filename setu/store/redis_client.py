"""A Redis that may be away: short waits, one warning for each outage, and nobody asks while it is down."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from setu.errors import ConfigError, SetuError
from setu.store.redis_scripts import Script

if TYPE_CHECKING:
    from redis.asyncio import Redis

LOG = logging.getLogger("setu")

CONNECT = 0.5
COMMAND = 0.25
"""Seconds to wait for a connection, and for an answer."""

CONNECTIONS = 32
"""Commands at once; a command takes some 100 µs, so more connections only cost memory."""


class RedisDownError(SetuError):
    """Redis cannot be asked; `sent` when a command went out and nobody knows whether it was done."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("Redis is down")
        self.sent = sent


def connect(url: str, *, connect_timeout: float = CONNECT, command_timeout: float = COMMAND) -> "Redis":
    """Return a client that never retries by itself; it connects when it is first asked.

    Raises:
        ConfigError: redis-py is not installed, or the URL is none of Redis.
    """
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError:
        raise ConfigError('redis support is not installed: pip install "setu-llm[redis]"') from None
    try:
        return Redis.from_url(
            url,
            socket_connect_timeout=connect_timeout,
            socket_timeout=command_timeout,
            retry=Retry(NoBackoff(), 0),
            max_connections=CONNECTIONS,
        )
    except ValueError:
        # redis-py's own message repeats the URL, which may hold a password.
        raise ConfigError("state.redis_url must begin with redis://, rediss:// or unix://") from None


class RedisLink:
    """Commands to one Redis.

    The first that fails marks it as down; from then on every command fails at once, until `heal` finds it answering.
    """

    def __init__(self, url: str, *, connect_timeout: float = CONNECT, command_timeout: float = COMMAND) -> None:
        self._client = connect(url, connect_timeout=connect_timeout, command_timeout=command_timeout)
        from redis.exceptions import NoScriptError, RedisError

        self._unknown_script = NoScriptError
        self._failures = (RedisError, OSError, TimeoutError)
        self._patience = connect_timeout + command_timeout
        # A place to wait in: the client's own pool refuses where it is full, which would look like an outage.
        self._places = asyncio.Semaphore(CONNECTIONS)
        self.down = False

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | bytes | float]) -> Any:
        """Run a script, by its digest where Redis knows it.

        Raises:
            RedisDownError: Redis cannot be asked.
        """
        try:
            return await self.call("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except self._unknown_script:
            return await self.call("EVAL", script.text, len(keys), *keys, *arguments)

    async def call(self, *command: str | bytes | float) -> Any:
        """Send one command.

        Raises:
            RedisDownError: Redis cannot be asked.
            redis.exceptions.NoScriptError: it does not know a script by its digest.
        """
        async with self._places:
            if self.down:
                raise RedisDownError(sent=False)
            return await self._send(*command)

    async def heal(self) -> bool:
        """Ask a Redis that is down whether it is back; return whether it is up."""
        if not self.down:
            return True
        try:
            await self._send("PING")
        except RedisDownError:
            return False
        self.down = False
        LOG.warning("Redis answers again: limits and breakers are shared as before")
        return True

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _send(self, *command: str | bytes | float) -> Any:
        cancelled = _cancelled()
        try:
            async with asyncio.timeout(self._patience):
                reply = await self._client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py's own
        except self._unknown_script:
            _end_if_asked(cancelled)
            raise
        except self._failures as error:
            _end_if_asked(cancelled)
            self._fell(error)
            raise RedisDownError(sent=True) from error
        _end_if_asked(cancelled)
        return reply

    def _fell(self, error: Exception) -> None:
        """Note an outage and say so once. Its message may hold an address, so only its kind is said."""
        if not self.down:
            self.down = True
            LOG.warning(
                "Redis cannot be asked (%s): limits and breakers are not shared until it can be", type(error).__name__
            )


def _cancelled() -> int:
    """Return how often the current task was asked to end."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _end_if_asked(before: int) -> None:
    """End a task that was asked to: while it connects, redis-py 8.1 swallows that or makes a connection error of it."""
    if _cancelled() > before:
        raise asyncio.CancelledError
