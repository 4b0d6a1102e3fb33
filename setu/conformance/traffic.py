"""What real traffic breaks, told in text, JSON and Markdown: per API and provider, check by check."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from setu import _json
from setu.conformance.catalogue import Level, load
from setu.conformance.passive import Group, Traffic

EXAMPLES = 3


def broken(group: Group, level: Level) -> Iterator[tuple[str, int, int, list[str]]]:
    """Yield each check of a level that a group breaks: id, broken, judged, places of the first ones."""
    for result in group.run.results:
        check = result.check.id
        if result.check.level == level and group.broken[check]:
            places = [seen.place for seen in result.broken[:EXAMPLES]]
            yield check, group.broken[check], group.judged[check], places


def text(traffic: Traffic, *, level: Level = "MUST") -> str:
    """Return lines for a terminal: each group that breaks something, then what was left out and what it cost."""
    lines: list[str] = []
    titles = {check.id: check.title for check in load().checks}
    for group in traffic.groups:
        found = [*broken(group, level)]
        judged = sum(1 for result in group.run.results if result.check.level == level)
        lines.append(f"{_name(group)}: {group.exchanges:,} exchanges, {judged - len(found)} of {judged} {level} hold")
        lines += [
            f"  {check:9} {count:6,} of {total:6,}  {titles[check]}  ({', '.join(places)})"
            for check, count, total, places in found
        ]
    lines += [f"not judged: {count:,}: {reason}" for reason, count in _reasons(traffic).items()]
    cost = f"{traffic.seconds:.1f} s, {traffic.peak_mb:.0f} MB at most"
    return "\n".join([*lines, f"{traffic.exchanges:,} exchanges in {len(traffic.groups)} groups: {cost}", ""])


def json(traffic: Traffic) -> bytes:
    """Return the summary as JSON: `groups` with their broken checks of every level, `unread`, `seconds`, `peak_mb`."""
    return _json.encode(
        {
            "schema": "setu.conformance.traffic/1",
            "catalogue": load().version,
            "exchanges": traffic.exchanges,
            "groups": [_group(group) for group in traffic.groups],
            "unread": [{"place": skipped.place, "reason": skipped.reason} for skipped in traffic.unread],
            "seconds": round(traffic.seconds, 1),
            "peak_mb": round(traffic.peak_mb),
        }
    )


def _group(group: Group) -> dict[str, Any]:
    levels: tuple[Level, ...] = ("MUST", "SHOULD", "MAY")
    found = [
        {"id": check, "level": level, "broken": count, "judged": judged, "examples": places}
        for level in levels
        for check, count, judged, places in broken(group, level)
    ]
    return {"api": group.api, "provider": group.party, "exchanges": group.exchanges, "broken": found}


def markdown(traffic: Traffic, *, level: Level = "MUST") -> str:
    """Return a table: a row for each group and check that it breaks, and one line for all groups that break none."""
    lines = ["| API | provider | check | broken | judged | examples |", "|---|---|---|---:|---:|---|"]
    clean: dict[str, list[str]] = {}
    for group in sorted(traffic.groups, key=lambda group: (group.api, -group.exchanges, group.party)):
        found = [*broken(group, level)]
        if not found and group.judged:
            clean.setdefault(group.api, []).append(f"{group.party or 'unknown host'} ({group.exchanges:,})")
        for check, count, judged, places in found:
            cells = (group.api, group.party or "unknown host", check, f"{count:,}", f"{judged:,}", ", ".join(places))
            lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"No {level} check is broken by:", ""]
    lines += [f"- {api}: {', '.join(parties)}" for api, parties in sorted(clean.items())]
    lines += ["", "Not judged:", "", *(f"- {count:,}: {reason}" for reason, count in _reasons(traffic).items())]
    return "\n".join([*lines, ""])


def _name(group: Group) -> str:
    return f"{group.party or 'unknown host'} {group.api}"


def _reasons(traffic: Traffic) -> Counter[str]:
    return Counter(skipped.reason for skipped in traffic.unread)
