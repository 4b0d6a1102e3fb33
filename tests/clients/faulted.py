"""What the vendors' Python clients make of every fault: the calls, and the outcome that each is known to have."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from setu.cassette.faults import parse_rule
from setu.cassette.library import Library
from setu.cassette.model import Interaction
from setu.dialects.registry import DIALECTS, of_path
from setu.errors import ErrorInfo
from setu.http import Request
from setu.server.app import App
from setu.server.endpoints import Operations
from setu.server.serve import Background
from setu.transport.replay import Replay
from tests.cassettes.bundled import bundled
from tests.clients.sdks import anthropic_sdk, openai_sdk
from tests.clients.upstreams import ANSWER
from tests.clocks import RealClock

CHAT, CHAT_STREAM = bundled("openai", "text"), bundled("openai", "text-stream")
MESSAGE, MESSAGE_STREAM = bundled("anthropic", "text"), bundled("anthropic", "text-stream")
RESPONSE, RESPONSE_STREAM = bundled("openai_responses", "text"), bundled("openai_responses", "text-stream")
CONVERSE_STREAM = bundled("bedrock", "text-stream")
RECORDED = (CONVERSE_STREAM, CHAT, CHAT_STREAM, RESPONSE, RESPONSE_STREAM, MESSAGE, MESSAGE_STREAM)


def asked(interaction: Interaction) -> dict[str, Any]:
    """The arguments that make a client send the recorded request."""
    body: dict[str, Any] = json.loads(interaction.exchange.request.body)  # type: ignore[arg-type]  # recorded: bytes
    return body


def render(dialect: str, info: ErrorInfo) -> bytes:
    return DIALECTS.get(dialect, DIALECTS["openai_chat"]).errors.render(info)


@contextmanager
def replaying(*faults: str, times: int = 1) -> Iterator[tuple[str, Replay]]:
    """A replay server on a socket that has each recording so many times, and its player."""
    rules = [parse_rule(fault) for fault in faults]
    player = Replay(Library(RECORDED * times), RealClock(), render_error=render, faults=rules)

    def refuse(request: Request, info: ErrorInfo) -> bytes:
        return of_path(request.path).errors.render(info)

    app = App(
        player, refuse, Operations(RealClock(), lambda: {"usable": True}, dict), lambda prefix: prefix, max_body=10**6
    )
    with Background(app) as server:
        yield server.url, player


def openai_plain(url: str) -> str:
    with openai_sdk(url) as client:
        return client.chat.completions.create(**asked(CHAT)).choices[0].message.content or ""


def openai_stream(url: str) -> str:
    with openai_sdk(url) as client:
        chunks = client.chat.completions.create(**asked(CHAT_STREAM))
        return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def responses_plain(url: str) -> str:
    with openai_sdk(url) as client:
        text: str = client.responses.create(**asked(RESPONSE)).output_text
        return text


def responses_stream(url: str) -> str:
    with openai_sdk(url) as client:
        events = client.responses.create(**asked(RESPONSE_STREAM))
        return "".join(event.delta for event in events if event.type == "response.output_text.delta")


def responses_helper(url: str) -> str:
    arguments = {name: value for name, value in asked(RESPONSE_STREAM).items() if name != "stream"}
    with openai_sdk(url) as client, client.responses.stream(**arguments) as stream:
        text: str = stream.get_final_response().output_text
        return text


def anthropic_plain(url: str) -> str:
    with anthropic_sdk(url) as client:
        return "".join(block.text for block in client.messages.create(**asked(MESSAGE)).content)


def anthropic_stream(url: str) -> str:
    with anthropic_sdk(url) as client:
        events = client.messages.create(**asked(MESSAGE_STREAM))
        return "".join(event.delta.text for event in events if event.type == "content_block_delta")


def anthropic_helper(url: str) -> str:
    arguments = {name: value for name, value in asked(MESSAGE_STREAM).items() if name != "stream"}
    with anthropic_sdk(url) as client, client.messages.stream(**arguments) as stream:
        return "".join(block.text for block in stream.get_final_message().content if block.type == "text")


CALLS: Mapping[str, Callable[[str], str]] = {
    "openai, whole": openai_plain,
    "openai, stream": openai_stream,
    "openai Responses, whole": responses_plain,
    "openai Responses, stream": responses_stream,
    "openai Responses, `responses.stream`": responses_helper,
    "anthropic, whole": anthropic_plain,
    "anthropic, stream": anthropic_stream,
    "anthropic, `messages.stream`": anthropic_helper,
}
"""The calls, none of which retries; each returns the text it got."""

FINE = "the answer"
SHORT = "**a part, no error**"


def outcome(url: str, call: Callable[[str], str]) -> str:
    """Make a call; say what it raised, or whether it returned the whole text."""
    try:
        text = call(url)
    except Exception as error:  # noqa: BLE001  # which one it is is the question
        module = type(error).__module__.partition(".")[0]
        return (
            type(error).__name__
            if module in ("openai", "anthropic", "builtins")
            else f"{module}.{type(error).__name__}"
        )
    return FINE if text == ANSWER else SHORT


def _all(word: str) -> tuple[str, ...]:
    return (word,) * len(CALLS)


def _by_sdk(openai: str, anthropic: str) -> tuple[str, ...]:
    return (openai,) * _OF_OPENAI + (anthropic,) * (len(CALLS) - _OF_OPENAI)


_OF_OPENAI = sum(name.startswith("openai") for name in CALLS)
_UNWRAPPED = "httpx2.RemoteProtocolError"
_JSON = "json.JSONDecodeError"
_BROKEN = (*_by_sdk("APIConnectionError", "APIConnectionError")[:-2], _UNWRAPPED, _UNWRAPPED)
_UNENDED = "RuntimeError"
"""Of `responses.stream`: without `response.completed` there is nothing that it could return."""

OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "429": _all("RateLimitError"),
    "500": _all("InternalServerError"),
    "503": _by_sdk("InternalServerError", "ServiceUnavailableError"),
    "529": _by_sdk("InternalServerError", "OverloadedError"),
    "400": _all("BadRequestError"),
    "close@event=4": _BROKEN,
    "close@byte=40": _BROKEN,
    "half-chunk@event=4": _BROKEN,
    "rst@event=0": (*_BROKEN[:-2], "httpx2.ReadError", "httpx2.ReadError"),
    "end@event=4": (FINE, SHORT, FINE, SHORT, _UNENDED, FINE, SHORT, SHORT),
    "drop-done": (FINE, FINE, FINE, FINE, _UNENDED, FINE, FINE, FINE),
    "truncate-gzip": (_JSON, "UnicodeDecodeError", _JSON, SHORT, _UNENDED, _JSON, SHORT, SHORT),
    "malformed-event@event=0": _all(_JSON),
    "malformed-event@event=3": (FINE, _JSON, FINE, _JSON, _JSON, FINE, _JSON, _JSON),
    "inject-error@event=4": (FINE, "APIError", FINE, "APIError", "APIError", FINE, "APIStatusError", "APIStatusError"),
    "stall=20ms@event=2": _all(FINE),
    "latency=20ms": _all(FINE),
    "slow-drip=20000/s": _all(FINE),
    "split=7": _all(FINE),
    "crlf": _all(FINE),
    "ping@event=1": _all(FINE),
}
"""By fault, what each of CALLS comes to; openai 3.52 and anthropic 2.11 (tests/clients/test_faults.py)."""
