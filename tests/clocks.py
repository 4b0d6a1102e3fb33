"""Clocks for tests."""

import asyncio
import time


class RealClock:
    """Real time, as `setu.build` has it, without importing the composition root."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
