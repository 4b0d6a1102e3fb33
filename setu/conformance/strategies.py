"""Hypothesis strategies: legal conversations as turn grammars, answers, hostile text, arbitrary JSON.

Imported lazily: hypothesis costs a tenth of a second.
"""

from typing import Any

from hypothesis import strategies as st

from setu.conformance.natives.record import Native
from setu.conformance.natives.values import (
    Answer,
    Call,
    Choice,
    Item,
    Result,
    Say,
    Show,
    Story,
    Think,
    Tokens,
    Tool,
    Turn,
)

NASTY = (
    "data: [DONE]", "[DONE]", "\u2028", "\u2029", "\u0085", "\r\n", "\r", "\n\n", "\ufeff", "e\u0301", "\u202egnp",
    "\U0001f469\u200d\U0001f680", '"', "\\", "\\u0000", "</s>", "<think>", "{", "}", "0", "null", " ", "\t",
)  # fmt: skip
"""Pieces of text that break decoders."""


def texts(*, blank: bool = False) -> st.SearchStrategy[str]:
    """Text of every script, spiced with what breaks decoders; never blank unless asked for."""
    plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    made = st.lists(st.one_of(plain, st.sampled_from(NASTY)), min_size=1, max_size=5).map("".join)
    return made if blank else made.filter(lambda text: text.strip() != "" and "\0" not in text)


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON value, integers beyond 64 bits included."""
    numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
    scalars = st.one_of(st.none(), st.booleans(), numbers, texts(blank=True))
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts(blank=True), inner, max_size=3)),
        max_leaves=8,
    )


NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,15}", fullmatch=True)

SIZES = st.integers(1, 7)
SCHEDULES = st.lists(st.integers(0, 5), max_size=30)
PLACES = st.lists(st.integers(0, 5000), max_size=12)

_CHARS = 'ab1 \n\t\r{}":\\,é\u0301\u2028\u0085\ufeff\u202e\u4e2d\U0001f469\u200d\U0001f680'
_PIECES = (
    "hello", " a ", "\n", "data: [DONE]", "[DONE]", "event: ping\n\n",
    "\r\n\r\n", "</s>", "<think>", "null", "1", "\ufeff", "\\u0000",
    "caf\u00e9", "e\u0301", "\u2028", "\u0085", "\u4e2d\u6587", "\U0001f469\u200d\U0001f680",
    '"quoted"', "\\", "{}", "\u202egnp", "two  words",
)  # fmt: skip

PHRASES = st.one_of(
    st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4).map("".join),
    st.text(st.sampled_from(_CHARS), min_size=2, max_size=9),
).filter(lambda text: text.strip("\ufeff\u200d").strip() != "")
"""Text that is not blank to anybody, spiced with what breaks decoders."""

BLANKS = st.sampled_from(("", " ", "\n", "\t \n"))

_VALUES = st.sampled_from(
    (
        "1", "-0.0", "1.10", "9007199254740993", "-123456789012345678901234567890", "1e-320", "1E5", "0.1", "true",
        "null",
        '"text"', '"caf\\u00e9"', '"\U0001f680"', "[]", "[1, 2.50]", "{}", '{"deep": {"list": [null, 1.0]}}',
    )
)  # fmt: skip

NAMES = st.sampled_from(("city", "n", "unit", "a_b", "Zed"))
ARGUMENTS = st.lists(st.tuples(NAMES, _VALUES), max_size=3, unique_by=lambda pair: pair[0]).map(
    lambda pairs: "{" + ", ".join(f'"{name}": {value}' for name, value in pairs) + "}"
)
"""JSON objects as models write them, with the numbers that lose something on the way through a float."""

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "n": {"type": "integer"}}, "required": ["city"]}
SCHEMAS = st.sampled_from((SCHEMA, {"type": "object", "properties": {}}))
CLOSED = {**SCHEMA, "required": ["city", "n"], "additionalProperties": False}
"""A schema that every provider takes for structured output."""

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
KIT = (Tool("f", SCHEMA), Tool("get_weather", SCHEMA))

MEDIA = st.sampled_from((Show("image", "image/png", _PIXEL), Show("document", "application/pdf", "JVBERi0xLjQK")))


def kits(names: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[tuple[Tool, ...]]:
    """One to three tools of different names."""
    called = st.sampled_from(("get_weather", "f", "search-web", "A1_b")) if names is None else names
    return st.lists(st.builds(Tool, called, SCHEMAS), min_size=1, max_size=3, unique_by=lambda tool: tool.name).map(
        tuple
    )


def said(*, media: bool = False) -> st.SearchStrategy[tuple[Item, ...]]:
    """What a user says: texts, with pictures and documents among them if asked for."""
    item: st.SearchStrategy[Item] = st.builds(Say, PHRASES)
    if media:
        item = st.one_of(item, MEDIA)
    return st.lists(item, min_size=1, max_size=3).map(tuple)


@st.composite
def rounds(draw: Any, kit: tuple[Tool, ...], start: int, *, thinks: bool, ids: Any, media: bool) -> tuple[Turn, ...]:
    """A user's turn, the assistant's, and where that calls, the results in any order and maybe more words."""
    first = Turn("user", draw(said(media=media)))
    spoken = tuple(Say(text) for text in draw(st.lists(PHRASES, max_size=1)))
    thought = (Think("hm", "c2VhbA=="),) if thinks and draw(st.booleans()) else ()
    count = draw(st.integers(0, 2)) if kit else 0
    if count == 0:
        return (first, Turn("assistant", (*thought, *(spoken or (Say("ok"),)))))
    chosen = draw(ids(start, count))
    made = [Call(chosen[i], draw(st.sampled_from(kit)).name, draw(ARGUMENTS)) for i in range(count)]
    answers = [
        Result(call.id, call.name, tuple(Say(t) for t in draw(st.lists(PHRASES, min_size=1, max_size=1))))
        for call in made
    ]
    if draw(st.booleans()):
        answers.reverse()
    after = draw(said()) if draw(st.booleans()) else ()
    calling = Turn("assistant", (*thought, *spoken, *made))
    return (first, calling, Turn("user", (*answers, *after)))


def counted(start: int, count: int) -> st.SearchStrategy[list[str]]:
    """Ids that every provider takes."""
    return st.just([f"call_{start}_{number}" for number in range(count)])


def hostile(pattern: str) -> Any:
    """Ids that only the client's dialect need take: long ones, ones with strange characters, near twins."""
    chosen = st.one_of(
        st.sampled_from(
            ("a" * 64, "a" * 63 + "b", "functions.f:0", "call|1", "call-1", "call_1", "0", "x" * 40, "x" * 41)
        ),
        st.from_regex(pattern, fullmatch=True),
    )

    def ids(start: int, count: int) -> st.SearchStrategy[list[str]]:
        import re

        legal = chosen.filter(lambda made: re.fullmatch(pattern, made) is not None)
        return st.lists(
            legal.map(lambda made: made + str(start) if len(made) < 30 else made),
            min_size=count,
            max_size=count,
            unique=True,
        )

    return ids


_OPTION_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "max_tokens": st.integers(1, 60),
    "temperature": st.sampled_from((0, 0.5, 1, 1.7)),
    "top_p": st.sampled_from((0.1, 1)),
    "top_k": st.integers(1, 40),
    "stop": st.lists(st.sampled_from(("END", "###", "\n\nHuman:")), min_size=1, max_size=4, unique=True),
    "seed": st.integers(0, 2**31 - 1),
    "frequency_penalty": st.sampled_from((-1, 0.5)),
    "presence_penalty": st.sampled_from((-1, 0.5)),
    "user": st.sampled_from(("u-1", "someone")),
    "verbosity": st.sampled_from(("low", "high")),
    "cache_key": st.just("key-1"),
}


def options(client: Native) -> st.SearchStrategy[dict[str, Any]]:
    """Scalar options of a dialect, in its own ranges."""
    own = {name: values for name, values in _OPTION_VALUES.items() if name in client.options}

    def legal(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        low, high = client.limits.get(name, (float("-inf"), float("inf")))
        return values.filter(lambda value: low <= value <= high) if name in client.limits else values

    return st.fixed_dictionaries({}, optional={name: legal(name, values) for name, values in own.items()})


@st.composite
def stories(
    draw: Any,
    client: Native,
    *,
    tools: bool | None = None,
    media: bool = False,
    scalars: bool = False,
    thinking: bool = False,
    ids: Any = counted,
    names: st.SearchStrategy[str] | None = None,
) -> Story:
    """A legal request: system texts, rounds of talk and calls, a user's turn at the end, tools, options."""
    wants = draw(st.booleans()) if tools is None else tools
    kit = draw(kits(names)) if wants else ()
    turns: list[Turn] = []
    for number in range(draw(st.integers(1 if tools else 0, 2))):
        made = draw(rounds(kit, number, thinks=client.seals_thoughts and thinking, ids=ids, media=media))
        follows = bool(turns) and turns[-1].role == "user"
        turns += made[1:] if follows else made
    if not turns or turns[-1].role == "assistant":
        turns.append(Turn("user", draw(said(media=media))))
    chosen = st.sampled_from((None, "auto", "required", "none", *(tool.name for tool in kit)))
    return Story(
        system=tuple(draw(st.lists(PHRASES, max_size=2))),
        turns=tuple(turns),
        tools=kit,
        choice=draw(chosen) if kit and not thinking else None,
        parallel=draw(st.sampled_from((None, True, False))) if kit else None,
        schema=CLOSED if not kit and scalars and draw(st.booleans()) else None,
        effort="low" if thinking and draw(st.booleans()) else None,
        options=draw(options(client)) if scalars else {},
        stream=draw(st.booleans()),
    )


@st.composite
def answers(draw: Any, client: Native, upstream: Native, *, several: bool = True, called: bool | None = None) -> Answer:
    """An answer that the upstream can give and the client can hear."""
    most = min(client.choices, upstream.choices) if several else 1
    choices = [draw(_choices(index, upstream, called)) for index in range(draw(st.integers(1, most)))]
    cached, reasoning = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    counts = upstream.counts
    return Answer(
        choices=tuple(choices),
        tokens=Tokens(
            input=5 + draw(st.integers(0, 90)),
            output=5 + draw(st.integers(0, 90)),
            cached=cached if "cached" in counts else None,
            reasoning=reasoning if "reasoning" in counts else None,
        ),
    )


@st.composite
def _choices(draw: Any, index: int, upstream: Native, called: bool | None) -> Choice:
    thought: tuple[Item, ...] = ()
    if upstream.thinks and draw(st.booleans()):
        thought = (Think(draw(PHRASES), "c2VhbA==" if upstream.seals_thoughts and not upstream.seals_calls else None),)
    spoken = (Say(draw(PHRASES)),) if draw(st.integers(0, 3)) else ()
    count = draw(st.integers(0, 2)) if called is None else draw(st.integers(1, 2)) if called else 0
    made = tuple(
        Call(
            f"call_{index}_{number}",
            draw(st.sampled_from(("get_weather", "f"))),
            draw(ARGUMENTS),
            f"c2ln{index}{number}" if upstream.seals_calls and number == 0 else None,
        )
        for number in range(count)
    )
    if not (spoken or made):
        spoken = (Say("ok"),)
    finish = (
        "tool_calls"
        if made
        else draw(st.sampled_from([word for word in ("stop", "length", "content_filter") if word in upstream.words]))
    )
    return Choice(items=(*thought, *spoken, *made), finish=finish)
