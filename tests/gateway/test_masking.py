"""Requests go out with masks, answers come back with the values; nothing else changes."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import LocalDialectError, TruncatedError
from setu.framing.sse import SseDecoder
from setu.gateway.masking import Options, Restorer, mask_request, restore, restored
from setu.http import Headers, Response
from tests.live import sse

MAIL, KEY = "ann@example.com", "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----"
OPTIONS = Options()
PLACES: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "<>"}]},
    "chat parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "<>"}]}]},
    "chat tool": {"messages": [{"role": "tool", "tool_call_id": "c", "content": "<>"}]},
    "responses": {"instructions": "<>", "input": "<>"},
    "responses items": {"input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<>"}]}]},
    "responses output": {"input": [{"type": "function_call_output", "call_id": "c", "output": "<>"}]},
    "anthropic": {"system": [{"type": "text", "text": "<>"}], "messages": [{"role": "user", "content": "<>"}]},
    "anthropic call": {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"id": "<>", "url": ["<>"]}}]}]},
    "anthropic result": {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "<>"}]}]},
    "anthropic thinking": {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "<>", "signature": "s"}]}]},
    "anthropic document": {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "<>"}}]}]},
    "gemini": {"systemInstruction": {"parts": [{"text": "<>"}]}, "contents": [{"role": "user", "parts": [{"text": "<>"}]}]},
    "gemini call": {"contents": [{"parts": [{"functionCall": {"name": "f", "args": {"name": "<>"}}}, {"functionResponse": {"name": "f", "response": {"id": "<>"}}}]}]},
    "bedrock": {"messages": [{"content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {"name": "<>"}}}, {"toolResult": {"toolUseId": "t", "content": [{"json": {"name": "<>"}}]}}]}]},
    "complete": {"prompt": ["<>"], "suffix": "<>"},
    "embed": {"input": ["<>", "<>"]},
    "embed gemini": {"requests": [{"content": {"parts": [{"text": "<>"}]}}]},
}  # fmt: skip


def filled(value: Any, text: str) -> bytes:
    return json.dumps(value).replace("<>", text).encode()


@pytest.mark.parametrize("name", PLACES)
def test_every_text_of_a_conversation_is_masked(name: str) -> None:
    body = {"model": "m", **PLACES[name], "user": MAIL, "tools": [{"name": MAIL}]}

    masked = mask_request(filled(body, f"to {MAIL}!"), OPTIONS)

    assert json.loads(masked.body) == json.loads(filled(body, "to [EMAIL_1]!"))
    assert (masked.table, masked.found) == ({"[EMAIL_1]": MAIL}, ("email",))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": f"https://x.example/?u={MAIL}"}},
        {"type": "input_image", "image_url": f"https://x.example/?u={MAIL}"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "sk-abcDEF0123456789abcdef"}},
        {"type": "file", "file": {"file_id": MAIL}},
        {"type": "tool_use", "id": "sk-abcDEF0123456789abcdef", "name": MAIL, "input": {}},
        {"inlineData": {"mimeType": "image/png", "data": "10.0.0.1"}},
        {"text": "t", "thoughtSignature": "sk-abcDEF0123456789abcdef"},
        {"type": "text", "text": "A" * 66_000 + "sk"},
    ],
    ids=lambda part: json.dumps(part)[:40],
)
def test_names_ids_places_and_media_stay(part: dict[str, Any]) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": [part]}]}).encode()

    assert mask_request(body, OPTIONS) == (body, {}, ())


def test_arguments_are_masked_within_their_own_json() -> None:
    arguments = json.dumps({"to": MAIL, "key": KEY, "n": 1})
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    body = json.dumps({"messages": [{"role": "assistant", "tool_calls": [call]}]}).encode()

    masked = mask_request(body, OPTIONS)
    sent = json.loads(masked.body)["messages"][0]["tool_calls"][0]["function"]["arguments"]

    assert json.loads(sent) == {"to": "[EMAIL_1]", "key": "[API_KEY_1]", "n": 1}
    assert json.loads(json.loads(restored(masked.body, masked.table))["messages"][0]["tool_calls"][0]["function"]["arguments"]) == json.loads(arguments)  # fmt: skip


def test_the_bytes_of_what_holds_nothing_stay_as_they_are() -> None:
    body = b'{ "model":"m",  "temperature": 1.50, "messages": [ {"role":"user","content":"hi"} ] }'
    mailed = body.replace(b'"hi"', b'"ann@example.com"')

    assert mask_request(body, OPTIONS).body is body
    assert mask_request(mailed, OPTIONS).body.startswith(b'{ "model":"m",  "temperature": 1.50, "messages": [')


def test_a_conversation_that_grows_keeps_its_masks() -> None:
    turns = [{"role": "user", "content": text} for text in (MAIL, "bob@example.com", f"{MAIL} carl@example.com")]
    sent = [mask_request(json.dumps({"messages": turns[:count]}).encode(), OPTIONS).body for count in (1, 2, 3)]
    texts = [[turn["content"] for turn in json.loads(body)["messages"]] for body in sent]

    assert texts[2] == ["[EMAIL_1]", "[EMAIL_2]", "[EMAIL_1] [EMAIL_3]"]
    assert (texts[0], texts[1]) == (texts[2][:1], texts[2][:2])


def test_a_request_may_be_refused_instead_and_the_message_does_not_repeat_the_value() -> None:
    body = filled(PLACES["chat"], f"{MAIL} 4111111111111111")
    with pytest.raises(LocalDialectError) as refused:
        mask_request(body, Options(mode="refuse"))

    assert refused.value.code == "personal_data"
    assert (
        str(refused.value) == "the request holds personal data that this gateway does not pass on: email, credit card"
    )
    assert mask_request(filled(PLACES["chat"], "hi"), Options(mode="refuse")).found == ()


@pytest.mark.parametrize("body", [b"[]", b'"ann@example.com"', b"1"])
def test_a_body_that_is_no_object_passes(body: bytes) -> None:
    assert mask_request(body, OPTIONS).body is body


@pytest.mark.parametrize("body", [b"", b"{", b'{"messages": "\xff"}', b'{"a":' * 5000, b'{"input":"a@example.com","input":"b@example.com"}'])  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused_not_passed(body: bytes) -> None:
    with pytest.raises(LocalDialectError):
        mask_request(body, OPTIONS)


def test_only_the_providers_that_are_named_are_kept_from_seeing_it() -> None:
    some = Options(providers=("openai", "groq"))

    assert (some.concerns(["groq", "local"]), some.concerns(["local"]), OPTIONS.concerns(["local"])) == (True, False, True)  # fmt: skip


TABLE = {"[EMAIL_1]": MAIL, "[EMAIL_2]": 'b"\\@example.com', "[API_KEY_1]": KEY}


def test_a_json_answer_gets_its_values_back_escaped_as_its_place_needs() -> None:
    arguments = '{"key": "[API_KEY_1]"}'
    body = json.dumps(
        {"text": "[API_KEY_1] [EMAIL_9]", "calls": [{"arguments": arguments}], "args": {"a": "[EMAIL_2]"}}
    )
    answer = restore(Response(200, Headers(), body.encode()), TABLE)
    assert isinstance(answer.body, bytes)
    value = json.loads(answer.body)

    assert value["text"] == f"{KEY} [EMAIL_9]"
    assert json.loads(value["calls"][0]["arguments"]) == {"key": KEY}
    assert value["args"] == {"a": TABLE["[EMAIL_2]"]}


@pytest.mark.parametrize("body", [b'{ "a" : 1.0 }', b"<html>[EMAIL_1]", b"", b'"[EMAIL_1]"'])
def test_an_answer_without_masks_or_json_keeps_its_bytes(body: bytes) -> None:
    assert restored(body, TABLE) is body


class Body:
    def __init__(self, data: bytes, size: int, error: Exception | None = None) -> None:
        self.pieces = [data[at : at + size] for at in range(0, len(data), size)]
        self.error = error
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed += 1


def streamed(data: bytes, size: int = 50) -> bytes:
    async def main() -> bytes:
        body = Body(data, size)
        answer = restore(Response(200, Headers(), body), TABLE, "sse")
        try:
            return b"".join([chunk async for chunk in answer.chunks()])
        finally:
            await answer.aclose()
            assert body.closed == 1

    return asyncio.run(main())


def chat(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def call(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}}]}


def anthropic(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def anthropic_input(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": text}}


def responses(text: str) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "item_id": "i", "content_index": 0, "delta": text}


def responses_call(text: str) -> dict[str, Any]:
    return {"type": "response.function_call_arguments.delta", "item_id": "i", "delta": text}


def gemini(text: str) -> dict[str, Any]:
    return {"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}]}


def complete(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "text": text}]}


MAKERS = {
    "chat": (chat, "content"),
    "call": (call, "arguments"),
    "anthropic": (anthropic, "text"),
    "anthropic input": (anthropic_input, "partial_json"),
    "responses": (responses, "delta"),
    "responses call": (responses_call, "delta"),
    "gemini": (gemini, "text"),
    "complete": (complete, "text"),
}
ESCAPED = {"call", "anthropic input", "responses call"}


def texts(data: bytes, key: str) -> list[str]:
    found: list[str] = []

    def walk(value: Any) -> None:
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            if name == key and isinstance(item, str):
                found.append(item)
            elif isinstance(item, dict | list):
                walk(item)

    for frame in (decoder := SseDecoder()).feed(data) + decoder.close():
        if frame.data is not None and frame.data.startswith(b"{"):
            walk(json.loads(frame.data))
    return found


def shown(text: str, name: str) -> str:
    for mask, value in TABLE.items():
        text = text.replace(mask, json.dumps(value)[1:-1] if name in ESCAPED else value)
    return text


@pytest.mark.parametrize("name", MAKERS)
@given(
    text=st.lists(st.sampled_from([*TABLE, "[EMAIL_", "[", "hi ", "]", "[EMAIL_9]", "[API", "x"]), max_size=6).map("".join),
    cuts=st.lists(st.integers(0, 60), max_size=12),
)  # fmt: skip
def test_a_mask_is_restored_however_the_stream_is_cut(name: str, text: str, cuts: list[int]) -> None:
    make, key = MAKERS[name]
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(places)]
    data = sse(*[make(piece) for piece in pieces], "[DONE]")
    got = streamed(data)

    assert "".join(texts(got, key)) == shown(text, name)
    assert len(texts(got, key)) == len(pieces)
    assert got.endswith(b"data: [DONE]\n\n")


def test_a_sign_of_life_does_not_break_a_mask() -> None:
    data = sse(anthropic("[EMA")) + b": ping\n\n" + sse({"type": "ping"}, anthropic("IL_1]"), {"type": "message_stop"})
    got = streamed(data)

    assert texts(got, "text") == ["", MAIL]
    assert got.index(b": ping") < got.index(b'"ping"') < got.index(MAIL.encode())


@pytest.mark.parametrize(
    "other", ["[DONE]", {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, call("x")]
)
def test_what_looks_like_a_mask_is_let_go_when_something_else_comes(other: Any) -> None:
    assert texts(streamed(sse(chat("a [EMAIL"), other)), "content") == ["a [EMAIL"]


def test_whole_texts_at_the_end_of_a_stream_are_restored_too() -> None:
    done = {"type": "response.output_text.done", "text": "to [EMAIL_1]", "item_id": "i"}
    call_done = {"type": "response.function_call_arguments.done", "arguments": '{"k": "[API_KEY_1]"}'}
    got = streamed(sse(done, call_done, named=True))

    assert texts(got, "text") == [f"to {MAIL}"]
    assert json.loads(texts(got, "arguments")[0]) == {"k": KEY}
    assert got.startswith(b"event: response.output_text.done\n")


def test_frames_without_masks_keep_their_bytes() -> None:
    data = b'data: { "choices" : [ {"delta":{"content":"a [b] c"}} ] }\r\n\r\n: hm\n\nevent: x\ndata: no json\n\n'

    assert streamed(data, 7) == data


def test_two_lines_of_data_are_one_text_still() -> None:
    data = b'event: e\ndata: {"delta": {"text":\ndata: "[EMAIL_1]"}}\n\n'

    assert texts(streamed(data), "text") == [MAIL]


def test_a_gemini_array_stays_an_array() -> None:
    data = json.dumps([gemini("[EM"), gemini("AIL_1]"), gemini("!")]).encode()

    async def main() -> bytes:
        answer = restore(Response(200, Headers(), Body(data, 9)), TABLE, "jsonarray")
        return b"".join([chunk async for chunk in answer.chunks()])

    value = json.loads(asyncio.run(main()))
    assert [one["candidates"][0]["content"]["parts"][0]["text"] for one in value] == ["", MAIL, "!"]


def test_a_stream_that_breaks_off_gives_what_it_held_and_breaks_off() -> None:
    got: list[bytes] = []

    async def main() -> None:
        body = Body(sse(chat("a [EMAIL")), 500, TruncatedError("cut"))
        async for chunk in restore(Response(200, Headers(), body), TABLE, "sse").chunks():
            got.append(chunk)  # noqa: PERF401 - what came before the error is what counts

    with pytest.raises(TruncatedError):
        asyncio.run(main())

    assert texts(b"".join(got), "content") == ["a [EMAIL"]


def test_without_masks_the_answer_is_not_touched() -> None:
    answer = Response(200, Headers(), b"{}")

    assert restore(answer, {}) is answer


@given(st.binary(max_size=300))
def test_any_stream_passes_through_with_its_bytes(data: bytes) -> None:
    restorer = Restorer(TABLE, "sse")
    decoder = SseDecoder()
    out = [piece for frame in decoder.feed(data) + decoder.close() for piece in restorer.feed(frame)]

    assert b"".join([*out, *restorer.close()]) == data
