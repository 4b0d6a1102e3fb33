"""Checks that need two exchanges: a stream against the plain answer to the same prompt, a replay against its first."""

import json
from collections.abc import Iterator
from typing import Any

from setu.conformance.judges.assemble import Answer, answers, usage
from setu.conformance.judges.finding import Finding, show
from setu.conformance.judges.view import MISSING, View, known
from setu.http import Exchange


def stream_equals_plain(stream: Exchange, plain: Exchange) -> list[Finding] | None:
    """Judge STR-011: the assembled stream says what the plain answer says."""
    views = _views(stream, plain)
    if views is None:
        return None
    streamed, whole = (answers(view) for view in views)
    found = _differences("STR-011", "$.choices", sorted(streamed), sorted(whole))
    for index in sorted(streamed.keys() & whole.keys()):
        path = f"$.choices[{index}]"
        for name in ("text", "refusal", "reasoning", "finish"):
            got, want = getattr(streamed[index], name), getattr(whole[index], name)
            found += _differences("STR-011", f"{path}.{name}", got, want)
    return found


def stream_calls_equal_plain(stream: Exchange, plain: Exchange) -> list[Finding] | None:
    """Judge TOOL-020: names and arguments, in order; ids are made afresh for each answer by some providers."""
    views = _views(stream, plain)
    if views is None:
        return None
    streamed, whole = (_calls(answers(view)) for view in views)
    return _differences("TOOL-020", "$.choices[*].tool_calls", streamed, whole) if streamed or whole else None


def stream_usage_equals_plain(stream: Exchange, plain: Exchange) -> list[Finding] | None:
    """Judge USG-006: every count that both report; a stream that was asked for usage must report it."""
    views = _views(stream, plain)
    if views is None:
        return None
    streamed, whole = (usage(view) for view in views)
    if not streamed or not whole:
        return None
    shared = streamed.keys() & whole.keys()
    return _differences(
        "USG-006",
        "$.usage",
        {key: streamed[key] for key in sorted(shared)},
        {key: whole[key] for key in sorted(shared)},
    )


def replay_equals_first(first: Exchange, second: Exchange) -> list[Finding] | None:
    """Judge PRX-003: a replayed answer is the first one, byte for byte."""
    found = _differences("PRX-003", "status", second.status, first.status)
    if first.body != second.body:
        at = next(_divergence(first.body, second.body))
        found.append(
            Finding(
                "PRX-003",
                f"the bodies part at byte {at}",
                got=show(second.body[at : at + 40].decode("utf-8", "replace")),
                want=show(first.body[at : at + 40].decode("utf-8", "replace")),
                span=(at, at + 1),
            )
        )
    return found


def _divergence(one: bytes, other: bytes) -> Iterator[int]:
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            yield at
    yield min(len(one), len(other))


def _views(stream: Exchange, plain: Exchange) -> tuple[View, View] | None:
    """Return both sides when they are a comparable pair: one route, both good, both whole."""
    streamed, whole = View(stream), View(plain)
    comparable = known(streamed) and streamed.dialect == whole.dialect
    if not (comparable and streamed.streamed and whole.plain and whole.document and not streamed.errors):
        return None
    return streamed, whole


def _calls(found: dict[int, Answer]) -> list[Any]:
    return [[index, call.name, _stable(call.value)] for index in sorted(found) for call in found[index].calls]


def _stable(value: Any) -> str:
    """Return a JSON value as text with its object members in one order, for comparing."""
    return repr(value) if value is MISSING else json.dumps(value, sort_keys=True)


def _differences(check: str, path: str, got: Any, want: Any) -> list[Finding]:
    if got == want:
        return []
    return [Finding(check, "the two answers differ", path=path, got=show(got), want=show(want))]
