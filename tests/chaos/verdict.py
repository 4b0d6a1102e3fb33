"""What must hold after any run, and what did not."""

import os
from collections.abc import Callable

from tests.chaos import table
from tests.chaos.gateway import PER_MINUTE
from tests.chaos.storm import Findings

GROWTH = 16 * 2**20
"""Bytes that may stay. The last thousand decisions are kept for whoever asks (some 3 MB), and neither Python nor the C
library gives all of what a busier moment took back; what 200 clients' requests leave would be more in two minutes at
2 kB each."""

EXECUTOR = min(32, (os.cpu_count() or 1) + 4)
"""Threads that asyncio keeps once it has needed them: what loads a configuration takes the next one that is free."""

CONNECTIONS = {"redis": 32, "postgres": 2, "upstream": 0, "client": 1, "other": 4}
"""Sockets that may be open in a quiet gateway: pools keep theirs, and one client asks. Others are the event loop's own."""


def faults(found: Findings) -> dict[str, list[str]]:
    """Return what is wrong, by the promise that it breaks."""
    return {name: check(found) for name, check in PROMISES.items()}


def _outcomes(found: Findings) -> list[str]:
    return [str(each) for each in found.told if each.outcome in {"lost", "refused"}]


def _rows(found: Findings) -> list[str]:
    return table.disagreements(found.told, found.requests, found.attempts)


def _asked(found: Findings) -> list[str]:
    return table.unwritten(found.asked, found.requests, found.attempts)


def _leaving(found: Findings) -> list[str]:
    left = {each.nonce for each in found.told if each.outcome == "left" and each.status == 200}
    seen = sum(row["end"] == "closed-by-client" for row in found.requests if row["request_id"] in left)
    # What was already on its way to a client that is slow to leave counts as given to it.
    return [] if seen >= 0.7 * len(left) else [f"of {len(left)} clients that left {seen} were seen to"]


def _limits(found: Findings) -> list[str]:
    above = table.above([each for each in found.told if each.tenant == "t3"], PER_MINUTE)
    return [f"t3 had {above} more than {PER_MINUTE} within 60 s"] if above > 0 else []


def _holding(found: Findings) -> list[str]:
    before, after = found.before, found.after
    wrong = [
        f"{name}: {after.sockets[name]} sockets" for name, most in CONNECTIONS.items() if after.sockets[name] > most
    ]
    counts = {name: (getattr(before, name), getattr(after, name)) for name in ("files", "threads", "tasks")}
    counts["listeners"] = before.sockets["listener"], after.sockets["listener"]
    slack = {"threads": EXECUTOR}
    wrong += [
        f"{name}: {old} before, {new} after" for name, (old, new) in counts.items() if new > old + slack.get(name, 0)
    ]
    if after.resident > before.resident + GROWTH:
        wrong.append(f"memory: {before.resident} bytes before, {after.resident} after")
    return wrong


def _log(found: Findings) -> list[str]:
    return [
        line for line in found.log.splitlines() if "Traceback" in line or "broke" in line or "never awaited" in line
    ]


def _end(found: Findings) -> list[str]:
    return [] if found.status == 0 else [f"it ended with status {found.status}"]


PROMISES: dict[str, Callable[[Findings], list[str]]] = {
    "every request has a definite outcome, whole, once and its own": _outcomes,
    "every request is in the usage table exactly once, as it ended": _rows,
    "whatever an upstream was asked is in the table": _asked,
    "clients that leave are seen to": _leaving,
    "no limit is passed": _limits,
    "what was taken is given back": _holding,
    "nothing broke inside": _log,
    "it ends cleanly": _end,
}
