"""The official `openai` package in front of every provider, and in front of `setu start --replay bundled`."""

import asyncio
import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.clients.sdks import openai_async_sdk, openai_sdk
from tests.clients.upstreams import (
    ANSWER,
    BOTH,
    BRIDGE,
    CITY,
    COLOURS,
    MODELS,
    PROVIDERS,
    RESULT,
    STATUSES,
    WEATHER,
    trigger,
)

TOOLS: Any = [
    {
        "type": "function",
        "function": {"name": "get_weather", "description": "Get the current weather of a city.", "parameters": CITY},
    }
]
every_provider = pytest.mark.parametrize("provider", PROVIDERS)


class Bridge(BaseModel):
    title: str
    year: int
    tags: list[str]


def says(text: str) -> Any:
    return [{"role": "user", "content": text}]


def test_the_package_is_of_the_major_version_that_these_tests_are_for() -> None:
    assert openai.VERSION.split(".")[0] == "3"


@every_provider
def test_an_answer(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk:
        answer = sdk.chat.completions.create(model=MODELS[provider], messages=says(COLOURS))

    assert answer.object == "chat.completion"
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (ANSWER, "stop")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens + answer.usage.completion_tokens == answer.usage.total_tokens


@every_provider
def test_a_stream(gateway: str, provider: str) -> None:
    options: Any = {"include_usage": True}
    with openai_sdk(gateway) as sdk:
        chunks = list(
            sdk.chat.completions.create(
                model=MODELS[provider], messages=says(COLOURS), stream=True, stream_options=options
            )
        )

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ANSWER
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert len({chunk.id for chunk in chunks}) == 1


@every_provider
def test_an_answer_and_a_stream_of_the_asynchronous_client(gateway: str, provider: str) -> None:
    async def both() -> tuple[str | None, str]:
        async with openai_async_sdk(gateway) as sdk:
            whole = await sdk.chat.completions.create(model=MODELS[provider], messages=says(COLOURS))
            text = ""
            stream = await sdk.chat.completions.create(model=MODELS[provider], messages=says(COLOURS), stream=True)
            async for chunk in stream:
                text += chunk.choices[0].delta.content or ""
            return whole.choices[0].message.content, text

    assert asyncio.run(both()) == (ANSWER, ANSWER)


@every_provider
def test_a_tool_is_called_and_its_result_answered(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk:
        first = sdk.chat.completions.create(model=MODELS[provider], messages=says(WEATHER), tools=TOOLS)
        message = first.choices[0].message
        assert message.tool_calls is not None
        call: Any = message.tool_calls[0]
        result = {"role": "tool", "tool_call_id": call.id, "content": RESULT}
        history: Any = [*says(WEATHER), message.model_dump(exclude_none=True), result]
        second = sdk.chat.completions.create(model=MODELS[provider], messages=history, tools=TOOLS)

    assert first.choices[0].finish_reason == "tool_calls"
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments)["city"] == "Lisbon"
    assert second.choices[0].finish_reason == "stop"
    assert "24" in (second.choices[0].message.content or "")


@every_provider
def test_calls_are_gathered_by_the_streaming_helper(gateway: str, provider: str) -> None:
    with (
        openai_sdk(gateway) as sdk,
        sdk.chat.completions.stream(model=MODELS[provider], messages=says(BOTH), tools=TOOLS) as stream,
    ):
        for _ in stream:
            pass
        answer = stream.get_final_completion()
    calls: Any = answer.choices[0].message.tool_calls

    assert [json.loads(call.function.arguments)["city"] for call in calls] == ["Lisbon", "Tromsø"]
    assert len({call.id for call in calls}) == 2
    assert answer.choices[0].finish_reason == "tool_calls"


@every_provider
def test_a_schema_is_parsed_into_the_clients_own_type(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk:
        answer = sdk.chat.completions.parse(model=MODELS[provider], messages=says(BRIDGE), response_format=Bridge)

    parsed = answer.choices[0].message.parsed
    assert isinstance(parsed, Bridge)
    assert parsed.year == 1566


ERRORS = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
}


@every_provider
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_an_error_is_the_packages_own(gateway: str, provider: str, status: int, stream: bool) -> None:
    status = STATUSES[provider] if status == 500 else status
    seen = 503 if status == 529 else status  # Anthropic's own number for an overload means nothing here
    with openai_sdk(gateway) as sdk, pytest.raises(ERRORS.get(status, openai.InternalServerError)) as caught:
        sdk.chat.completions.create(model=MODELS[provider], messages=says(trigger(status)), stream=stream)

    assert caught.value.status_code == seen
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"]
    assert caught.value.response.headers["content-type"] == "application/json"
    if status == 429:
        assert int(caught.value.response.headers["retry-after"]) > 0


@every_provider
def test_an_unknown_parameter_value_is_refused_with_its_name(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk, pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(model=MODELS[provider], messages=says(COLOURS), top_p=7)

    assert (caught.value.type, caught.value.param) in {
        ("invalid_request_error", "top_p"),
        ("invalid_request_error", None),
    }


def test_models_are_listed(gateway: str) -> None:
    with openai_sdk(gateway) as sdk:
        found = [model.id for model in sdk.models.list()]

    assert MODELS["openai"] in found


@every_provider
def test_the_command_line_replays_what_was_recorded(replay: str, provider: str) -> None:
    """A recording of Anthropic's answers a chat client that asks with the same `max_tokens`."""
    cap: dict[str, Any] = {"max_tokens": 1024} if provider == "anthropic" else {}
    with openai_sdk(replay) as sdk:
        answer = sdk.chat.completions.create(model=MODELS[provider], messages=says(COLOURS), **cap)

    assert answer.choices[0].message.content == ANSWER
