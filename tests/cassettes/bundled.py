"""The bundled cassettes as tests read them: files, interactions and the JSON documents in their bodies."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of
from setu.cassette.shelf import read_cassette
from setu.framing.kinds import DECODERS

ROOT = Path(__file__).parents[2] / "cassettes"
FILES = sorted(ROOT.rglob("*.yaml"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def interaction(path: Path) -> Interaction:
    (only,) = read_cassette(path)
    return only


APIS = {"openai": "openai/openai_chat", "openai_responses": "openai/openai_responses"}
"""Folders of a provider that has two APIs; every other provider has one."""


def files_of(provider: str, scenario: str) -> list[Path]:
    """Return the files of a scenario; of a provider, or of one of its APIs by the name of its dialect."""
    return list(ROOT.glob(f"{APIS.get(provider, f'{provider}/*')}/{scenario}.yaml"))


def bundled(provider: str, scenario: str) -> Interaction:
    (path,) = files_of(provider, scenario)
    return interaction(path)


def documents(found: Interaction) -> list[Any]:
    """The JSON documents of a response: its one document, or the payload of each event."""
    exchange = found.exchange
    framing = framing_of(exchange)
    if framing == "json" or exchange.status >= 400:
        return [json.loads(exchange.body)]
    decoder = DECODERS[framing]()
    frames = decoder.feed(exchange.body) + decoder.close()
    assert all(frame.terminated for frame in frames)
    return [json.loads(frame.data) for frame in frames if frame.data not in (None, b"[DONE]")]
