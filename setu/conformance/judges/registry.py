"""Every judge, by check id."""

from collections.abc import Mapping

from setu.conformance.judges import (
    anthropic,
    chat,
    embeddings,
    errors,
    forwarded,
    gemini,
    native,
    pairs,
    responses,
    sse,
    stream,
    tools,
    usage,
)
from setu.conformance.judges.finding import Finding, Judge, PairJudge, Rule, SetJudge, judges_of
from setu.conformance.judges.view import View
from setu.http import Exchange

_RULES = judges_of(
    sse.RULES,
    chat.RULES,
    usage.RULES,
    stream.RULES,
    tools.RULES,
    errors.RULES,
    forwarded.RULES,
    anthropic.RULES,
    gemini.RULES,
    responses.RULES,
    embeddings.RULES,
    native.RULES,
)


def _judge(rule: Rule) -> Judge:
    return lambda exchange: rule(View(exchange))


JUDGES: Mapping[str, Judge] = {check: _judge(rule) for check, rule in _RULES.items()}
"""Checks of one exchange (and of what it sent upstream)."""

PAIR_JUDGES: Mapping[str, PairJudge] = {
    "STR-011": pairs.stream_equals_plain,
    "TOOL-020": pairs.stream_calls_equal_plain,
    "USG-006": pairs.stream_usage_equals_plain,
    "PRX-003": pairs.replay_equals_first,
}
"""Checks of two exchanges: (stream, plain), and for PRX-003 (first, replayed)."""

SET_JUDGES: Mapping[str, SetJudge] = {"CHAT-012": chat.ids_are_unique}
"""Checks of several exchanges of one server."""


def judge(exchange: Exchange) -> dict[str, list[Finding]]:
    """Run every check that applies to an exchange, parsing it once; an empty list is a pass."""
    view = View(exchange)
    verdicts = {check: rule(view) for check, rule in _RULES.items()}
    return {check: found for check, found in verdicts.items() if found is not None}


def judge_pair(stream: Exchange, plain: Exchange) -> dict[str, list[Finding]]:
    """Run the checks that compare a stream with the plain answer to the same prompt."""
    verdicts = {check: PAIR_JUDGES[check](stream, plain) for check in ("STR-011", "TOOL-020", "USG-006")}
    return {check: found for check, found in verdicts.items() if found is not None}
