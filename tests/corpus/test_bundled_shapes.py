"""The bundled cassettes against real traffic: no key stands where the provider never put it."""

import base64
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from setu.framing.eventstream import EventStreamDecoder
from setu.framing.ndjson import NdjsonDecoder
from setu.framing.sse import SseDecoder
from tests.cassettes.bundled import FILES, ROOT, documents, interaction
from tests.corpus.reader import exchanges, needs_corpus

pytestmark = needs_corpus

REAL = {
    "openai": ("openai", ("openai.chat", "openai.responses")),
    "openrouter": ("openrouter", ("openai.chat",)),
    "anthropic": ("anthropic", ("anthropic.messages",)),
    "gemini": ("google", ("gemini.generate", "gemini.stream")),
    "bedrock": ("bedrock", ("bedrock.converse", "bedrock.converse_stream", "bedrock.invoke")),
    "cohere": ("cohere", ("cohere.v2",)),
    "ollama": ("ollama", ("ollama.chat",)),
    "mistral": ("mistral", ("openai.chat",)),
    "groq": ("groq", ("openai.chat",)),
    "deepseek": ("deepseek", ("openai.chat",)),
    "xai": ("xai", ("openai.chat",)),
    "azure": ("azure", ("openai.chat",)),
    # Vertex serves the bodies of the two APIs it stands for.
    "vertex": (
        "vertex google anthropic",
        ("gemini.generate", "gemini.stream", "anthropic.vertex", "anthropic.messages"),
    ),
}
FREE_FORM = frozenset({"args", "input", "arguments", "parameters", "schema"})
"""Members whose inside a tool's or an answer's schema decides, not the API: what follows it, and the schema itself."""

DOCUMENTED = tomllib.loads(Path(__file__).with_name("bundled_shapes.toml").read_text())["documented"]


def key_paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from key_paths(item, path + "[]" if path else path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}/{key}"
            if key not in FREE_FORM:
                yield from key_paths(inner, f"{path}/{key}")


def real_documents(body: str) -> Iterator[Any]:
    try:
        yield json.loads(body)
    except ValueError:
        decoder = NdjsonDecoder() if body.startswith("{") else SseDecoder()
        for frame in decoder.feed(body.encode("utf-8", "surrogatepass")) + decoder.close():
            if frame.data not in (None, b"[DONE]"):
                try:
                    yield json.loads(frame.data)
                except ValueError:  # an HTML error page, a stream cut off
                    continue


def documents_of(exchange: dict[str, Any]) -> Iterator[Any]:
    body = exchange["response_body"] or ""
    if exchange.get("response_body_encoding") != "base64":
        yield from real_documents(body)
        return
    yield from (json.loads(frame.data or b"null") for frame in EventStreamDecoder().feed(base64.b64decode(body)))


@pytest.mark.parametrize("provider", REAL)
def test_every_key_path_is_real_or_documented(provider: str) -> None:
    name, apis = REAL[provider]
    real: set[str] = set()
    count = 0
    for exchange in (exchange for api in apis for exchange in exchanges(api)):
        if exchange["provider"] in name.split() and "maybe_synthetic" not in exchange["flags"]:
            count += 1
            for document in documents_of(exchange):
                real.update(key_paths(document))
    files = [path for path in FILES if path.is_relative_to(ROOT / provider)]
    ours = {key: path for path in files for document in documents(interaction(path)) for key in key_paths(document)}
    documented = {entry["path"] for entry in DOCUMENTED if entry["provider"] == provider}

    print(f"{provider}: {len(ours)} key paths of {len(files)} files against {count} real exchanges")
    assert {key: str(path) for key, path in ours.items() if key not in real | documented} == {}
    assert [path for path in documented if path in real or path not in ours] == []


def test_every_exception_names_its_documentation() -> None:
    assert all(entry["source"].startswith("https://") and entry["read"] for entry in DOCUMENTED)
