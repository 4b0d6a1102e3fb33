"""What conformance/clients.toml calls measured: the mutants of its checks still break the vendors' clients."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import openai
import pytest

from setu.conformance.clients import load
from setu.http import Exchange
from tests.clients.sdks import anthropic_sdk, openai_sdk
from tests.conformance.examples import MUTANTS
from tests.conformance.good import GOOD
from tests.servers import RawServer, read_request

MEASURED = [
    pytest.param(client.name, MUTANTS[check][mutant], id=f"{client.name}-{check}-{mutant}")
    for client in load()
    for need in client.needs
    for check in need.checks
    for mutant in need.mutants
]
pytestmark = pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")


@contextmanager
def serving(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every request the answer of an exchange; yield the URL, and what the exchange had asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        fields = [(name, text) for name, text in exchange.headers.items() if name != "content-length"]
        lines = [f"HTTP/1.1 {exchange.status} OK", *(f"{name}: {text}" for name, text in fields), "connection: close"]
        writer.write("\r\n".join([*lines, "", ""]).encode() + exchange.body)
        await writer.drain()

    body = exchange.request.body
    assert isinstance(body, bytes)
    with RawServer(answer) as server:
        yield server.url, json.loads(body)


def ask_openai(url: str, asked: dict[str, Any]) -> None:
    with openai_sdk(url) as sdk:
        if asked.pop("stream", False):
            with sdk.chat.completions.stream(**asked) as stream:
                for _ in stream:
                    pass
                stream.get_final_completion()
        else:
            handed_out(sdk.chat.completions.create(**asked), openai.types.chat.ChatCompletion)


def ask_anthropic(url: str, asked: dict[str, Any]) -> None:
    with anthropic_sdk(url) as sdk:
        if asked.pop("stream", False):
            with sdk.messages.stream(**asked) as stream:
                stream.get_final_message()
        else:
            handed_out(sdk.messages.create(**asked), anthropic.types.Message)


def handed_out(answer: object, kind: type) -> None:
    assert isinstance(answer, kind), f"the client hands out a {type(answer).__name__}"


ASK: dict[str, Callable[[str, dict[str, Any]], None]] = {
    "openai-python": ask_openai,
    "anthropic-sdk-python": ask_anthropic,
}


def test_something_is_measured_with_each_client_that_is_installed() -> None:
    assert {client.name for client in load() for need in client.needs if need.mutants} == set(ASK)


@pytest.mark.parametrize(("client", "mutant"), MEASURED)
def test_a_mutant_breaks_the_client(client: str, mutant: Exchange) -> None:
    with serving(mutant) as (url, asked), pytest.raises(Exception) as caught:  # which one it is differs by version
        ASK[client](url, asked)

    told = isinstance(caught.value, openai.APIStatusError | anthropic.APIStatusError) and "wrong" in str(caught.value)
    assert not told, "an error as it should be, with the server's words"


@pytest.mark.parametrize(
    ("client", "good"),
    [("openai-python", name) for name in ("plain", "calls", "stream", "stream with usage", "stream of calls")]
    + [("anthropic-sdk-python", name) for name in ("message", "message with a call", "message stream")],
)
def test_what_is_good_breaks_no_client(client: str, good: str) -> None:
    """The measure itself can fail: only what is spoilt does."""
    with serving(GOOD[good]) as (url, asked):
        ASK[client](url, asked)
