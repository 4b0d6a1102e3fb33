"""The badge: what shields.io's endpoint reads (shields.io/badges/endpoint-badge).

`openai-compat core 2026.11 · MUST 66/66`: how many MUST checks of the core profile held of those that were judged. What
was not judged is said, too, so that a run of three checks does not look like one of all.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from setu.conformance.catalogue import load
from setu.conformance.results import Run, Status

PROFILE = "core"
_JUDGED = (Status.PASS, Status.FAIL, Status.ERROR, Status.XFAIL, Status.XPASS)


def render(runs: Sequence[Run]) -> str:
    """Return the badge as text; several runs are counted together."""
    return json.dumps(document(runs), ensure_ascii=False, indent=2) + "\n"


def document(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the badge. It is bright green when every check held, green when those that were judged did, yellow when
    failures are expected, red when there are others.
    """
    counted = Counter[Status]()
    for run in runs:
        counted.update(run.by_status(PROFILE, "MUST"))
    untried = sum(_untried(run) for run in runs)
    dates = sorted({run.catalogue for run in runs})
    color = _color(counted, untried)
    return {
        "schemaVersion": 1,
        "label": " ".join(["openai-compat", PROFILE, *dates[-1:]]),
        "message": _message(counted, untried, len(runs)),
        "color": color,
        # An error's colour cannot be painted over by the URL that shows the badge.
        "isError": color == "red",
    }


def _untried(run: Run) -> int:
    known = load().by_id
    left = [known[name] for name in run.untried if name in known]
    return sum((check.profile, check.level) == (PROFILE, "MUST") for check in left)


def _judged(counted: Counter[Status]) -> int:
    return sum(counted[status] for status in _JUDGED)


def _message(counted: Counter[Status], untried: int, targets: int) -> str:
    if not _judged(counted):
        return "nothing ran"
    words = [f"MUST {counted[Status.PASS] + counted[Status.XPASS]}/{_judged(counted)}"]
    words += [f"{counted[Status.INCONCLUSIVE]} inconclusive"] * bool(counted[Status.INCONCLUSIVE])
    words += [f"{untried} not tried"] * bool(untried)
    return ", ".join(words) + (f" in {targets} targets" if targets > 1 else "")


def _color(counted: Counter[Status], untried: int) -> str:
    if not _judged(counted):
        return "lightgrey"
    if counted[Status.FAIL] or counted[Status.ERROR]:
        return "red"
    if counted[Status.XFAIL]:
        return "yellow"
    return "green" if untried or counted[Status.INCONCLUSIVE] else "brightgreen"
