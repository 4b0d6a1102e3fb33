"""Embeddings by InvokeModel: each family's own form, one text or many."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.embed import EmbedRequest, Vector
from setu.chat.ids import counter
from setu.chat.response import Usage
from setu.chat.seals import Extra
from setu.dialects.bedrock.codec import DIALECT
from setu.dialects.bedrock.embed import counted, parse_response, path, render_request
from setu.dialects.record import Target
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError
from setu.http import Headers

TITAN, TITAN_1 = "amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v1"
COHERE, COHERE_4 = "cohere.embed-english-v3", "us.cohere.embed-v4:0"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["embedding", "embeddings", "float", "message", "id"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def rendered(model: str, *inputs: Any, **members: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    extra = {key: json.dumps(value).encode() for key, value in members.pop("extra", {}).items()}
    request = EmbedRequest(
        model="m",
        inputs=inputs or ("a",),
        extra=Extra(dialect="openai_chat", members=extra) if extra else None,
        **members,
    )
    made = render_request(request, Target(model=model))
    return json.loads(made.body), [(loss.pointer, loss.severity) for loss in made.losses]


def test_titan_is_told_text_size_and_its_own_members() -> None:
    assert rendered(TITAN, "a", dimensions=256, extra={"normalize": False}) == (
        {"inputText": "a", "dimensions": 256, "normalize": False}, [],
    )  # fmt: skip
    assert rendered(TITAN_1, "a", user="u", task="query", truncate="END", extra={"x": 1}) == (
        {"inputText": "a"},
        [("/user", "info"), ("/task", "warn"), ("/truncate", "warn"), ("/x", "warn")],
    )


def test_cohere_is_told_what_its_texts_are_for() -> None:
    body, lost = rendered(COHERE, "a", "b", task="query", extra={"input_type": "search_query", "truncate": "END"})

    assert body == {"texts": ["a", "b"], "input_type": "search_query", "truncate": "END"}
    assert lost == []
    assert rendered(COHERE)[1] == [("/task", "info")]


def test_the_fourth_generation_takes_a_size_and_both_spellings_of_the_cut() -> None:
    canonical, _ = rendered(COHERE_4, task="document", truncate="START", dimensions=512)
    written, _ = rendered(COHERE_4, task="document", extra={"truncate": "RIGHT"})

    assert (canonical["truncate"], canonical["output_dimension"]) == ("START", 512)
    assert written["truncate"] == "RIGHT"


def test_nova_is_told_one_text_and_its_purpose() -> None:
    body, lost = rendered(NOVA, "a", task="query", dimensions=1024)

    assert body == {
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": {
            "embeddingPurpose": "GENERIC_RETRIEVAL",
            "embeddingDimension": 1024,
            "text": {"value": "a", "truncationMode": "NONE"},
        },
    }
    assert lost == []
    assert rendered(NOVA, task="fact")[1] == [("/task", "warn")]
    assert rendered(NOVA)[1] == [("/task", "info")]


@pytest.mark.parametrize(
    ("model", "inputs", "param"),
    [
        (TITAN, ("a", "b"), "input"),
        (NOVA, ("a", "b"), "input"),
        (COHERE, ("a",) * 97, "input"),
        (TITAN, ((1, 2),), "input"),
        (COHERE, ((1, 2),), "input"),
        ("us.anthropic.claude-sonnet-4-6", ("a",), "model"),
        ("arn:aws:bedrock:us-east-1:1:provisioned-model/x", ("a",), "model"),
    ],
)
def test_what_a_model_cannot_embed_is_refused_by_name(model: str, inputs: Any, param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        rendered(model, *inputs)

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({"embedding": [0.5], "embeddingsByType": {"float": [0.5]}, "inputTextTokenCount": 2}, Usage(input=2, total=2)),
        ({"embeddings": [[0.5]], "id": "i", "response_type": "embeddings_floats", "texts": ["a"]}, None),
        ({"embeddings": {"float": [[0.5]]}, "id": "i", "response_type": "embeddings_by_type"}, None),
        ({"embeddings": [{"embeddingType": "TEXT", "embedding": [0.5]}]}, None),
    ],
)
def test_every_familys_answer_is_read(body: Any, usage: Usage | None) -> None:
    answer = parse_response(json.dumps(body).encode(), counter())

    assert answer.vectors == (Vector(floats=b"[0.5]"),)
    assert answer.usage == usage


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"embeddings":[1]}', b'{"embeddings":{"int8":[[1]]}}', b"\xff"])
def test_an_answer_without_vectors_is_none(body: bytes) -> None:
    with pytest.raises(RemoteDialectError):
        parse_response(body, counter())


def test_an_error_inside_a_success_is_an_error() -> None:
    with pytest.raises(ProviderError, match="Too many"):
        parse_response(b'{"message":"Too many requests"}', counter())


@given(JSON)
def test_any_answer_is_read_or_refused(value: Any) -> None:
    try:
        answer = parse_response(json.dumps(value).encode(), counter())
    except (ProviderError, RemoteDialectError):
        return
    assert isinstance(answer.vectors, tuple)


@pytest.mark.parametrize(
    ("said", "usage"), [("12", Usage(input=12, total=12)), ("", None), ("many", None), ("٣", None), ("9" * 99, None)]
)
def test_tokens_are_counted_in_a_header(said: str, usage: Usage | None) -> None:
    headers = Headers([(b"x-amzn-bedrock-input-token-count", said.encode())])

    assert counted(headers) == usage
    assert counted(Headers()) is None


def test_the_models_id_is_one_step_of_the_path() -> None:
    assert path(TITAN, False) == ("/model/amazon.titan-embed-text-v2%3A0/invoke", "")
    assert DIALECT.upstream["embed"].counted is counted
