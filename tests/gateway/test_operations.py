"""Embeddings, legacy completions and token counts, end to end: what each side sends and gets."""

import base64
import json
import struct
from typing import Any

import pytest

from tests.gateway.wire import AN_STREAM, MESSAGE
from tests.live import Live, Upstream, reply

EMBEDDINGS, COMPLETIONS, COUNT = "/v1/embeddings", "/v1/completions", "/v1/messages/count_tokens"
ROW = [0.5, -0.25, 0.125]
PACKED = base64.b64encode(struct.pack("<3f", *ROW)).decode()


def rows(*vectors: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return {"object": "list", "data": data, "model": "up", "usage": {"prompt_tokens": 2, "total_tokens": 2}}


def answers(upstream: Upstream, body: Any) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    upstream.answer = reply(data)
    return data


def sent(upstream: Upstream) -> Any:
    return json.loads(upstream.sent[-1].body)


def test_an_answer_in_the_encoding_asked_for_passes_byte_for_byte(live: Live, upstream: Upstream) -> None:
    data = answers(upstream, rows(PACKED))

    answer = live.ask({"model": "oa/m", "input": "hi", "encoding_format": "base64"}, EMBEDDINGS)

    assert answer.body == data
    assert upstream.sent[-1].line == "POST /v1/embeddings HTTP/1.1"
    assert live.calls[-1].input_tokens == 2


@pytest.mark.parametrize("asked", [{"encoding_format": "base64"}, {"encoding_format": "float"}, {}])
def test_an_upstream_that_knows_one_encoding_is_made_to_honour_the_other(
    live: Live, upstream: Upstream, asked: dict[str, str]
) -> None:
    """B-EMB-01, B-EMB-02: floats for a client that decodes base64 would be a quarter of the numbers."""
    wants = asked.get("encoding_format") == "base64"
    answers(upstream, rows(ROW if wants else PACKED) | {"extra": 1})

    answer = live.ask({"model": "oa/m", "input": "hi", **asked}, EMBEDDINGS)

    assert answer.json["data"][0]["embedding"] == (PACKED if wants else ROW)
    assert answer.json["extra"] == 1


def test_a_null_encoding_is_left_out(live: Live, upstream: Upstream) -> None:
    """B-EMB-02: DeepInfra answers 400 to it."""
    answers(upstream, rows(ROW))

    answer = live.ask({"model": "local/m", "input": "hi", "encoding_format": None}, EMBEDDINGS)

    assert answer.status == 200
    assert sent(upstream) == {"model": "m", "input": "hi"}


@pytest.mark.parametrize("given", ["a", ["a", "b"], [1, 2], [[1], [2, 3]]])
def test_all_four_forms_of_input_reach_an_upstream_of_the_same_dialect(
    live: Live, upstream: Upstream, given: Any
) -> None:
    """B-EMB-03."""
    answers(upstream, rows(ROW))

    live.ask({"model": "oa/m", "input": given}, EMBEDDINGS)

    assert sent(upstream)["input"] == given


def test_gemini_embeds_for_an_openai_client(live: Live, upstream: Upstream) -> None:
    answers(upstream, {"embeddings": [{"values": ROW}, {"values": ROW}], "usageMetadata": {"promptTokenCount": 7}})
    asked = {"model": "ge/m", "input": ["a", "b"], "dimensions": 3, "encoding_format": "base64", "user": "u"}

    answer = live.ask({**asked, "task_type": "RETRIEVAL_QUERY"}, EMBEDDINGS)

    assert upstream.sent[-1].line == "POST /v1beta/models/m:batchEmbedContents HTTP/1.1"
    assert sent(upstream)["requests"][1] == {
        "model": "models/m",
        "content": {"parts": [{"text": "b"}]},
        "taskType": "RETRIEVAL_QUERY",
        "outputDimensionality": 3,
    }
    assert [row["embedding"] for row in answer.json["data"]] == [PACKED, PACKED]
    assert answer.json["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    assert '"/user"' in (answer.field("x-setu-loss") or "")
    assert "task_type" not in (answer.field("x-setu-loss") or "")


@pytest.mark.parametrize("given", [[1, 2], [[1], [2]]])
def test_tokens_are_refused_where_only_text_is_read(live: Live, upstream: Upstream, given: Any) -> None:
    answer = live.ask({"model": "ge/m", "input": given}, EMBEDDINGS)

    assert answer.status == 400
    assert answer.error["param"] == "input"
    assert upstream.sent == []


def test_an_upstream_without_embeddings_is_a_400(live: Live) -> None:
    answer = live.ask({"model": "an/m", "input": "hi"}, EMBEDDINGS)

    assert answer.status == 400
    assert answer.error["code"] == "unsupported_operation"


def test_fewer_vectors_than_inputs_are_a_502(live: Live, upstream: Upstream) -> None:
    answers(upstream, {"embeddings": [{"values": ROW}]})

    answer = live.ask({"model": "ge/m", "input": ["a", "b"]}, EMBEDDINGS)

    assert answer.status == 502


@pytest.mark.parametrize(
    ("method", "body", "answered"),
    [
        ("embedContent", {"content": {"parts": [{"text": "a"}]}}, {"embedding": {"values": ROW}}),
        ("batchEmbedContents", {"requests": [{"content": {"parts": [{"text": "a"}]}}]}, {"embeddings": [{"values": ROW}]}),
    ],
)  # fmt: skip
def test_a_gemini_client_is_answered_by_either_method_from_either_upstream(
    live: Live, upstream: Upstream, method: str, body: Any, answered: Any
) -> None:
    data = answers(upstream, answered)
    same = live.ask(body, f"/ge/v1beta/models/m:{method}")
    place = upstream.sent[-1].line
    answers(upstream, rows(PACKED))
    other = live.ask(body, f"/v1beta/models/oa/m:{method}")

    assert same.body == data
    assert place == f"POST /v1beta/models/m:{method} HTTP/1.1"
    assert sent(upstream) == {"model": "m", "input": "a"}
    assert {key: other.json[key] for key in answered} == answered


def test_a_prefixed_gemini_model_is_renamed_within_the_body_too(live: Live, upstream: Upstream) -> None:
    answers(upstream, {"embeddings": [{"values": ROW}]})
    one = {"model": "models/ge/m", "content": {"parts": [{"text": "a"}]}, "title": "t"}

    answer = live.ask({"requests": [one]}, "/v1beta/models/ge/m:batchEmbedContents")

    assert answer.status == 200
    assert sent(upstream) == {"requests": [one | {"model": "models/m"}]}


def test_a_completion_passes_to_an_upstream_of_the_same_dialect(live: Live, upstream: Upstream) -> None:
    data = answers(upstream, {"id": "cmpl-1", "object": "text_completion", "choices": []})

    answer = live.ask({"model": "oa/m", "prompt": ["a", "b"], "echo": True}, COMPLETIONS)

    assert answer.body == data
    assert upstream.sent[-1].line == "POST /v1/completions HTTP/1.1"
    assert sent(upstream) == {"model": "m", "prompt": ["a", "b"], "echo": True}


def test_a_chat_model_completes(live: Live, upstream: Upstream) -> None:
    answers(upstream, MESSAGE)

    answer = live.ask({"model": "an/m", "prompt": ["Say hello"], "max_tokens": 9, "stop": None}, COMPLETIONS)

    assert sent(upstream)["messages"] == [{"role": "user", "content": "Say hello"}]
    assert sent(upstream)["max_tokens"] == 9
    assert answer.json["object"] == "text_completion"
    assert answer.json["choices"] == [{"text": "Hello", "index": 0, "logprobs": None, "finish_reason": "stop"}]
    assert answer.json["usage"]["total_tokens"] == 4


def test_a_chat_model_completes_in_a_stream(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(AN_STREAM, kind="text/event-stream")
    asked = {"model": "an/m", "prompt": "hi", "stream": True, "stream_options": {"include_usage": True}}

    answer = live.ask(asked, COMPLETIONS)
    events = [line.removeprefix(b"data: ") for line in answer.body.split(b"\n\n") if line]
    chunks = [json.loads(event) for event in events[:-1]]

    assert events[-1] == b"[DONE]"
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert "".join(choice["text"] for chunk in chunks for choice in chunk["choices"]) == "Hello"
    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]][-1] == "stop"
    assert chunks[-1]["usage"]["prompt_tokens"] == 3


@pytest.mark.parametrize(
    ("member", "value"), [("prompt", ["a", "b"]), ("prompt", [1, 2]), ("suffix", "x"), ("echo", True), ("best_of", 3)]
)
def test_what_a_chat_model_cannot_complete_is_a_400_that_names_the_member(
    live: Live, upstream: Upstream, member: str, value: Any
) -> None:
    answer = live.ask({"model": "an/m", "prompt": "a", member: value}, COMPLETIONS)

    assert answer.status == 400
    assert answer.error["param"] == member
    assert upstream.sent == []


def test_tokens_are_counted_across_dialects(live: Live, upstream: Upstream) -> None:
    answers(upstream, {"totalTokens": 11})
    asked = {"model": "ge/m", "system": "Be brief.", "messages": [{"role": "user", "content": "hi"}]}
    one = live.ask(asked, COUNT)
    to_gemini = sent(upstream)["generateContentRequest"]
    answers(upstream, {"input_tokens": 12})
    other = live.ask({"contents": [{"parts": [{"text": "hi"}]}]}, "/v1beta/models/an/m:countTokens")

    assert one.json == {"input_tokens": 11}
    assert to_gemini["model"] == "models/m"
    assert to_gemini["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert other.json == {"totalTokens": 12}
    assert sent(upstream) == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert other.field("x-setu-estimate") is None


def test_tokens_are_estimated_and_marked_where_nobody_counts(live: Live, upstream: Upstream) -> None:
    answer = live.ask({"model": "oa/m", "messages": [{"role": "user", "content": "a" * 40}]}, COUNT)

    assert answer.json == {"input_tokens": 14}
    assert answer.field("x-setu-estimate") == "true"
    assert upstream.sent == []


def test_an_estimate_of_nonsense_is_a_400(live: Live) -> None:
    answer = live.ask({"model": "oa/m", "messages": 1}, COUNT)

    assert answer.status == 400
    assert answer.json["type"] == "error"
