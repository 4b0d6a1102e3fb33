"""Embeddings of the dialects that nobody's client speaks: Cohere and Ollama."""

import json
from typing import Any

import pytest

from setu.chat.embed import EmbedRequest, Vector
from setu.chat.ids import counter
from setu.chat.seals import Extra
from setu.dialects.cohere import embed as cohere
from setu.dialects.ollama import embed as ollama
from setu.dialects.record import Target
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError, SetuError

TARGET = Target(model="up")


def extra(**members: Any) -> Extra:
    return Extra(dialect="openai_chat", members={key: json.dumps(value).encode() for key, value in members.items()})


def test_cohere_is_told_what_the_texts_are_for() -> None:
    request = EmbedRequest(model="m", inputs=("a",), task="query", dimensions=256, extra=extra(input_type="search_query", truncate="END", x=1))  # fmt: skip

    rendered = cohere.render_request(request, TARGET)

    assert json.loads(rendered.body) == {
        "model": "up", "texts": ["a"], "input_type": "search_query", "embedding_types": ["float"],
        "output_dimension": 256, "truncate": "END",
    }  # fmt: skip
    assert [loss.pointer for loss in rendered.losses] == ["/x"]


@pytest.mark.parametrize(("task", "severity"), [(None, "info"), ("similarity", "warn")])
def test_cohere_takes_texts_for_documents_where_nobody_says(task: Any, severity: str) -> None:
    rendered = cohere.render_request(EmbedRequest(model="m", inputs=("a",), task=task), TARGET)

    assert json.loads(rendered.body)["input_type"] == "search_document"
    assert [(loss.pointer, loss.severity) for loss in rendered.losses] == [("/task", severity)]


def test_ollama_takes_texts_and_its_own_members() -> None:
    request = EmbedRequest(
        model="m", inputs=("a", "b"), dimensions=3, user="u", task="query", extra=extra(keep_alive="5m")
    )

    rendered = ollama.render_request(request, TARGET)

    assert json.loads(rendered.body) == {"model": "up", "input": ["a", "b"], "dimensions": 3, "keep_alive": "5m"}
    assert {loss.pointer for loss in rendered.losses} == {"/task", "/user"}


@pytest.mark.parametrize("render", [cohere.render_request, ollama.render_request])
def test_tokens_are_refused(render: Any) -> None:
    with pytest.raises(LocalDialectError) as caught:
        render(EmbedRequest(model="m", inputs=((1,),)), TARGET)

    assert caught.value.param == "input"


def test_cohere_takes_96_texts() -> None:
    with pytest.raises(LocalDialectError, match="97"):
        cohere.render_request(EmbedRequest(model="m", inputs=("a",) * 97), TARGET)


@pytest.mark.parametrize(
    ("parse", "body"),
    [
        (cohere.parse_response, {"id": "i", "embeddings": {"float": [[1.0]]}, "meta": {"billed_units": {"input_tokens": 2}}}),
        (cohere.parse_response, {"id": "i", "embeddings": [[1.0]], "meta": {"billed_units": {"input_tokens": 2}}}),
        (ollama.parse_response, {"model": "m", "embeddings": [[1.0]], "prompt_eval_count": 2}),
        (ollama.parse_response, {"embedding": [1.0], "prompt_eval_count": 2}),
    ],
)  # fmt: skip
def test_every_form_of_answer_is_read(parse: Any, body: Any) -> None:
    answer = parse(json.dumps(body).encode(), counter())

    assert answer.vectors == (Vector(floats=b"[1.0]"),)
    assert answer.usage.input == 2


@pytest.mark.parametrize(
    ("parse", "body", "error"),
    [
        (cohere.parse_response, b'{"message":"no"}', ProviderError),
        (cohere.parse_response, b'{"embeddings":{"int8":[[1]]}}', RemoteDialectError),
        (cohere.parse_response, b"oops", RemoteDialectError),
        (ollama.parse_response, b'{"error":"no"}', ProviderError),
        (ollama.parse_response, b'{"embeddings":[1]}', RemoteDialectError),
        (ollama.parse_response, b"{}", RemoteDialectError),
    ],
)
def test_a_body_without_vectors_is_an_error(parse: Any, body: bytes, error: type[SetuError]) -> None:
    with pytest.raises(error):
        parse(body, counter())
