"""What laws talk about: a conversation and an answer, in no dialect's words.

Only what every law needs to compare: natives write these values and read them back from any dialect's JSON, apart from
every codec under test.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from setu.conformance.natives import exact


class Say(msgspec.Struct, frozen=True):
    """Text for the reader."""

    text: str


class Show(msgspec.Struct, frozen=True):
    """An image or a document in the request itself: `data` is base64."""

    kind: str
    mime: str
    data: str


class Think(msgspec.Struct, frozen=True):
    """Thinking; `seal` is the signature of its host."""

    text: str
    seal: str | None = None


class Call(msgspec.Struct, frozen=True):
    """A tool call; `arguments` is JSON text, every number spelled as it was, and `seal` the signature of its host."""

    id: str
    name: str
    arguments: str
    seal: str | None = None


class Result(msgspec.Struct, frozen=True):
    """The answer to a call."""

    id: str
    name: str
    content: tuple["Say | Show", ...]
    failed: bool = False


Item = Say | Show | Think | Call | Result


class Turn(msgspec.Struct, frozen=True):
    """One message; results stand in user turns."""

    role: str
    items: tuple[Item, ...]


class Tool(msgspec.Struct, frozen=True):
    """A function tool; `schema` is a JSON Schema."""

    name: str
    schema: Any


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `choice` is auto, required, none or a tool's name; `effort` asks for thinking."""

    model: str = "m"
    system: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    tools: tuple[Tool, ...] = ()
    choice: str | None = None
    parallel: bool | None = None
    schema: Any = None
    effort: str | None = None
    options: Mapping[str, Any] = {}
    stream: bool = False


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Usage; `input` includes `cached`, `output` includes `reasoning`. None is not said."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    reasoning: int | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate: `finish` is stop, length, tool_calls or content_filter; `word` a native word instead."""

    items: tuple[Item, ...] = ()
    finish: str | None = "stop"
    word: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer."""

    choices: tuple[Choice, ...] = ()
    tokens: Tokens = Tokens()
    id: str = "id-1"
    model: str = "m"


def texts(items: tuple[Item, ...]) -> list[str]:
    """Return what is said, in order."""
    return [item.text for item in items if isinstance(item, Say)]


def calls(items: tuple[Item, ...]) -> list[Call]:
    return [item for item in items if isinstance(item, Call)]


def results(items: tuple[Item, ...]) -> list[Result]:
    return [item for item in items if isinstance(item, Result)]


def seals(items: tuple[Item, ...]) -> list[str]:
    """Return the signatures, in order."""
    return [item.seal for item in items if isinstance(item, (Think, Call)) and item.seal is not None]


def of_role(story: Story, role: str) -> tuple[Item, ...]:
    """Return all items of a role."""
    return tuple(item for turn in story.turns if turn.role == role for item in turn.items)


def words(result: Result) -> str:
    """Return what a result says.

    A wire that wants an object puts a text under a key of its own (`{"result": "text"}`); that is taken off again.
    """
    return _bare("\n".join(texts(result.content)))


def _bare(said: str) -> str:
    try:
        value = exact.load(said)
    except ValueError:
        return said
    if isinstance(value, dict) and list(value) in (["result"], ["error"], ["output"]):
        (value,) = value.values()
    return _bare(value) if type(value) is str else exact.dump(value)


def all_calls(story: Story) -> list[Call]:
    return calls(of_role(story, "assistant"))


def all_results(story: Story) -> list[Result]:
    return results(of_role(story, "user"))
