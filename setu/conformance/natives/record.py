"""A dialect as its provider documents it: a record of functions that write and read it natively.

The laws' own knowledge of a wire format, apart from the codec under test. A dialect without one fails the laws.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from setu import _json
from setu.conformance.natives import exact
from setu.conformance.natives.values import Answer, Result, Story, Tokens
from setu.framing.frame import Frame

Json = dict[str, Any]


class Lanes(msgspec.Struct, frozen=True):
    """A stream: frames that come first, lanes whose frames may interleave, frames that come last.

    Within a lane order is fixed. A dialect that allows one order only has one lane.
    """

    head: tuple[Frame, ...]
    lanes: tuple[tuple[Frame, ...], ...]
    tail: tuple[Frame, ...]

    @property
    def frames(self) -> list[Frame]:
        """The lanes one after the other."""
        return [*self.head, *(frame for lane in self.lanes for frame in lane), *self.tail]

    def woven(self, schedule: Sequence[int]) -> list[Frame]:
        """Interleave the lanes as the numbers say."""
        waiting = [list(lane) for lane in self.lanes if lane]
        turns = iter(schedule)
        woven: list[Frame] = []
        while waiting:
            lane = waiting[next(turns, 0) % len(waiting)]
            woven.append(lane.pop(0))
            waiting = [lane for lane in waiting if lane]
        return [*self.head, *woven, *self.tail]


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """The client's side of a dialect: write requests, read answers.

    `hear` reads a whole answer (a stream is assembled first), `echo(request, answer)` adds the assistant's own message
    as an SDK would hand it back, `answered(request, results)` the results of its calls. `nullable` are the members
    that may be null, `empties(request)` is the request with the arrays that may be empty, `illegal` the ways to spoil
    a request so that the dialect refuses it. Of a stream's event `fragments` gives the pieces of tool calls (choice,
    index, id, name, arguments), `finishes` the finish words by choice, `stamps` what must stay the same from event to
    event; `ends` tells the terminal mark. `partial` is the text so far of an unfinished answer by choice, `words` the
    finish words that a client may hear beside those of `Native.words`.
    """

    path: Callable[[str, bool], tuple[str, str]]
    ask: Callable[[Story], Json]
    hear: Callable[[Json], Answer]
    echo: Callable[[Json, Json], Json]
    answered: Callable[[Json, tuple[Result, ...]], Json]
    nullable: tuple[str, ...] = ()
    empties: Callable[[Json], Json] | None = None
    illegal: Mapping[str, Callable[[Json], Json]] = {}
    fragments: Callable[[Json], list[tuple[int, int, str | None, str | None, str]]]
    finishes: Callable[[Json], list[tuple[int, str]]]
    ends: Callable[[Frame], bool] | None
    partial: Callable[[Json], dict[int, str]]
    words: tuple[str, ...] = ()
    stamps: Callable[[Json], Json]


class Native(msgspec.Struct, frozen=True, kw_only=True):
    """A wire format.

    `words` are the native finish words by what they mean, `others` further words of the provider. `ids` and `names` are
    the patterns of tool call ids and tool names that it takes. `options` are the members of scalar options by their
    neutral names. `choices` is how many candidates it can answer with; `thinks`, `seals_thoughts` and `seals_calls`
    tell what its answers can hold. `separate` tells that system texts stay apart, `ordered` that text and media
    may be mixed, `alternates` that neighbouring turns
    of a role are one, `forbids_blank` that blank text is refused. `noise` are frames that mean nothing.
    """

    name: str
    read: Callable[[Any], Story]
    turns: Callable[[Json], list[Any]]
    plain: Callable[[Answer], Json]
    lanes: Callable[[Answer, int], Lanes]
    words: Mapping[str, str]
    others: tuple[str, ...] = ()
    ids: str
    names: str
    options: Mapping[str, str]
    limits: Mapping[str, tuple[float, float]] = {}
    choices: int = 1
    thinks: bool = False
    seals_thoughts: bool = False
    seals_calls: bool = False
    counts: frozenset[str] = frozenset({"input", "output"})
    separate: bool = False
    ordered: bool = True
    alternates: bool = False
    forbids_blank: bool = False
    noise: tuple[Frame, ...] = ()
    fault: Frame
    asking: Asking | None = None

    def heard(self, body: bytes) -> Story:
        """Read a request."""
        return self.read(exact.load(body))


def frame(data: Any, event: str | None = None) -> Frame:
    """Return a frame that carries JSON."""
    return Frame(data=data if isinstance(data, bytes) else _json.encode(data), event=event)


def cut(text: str, size: int) -> list[str]:
    """Cut a text into pieces; an empty one into none."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def get(document: Any, path: str) -> Any:
    """Return the value at a dotted path, None where there is none."""
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def put(document: Json, path: str, value: Any) -> None:
    """Set the value at a dotted path."""
    *lead, last = path.split(".")
    for name in lead:
        document = document.setdefault(name, {})
    document[last] = value


def read_options(document: Json, options: Mapping[str, str]) -> Json:
    """Return the options that are set, by their neutral names."""
    found = {name: exact.plain(get(document, path)) for name, path in options.items()}
    return {name: value for name, value in found.items() if value is not None}


def write_options(document: Json, story: Story, options: Mapping[str, str]) -> None:
    """Set the options that the dialect has."""
    for name, value in story.options.items():
        if name in options:
            put(document, options[name], list(value) if isinstance(value, tuple) else value)


def tokens(usage: Any, input: str, output: str, cached: str = "", reasoning: str = "") -> Tokens:  # noqa: A002 - the field's name
    """Read usage by the paths of its counts."""
    return Tokens(
        input=get(usage, input),
        output=get(usage, output),
        cached=get(usage, cached) if cached else None,
        reasoning=get(usage, reasoning) if reasoning else None,
    )


def filled(**members: Any) -> Json:
    """Return an object of the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}
