"""The comparison of `tests/benchmarks/compare_replay.py` still runs; its figures are not for a test."""

import pytest

from setu.framing.sse import SseDecoder
from tests.benchmarks import compare_replay
from tests.benchmarks.contest import exchanges, kept, page
from tests.benchmarks.contest.measure import Effort

pytestmark = pytest.mark.slow


def test_setu_alone_is_measured_and_keeps_two_exchanges_whole() -> None:
    found = compare_replay.figures(compare_replay.tools(["setu"]), Effort(0.3, 1, 0), exchange_count=2)

    assert "| chunks of one answer | 200 |" in found
    assert [line for line in found.splitlines() if line.startswith(("| bytes", "| usage", "| headers"))] == [
        "| bytes | 2 of 2 |",
        "| usage | 2 of 2 |",
        "| headers | 2 of 2 |",
    ]
    assert page.updated(f"before {page.BEGIN} old {page.END} after", found).startswith(f"before {page.BEGIN}\n\n20")


def test_what_an_answer_lacks_is_counted() -> None:
    """Other ids, no usage, a header less and half of the events."""
    played = next(each for each in exchanges.bundled() if each.name == "OpenAI chat, stream with usage")
    was = kept.recorded(played.interaction)
    half = len(was.frames) // 2
    other = was.chunks[0].replace(b'"id":"', b'"id":"other-')
    frames = (*SseDecoder().feed(other), *was.frames[1:half])
    now = was._replace(
        headers=dict(list(was.headers.items())[1:]), chunks=(other, *was.chunks[1:half]), frames=frames,
        at_ms=tuple(at + 2 * kept.LATE_MS for at in was.at_ms[:half]),
    )  # fmt: skip

    found = kept.compare(was, now)

    assert not any(share.whole for name, share in found.items() if name not in ("status", "ids"))
    assert found["headers"] == kept.Share(len(was.headers) - 1, len(was.headers))
    assert found["usage"].kept == 0
    assert found["event kinds"].note == f"{half} events for {len(was.frames)}"


def test_the_same_answer_is_whole() -> None:
    for played in exchanges.bundled():
        was = kept.recorded(played.interaction)

        assert all(share.whole for share in kept.compare(was, was).values()), played.name
