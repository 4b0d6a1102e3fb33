"""The real clock and real randomness; nothing below the composition root reads either."""

import asyncio
import os
import secrets
import time


class SystemClock:
    """Real time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def call_id() -> str:
    """Return a fresh UUID (version 7, RFC 9562): rows of a table stay in the order in which they came."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    text = f"{(number & ~(0xF << 76) & ~(0x3 << 62)) | (7 << 76) | (2 << 62):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def mint(prefix: str) -> str:
    """Return a fresh random identifier."""
    return prefix + secrets.token_hex(12)
