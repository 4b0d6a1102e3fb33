"""What a simulated model says, before any wire format: a pure function of what it was asked.

One word (with the space before it) is one token, a tool call is one token, a word of thinking is one token. The
last user text steers: `nonce:X` is echoed, `at length` makes a long answer, `call:NAME` makes the model call that tool,
`parallel:N` makes it call N times, and a stop sequence that the user's text names is among the words of the answer.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from setu.transport.simulate.dice import Dice
from setu.transport.simulate.instance import sample

End = Literal["stop", "sequence", "length", "call"]

WORDS = (
    *("the", "a", "river", "stone", "answers", "slowly,", "because", "light", "moves", "through", "seven", "gates."),
    *("café", "naïve", "Straße", "mañana", "Ωmega", "日本語", "שלום", "🙂", "👩‍🚀", "🇮🇳", "é", "½"),
    *('"quoted"', "it's", "back\\slash", "{braces}", "[brackets]", "<tag>", "&amp;", "data:", "[DONE]", "null"),
    *("line\nbreak", "tab\there", "para\u2028sep", "100%", "3.14", "—", "end\n\n", "event:"),
)
"""The vocabulary: everything that naive framing, escaping or cutting of UTF-8 breaks on."""

_NONCE = re.compile(r"nonce:[\w.-]+")
_CALL = re.compile(r"call:([\w.:-]+)")
_PARALLEL = re.compile(r"parallel:(\d{1,2})")
_JSON_PIECE = 12


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool the model may call; `schema` is None for one that takes free text."""

    name: str
    schema: Any = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call; `arguments` is an object, or text for a tool that takes free text. `seed` is for identifiers."""

    name: str
    arguments: Any
    seed: bytes


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request, reduced to what decides the answer.

    `seed` hashes the whole request. `text` is the last user text; `answered` is true when the conversation ends in
    tool results. `tools` are those the model may call now; `force` makes it call one. `schema` asks for JSON.
    `thinks` allows thinking; `cap` is in tokens.
    """

    seed: bytes
    text: str = ""
    answered: bool = False
    tools: tuple[Tool, ...] = ()
    force: bool = False
    parallel: bool = True
    cap: int | None = None
    stops: tuple[str, ...] = ()
    schema: Any = None
    thinks: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; `pieces` are the tokens of its text, `stop` the stop sequence that ended it."""

    seed: bytes
    thinking: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    end: End = "stop"
    stop: str | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def thought(self) -> str:
        return "".join(self.thinking)

    @property
    def tokens(self) -> int:
        """Tokens of text and calls, thinking not included."""
        return len(self.pieces) + len(self.calls)


def answer(ask: Ask, index: int = 0) -> Answer:
    """Return the answer to a request; `index` tells candidates apart."""
    dice = Dice(ask.seed, f"answer {index}")
    seed = Dice(ask.seed, f"seed {index}").hexadecimal(32).encode()
    thinking = _thinking(ask, dice)
    room = None if ask.cap is None else int(ask.cap) - len(thinking)
    calls = _calls(ask, dice)
    if calls:
        return _calling(ask, seed, thinking, calls, room, dice)
    pieces = _json(ask, dice) if ask.schema is not None else _words(ask, dice)
    kept = pieces if room is None else pieces[:room]
    cut, stop = _stopped(kept, ask.stops)
    end: End = "sequence" if stop is not None else "length" if len(kept) < len(pieces) else "stop"
    return Answer(seed=seed, thinking=thinking, pieces=cut, end=end, stop=stop)


def count(value: Any) -> int:
    """Count the words of every string in a JSON value: the simulated size of a prompt, in tokens."""
    if isinstance(value, str):
        return len(value.split())
    if isinstance(value, list):
        return sum(count(item) for item in value)
    if isinstance(value, dict):
        return sum(count(item) for item in value.values())
    return 0


def groups(pieces: tuple[str, ...], dice: Dice, most: int) -> Iterator[str]:
    """Join tokens to runs of 1 … most, as a provider's stream delivers them."""
    at = 0
    while at < len(pieces):
        size = dice.between(1, most)
        yield "".join(pieces[at : at + size])
        at += size


def slices(text: str, dice: Dice) -> Iterator[str]:
    """Cut the JSON text of arguments to fragments that respect no boundary."""
    at = 0
    while at < len(text):
        size = dice.between(1, 9)
        yield text[at : at + size]
        at += size


def arguments_text(call: Call) -> str:
    """Return a call's arguments as a model writes them: JSON with spaces, or free text."""
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False)


def _thinking(ask: Ask, dice: Dice) -> tuple[str, ...]:
    """Think at most half of what the cap leaves, so that an answer follows."""
    if not ask.thinks:
        return ()
    length = dice.between(4, 12)
    words = _spaced([dice.pick(WORDS) for _ in range(length)])
    return words if ask.cap is None else words[: int(ask.cap) // 2]  # JSON may write a whole number as 16.0


def _calls(ask: Ask, dice: Dice) -> tuple[Call, ...]:
    """Decide which tools to call, if any."""
    named = _CALL.search(ask.text)
    parallel = _PARALLEL.search(ask.text)
    wanted = [tool for tool in ask.tools if named is not None and tool.name == named[1]]
    steered = not ask.answered and bool(wanted or parallel)
    if not ask.tools or not (ask.force or steered):
        return ()
    times = max(int(parallel[1]), 1) if parallel is not None and ask.parallel else 1
    pool = wanted or list(ask.tools)
    first = dice.below(len(pool))
    chosen = [pool[(first + turn) % len(pool)] for turn in range(times)]
    return tuple(_call(tool, Dice(ask.seed, f"call {turn} {dice.below(2**32)}")) for turn, tool in enumerate(chosen))


def _call(tool: Tool, dice: Dice) -> Call:
    seed = dice.hexadecimal(32).encode()
    if tool.schema is None:
        return Call(name=tool.name, arguments=" ".join(dice.pick(WORDS) for _ in range(3)), seed=seed)
    made = sample(tool.schema, dice)
    return Call(name=tool.name, arguments=made if isinstance(made, dict) else {}, seed=seed)


def _calling(
    ask: Ask, seed: bytes, thinking: tuple[str, ...], calls: tuple[Call, ...], room: int | None, dice: Dice
) -> Answer:
    """Answer by calls; an unforced call is sometimes announced in words."""
    kept = calls if room is None else calls[:room]
    preface: tuple[str, ...] = ()
    if not ask.force and dice.chance(2):
        preface = _spaced([dice.pick(WORDS[:10]) for _ in range(dice.between(1, 4))])
        preface = preface if room is None else preface[: room - len(kept)]
        preface, _ = _stopped(preface, ask.stops)
    end: End = "call" if len(kept) == len(calls) else "length"
    return Answer(seed=seed, thinking=thinking, pieces=preface, calls=kept, end=end)


def _words(ask: Ask, dice: Dice) -> tuple[str, ...]:
    words = [dice.pick(WORDS) for _ in range(dice.between(3 if "at length" not in ask.text else 30, 40))]
    nonce = _NONCE.search(ask.text)
    if nonce is not None:
        words[0] = nonce[0]
    named = [stop for stop in ask.stops if stop.strip() and stop in ask.text]
    if named:
        words[dice.between(1, len(words) - 1)] = named[0]
    return _spaced(words)


def _json(ask: Ask, dice: Dice) -> tuple[str, ...]:
    text = json.dumps(sample(ask.schema, dice), ensure_ascii=False)
    return tuple(text[at : at + _JSON_PIECE] for at in range(0, len(text), _JSON_PIECE))


def _spaced(words: list[str]) -> tuple[str, ...]:
    return tuple(word if turn == 0 else f" {word}" for turn, word in enumerate(words))


def _stopped(pieces: tuple[str, ...], stops: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """Cut the text before the first stop sequence in it."""
    text = "".join(pieces)
    found = min(((text.find(stop), stop) for stop in stops if stop and stop in text), default=None)
    if found is None:
        return pieces, None
    left = found[0]
    kept: list[str] = []
    for piece in pieces:
        if left <= 0:
            break
        kept.append(piece[:left])
        left -= len(piece)
    return tuple(kept), found[1]
