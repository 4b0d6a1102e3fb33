import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from setu import build
from setu.cassette.drift import Drift
from setu.cassette.model import Interaction, Recording, Side
from setu.cassette.shape import PLACEHOLDER
from setu.cassette.shelf import cassette_files, read_cassette
from setu.config.model import Config, ProviderConfig
from setu.http import Ending, Headers, Request
from setu.providers.deployment import Deployment
from setu.studio import Setup, Studio
from setu.transport.simulate.simulator import Simulator
from setu.twins import Outcome, Pair, pairs_of, regress
from tests.cassette.samples import JSON, interaction, request

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}}
CALLING: dict[str, dict[str, Any]] = {
    CHAT: {
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}],
        "tool_choice": "required",
    },
    MESSAGES: {"tools": [{"name": "weather", "input_schema": TOOL}], "tool_choice": {"type": "any"}},
    RESPONSES: {
        "tools": [{"type": "function", "name": "weather", "parameters": TOOL, "strict": False}],
        "tool_choice": "required",
    },
}
MODELS = (
    "openai/gpt-4o",
    "anthropic/claude-sonnet-4-5",
    "gemini/gemini-2.5-flash",
    "cohere/command-a-03-2025",
    "ollama/llama3",
)


def asked(path: str, body: dict[str, Any]) -> Request:
    return Request(method="POST", path=path, headers=Headers.of(JSON), body=json.dumps(body).encode())


def said(path: str, model: str, text: str = "weather in Paris?", **more: Any) -> Request:
    talk: dict[str, Any] = {"input": text} if path == RESPONSES else {"messages": [{"role": "user", "content": text}]}
    limit = {"max_tokens": 500} if path == MESSAGES else {}
    return asked(path, {"model": model, **talk, **limit, **more})


def everything() -> list[Request]:
    gemini = {"contents": [{"role": "user", "parts": [{"text": "weather?"}]}]}
    found = [
        said(path, model, stream=stream, **more)
        for path in (CHAT, MESSAGES, RESPONSES)
        for model in MODELS
        for stream in (False, True)
        for more in ({}, CALLING[path])
    ]
    verbs = ("generateContent", "streamGenerateContent")
    found += [asked(f"/v1beta/models/{model.rpartition('/')[2]}:{verb}", gemini) for model in MODELS for verb in verbs]
    found += [said(CHAT, "anthropic/no-such-model"), said(CHAT, "gemini/no-such-model", stream=True)]
    return [*found, asked("/v1/embeddings", {"model": "gemini/gemini-embedding-001", "input": "hi"})]


def deployed() -> dict[str, Deployment]:
    return build.deployments(Config(), {}, offline_key="offline")


def record(directory: Path, requests: Iterable[Request | Callable[[bytes], Request]]) -> None:
    """Let a recording gateway over the simulator answer, as `setu start --record` does.

    A request may be a function of the answer before it.
    """

    async def run() -> None:
        live = Simulator(build.SystemClock())
        studio = Studio(Setup(directory=directory, mode="all"), live=live, tell=pytest.fail, environ={})
        gateway = studio.both_sides(lambda inner: build.gateway(deployed(), inner, on_call=lambda _: None))
        answer = b""
        for each in requests:
            answer = await (await gateway.send(each if isinstance(each, Request) else each(answer))).read()
        await gateway.aclose()

    asyncio.run(run())


def outcomes(interactions: Iterable[Interaction], at: dict[str, Deployment] | None = None) -> list[Outcome]:
    async def run() -> list[Outcome]:
        return [each async for each in regress(pairs_of(interactions)[0], deployed() if at is None else at)]

    return asyncio.run(run())


def kept(directory: Path) -> list[Interaction]:
    return [each for file in cassette_files([directory]) for each in read_cassette(file)]


def drifts(found: Iterable[Outcome]) -> list[Drift]:
    return [drift for each in found for drift in each.drifts]


def test_every_recorded_translation_is_made_again_to_the_byte(tmp_path: Path) -> None:
    record(tmp_path, everything())

    found = outcomes(kept(tmp_path))

    assert drifts(found) == []
    assert [each.skipped for each in found if each.skipped] == []
    spoken = {(pair.client.recording.dialect, pair.natives[0].recording.dialect) for pair, _, _ in found}
    assert len(spoken) == 15
    assert len(found) > 50


def test_a_later_turn_finds_what_the_gateway_kept_of_an_earlier_one(tmp_path: Path) -> None:
    model, question = "gemini/gemini-2.5-flash", {"role": "user", "content": "weather in Paris?"}
    common = {"model": model, "max_tokens": 500, **CALLING[MESSAGES]}

    def second(answer: bytes) -> Request:
        content = json.loads(answer)["content"]
        results = [{"type": "tool_result", "tool_use_id": content[0]["id"], "content": "mild"}]
        turns = [question, {"role": "assistant", "content": content}, {"role": "user", "content": results}]
        return asked(MESSAGES, {**common, "messages": turns})

    record(tmp_path, [asked(MESSAGES, {**common, "messages": [question]}), second])
    natives, clients = ([each for each in kept(tmp_path) if each.recording.side == side] for side in get_args(Side))

    found = outcomes([*natives, *reversed(clients)])
    assert [each.drifts for each in found] == [[], []]
    assert any(b"thoughtSignature" in body_of(each) for each in natives)


def body_of(each: Interaction) -> bytes:
    assert isinstance(each.exchange.request.body, bytes)
    return each.exchange.request.body


def _client(directory: Path) -> Interaction:
    return next(each for each in kept(directory) if each.recording.side == "client")


def test_a_client_that_named_the_provider_by_its_path_is_asked_for_alike(tmp_path: Path) -> None:
    record(tmp_path, [said("/anthropic" + CHAT, "claude-sonnet-4-5")])

    [found] = outcomes(kept(tmp_path))

    assert (found.drifts, found.skipped) == ([], "")


def changed(each: Interaction, old: bytes, new: bytes, *, asked: bool = False) -> Interaction:
    exchange = each.exchange
    before = exchange.request.body if asked else exchange.body
    assert isinstance(before, bytes)
    assert old in before
    body = before.replace(old, new, 1)
    if asked:
        request = msgspec.structs.replace(exchange.request, body=body)
        return msgspec.structs.replace(each, exchange=msgspec.structs.replace(exchange, request=request))
    return msgspec.structs.replace(each, exchange=msgspec.structs.replace(exchange, body=body))


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> tuple[Interaction, Interaction]:
    """Return both sides of a streamed call: the client's, Anthropic's."""
    directory = tmp_path_factory.mktemp("twins")
    record(directory, [said(CHAT, "anthropic/claude-sonnet-4-5", stream=True, max_tokens=500)])
    client = _client(directory)
    return client, next(each for each in kept(directory) if each.recording.side == "upstream")


def test_what_the_gateway_sends_otherwise_is_told_at_the_providers_side(
    call: tuple[Interaction, Interaction],
) -> None:
    client, native = call

    found = drifts(outcomes([client, changed(native, b'"max_tokens":500', b'"max_tokens":501', asked=True)]))

    [drift] = found
    assert (drift.place, drift.pointer, drift.got, drift.want) == (native.place, "request:/max_tokens", "500", "501")


def test_what_the_client_gets_otherwise_is_told_at_the_clients_side(call: tuple[Interaction, Interaction]) -> None:
    client, native = call

    found = drifts(outcomes([changed(client, b'"finish_reason":"stop"', b'"finish_reason":"length"'), native]))

    assert {drift.place for drift in found} == {client.place}
    assert found[0].pointer.startswith("folded:/response/")
    event = next(drift for drift in found if drift.pointer.startswith("events/"))
    assert event.pointer.endswith(":/choices/0/finish_reason")
    assert (event.got, event.want) == ('"stop"', '"length"')


def test_a_comma_on_the_wire_is_told_though_it_means_nothing(call: tuple[Interaction, Interaction]) -> None:
    client, native = call

    [drift] = drifts(outcomes([changed(client, b'"object":', b'"object": '), native]))

    assert drift.pointer.startswith("bytes/")


def ended(each: Interaction, end: Ending) -> Interaction:
    return msgspec.structs.replace(each, exchange=msgspec.structs.replace(each.exchange, end=end))


def test_what_cannot_be_made_again_says_why(call: tuple[Interaction, Interaction]) -> None:
    client, native = call
    edited = msgspec.structs.replace(native.recording, provenance="reconstructed")

    reasons = [
        outcomes([ended(client, Ending.CLOSED_BY_CLIENT), native])[0].skipped,
        outcomes([client, msgspec.structs.replace(native, recording=edited)])[0].skipped,
        outcomes([client, native], {})[0].skipped,
        outcomes([changed(client, b'"weather in Paris?"', f'"{PLACEHOLDER}:9"'.encode(), asked=True), native])[
            0
        ].skipped,
    ]

    assert reasons == [
        "the client left before the end",
        "it is reconstructed, not recorded",
        "no provider is configured at https://api.anthropic.com (--config FILE says more)",
        "its media were not kept",
    ]


def sent_to(native: Interaction, *, dialect: str = "anthropic", **place: str) -> Interaction:
    request = msgspec.structs.replace(native.exchange.request, **place)
    recording = msgspec.structs.replace(native.recording, dialect=dialect)
    exchange = msgspec.structs.replace(native.exchange, request=request)
    return msgspec.structs.replace(native, exchange=exchange, recording=recording)


def test_media_that_would_have_to_be_fetched_are_a_reason(call: tuple[Interaction, Interaction]) -> None:
    client, native = call
    part = b'[{"type":"image_url","image_url":{"url":"http://a.example/b.png"}}]'
    place = {"origin": "https://generativelanguage.googleapis.com", "path": "/v1beta/models/m:generateContent"}

    [found] = outcomes(
        [changed(client, b'"weather in Paris?"', part, asked=True), sent_to(native, dialect="gemini", **place)]
    )

    assert found.skipped == "it needs http://a.example/b.png from the network"


def test_a_provider_is_found_by_its_address_in_any_configuration(call: tuple[Interaction, Interaction]) -> None:
    client, native = call
    elsewhere = sent_to(native, origin="http://10.0.0.1:8000", path="/base/v1/messages")
    section = ProviderConfig(type="anthropic", base_url="http://10.0.0.1:8000/base")
    other = ProviderConfig(type="openai_compatible", base_url="http://10.0.0.1:8000")
    at = build.deployments(Config(providers={"other": other, "anthropic": section}), {}, offline_key="offline")

    [found] = outcomes([client, elsewhere], at)

    assert (found.drifts, found.skipped) == ([], "")


def side(name: str, twin: str | None, body: str) -> Interaction:
    recording = Recording(side="client" if name == "client" else "upstream", twin=twin)
    return interaction(body.encode(), asked=request(), recording=recording)


def test_twins_are_found_by_their_name_the_first_of_each_side_together() -> None:
    natives = [
        side("native", "a", "1"),
        side("native", "a", "2"),
        side("native", "same", "3"),
        side("native", None, "4"),
    ]
    clients = [side("client", "a", "one"), side("client", "a", "two"), side("client", "b", "alone")]

    pairs, alone = pairs_of([*natives, *clients])

    assert pairs == [Pair(clients[0], (natives[0],)), Pair(clients[1], (natives[1],))]
    assert alone == [(clients[2], "0 recordings of the provider's side for 1 of the client's")]


def test_a_call_that_was_sent_on_twice_has_two_native_sides() -> None:
    natives = [side("native", "a", "1"), side("native", "a", "2")]
    client = side("client", "a", "one")

    assert pairs_of([client, *natives])[0] == [Pair(client, tuple(natives))]
    assert pairs_of([client, client, *natives, natives[0]])[1][0][1] == (
        "3 recordings of the provider's side for 2 of the client's"
    )


def test_requests_that_are_not_sent_any_more_are_told(call: tuple[Interaction, Interaction]) -> None:
    client, native = call

    found = drifts(outcomes([client, native, native]))

    assert [(drift.pointer, drift.got) for drift in found] == [("request", "(absent)")]
