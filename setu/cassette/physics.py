"""Physics: the pace of a model that answers as fast as one likes, instead of the pace that was recorded."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from setu import _json
from setu.cassette.chance import unit
from setu.cassette.fault_steps import recut
from setu.cassette.script import Bytes, Head, Script, Step, Wait
from setu.chat.count import BYTES_A_TOKEN
from setu.dialects.record import Framing
from setu.errors import ConfigError
from setu.framing.frame import Frame
from setu.framing.kinds import DECODERS


class Physics(msgspec.Struct, frozen=True, kw_only=True):
    """How a model paces itself: seconds to the first token, then so many tokens a second.

    `jitter` is the share by which each wait may be longer or shorter, drawn from `seed` and the request: the same
    request is always paced alike. 0 tokens a second means: no waits between events.
    """

    ttft: float = 0.0
    tps: float = 0.0
    jitter: float = 0.0
    seed: int = 0


def parse_physics(text: str) -> Physics:
    """Read `ttft=400ms,tps=50,jitter=0.2,seed=7`; each part may be left out.

    Raises:
        ConfigError: a part that is not one of these.
    """
    values: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        found = _NUMBER.fullmatch(value.strip())
        if found is None or name not in _UNITS or (found["unit"] or "") not in _UNITS[name]:
            raise ConfigError(f"physics {part!r}: expected ttft=400ms, tps=50, jitter=0.2 or seed=7")
        values[name] = float(found["number"]) / (1000 if found["unit"] == "ms" else 1)
    if values.get("jitter", 0) > 1:
        raise ConfigError("physics jitter: a share, from 0 to 1")
    return msgspec.convert({**values, "seed": int(values.get("seed", 0))}, Physics)


def paced(steps: Script, physics: Physics, framing: Framing, key: str = "") -> Script:
    """Return the script at a model's pace; the waits it had are gone.

    An event takes the time of its tokens: of those that the recording counts in its usage, its share by the length of
    its text; where none are counted they are estimated from the text alone. The head of a stream comes with its first
    token, that of any other answer when all are there.
    """
    still = tuple(step for step in steps if not isinstance(step, Wait))
    if framing not in DECODERS:
        tokens = sum(_said([step.data for step in still if isinstance(step, Bytes)], whole=True))
        return (*_wait(physics.ttft + _taken(tokens, physics), physics, key, 0), *still)
    cut = [*recut(still, DECODERS[framing]())]
    said = iter(_said([step.data or b"" for step in cut if isinstance(step, Frame)]))
    out: list[Step] = []
    spoken = False
    for index, step in enumerate(cut):
        if isinstance(step, Frame):
            tokens = next(said)
            out += _wait(_taken(tokens, physics), physics, key, index) if spoken else ()
            out += (Bytes(step.raw),) if step.raw else ()
            spoken = spoken or tokens > 0
        else:
            out += _wait(physics.ttft, physics, key, index) if isinstance(step, Head) else ()
            out.append(step)
    return tuple(out)


_NUMBER = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<unit>ms|s)?")
_UNITS = {"ttft": ("", "s", "ms"), "tps": ("",), "jitter": ("",), "seed": ("",)}

_SPOKEN = frozenset(
    {"text", "content", "partial_json", "thinking", "arguments", "delta", "reasoning_content", "reasoning", "refusal",
     "input"}
)  # fmt: skip
"""Members that hold what a model writes, in any dialect."""

_TO_USAGE = ("usage", "usageMetadata", "response", "message", "delta", "metadata", "meta", "tokens")
_WRITTEN = ("completion_tokens", "output_tokens", "outputTokens", "candidatesTokenCount", "eval_count")
"""Members that count what a model wrote, and those on the way to them, in any dialect."""
_DETAILS = ("completion_tokens_details", "output_tokens_details")


def _taken(tokens: float, physics: Physics) -> float:
    return tokens / physics.tps if physics.tps else 0.0


def _wait(seconds: float, physics: Physics, key: str, index: int) -> tuple[Wait, ...]:
    share = physics.jitter * (2 * unit("physics", physics.seed, key, index) - 1) if physics.jitter else 0.0
    return (Wait(seconds * (1 + share)),) if seconds > 0 else ()


def _said(events: Sequence[bytes], *, whole: bool = False) -> list[float]:
    """Return the tokens that each event, or a whole answer, brings."""
    values = [_value(data) for data in events]
    guessed = [_tokens(value, whole=whole) for value in values]
    counted = max((_counted(value) for value in values), default=0)  # counts of a stream grow from event to event
    share = counted / sum(guessed) if counted and any(guessed) else 1
    return [tokens * share for tokens in guessed]


def _value(data: bytes) -> Any:
    try:
        return _json.decode(data)
    except _json.JsonError:
        return None


def _counted(value: Any) -> int:
    """Return how many tokens an event says that the model has written, without what it thought and did not show."""
    if not isinstance(value, dict):
        return 0
    found = max((_counted(value[name]) for name in _TO_USAGE if name in value), default=0)
    if (count := next((value[name] for name in _WRITTEN if name in value), None)) is None:
        return found
    details: dict[str, Any] = next((value[name] for name in _DETAILS if isinstance(value.get(name), dict)), {})
    hidden = details.get("reasoning_tokens")
    return max(found, count - (hidden if type(hidden) is int else 0)) if type(count) is int else found


def _tokens(value: Any, *, whole: bool = False) -> float:
    """Estimate the tokens that an event, or a whole answer, brings; 0 for one that brings no text."""
    kind = value.get("type") if isinstance(value, dict) else None
    # Where events name their type, others than deltas repeat what was said (`response.completed`).
    if not whole and isinstance(kind, str) and not kind.endswith("delta"):
        return 0
    size = sum(len(text.encode("utf-8", "replace")) for text in _texts(value))
    return max(size / BYTES_A_TOKEN, 1) if size else 0


def _texts(value: Any, name: str = "") -> Iterator[str]:
    """Yield the texts below the members that hold them."""
    if isinstance(value, str):
        if name in _SPOKEN:
            yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
