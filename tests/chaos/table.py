"""The usage table against what the clients say: each request once, with the end that its client saw."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from tests.chaos.crowd import Told

ENDS = {
    "ok": {"complete"},
    "error": {"error"},
    "broken": {"truncated-upstream", "error", "reset"},
    # A client may leave in the moment in which its answer ends anyway.
    "left": {"closed-by-client", "complete", "error", "truncated-upstream", "reset"},
}
LAST = {"ok": {"ok"}, "broken": {"cut"}, "error": {"failed", "denied"}}
"""What the last try of a request was, by its outcome."""

RowT = dict[str, Any]


def rows(url: str) -> tuple[list[RowT], list[RowT]]:
    """Return the rows of both tables."""
    import sqlalchemy as sa

    from setu.store.schema import ATTEMPTS, REQUESTS

    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = tuple(
            [dict(row) for row in connection.execute(sa.select(table)).mappings()] for table in (REQUESTS, ATTEMPTS)
        )
    engine.dispose()
    return found[0], found[1]


def disagreements(told: Iterable[Told], requests: Sequence[RowT], attempts: Sequence[RowT]) -> list[str]:
    """Return what the table gets wrong, a sentence each."""
    by_nonce: dict[str, list[RowT]] = defaultdict(list)
    for row in requests:
        by_nonce[row["request_id"]].append(row)
    tries: dict[str, list[RowT]] = defaultdict(list)
    for row in attempts:
        tries[row["request_id"]].append(row)
    found = []
    known = set()
    for each in told:
        known.add(each.nonce)
        if each.outcome == "refused":
            continue
        there = by_nonce[each.nonce]
        if not there and each.outcome == "left" and not each.status:
            continue  # it left before the gateway had read what it asked
        found += _row(each, there) or _tries(each, there[0], tries[there[0]["id"]])
    found += [f"{nonce}: a row for a request that nobody made" for nonce in by_nonce.keys() - known]
    found += [f"{owner}: tries of no request" for owner in tries.keys() - {row["id"] for row in requests}]
    return found


def _row(told: Told, there: list[RowT]) -> list[str]:
    if len(there) != 1:
        return [f"{told}: {len(there)} rows"]
    row = there[0]
    wrong = []
    if row["end"] not in ENDS.get(told.outcome, {row["end"]}):
        wrong.append(f"{told}: end {row['end']} ({row['error_message']})")
    if told.status and row["status_code"] != told.status:
        wrong.append(f"{told}: status {row['status_code']} in its row")
    if (row["tenant"], row["stream"]) != (told.tenant, told.stream):
        wrong.append(f"{told}: tenant {row['tenant']}, stream {row['stream']} in its row")
    if told.outcome == "ok" and row["total_tokens"] is None and not told.stream:
        wrong.append(f"{told}: no tokens")
    return wrong


def _tries(told: Told, row: RowT, tries: list[RowT]) -> list[str]:
    """Check that tries are numbered from 1, that all but the last failed, and that the last is the request's end."""
    ordered = sorted(tries, key=lambda each: each["attempt_no"])
    outcomes = [each["outcome"] for each in ordered]
    wrong = []
    if [each["attempt_no"] for each in ordered] != [*range(1, len(ordered) + 1)]:
        wrong.append(f"{told}: tries numbered {[each['attempt_no'] for each in ordered]}")
    if any(outcome not in {"failed", "denied"} for outcome in outcomes[:-1]):
        wrong.append(f"{told}: tries went on after {outcomes}")
    limited = told.status in {429, 503} and not ordered
    if told.outcome in LAST and not limited and (not ordered or outcomes[-1] not in LAST[told.outcome]):
        wrong.append(f"{told}: tries {outcomes}, end {row['end']}, {row['error_message']}")
    if told.outcome in {"ok", "broken"} and ordered and ordered[-1]["provider"] != row["provider"]:
        wrong.append(f"{told}: answered by {ordered[-1]['provider']}, row of {row['provider']}")
    return wrong


def unwritten(asked: dict[str, int], requests: Sequence[RowT], attempts: Sequence[RowT]) -> list[str]:
    """Return the nonces that upstreams were asked for oftener than the table says."""
    nonce = {row["id"]: row["request_id"] for row in requests}
    written: dict[str, int] = defaultdict(int)
    for each in attempts:
        written[nonce.get(each["request_id"], "")] += each["outcome"] != "denied"
    return [
        f"{name}: asked {count} times, {written[name]} tries" for name, count in asked.items() if count > written[name]
    ]


def above(told: Iterable[Told], limit: int, window: float = 60.0) -> int:
    """Return by how many requests a limit was passed in the worst window.

    A request was granted somewhere between its beginning and its end, so only what lies in a window as a whole is sure
    to have been granted in it: no requests are counted that might not have been.
    """
    granted = sorted((each.at, each.done) for each in told if each.outcome != "refused" and _granted(each))
    worst = 0
    for index, (begin, _) in enumerate(granted):
        worst = max(worst, sum(done <= begin + window for _, done in granted[index:]))
    return worst - limit


def _granted(told: Told) -> bool:
    """Tell whether a request was surely granted: a refusal is none, nor is what a proxy says of a dead gateway."""
    return told.status != 0 and told.status not in {429, 502, 503}
