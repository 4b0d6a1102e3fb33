"""The official `anthropic` package in front of every provider, and in front of `setu start --replay bundled`."""

import asyncio
from typing import Any

import anthropic
import pytest

from tests.clients.sdks import anthropic_async_sdk, anthropic_sdk
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

TOOLS: Any = [{"name": "get_weather", "description": "Get the current weather of a city.", "input_schema": CITY}]
every_provider = pytest.mark.parametrize("provider", PROVIDERS)


def says(text: str) -> Any:
    return [{"role": "user", "content": text}]


def test_the_package_is_of_the_major_version_that_these_tests_are_for() -> None:
    assert anthropic.__version__.split(".")[0] == "2"


@every_provider
def test_an_answer(gateway: str, provider: str) -> None:
    with anthropic_sdk(gateway) as sdk:
        answer = sdk.messages.create(model=MODELS[provider], max_tokens=1024, messages=says(COLOURS))

    assert [(block.type, getattr(block, "text", None)) for block in answer.content] == [("text", ANSWER)]
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0


@every_provider
def test_a_stream_is_gathered_by_the_helper(gateway: str, provider: str) -> None:
    with (
        anthropic_sdk(gateway) as sdk,
        sdk.messages.stream(model=MODELS[provider], max_tokens=1024, messages=says(COLOURS)) as stream,
    ):
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()

    assert text == ANSWER
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0


@every_provider
def test_an_answer_and_a_stream_of_the_asynchronous_client(gateway: str, provider: str) -> None:
    async def both() -> tuple[Any, str]:
        async with anthropic_async_sdk(gateway) as sdk:
            asked: Any = {"model": MODELS[provider], "max_tokens": 1024, "messages": says(COLOURS)}
            whole = await sdk.messages.create(**asked)
            async with sdk.messages.stream(**asked) as stream:
                text = "".join([piece async for piece in stream.text_stream])
            return getattr(whole.content[0], "text", None), text

    assert asyncio.run(both()) == (ANSWER, ANSWER)


@every_provider
def test_the_raw_events_of_a_stream_come_in_their_order(gateway: str, provider: str) -> None:
    with anthropic_sdk(gateway) as sdk:
        events = sdk.messages.create(model=MODELS[provider], max_tokens=1024, messages=says(COLOURS), stream=True)
        kinds = [event.type for event in events]

    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]


@every_provider
def test_a_tool_is_called_and_its_result_answered(gateway: str, provider: str) -> None:
    asked: Any = {"model": MODELS[provider], "max_tokens": 1024, "tools": TOOLS}
    with anthropic_sdk(gateway) as sdk:
        first = sdk.messages.create(**asked, messages=says(WEATHER))
        call: Any = next(block for block in first.content if block.type == "tool_use")
        result = {"type": "tool_result", "tool_use_id": call.id, "content": RESULT}
        history: Any = [
            *says(WEATHER),
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [result]},
        ]
        second = sdk.messages.create(**asked, messages=history)

    assert first.stop_reason == "tool_use"
    assert (call.name, call.input["city"]) == ("get_weather", "Lisbon")
    assert second.stop_reason == "end_turn"
    assert "24" in getattr(second.content[-1], "text", "")


@every_provider
def test_calls_are_gathered_by_the_streaming_helper(gateway: str, provider: str) -> None:
    with (
        anthropic_sdk(gateway) as sdk,
        sdk.messages.stream(model=MODELS[provider], max_tokens=1024, messages=says(BOTH), tools=TOOLS) as stream,
    ):
        answer = stream.get_final_message()
    calls: Any = [block for block in answer.content if block.type == "tool_use"]

    assert [call.input["city"] for call in calls] == ["Lisbon", "Tromsø"]
    assert len({call.id for call in calls}) == 2
    assert answer.stop_reason == "tool_use"


@every_provider
def test_a_schema_is_answered_with_json(gateway: str, provider: str) -> None:
    form: Any = {"format": {"type": "json_schema", "schema": RECORD}}
    with anthropic_sdk(gateway) as sdk:
        answer = sdk.messages.create(model=MODELS[provider], max_tokens=1024, messages=says(BRIDGE), output_config=form)

    assert '"year"' in getattr(answer.content[0], "text", "")


ERRORS = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    404: anthropic.NotFoundError,
    429: anthropic.RateLimitError,
}
WORDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    529: "overloaded_error",
}


@every_provider
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_an_error_is_the_packages_own(gateway: str, provider: str, status: int, stream: bool) -> None:
    status = STATUSES[provider] if status == 500 else status
    with anthropic_sdk(gateway) as sdk, pytest.raises(ERRORS.get(status, anthropic.InternalServerError)) as caught:
        sdk.messages.create(model=MODELS[provider], max_tokens=9, messages=says(trigger(status)), stream=stream)

    assert caught.value.status_code == status
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == WORDS[status]
    assert caught.value.body["error"]["message"]
    if status == 429:
        assert int(caught.value.response.headers["retry-after"]) > 0


@every_provider
def test_the_command_line_replays_what_was_recorded(replay: str, provider: str) -> None:
    """A recording of OpenAI's or Gemini's has no `max_tokens`, and Anthropic's client cannot ask without."""
    with anthropic_sdk(replay) as sdk:
        if provider == "anthropic":
            answer = sdk.messages.create(model=MODELS[provider], max_tokens=1024, messages=says(COLOURS))

            assert getattr(answer.content[0], "text", None) == ANSWER
        else:
            with pytest.raises(anthropic.APIStatusError, match="no recording answers") as caught:
                sdk.messages.create(model=MODELS[provider], max_tokens=1024, messages=says(COLOURS))

            assert caught.value.status_code == 424
