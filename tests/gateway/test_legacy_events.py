"""Clients of the Responses proxy get its own events beside OpenAI's, and its codes for what it refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import LocalDialectError
from setu.gateway.legacy_events import LegacyBody
from setu.gateway.legacy_refusals import refuse

CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": ""}
RESPONSE = {"id": "resp_1", "object": "response", "status": "completed", "output": []}
CREATED = {"type": "response.created", "response": {**RESPONSE, "status": "in_progress"}}
TEXT: Sequence[Mapping[str, Any]] = (
    CREATED,
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "msg_1"}},
    {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "delta": "Hé😀"},
    {"type": "response.completed", "response": RESPONSE},
)
TOOLS: Sequence[Mapping[str, Any]] = (
    CREATED,
    {"type": "response.output_item.added", "output_index": 0, "item": CALL},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 0, "delta": '{"city":'},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 0, "delta": '"Oslo"}'},
    {"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 0, "arguments": "{…}"},
    {"type": "response.output_item.done", "output_index": 0, "item": {**CALL, "arguments": "{…}"}},
    {"type": "response.completed", "response": RESPONSE},
)
OF_THAT_PROXY = ("response.output_tool_call.", "response.done")


class Chunks:
    """A stream in the given pieces."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece

    async def aclose(self) -> None:
        self.closed += 1


def wire(events: Sequence[Mapping[str, Any]]) -> bytes:
    lines = (
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"
        for number, event in enumerate(events)
    )
    return "".join(lines).encode()


def added_to(*pieces: bytes) -> bytes:
    async def read() -> bytes:
        return b"".join([chunk async for chunk in LegacyBody(Chunks(pieces))])

    return asyncio.run(read())


def read(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in data.decode().split("\n") if line.startswith("data: {")]


def test_a_text_is_untouched_but_for_the_last_event() -> None:
    data = added_to(wire(TEXT))

    assert data.startswith(wire(TEXT))
    assert read(data)[-1] == {
        "type": "response.done",
        "event_id": "evt_resp_1_0000000000000004",
        "response_id": "resp_1",
        "sequence_number": 4,
        "response": RESPONSE,
    }


def test_a_call_begins_goes_on_and_ends_before_openais_own_events() -> None:
    events = read(added_to(wire(TOOLS)))
    place = {"item_id": "fc_1", "output_index": 0, "call_id": "call_1"}
    own = [event for event in events if event["type"].startswith("response.output_tool_call.")]

    assert [event["type"].rpartition(".")[2] for event in events] == [
        "created", "begin", "added", "delta", "delta", "delta", "delta", "end", "done", "done", "completed", "done",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in events] == list(range(12))
    common = ("type", "event_id", "response_id", "sequence_number")
    assert [{name: value for name, value in event.items() if name not in common} for event in own] == [
        {**place, "name": "weather"},
        {**place, "delta": '{"city":'},
        {**place, "delta": '"Oslo"}'},
        {**place, "name": "weather", "arguments": "{…}"},
    ]


@pytest.mark.parametrize("kind", ["response.incomplete", "response.failed"])
def test_any_end_of_a_response_is_done(kind: str) -> None:
    events = read(added_to(wire([CREATED, {"type": kind, "response": RESPONSE}])))

    assert [event["type"] for event in events] == ["response.created", kind, "response.done"]


@pytest.mark.parametrize(
    "data",
    [
        b": ping\n\n",
        b"data: [DONE]\n\n",
        b"data: {not json\n\n",
        b'data: {"type": 5}\n\n',
        b'data: {"type": "response.completed"}\n\n',
        b'data: {"type": "response.function_call_arguments.delta"}\n\n',
        b'event: response.completed\ndata: {"type": "response.completed", "response": {}',
        b"",
    ],
)
def test_what_is_no_event_of_a_response_passes_as_it_is(data: bytes) -> None:
    assert added_to(data) == data


def test_closing_closes_the_stream_itself() -> None:
    inner = Chunks([])
    asyncio.run(LegacyBody(inner).aclose())

    assert inner.closed == 1


@given(st.sampled_from([TEXT, TOOLS]), st.lists(st.integers(0, 3000), max_size=8))
def test_any_cutting_of_the_bytes_adds_the_same_and_takes_nothing_away(
    events: Sequence[Mapping[str, Any]], cuts: list[int]
) -> None:
    data = wire(events)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]

    cut = added_to(*(data[start:end] for start, end in pairwise(edges)))
    kept = [event for event in read(cut) if not event["type"].startswith(OF_THAT_PROXY)]

    assert cut == added_to(data)
    assert [{**event, "sequence_number": 0} for event in kept] == [{**event, "sequence_number": 0} for event in events]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"background": true}', "background_not_supported"),
        (b'{"prompt": {"id": "pmpt_1"}}', "prompt_reference_not_supported"),
    ],
)
def test_what_that_proxy_refused_keeps_its_code(body: bytes, code: str) -> None:
    with pytest.raises(LocalDialectError) as refused:
        refuse(body)

    assert refused.value.info().code == code
    assert refused.value.info().status == 400


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"background": false, "prompt": null}', b'{"input": "a \\"prompt\\"", "metadata": {"prompt": "p"}}'],
)
def test_what_it_took_is_taken(body: bytes) -> None:
    assert refuse(body) is None  # type: ignore[func-returns-value] # it returns when nothing is wrong
