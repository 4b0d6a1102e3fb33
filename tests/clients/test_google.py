"""The official `google-genai` package in front of every provider, and in front of `setu start --replay bundled`."""

import asyncio
import json
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from tests.clients.sdks import google_own_sdk, google_sdk
from tests.clients.upstreams import (
    ANSWER,
    BOTH,
    BRIDGE,
    CITY,
    COLOURS,
    MODELS,
    PROVIDERS,
    RECORD,
    RESULT,
    STATUSES,
    WEATHER,
    trigger,
)

DECLARATION = types.FunctionDeclaration(
    name="get_weather", description="Get the current weather of a city.", parameters_json_schema=CITY
)
CONFIG = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[DECLARATION])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)
every_provider = pytest.mark.parametrize("provider", PROVIDERS)


def test_the_package_is_of_the_major_version_that_these_tests_are_for() -> None:
    assert genai.__version__.split(".")[0] == "3"


@every_provider
def test_an_answer(gateway: str, provider: str) -> None:
    with google_sdk(gateway) as sdk:
        answer = sdk.models.generate_content(model=MODELS[provider], contents=COLOURS)

    assert answer.text == ANSWER
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata is not None
    assert (answer.usage_metadata.total_token_count or 0) > 0


@every_provider
def test_a_stream(gateway: str, provider: str) -> None:
    with google_sdk(gateway) as sdk:
        chunks = list(sdk.models.generate_content_stream(model=MODELS[provider], contents=COLOURS))

    assert "".join(chunk.text or "" for chunk in chunks) == ANSWER
    last = chunks[-1].candidates
    assert last is not None
    assert last[0].finish_reason == types.FinishReason.STOP


@every_provider
def test_an_answer_and_a_stream_of_the_asynchronous_client(gateway: str, provider: str) -> None:
    async def both() -> tuple[str | None, str]:
        with google_own_sdk(gateway) as sdk:
            async with sdk.aio as aio:
                whole = await aio.models.generate_content(model=MODELS[provider], contents=COLOURS)
                stream = await aio.models.generate_content_stream(model=MODELS[provider], contents=COLOURS)
                return whole.text, "".join([chunk.text or "" async for chunk in stream])

    assert asyncio.run(both()) == (ANSWER, ANSWER)


@every_provider
def test_a_tool_is_called_and_its_result_answered(gateway: str, provider: str) -> None:
    with google_sdk(gateway) as sdk:
        first = sdk.models.generate_content(model=MODELS[provider], contents=WEATHER, config=CONFIG)
        assert first.candidates is not None
        assert first.candidates[0].content is not None
        assert first.function_calls is not None
        call = first.function_calls[0]
        result = types.Part(
            function_response=types.FunctionResponse(id=call.id, name=call.name, response=json.loads(RESULT))
        )
        history: Any = [
            types.UserContent(WEATHER),
            first.candidates[0].content,
            types.Content(role="user", parts=[result]),
        ]
        second = sdk.models.generate_content(model=MODELS[provider], contents=history, config=CONFIG)

    assert (call.name, (call.args or {})["city"]) == ("get_weather", "Lisbon")
    assert "24" in (second.text or "")


@every_provider
def test_calls_come_whole_in_a_stream(gateway: str, provider: str) -> None:
    with google_sdk(gateway) as sdk:
        chunks = sdk.models.generate_content_stream(model=MODELS[provider], contents=BOTH, config=CONFIG)
        calls = [call for chunk in chunks for call in chunk.function_calls or ()]

    assert [(call.args or {})["city"] for call in calls] == ["Lisbon", "Tromsø"]


@every_provider
def test_a_schema_is_answered_with_json(gateway: str, provider: str) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=RECORD)
    with google_sdk(gateway) as sdk:
        answer = sdk.models.generate_content(model=MODELS[provider], contents=BRIDGE, config=config)

    assert json.loads(answer.text or "")["year"] == 1566


@every_provider
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_an_error_is_the_packages_own(gateway: str, provider: str, status: int, stream: bool) -> None:
    status = STATUSES[provider] if status == 500 else status
    seen = 503 if status == 529 else status  # Anthropic's own number for an overload means nothing here
    kind = errors.ClientError if status < 500 else errors.ServerError
    with google_sdk(gateway) as sdk:
        ask: Any = sdk.models.generate_content_stream if stream else sdk.models.generate_content
        with pytest.raises(kind) as caught:
            list(ask(model=MODELS[provider], contents=trigger(status)))

    assert caught.value.code == seen
    assert caught.value.status in STATUS_WORDS[seen]
    assert caught.value.message


STATUS_WORDS = {
    400: {"INVALID_ARGUMENT"},
    401: {"UNAUTHENTICATED"},
    404: {"NOT_FOUND"},
    429: {"RESOURCE_EXHAUSTED"},
    500: {"INTERNAL"},
    503: {"UNAVAILABLE"},
}


@every_provider
def test_the_command_line_replays_what_was_recorded(replay: str, provider: str) -> None:
    """A recording of Anthropic's answers a Gemini client that asks with the same cap."""
    config = types.GenerateContentConfig(max_output_tokens=1024) if provider == "anthropic" else None
    with google_sdk(replay) as sdk:
        answer = sdk.models.generate_content(model=MODELS[provider], contents=COLOURS, config=config)

    assert answer.text == ANSWER
