"""The job summary of GitHub Actions: verdicts and failures, appended to the file that `GITHUB_STEP_SUMMARY` names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from setu.conformance.report.markdown import failures, heading, open_ends, verdicts
from setu.conformance.results import Run

VARIABLE = "GITHUB_STEP_SUMMARY"
LIMIT = 900_000
"""Bytes: of a step that wrote more than 1024k GitHub shows nothing ("upload aborted", read 2026-11-21)."""


def render(runs: Sequence[Run], limit: int = LIMIT) -> str:
    """Return the summary as Markdown of at most so many bytes; failures that do not fit are counted."""
    parts = [heading(runs), verdicts(runs)]
    ends = [open_ends(run) for run in runs]
    found = [each for run in runs for each in failures(run)]
    left = limit - sum(len(part.encode()) + 2 for part in [*parts, *ends]) - 100
    shown = []
    for each in found:
        left -= len(each.encode()) + 2
        if left < 0:
            break
        shown.append(each)
    if len(shown) < len(found):
        shown.append(f"… and {len(found) - len(shown)} more; the other reports have them all")
    return "\n\n".join([*parts, *shown, *ends]) + "\n"


def append(runs: Sequence[Run], environ: Mapping[str, str]) -> bool:
    """Append the summary where the environment wants it; False where it wants none."""
    name = environ.get(VARIABLE)
    if not name:
        return False
    with Path(name).open("a", encoding="utf-8", newline="\n") as file:
        file.write(render(runs))
    return True
