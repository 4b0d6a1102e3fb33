"""The four providers behind the gateway: the bundled recordings by the question they answer, else the simulator.

A replay wants the very request that was recorded. A client of another dialect never sends that one (Anthropic's always
has `max_tokens`), so here a question finds its recording whatever options and tools came with it.
"""

from pathlib import Path
from typing import NamedTuple

from setu.bundled import data_dir
from setu.cassette.match import route_of
from setu.cassette.script import Script, script_of
from setu.cassette.shelf import read_cassette
from setu.chat.parts import Text, ToolResult
from setu.chat.request import ChatRequest
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError
from setu.http import Request, Response
from setu.ports import Clock
from setu.transport.play import play
from setu.transport.simulate.simulator import Simulator

MODELS = {
    "openai": "openai/gpt-4o-mini",
    "anthropic": "anthropic/claude-sonnet-4-5",
    "gemini": "gemini/gemini-2.5-flash",
    "openrouter": "openrouter/qwen/qwen3-30b-a3b-instruct-2507",
}
"""A model of each provider, as a client of the gateway names it."""

PROVIDERS = tuple(MODELS)

COLOURS = "Name the three primary colours of light."
"""Every provider's recordings answer it with ANSWER, whole and streamed."""

ANSWER = "Red, green and blue — mixed together they look white. 🌈"

WEATHER = "What is the weather in Lisbon right now?"
"""Every provider's recordings answer it with one call of get_weather, and its result with words."""

CITY: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}

BOTH = "Compare the weather in Lisbon and Tromsø right now."
"""Every provider's recordings answer it with a stream of two calls."""

BRIDGE = "Describe the old bridge of Mostar as a record with title, year and tags."
"""Every provider's recordings answer it with an object of just these members."""

RECORD: dict[str, object] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "year": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["title", "year", "tags"],
    "additionalProperties": False,
}

RESULT = '{"temperature":24,"sky":"clear","wind_kmh":11}'

STATUSES = {"openai": 500, "anthropic": 529, "gemini": 503, "openrouter": 503}
"""What each provider's recordings say when it is overloaded."""


def trigger(status: int) -> str:
    """Return the question that a provider's recordings answer with an error."""
    return f"Trigger error {status}."


class Question(NamedTuple):
    """What a recording is found by: host and dialect, the last words of the user, whether a tool has answered, the mode."""

    origin: str
    dialect: str
    text: str
    answered: bool
    stream: bool


class Recorded:
    """A transport that plays the recording of a question; `asked` are the bodies it was sent."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._simulator = Simulator(clock)
        self._scripts = _scripts(data_dir("cassettes"))

    async def send(self, request: Request) -> Response:
        await request.read()
        question = question_of(request)
        script = self._scripts.get(question) if question is not None else None
        return await self._simulator.send(request) if script is None else await play(script, self._clock)

    async def aclose(self) -> None:
        """Do nothing: nothing is held open."""


def question_of(request: Request) -> Question | None:
    """Return what a chat request asks, None for any other request."""
    route = route_of(request)
    if route is None or route.operation != "chat":
        return None
    assert isinstance(request.body, bytes)
    try:
        parsed: ChatRequest = DIALECTS[route.dialect].client["chat"].parse_request(request.body, route)
    except LocalDialectError:
        return None
    words = [_words(message.parts) for message in parsed.messages if message.role == "user"]
    parts = [part for message in parsed.messages for part in message.parts]
    text = next((text for text in reversed(words) if text), "")
    return Question(
        request.origin, route.dialect, text, any(isinstance(part, ToolResult) for part in parts), parsed.stream
    )


def _words(parts: tuple[object, ...]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def _scripts(folder: Path) -> dict[Question, Script]:
    """Index the recordings; the first of several for one question is the plainest and wins.

    An error has no stream of its own: it answers both modes, by its status and not by its words.
    """
    found: dict[Question, Script] = {}
    files = sorted(path for name in PROVIDERS for path in (folder / name).rglob("*.yaml"))
    for path in sorted(files, key=lambda path: (not path.stem.startswith("text"), len(path.stem), path)):
        for interaction in read_cassette(path):
            exchange, made = interaction.exchange, script_of(interaction)
            if exchange.status >= 400:
                words, route = trigger(exchange.status), route_of(exchange.request)
                assert route is not None
                for stream in (False, True):
                    asked = Question(exchange.request.origin, route.dialect, words, answered=False, stream=stream)
                    found.setdefault(asked, made)
            elif (question := question_of(exchange.request)) is not None:
                found.setdefault(question, made)
    return found
