"""docs/reference/parameters.md by trying every field on every target; `python -m tests.docs.parameters` writes it."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

import msgspec

from setu import _json
from setu.dialects.record import Loss, Route
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError
from setu.providers import lookup
from setu.translate.bridge import Bridge
from setu.translate.session import Destination, Fetched
from setu.translate.splice import read_head
from tests.docs.blocks import ROOT
from tests.docs.fields import BASES, FIELDS, Body, Field, fragment, merged

PAGE = ROOT / "docs" / "reference" / "parameters.md"

HOSTS = {
    "openai_chat": "openai",
    "openai_responses": "openai",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "bedrock": "bedrock",
    "cohere": "cohere",
    "ollama": "ollama",
}
"""The provider whose capabilities stand for a dialect's; an OpenAI-compatible host may take more or less."""

OURS = frozenset({"stream", "stream_options.include_usage"})
"""What the gateway does itself where a target's body has no word for it: the path streams, usage is asked for anyway."""

NEEDLESS = (
    ("bedrock", "reasoning_effort", "none"),
    ("bedrock", "reasoning.effort", "none"),
    ("bedrock", "thinking", {"type": "disabled"}),
    ("bedrock", "generationConfig.thinkingConfig.thinkingBudget", 0),
    ("bedrock", "service_tier", "auto"),
)
"""By target, field and value: what asks for what happens anyway. Claude does not think unless it is asked to."""

WHOLE = frozenset(
    {
        "metadata",
        "moderation",
        "prompt_cache_options",
        "format",
        "response_format",
        "text.format",
        "outputConfig.textFormat",
        "output_config.format",
        "generationConfig.responseJsonSchema",
        "tool_choice",
        "toolConfig.functionCallingConfig",
        "toolConfig.toolChoice",
        "thinking",
    }
)
"""Objects that say one thing, so that the names inside say no more."""

CLIENTS = tuple(name for name, dialect in DIALECTS.items() if "chat" in dialect.client)
TARGETS = tuple(name for name, dialect in DIALECTS.items() if "chat" in dialect.upstream)
PAIRS = tuple((client, target) for client in CLIENTS for target in TARGETS if client != target)

Class = Literal["mapped", "bent", "dropped", "refused", "ours", "needless", "silent"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What rendering gave: a body and its losses in the client's words, or the error that refused it."""

    body: Any = None
    losses: frozenset[Loss] = frozenset()
    error: LocalDialectError | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a field: its class, and the target's names for it or the reasons given."""

    kind: Class
    names: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def attempt(client: str, target: str, body: Body) -> Attempt:
    """Translate a request of one dialect for another."""
    provider = lookup.find(HOSTS[target])
    route = Route(dialect=client, operation="chat", model="m", stream=False if client == "gemini" else None)
    to = Destination(dialect=DIALECTS[target], model="m", capabilities=provider.capabilities)
    try:
        head = read_head(_json.encode(body), route)
        rendered = Bridge(DIALECTS[client], route, head, to).render(Fetched())
    except LocalDialectError as error:
        return Attempt(error=error)
    return Attempt(body=_json.decode(rendered.body), losses=frozenset(rendered.losses))


def outcome(target: str, field: Field, value: Any, before: Attempt, after: Attempt) -> Outcome:
    """Say what a field did: `before` is the same request without it."""
    if after.error is not None:
        return Outcome(kind="refused", reasons=(str(after.error),))
    names = tuple(sorted(set(_changed(before.body, after.body))))
    reasons = tuple(sorted({loss.reason for loss in after.losses - before.losses}))
    if names:
        return Outcome(kind="bent" if reasons else "mapped", names=names, reasons=reasons)
    if reasons:
        return Outcome(kind="dropped", reasons=reasons)
    if (target, field.name, value) in NEEDLESS:
        return Outcome(kind="needless")
    return Outcome(kind="ours" if field.name in OURS else "silent")


def _changed(before: Any, after: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """Name what differs, at most three members deep; what is one wish stays one name."""
    if before == after:
        return
    if depth < 3 and path not in WHOLE and isinstance(after, dict) and isinstance(before, dict | None):
        for key in {**(before or {}), **after}:
            yield from _changed((before or {}).get(key), after.get(key), f"{path}.{key}" if path else key, depth + 1)
        if after:
            return
    yield path


@cache
def probe(client: str, target: str, at: int, choice: int) -> Outcome:
    """Try one value of one field on one target."""
    field = FIELDS[client][at]
    base = merged(BASES[client], field.beside)
    value = field.values[choice]
    with_it = merged(base, fragment(field.name, value))
    return outcome(target, field, value, attempt(client, target, base), attempt(client, target, with_it))


_HEAD = """# Parameters

What becomes of every field of a request, for each dialect a client may speak and each dialect an upstream may. A field is in exactly one class, and a law holds it for any combination of fields:

- **→ name**: it is sent, under the target's name;
- **→ name, with a loss**: it is sent as near as the target can say it, and `x-setu-loss` says what changed;
- **dropped**: the target has nothing like it; `x-setu-loss` names it, and with `on_loss = "refuse"` under `[routing]` the request is refused if the answer could differ;
- **refused**: a 400 that names it, because an answer without it would look right and be wrong;
- **Setu's own**: the gateway does it itself, whatever the upstream;
- **needless**: it asks for what happens anyway.

A request for an upstream of the client's own dialect passes byte for byte, so those columns are not shown. Any field that is not listed is kept for upstreams of its own dialect and dropped with a signal for all others. Facts about a model may bend a value further (a thinking budget, an effort, a cap), always with a loss. An upstream that speaks chat is OpenAI here; a compatible host may take more.

Generated by `python -m tests.docs.parameters`, which tries every field on every target; the list of fields is held to the request types of the vendors' own packages.
"""


def page() -> str:
    """Write the whole page."""
    lines = [_HEAD]
    for client in CLIENTS:
        targets = [target for target in TARGETS if target != client]
        lines += [f"## {client}", "", f"| field | {' | '.join(targets)} |", f"|---|{'---|' * len(targets)}"]
        for at, field in enumerate(FIELDS[client]):
            cells = (_cell(client, target, at) for target in targets)
            lines.append(f"| `{field.name}` | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _cell(client: str, target: str, at: int) -> str:
    field = FIELDS[client][at]
    outcomes = [probe(client, target, at, choice) for choice in range(len(field.values))]
    told: dict[str, list[str]] = {}
    for value, found in zip(field.values, outcomes, strict=True):
        told.setdefault(_told(found), []).append(_short(value))
    if len(told) == 1:
        return next(iter(told))
    return "; ".join(f"{', '.join(values)}: {text}" for text, values in told.items())


def _told(found: Outcome) -> str:
    names = ", ".join(f"`{name}`" for name in found.names[:3]) + (", …" if len(found.names) > 3 else "")
    match found.kind:
        case "mapped":
            return f"→ {names}"
        case "bent":
            return f"→ {names}, with a loss"
        case "ours":
            return "Setu's own"
        case _:
            return found.kind


def _short(value: Any) -> str:
    if isinstance(value, dict):
        value = next(
            (value[key] for key in ("type", "mode", "name", "effort") if key in value), next(iter(value), "{}")
        )
    return f"`{value}`".replace("|", "/")


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
