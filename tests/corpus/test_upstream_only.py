"""Cohere and Ollama on real traffic: every answer is read, every stream is stable, every request fits the models."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.normal import normal_response
from setu.chat.parts import Text, ToolCall
from setu.conformance.wire import cohere_request, ollama_request
from setu.dialects.cohere.codec import DIALECT as COHERE
from setu.dialects.ollama.codec import DIALECT as OLLAMA
from setu.dialects.openai_chat.codec import DIALECT as CHAT
from setu.dialects.record import Dialect, Reply
from setu.errors import ErrorKind, ProviderError
from setu.framing.kinds import DECODERS
from setu.framing.sse import SseEncoder
from setu.http import Headers
from setu.translate.bridge import BridgeStream
from tests.corpus.reader import exchanges, needs_corpus

pytestmark = [pytest.mark.corpus, needs_corpus]

APIS = [("cohere.v2", COHERE, 250), ("ollama.chat", OLLAMA, 200)]
each_api = pytest.mark.parametrize(("api", "dialect", "least"), APIS, ids=[api for api, _, _ in APIS])
CUTS = 3
UNREADABLE = frozenset({"media_truncated", "maybe_synthetic", "request_missing"})

LAX = {
    "langchaingo-5c22769313": "think below options, where the server passes over it",
    "langchaingo-897acc482d": "think below options, where the server passes over it",
    "genai-6132ed31b4": "an image that is null, and the answer an error inside a 200",
    "genai-81328bcf89": "an image that is null, and the answer an error inside a 200",
}
"""Exchanges whose request breaks the provider's own documentation."""


def _body(recorded: dict[str, Any]) -> bytes:
    return (recorded["response_body"] or "").encode("utf-8", "surrogatepass")


def _folded(dialect: Dialect, chunks: list[bytes]) -> Folded:
    frames, decoder = DECODERS[dialect.framings[0]](), dialect.upstream["chat"].decoder(counter())
    events = [event for chunk in chunks for frame in frames.feed(chunk) for event in decoder.feed(frame)]
    events += [event for frame in frames.close() for event in decoder.feed(frame)]
    return fold([*events, *decoder.close()])


def _pieces(data: bytes, seed: str) -> Iterator[bytes]:
    dice = random.Random(seed)
    at = 0
    while at < len(data):
        size = dice.choice((1, 7, 64, 1000))
        yield data[at : at + size]
        at += size


@each_api
def test_every_answer_is_read(api: str, dialect: Dialect, least: int) -> None:
    counts: Counter[str] = Counter()
    for recorded in exchanges(api):
        body = _body(recorded)
        if recorded["status"] != 200:
            info = dialect.errors.parse(recorded["status"], Headers.of({}), body)
            assert info.status == recorded["status"]
            assert info.raw == body, recorded["id"]
            counts["errors"] += 1
        elif recorded["is_stream"]:
            found = _folded(dialect, [body])
            assert found.complete or found.error is not None, recorded["id"]
            counts["streams" if found.error is None else "failed streams"] += 1
        else:
            response = dialect.upstream["chat"].parse_response(body, counter())
            (candidate,) = response.candidates
            assert candidate.finish is not None, recorded["id"]
            assert candidate.messages[0].parts, recorded["id"]
            assert response.usage is not None, recorded["id"]
            counts["answers"] += 1

    print(f"{api}: {dict(counts)}")
    assert counts.total() >= least


@each_api
def test_streams_are_stable_however_they_are_cut(api: str, dialect: Dialect, least: int) -> None:
    count = 0
    for recorded in exchanges(api):
        if recorded["status"] != 200 or not recorded["is_stream"]:
            continue
        body = _body(recorded)
        whole = _folded(dialect, [body])
        count += 1
        for turn in range(CUTS):
            cut = _folded(dialect, list(_pieces(body, f"{recorded['id']} {turn}")))
            assert normal_response(cut.response) == normal_response(whole.response), recorded["id"]

    print(f"{api}: {count} streams, each cut {CUTS} times")
    assert count * 4 > least


@each_api
def test_every_answer_reaches_a_chat_client_whole(api: str, dialect: Dialect, least: int) -> None:
    reply = Reply(model="m", id="id-1", created=1_790_000_000, mint=counter(), stream_usage=True)
    client = CHAT.client["chat"]
    count = 0
    for recorded in exchanges(api):
        if recorded["status"] != 200:
            continue
        body = _body(recorded)
        codec = dialect.upstream["chat"]
        if recorded["is_stream"]:
            expected = _folded(dialect, [body])
            if expected.error is not None:
                continue
            stream = BridgeStream(codec.decoder(counter()), client.encoder(reply), {}, CHAT.errors)
            frames = DECODERS[dialect.framings[0]]()
            out = [one for frame in (*frames.feed(body), *frames.close()) for one in stream.feed(frame)]
            sent = b"".join(SseEncoder().encode(frame) for frame in [*out, *stream.close()])
            got = _folded(CHAT, [sent]).response
            wanted = expected.response
        else:
            wanted = codec.parse_response(body, counter())
            got = CHAT.upstream["chat"].parse_response(client.render_response(wanted, reply).body, counter())
        count += 1
        assert _said(got) == _said(wanted), recorded["id"]

    print(f"{api}: {count} answers for a chat client")
    assert count * 2 > least


def _said(response: Any) -> Any:
    (candidate,) = response.candidates
    parts = [part for message in candidate.messages for part in message.parts]
    text = "".join(part.text for part in parts if isinstance(part, Text))
    calls = [(part.name, json.loads(part.arguments or "{}")) for part in parts if isinstance(part, ToolCall)]
    return candidate.finish.reason, text, calls


@pytest.mark.parametrize(
    ("api", "model", "known"),
    [
        ("cohere.v2", cohere_request.Request, cohere_request.TOP_LEVEL),
        ("ollama.chat", ollama_request.Request, ollama_request.TOP_LEVEL),
    ],
)
def test_requests_that_a_provider_accepted_fit_the_strict_models(api: str, model: Any, known: frozenset[str]) -> None:
    refused: dict[str, str] = {}
    count = 0
    for recorded in exchanges(api):
        if recorded["status"] != 200 or UNREADABLE & set(recorded["flags"]):
            continue
        count += 1
        body = recorded["request_body"]
        unknown = body.keys() - known
        try:
            msgspec.convert(body, model, strict=True)
        except msgspec.ValidationError as error:
            refused[recorded["id"]] = str(error)
        else:
            if unknown:
                refused[recorded["id"]] = f"unknown: {sorted(unknown)}"

    print(f"{api}: {len(refused)} of {count} requests do not fit")
    assert refused.keys() == {one["id"] for one in exchanges(api)} & LAX.keys()


def test_a_success_whose_only_line_is_an_error_is_an_error() -> None:
    """The odd exchange genai-2b75b9c106."""
    (recorded,) = [one for one in exchanges("ollama.chat") if one["id"] == "genai-2b75b9c106"]

    found = _folded(OLLAMA, [_body(recorded)])
    assert found.error is not None
    assert found.error.kind is ErrorKind.BAD_GATEWAY
    with pytest.raises(ProviderError):
        OLLAMA.upstream["chat"].parse_response(_body(recorded), counter())
