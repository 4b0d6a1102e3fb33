"""The odd exchanges that the corpus's README lists: which test shows which, and how they are heard and told on."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.parts import AnyPart, ToolCall
from setu.chat.response import ChatResponse
from setu.dialects.record import Dialect, Reply
from setu.dialects.registry import DIALECTS
from setu.errors import ErrorInfo
from setu.framing.frame import Frame
from setu.framing.kinds import DECODERS
from setu.framing.sse import SseDecoder
from setu.http import Headers
from setu.translate.bridge import BridgeStream
from tests.corpus.reader import exchanges
from tests.corpus.table import APIS, FRAMINGS, body_of, header_texts

SHOWN: set[str] = set()
"""The ids that tests name."""

_NEAREST = {"hf.inference": "openai_chat", "cohere.v1": "cohere"}
"""APIs without a dialect here: what a host that is taken for a newer one would be read with."""


def odd(api: str, *ids: str) -> Callable[[Any], Any]:
    """Give a test the exchanges it is about, as `recorded`."""
    SHOWN.update(ids)
    return pytest.mark.parametrize("recorded", [pytest.param((api, one), id=one) for one in ids], indirect=True)


def find(api: str, identity: str) -> dict[str, Any]:
    (found,) = [one for one in exchanges(api) if one["id"] == identity]
    return found


def listed() -> set[str]:
    """Return the ids of the README's table, whose rows are a number, ids, and what is odd."""
    text = (Path(os.environ["SETU_CORPUS"]) / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \| ([^|]*-[0-9a-f]{10}[^|]*) \|", text, re.MULTILINE)
    return {one for row in rows for one in re.findall(r"[\w.-]+-[0-9a-f]{10}", row)}


def dialect_of(recorded: dict[str, Any]) -> Dialect:
    api = recorded["api"]
    return DIALECTS[APIS[api][0] if api in APIS else _NEAREST[api]]


def chunks(recorded: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the JSON that a host's events carry."""
    frames = SseDecoder()
    data = [frame.data for frame in (*frames.feed(body_of(recorded)), *frames.close()) if frame.data]
    return [json.loads(one) for one in data if one != b"[DONE]"]


def _cut(recorded: dict[str, Any]) -> list[Frame]:
    frames = DECODERS[FRAMINGS[recorded["framing"]]]()
    return [*frames.feed(body_of(recorded)), *frames.close()]


def heard(recorded: dict[str, Any]) -> Folded:
    """Read a stream to its end."""
    decoder = dialect_of(recorded).upstream["chat"].decoder(counter())
    events = [event for frame in _cut(recorded) for event in decoder.feed(frame)]
    return fold([*events, *decoder.close()])


def read(recorded: dict[str, Any]) -> ChatResponse:
    """Read a whole answer."""
    response: ChatResponse = dialect_of(recorded).upstream["chat"].parse_response(body_of(recorded), counter())
    return response


def error_of(recorded: dict[str, Any]) -> ErrorInfo:
    headers = Headers.of(header_texts(recorded["response_headers"]))
    return dialect_of(recorded).errors.parse(recorded["status"], headers, body_of(recorded))


def _reply() -> Reply:
    return Reply(model="m", id="id-1", created=1, mint=counter(), stream_usage=True)


def told(recorded: dict[str, Any], client: str = "openai_chat") -> list[bytes]:
    """Return the data of the events that a client hears."""
    decoder = dialect_of(recorded).upstream["chat"].decoder(counter())
    to = DIALECTS[client]
    stream = BridgeStream(decoder, to.client["chat"].encoder(_reply()), {}, to.errors)
    frames = [made for frame in _cut(recorded) for made in stream.feed(frame)]
    return [frame.data for frame in [*frames, *stream.close()] if frame.data is not None]


def written(response: ChatResponse, client: str = "openai_chat") -> dict[str, Any]:
    """Return an answer as a client gets it."""
    found: dict[str, Any] = json.loads(DIALECTS[client].client["chat"].render_response(response, _reply()).body)
    return found


def parts(response: ChatResponse) -> list[AnyPart]:
    return [part for candidate in response.candidates for message in candidate.messages for part in message.parts]


def calls(response: ChatResponse) -> list[ToolCall]:
    return [part for part in parts(response) if isinstance(part, ToolCall)]
