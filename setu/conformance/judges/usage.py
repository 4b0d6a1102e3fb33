"""Token counts of chat completions, streamed or not (USG)."""

from collections.abc import Iterator
from typing import Any

from setu.conformance.judges.chat import no_error_body
from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import Event, View, is_count, obj, openai_plain, openai_stream

RULES = Rules()

_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_DETAILS = {
    "prompt_tokens_details": ("prompt_tokens", ("cached_tokens", "audio_tokens")),
    "completion_tokens_details": (
        "completion_tokens",
        ("reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"),
    ),
}

Reported = list[tuple[dict[str, Any], Event | None]]


def reported(view: View) -> Reported:
    """Return every usage object of an answer, with its event in a stream."""
    if openai_plain(view):
        found: Reported = [(obj(view.document.get("usage")), None)]
    elif openai_stream(view):
        found = [(obj(event.fields.get("usage")), event) for event in view.chunks]
    else:
        found = []
    return [(usage, event) for usage, event in found if usage]


def _has_counts(view: View) -> bool:
    return any(all(is_count(usage.get(name)) for name in _COUNTS) for usage, _ in reported(view))


def _has_usage(view: View) -> bool:
    return bool(reported(view))


@RULES.add("USG-001", lambda view: no_error_body(view) or both(openai_stream, _has_usage)(view))
def three_counts(view: View) -> Iterator[Finding]:
    if openai_plain(view) and not reported(view):
        yield flaw("there is no usage", path="$.usage", got=view.document.get("usage"))
    for usage, event in reported(view):
        wrong = {name: usage.get(name) for name in _COUNTS if not is_count(usage.get(name))}
        if wrong:
            yield flaw("usage lacks integer counts", path="$.usage", got=wrong, want=_COUNTS, at=event)


@RULES.add("USG-002", _has_counts)
def total_is_the_sum(view: View) -> Iterator[Finding]:
    for usage, event in reported(view):
        prompt, completion, total = (usage.get(name) for name in _COUNTS)
        if is_count(prompt) and is_count(completion) and is_count(total) and prompt + completion != total:
            yield flaw(
                "total_tokens is not prompt + completion",
                path="$.usage.total_tokens",
                got=total,
                want=prompt + completion,
                at=event,
            )


@RULES.add("USG-003", _has_counts)
def counts_are_sane(view: View) -> Iterator[Finding]:
    for usage, event in reported(view):
        negative = {name: usage[name] for name in _COUNTS if is_count(usage.get(name)) and usage[name] < 0}
        if negative:
            yield flaw("a count is negative", path="$.usage", got=negative, at=event)
    last, event = reported(view)[-1]
    if last.get("prompt_tokens") == 0:
        yield flaw("a prompt of no tokens (B-USG-07)", path="$.usage.prompt_tokens", got=0, at=event)


@RULES.add("USG-004", _has_counts)
def details_fit_their_parents(view: View) -> Iterator[Finding]:
    for usage, event in reported(view):
        for group, (parent, parts) in _DETAILS.items():
            whole = usage.get(parent)
            for part in parts:
                count = obj(usage.get(group)).get(part)
                if is_count(count) and is_count(whole) and not 0 <= count <= whole:
                    yield flaw(
                        f"{part} exceeds {parent} (B-USG-05)",
                        path=f"$.usage.{group}.{part}",
                        got=count,
                        want=f"0 to {whole}",
                        at=event,
                    )
