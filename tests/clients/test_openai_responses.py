"""The official `openai` package's Responses in front of every provider, and in front of `setu start --replay bundled`."""

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
        "name": "get_weather",
        "description": "Get the current weather of a city.",
        "parameters": CITY,
        "strict": True,
    }
]
PROPERTIES: Any = CITY["properties"]

every_provider = pytest.mark.parametrize("provider", PROVIDERS)


class Bridge(BaseModel):
    title: str
    year: int
    tags: list[str]


@every_provider
def test_an_answer(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk:
        answer = sdk.responses.create(model=MODELS[provider], input=COLOURS)

    assert (answer.output_text, answer.status) == (ANSWER, "completed")
    assert answer.usage is not None
    assert answer.usage.input_tokens + answer.usage.output_tokens == answer.usage.total_tokens


@every_provider
def test_a_stream_is_counted_from_zero_and_gathered_by_the_helper(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk, sdk.responses.stream(model=MODELS[provider], input=COLOURS) as stream:
        events: list[Any] = list(stream)
        answer = stream.get_final_response()

    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == ANSWER
    assert answer.output_text == ANSWER


@every_provider
def test_an_answer_and_a_stream_of_the_asynchronous_client(gateway: str, provider: str) -> None:
    async def both() -> tuple[str, str]:
        async with openai_async_sdk(gateway) as sdk:
            whole = await sdk.responses.create(model=MODELS[provider], input=COLOURS)
            stream = await sdk.responses.create(model=MODELS[provider], input=COLOURS, stream=True)
            deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
            return whole.output_text, "".join(deltas)

    assert asyncio.run(both()) == (ANSWER, ANSWER)


@every_provider
def test_a_tool_is_called_and_its_result_answered(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk:
        first = sdk.responses.create(model=MODELS[provider], input=WEATHER, tools=TOOLS)
        call: Any = next(item for item in first.output if item.type == "function_call")
        result = {"type": "function_call_output", "call_id": call.call_id, "output": RESULT}
        history: Any = [{"role": "user", "content": WEATHER}, *(item.model_dump() for item in first.output), result]
        second = sdk.responses.create(model=MODELS[provider], input=history, tools=TOOLS)

    assert (call.name, json.loads(call.arguments)["city"]) == ("get_weather", "Lisbon")
    assert "24" in second.output_text


@every_provider
def test_calls_are_gathered_by_the_streaming_helper(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk, sdk.responses.stream(model=MODELS[provider], input=BOTH, tools=TOOLS) as stream:
        answer = stream.get_final_response()
    calls = [item for item in answer.output if item.type == "function_call"]

    assert [json.loads(call.arguments)["city"] for call in calls] == ["Lisbon", "Tromsø"]
    assert len({call.call_id for call in calls}) == 2


@every_provider
def test_a_schema_is_parsed_into_the_clients_own_type(gateway: str, provider: str) -> None:
    with openai_sdk(gateway) as sdk:
        answer = sdk.responses.parse(model=MODELS[provider], input=BRIDGE, text_format=Bridge)

    assert isinstance(answer.output_parsed, Bridge)
    assert answer.output_parsed.year == 1566


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
        sdk.responses.create(model=MODELS[provider], input=trigger(status), stream=stream)

    assert caught.value.status_code == seen
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"]


THOUGHT: Any = {
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "store": False,
}
"""How the recording with encrypted thinking was asked for."""

OWN = MODELS["openai"]
THINKER = "openai/gpt-5-mini"
HANDSHAKES = "Five people each shake hands once with everyone else. How many handshakes is that?"
RIVER = "Tell me the story of a river from spring to sea."


def test_the_command_line_replays_an_answer_and_a_stream(replay: str) -> None:
    with openai_sdk(replay) as sdk:
        answer = sdk.responses.create(model=OWN, input=COLOURS)
        with sdk.responses.stream(model=OWN, input=COLOURS) as stream:
            events: list[Any] = list(stream)

    assert (answer.output_text, answer.status) == (ANSWER, "completed")
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.output_text == ANSWER


def test_the_command_line_replays_to_the_asynchronous_client(replay: str) -> None:
    async def both() -> tuple[str, str]:
        async with openai_async_sdk(replay) as sdk:
            whole = await sdk.responses.create(model=OWN, input=COLOURS)
            stream = await sdk.responses.create(model=OWN, input=COLOURS, stream=True)
            deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
            return whole.output_text, "".join(deltas)

    assert asyncio.run(both()) == (ANSWER, ANSWER)


def test_the_command_line_replays_a_call_and_its_result(replay: str) -> None:
    described = {
        **CITY,
        "properties": {**PROPERTIES, "city": {**PROPERTIES["city"], "description": "Name of the city"}},
    }
    tools: Any = [{**TOOLS[0], "parameters": described}]
    with openai_sdk(replay) as sdk:
        first = sdk.responses.create(model=OWN, input=WEATHER, tools=tools)
        (call,) = first.output
        assert call.type == "function_call"
        result = {"type": "function_call_output", "call_id": call.call_id, "output": RESULT}
        history: Any = [{"role": "user", "content": WEATHER}, call.model_dump(exclude_unset=True), result]
        second = sdk.responses.create(model=OWN, input=history, tools=tools)
        with sdk.responses.stream(model=OWN, input=BOTH, tools=tools) as stream:
            calls: Any = stream.get_final_response().output

    assert "24" in second.output_text
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Lisbon", "Tromsø"]


def test_the_command_line_replays_thinking_that_goes_back_with_its_seal(replay: str) -> None:
    with openai_sdk(replay) as sdk:
        first = sdk.responses.create(model=THINKER, input=HANDSHAKES, **THOUGHT)
        said = [item.model_dump(exclude_unset=True) for item in first.output]
        asked = ({"role": "user", "content": text} for text in (HANDSHAKES, "And if one of them leaves?"))
        history: Any = [next(asked), *said, next(asked)]
        second = sdk.responses.create(model=THINKER, input=history, **THOUGHT)
        with sdk.responses.stream(model=THINKER, input=HANDSHAKES, **THOUGHT) as stream:
            streamed: Any = stream.get_final_response()

    assert (first.output_text, second.output_text) == ("Ten handshakes.", "Six handshakes.")
    assert [item["type"] for item in said] == ["reasoning", "message"]
    assert streamed.output[0].encrypted_content == said[0]["encrypted_content"]


def test_the_command_line_replays_a_custom_tool_whole_and_streamed(replay: str) -> None:
    asked: Any = {
        "input": "Which city was the warmest? Query the table readings(city, temperature).",
        "tools": [{"type": "custom", "name": "run_query", "description": "Run a read-only SQL query."}],
        "store": False,
    }
    with openai_sdk(replay) as sdk:
        whole = sdk.responses.create(model=THINKER, **asked).output[-1]
        with sdk.responses.stream(model=THINKER, **asked) as stream:
            streamed = stream.get_final_response().output[-1]

    assert whole.type == streamed.type == "custom_tool_call"
    assert whole.input == streamed.input
    assert whole.input.startswith("SELECT city")


def test_the_command_line_replays_an_answer_that_was_cut_off(replay: str) -> None:
    with openai_sdk(replay) as sdk:
        whole = sdk.responses.create(model=OWN, input=RIVER, max_output_tokens=16)
        stream: Any = sdk.responses.create(model=OWN, input=RIVER, max_output_tokens=16, stream=True)
        last = list(stream)[-1]

    assert whole.incomplete_details is not None
    assert (whole.status, whole.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (last.type, last.response.output_text) == ("response.incomplete", whole.output_text)


def test_the_command_line_replays_a_stream_that_fails(replay: str) -> None:
    with (
        openai_sdk(replay) as sdk,
        pytest.raises(openai.APIError, match="An error occurred while processing") as caught,
    ):
        list(sdk.responses.create(model=OWN, input=RIVER, stream=True))

    assert caught.value.code == "server_error"


@pytest.mark.parametrize(
    ("status", "members"),
    [
        (400, {"input": COLOURS, "temperature": 3}),
        (400, {"input": COLOURS, "model": "openai/gpt-4o-minimal"}),
        (401, {"input": trigger(401)}),
        (404, {"input": COLOURS, "model": "openai/gpt-4o-tiny"}),
        (429, {"input": trigger(429)}),
        (500, {"input": trigger(500)}),
    ],
)
def test_the_command_line_replays_an_error(replay: str, status: int, members: Any) -> None:
    with openai_sdk(replay) as sdk, pytest.raises(ERRORS.get(status, openai.InternalServerError)) as caught:
        sdk.responses.create(**{"model": OWN, **members})

    assert caught.value.status_code == status
    assert isinstance(caught.value.body, dict)


def test_openais_own_answer_and_stream_say_the_same(gateway: str) -> None:
    with openai_sdk(gateway) as sdk:
        answer = sdk.responses.create(model=MODELS["openai"], input="nonce:abc")
        with sdk.responses.stream(model=MODELS["openai"], input="nonce:abc") as stream:
            events: list[Any] = list(stream)

    assert "nonce:abc" in answer.output_text
    assert events[-1].type == "response.completed"
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta").strip()


def test_openais_own_model_calls_a_tool(gateway: str) -> None:
    with openai_sdk(gateway) as sdk:
        answer = sdk.responses.create(model=MODELS["openai"], input="call:get_weather", tools=TOOLS)
    call: Any = next(item for item in answer.output if item.type == "function_call")

    assert call.name == "get_weather"
    assert json.loads(call.arguments).keys() == {"city", "unit"}


@pytest.mark.parametrize(
    ("model", "top_p", "code"),
    [("openai/no-such-model", 1, "model_not_found"), (MODELS["openai"], 7, "decimal_above_max_value")],
)
def test_openais_own_refusal_is_the_packages_own(gateway: str, model: str, top_p: float, code: str) -> None:
    with openai_sdk(gateway) as sdk, pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model=model, input="Hi.", top_p=top_p)

    assert (caught.value.type, caught.value.code) == ("invalid_request_error", code)
