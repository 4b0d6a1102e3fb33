"""Whatever way an exchange ends, nothing of it stays open (B-SSE-22)."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.live import Live, ask, asked, sse
from tests.needs import needs
from tests.servers import SSE_HEAD, chunked, read_request

FDS = Path("/proc/self/fd")
ROUNDS = 12
DELTA = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "hi"}, "finish_reason": None}]}  # fmt: skip
STOP = {**DELTA, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
ENDS = {
    "complete": (sse(DELTA, STOP, "[DONE]"), True),
    "cut within an event": (sse(DELTA)[:-9], False),
    "an error in mid-stream": (sse(DELTA, {"error": {"message": "no"}}), True),
    "never begun": (b"", True),
}


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
@pytest.mark.parametrize("end", ENDS)
def test_files_return_to_where_they_were(end: str, dialect: str) -> None:
    if not FDS.is_dir():
        needs("procfs", "open files are counted in /proc")
    body, whole = ENDS[end]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE_HEAD + chunked(body, end=whole))
        await writer.drain()

    with Live(answer) as live:
        data, place = asked("oa/m", dialect, stream=True)
        ask(live.url, data, place)
        before = _settled(0)
        for _ in range(ROUNDS):
            ask(live.url, data, place)
        after = _settled(before)

    assert after <= before + 1, f"{after - before} more files are open after {ROUNDS} exchanges"


def _settled(least: int) -> int:
    """Count open files once they stop falling, or are few enough: closing takes a turn of the loop."""
    found = len(list(FDS.iterdir()))
    for _ in range(40):
        time.sleep(0.05)
        now = len(list(FDS.iterdir()))
        if now == found or now <= least:
            return now
        found = now
    return found
