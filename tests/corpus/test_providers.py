"""Every host of the corpus that has a row: its requests and answers, through the row's capabilities, facts and quirks."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from setu import _json
from setu.chat.events import Ended
from setu.chat.ids import counter
from setu.dialects.openai_chat.codec import DIALECT
from setu.dialects.record import Rendered, Route, Target
from setu.errors import DialectError, ProviderError
from setu.framing.sse import SseDecoder
from setu.gateway.quirk import edited, framed, quirks_of
from setu.http import Headers
from setu.providers import lookup, models
from tests.corpus.reader import NOT_AS_SENT, exchanges, needs_corpus

pytestmark = needs_corpus

HOSTS = {
    **{
        name: name
        for name in ("ai21", "alibaba", "azure", "baseten", "cerebras", "cloudflare", "databricks", "deepseek")
    },
    **{
        name: name
        for name in ("fireworks", "groq", "huggingface", "hyperbolic", "llamacpp", "mistral", "nebius", "novita")
    },
    **{name: name for name in ("openai", "openrouter", "perplexity", "sambanova", "snowflake", "together")},
    **{name: name for name in ("writer", "xai", "xiaomi", "zai")},
    "github-models": "github_models",
    "vercel-gateway": "vercel",
}
"""The corpus's name of a host, and its row."""
each_host = pytest.mark.parametrize("host", HOSTS)
EXCEPTIONS = {
    entry["id"]
    for entry in tomllib.loads(Path(__file__).with_name("exceptions.toml").read_text())["exception"]
    if entry["api"] == "openai.chat"
}
ROUTE = Route(dialect="openai_chat", operation="chat", model="model")
CLIENT, UPSTREAM = DIALECT.client["chat"], DIALECT.upstream["chat"]


def chats(host: str) -> Iterator[dict[str, Any]]:
    return (exchange for exchange in exchanges("openai.chat") if exchange["provider"] == host)


def asked(exchange: dict[str, Any]) -> bytes:
    return json.dumps(exchange["request_body"], ensure_ascii=False).encode("utf-8", "surrogatepass")


@each_host
def test_its_requests_render_through_the_row(host: str) -> None:
    provider = lookup.find(HOSTS[host])
    count = 0
    for exchange in chats(host):
        if not isinstance(exchange["request_body"], dict):
            continue
        try:
            request = CLIENT.parse_request(asked(exchange), ROUTE)
        except DialectError:
            faulty = exchange["status"] >= 400 or NOT_AS_SENT & set(exchange["flags"])
            assert faulty or exchange["id"] in EXCEPTIONS, exchange["id"]
            continue
        model = exchange["model"] or "model"
        target = Target(model=model, facts=models.facts(model), capabilities=provider.capabilities)
        sent = edited(UPSTREAM.render_request(request, target), quirks_of(provider, "openai_chat"))

        count += 1
        assert json.loads(sent.body)["model"] == model
        assert edited(sent, quirks_of(provider, "openai_chat")).body == sent.body, exchange["id"]
    print(f"{host}: {count} requests")
    assert count


@each_host
def test_what_the_host_took_is_not_changed_by_its_quirks(host: str) -> None:
    """But for DeepSeek's tool turns, which its thinking models demand more of than the others."""
    provider = lookup.find(HOSTS[host])
    for exchange in chats(host):
        if exchange["status"] >= 300 or not isinstance(exchange["request_body"], dict):
            continue
        body = asked(exchange)
        sent = edited(Rendered(body=body), quirks_of(provider, "openai_chat"))
        if host == "deepseek":
            assert sent.losses == ()
        else:
            assert (sent.body, sent.losses) == (body, ()), exchange["id"]


@each_host
def test_its_answers_parse_through_the_row(host: str) -> None:
    quirks = quirks_of(lookup.find(HOSTS[host]), "openai_chat")
    streams = documents = errors = 0
    for exchange in chats(host):
        body = (exchange["response_body"] or "").encode("utf-8", "surrogatepass")
        if exchange["status"] >= 400:
            errors += 1
            assert DIALECT.errors.parse(exchange["status"], _headers(exchange), body).message
        elif body.lstrip().startswith((b"data:", b"event:", b":")):
            streams += 1
            frames = framed(SseDecoder(), quirks)
            decoder = UPSTREAM.decoder(counter())
            events = [event for frame in (*frames.feed(body), *frames.close()) for event in decoder.feed(frame)]
            assert isinstance([*events, *decoder.close()][-1], Ended), exchange["id"]
        else:
            documents += 1
            try:
                assert UPSTREAM.parse_response(body, counter()).candidates, exchange["id"]
            except (ProviderError, DialectError):
                assert b'"error"' in body or not _is_json(body), exchange["id"]
    print(f"{host}: {documents} documents, {streams} streams, {errors} errors")
    assert documents + streams


def _headers(exchange: dict[str, Any]) -> Headers:
    return Headers.of(
        {name: str(value) for name, value in exchange["response_headers"].items() if str(value).isascii()}
    )


def _is_json(body: bytes) -> bool:
    try:
        _json.decode(body)
    except _json.JsonError:
        return False
    return True


def test_every_host_with_more_than_a_handful_of_chats_has_a_row() -> None:
    known = HOSTS.keys() | {"ollama", "cohere", "google", "bedrock"}
    seen: dict[str, int] = {}
    for exchange in exchanges("openai.chat"):
        seen[exchange["provider"]] = seen.get(exchange["provider"], 0) + 1

    assert {host: n for host, n in seen.items() if n > 10 and host not in known | {"local"}} == {}
