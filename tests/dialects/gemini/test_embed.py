"""Embeddings, one and in batches."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.embed import Content, EmbedRequest, Vector
from setu.chat.ids import counter
from setu.dialects.gemini.embed import parse_request, parse_response, place, render_request, render_response
from setu.dialects.record import Reply, Route, Target
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError, SetuError

ROUTE = Route(dialect="gemini", operation="embed", model="m")
REPLY = Reply(model="m", id="", created=1, mint=counter())
PICTURE = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}


def read(body: Any) -> EmbedRequest:
    return parse_request(json.dumps(body).encode(), ROUTE)


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"content": {"parts": [{"text": said}]}, **more}


def test_one_content_and_a_batch_are_told_apart() -> None:
    one = read(text("a", taskType="CLUSTERING", outputDimensionality=3, title="t"))
    many = read({"requests": [text("a", model="models/m"), text("b", model="models/m")]})

    assert (one.batch, one.inputs, one.task, one.dimensions, one.title) == (False, ("a",), "clustering", 3, "t")
    assert (many.batch, many.inputs, many.extra) == (True, ("a", "b"), None)


def test_settings_may_stand_in_the_config_and_in_snake_case() -> None:
    request = read({"content": {"parts": {"text": "a"}} | {"parts": [{"text": "a"}]},
                    "embed_content_config": {"task_type": "RETRIEVAL_QUERY", "output_dimensionality": 3, "autoTruncate": True}})  # fmt: skip

    assert (request.task, request.dimensions) == ("query", 3)
    assert request.extra is not None
    assert request.extra.members == {"embedContentConfig": b'{"autoTruncate":true}'}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "content"),
        ({"requests": []}, "requests"),
        ({"requests": [{}]}, "requests[0].content"),
        ({"content": {"parts": []}}, "content.parts"),
        ({"content": {"parts": [{"text": 1}]}}, "content.parts[0].text"),
        ({"requests": [text("a"), text("b", taskType="CLUSTERING")]}, "requests[1]"),
        ({"requests": [text("a"), text("b", title="t")]}, "requests[1]"),
    ],
)
def test_what_is_wrong_is_named(body: Any, param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        read(body)

    assert caught.value.param == param


@given(st.binary(max_size=60))
def test_any_bytes_are_a_request_or_an_error(body: bytes) -> None:
    with suppress(LocalDialectError):
        assert parse_request(body, ROUTE).inputs


@given(
    parts=st.lists(
        st.lists(st.fixed_dictionaries({"text": st.text(min_size=1, max_size=5)}) | st.just(PICTURE), min_size=1, max_size=3),
        min_size=1,
        max_size=3,
    ),
    settings=st.fixed_dictionaries(
        {},
        optional={"taskType": st.sampled_from(["CLUSTERING", "RETRIEVAL_QUERY", "SOMETHING_NEW"]), "title": st.text(min_size=1),
                  "outputDimensionality": st.integers(1, 9), "unknown": st.booleans()},
    ),
    batch=st.booleans(),
)  # fmt: skip
def test_a_request_survives_being_written(parts: Any, settings: Any, batch: bool) -> None:
    requests = [{"model": "models/m", "content": {"parts": one}, **settings} for one in (parts if batch else parts[:1])]
    body = {"requests": requests} if batch else requests[0]

    rendered = render_request(read(body), Target(model="m"))

    assert json.loads(rendered.body) == body
    assert rendered.losses == ()


def test_media_make_one_vector_with_the_text_beside_them() -> None:
    given_input = read({"content": {"parts": [{"text": "a"}, PICTURE]}}).inputs[0]

    assert isinstance(given_input, Content)
    assert len(given_input.parts) == 2


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (EmbedRequest(model="m", inputs=((1, 2),)), "input"),
        (EmbedRequest(model="m", inputs=("a",) * 101), "input"),
    ],
)
def test_what_gemini_does_not_take_is_refused(request_: EmbedRequest, param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        render_request(request_, Target(model="m"))

    assert caught.value.param == param


def test_what_cannot_be_said_is_a_loss() -> None:
    request = EmbedRequest(model="m", inputs=("a",), user="u", truncate="END", task="image")

    assert {loss.pointer for loss in render_request(request, Target(model="m")).losses} == {
        "/user",
        "/truncate",
        "/task",
    }


def test_the_body_says_which_method_it_is_for() -> None:
    assert place("m", b'{"requests":[]}') == ("/v1beta/models/m:batchEmbedContents", "")
    assert place("models/m", b'{"content":{"parts":[{"text":"\\"requests\\""}]}}') == (
        "/v1beta/models/m:embedContent",
        "",
    )


@pytest.mark.parametrize(
    "body",
    [
        {"embedding": {"values": [0.5]}},
        {"embeddings": [{"values": [0.5]}, {"values": [1.0]}], "usageMetadata": {"promptTokenCount": 2}},
    ],
)
def test_an_answer_survives_being_written(body: Any) -> None:
    answer = parse_response(json.dumps(body).encode(), counter())

    assert answer.vectors[0] == Vector(floats=b"[0.5]")
    assert json.loads(render_response(answer, REPLY).body) == body


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error":{"code":404,"message":"no","status":"NOT_FOUND"}}', ProviderError),
        (b"{}", RemoteDialectError),
        (b"oops", RemoteDialectError),
        (b'{"embeddings":[{}]}', RemoteDialectError),
    ],
)
def test_a_body_without_vectors_is_an_error(body: bytes, error: type[SetuError]) -> None:
    with pytest.raises(error):
        parse_response(body, counter())
