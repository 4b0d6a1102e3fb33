import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.match import canonical_of, chain_of, key_of, route_of
from setu.http import Request
from tests.cassette.samples import request, talk
from tests.documents import DOCUMENTS

VOLATILE = {"anthropic": ("/metadata/user_id", "/user")}
IMAGE = "iVBORw0KGgo" * 100


def key(body, **options):
    return key_of(request(body, **options), volatile=VOLATILE)


def tools(call_id, result_id, arguments=None):
    return {
        "model": "m",
        "messages": [
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": call_id, "name": "f", "input": arguments or {}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": result_id, "content": "4"}]},
        ],
    }


def test_a_key_is_short_and_stable() -> None:
    assert key_of(talk("hello")) == key_of(talk("hello"))
    assert len(key_of(talk("hello"))) == 16


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"model":"m","n":1}', b'{ "n" : 1, "model" : "m" }'),
        (b'{"n":1.0}', b'{"n":1}'),
        (b'{"n":-0.0}', b'{"n":0}'),
        (b'{"n":1e2}', b'{"n":100}'),
        (b'{"a":"\\u00e9"}', b'{"a":"\xc3\xa9"}'),
        ({"model": "m", "stream": False}, {"model": "m"}),
        ({"model": "m", "metadata": {"user_id": "u1"}}, {"model": "m"}),
        ({"model": "m", "user": "u1"}, {"model": "m", "user": "u2"}),
        (tools("toolu_1", "toolu_1"), tools("toolu_9", "toolu_9")),
    ],
    ids=[
        "key order",
        "whole float",
        "negative zero",
        "exponent",
        "escapes",
        "stream false",
        "volatile member",
        "volatile value",
        "call ids",
    ],
)
def test_what_means_the_same_has_the_same_key(one, other) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"messages": ["a", "b"]}, {"messages": ["b", "a"]}),
        ({"max_tokens": 1}, {"max_tokens": 2}),
        ({"max_tokens": 1}, {}),
        ({"stream": True}, {"stream": False}),
        ({"n": 1}, {"n": "1"}),
        ({"n": 1}, {"n": True}),
        ({"metadata": {"user_id": "u", "team": 1}}, {"metadata": {"user_id": "u", "team": 2}}),
        (tools("a", "a"), tools("a", "b")),
        (tools("a", "a", {"id": "1"}), tools("a", "a", {"id": "2"})),
        (tools("a", "a", {"call_id": "1"}), tools("a", "a", {"call_id": "2"})),
        ({"source": {"data": IMAGE}}, {"source": {"data": IMAGE[:-1] + "A"}}),
        (b"not json", b"not JSON"),
        (b"[" * 100_000, b"[" * 100_001),
    ],
    ids=[
        "array order",
        "value",
        "absence",
        "stream",
        "type",
        "true is not 1",
        "beside a volatile member",
        "crossed call ids",
        "an id among arguments",
        "a call id among arguments",
        "media",
        "text",
        "too deep",
    ],
)
def test_what_means_something_else_has_another_key(one, other) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "call",
    [
        lambda call_id: {"messages": [{"tool_calls": [{"id": call_id}]}, {"role": "tool", "tool_call_id": call_id}]},
        lambda call_id: {
            "contents": [{"parts": [{"functionCall": {"id": call_id}}, {"functionResponse": {"id": call_id}}]}]
        },
        lambda call_id: {"input": [{"type": "function_call", "call_id": call_id}, {"type": "f", "call_id": call_id}]},
    ],
    ids=["chat", "gemini", "responses"],
)
def test_call_ids_do_not_count_in_any_dialect(call) -> None:
    assert key(call("call_abc")) == key(call("call_xyz"))


def test_hosts_prefixes_do_not_count() -> None:
    body = {"model": "m", "messages": []}
    paths = ["/v1/chat/completions", "/chat/completions", "/api/v1/chat/completions", "//v1//chat/completions/"]

    assert len({key(body, path=path) for path in paths}) == 1


def test_the_edition_of_geminis_api_does_not_count() -> None:
    """google-genai 3.4 asks v1 for what the documentation of the API asks v1beta."""
    editions = ["v1", "v1beta", "v1beta1", "v1alpha"]

    assert len({key({"contents": []}, path=f"/{edition}/models/a:generateContent") for edition in editions}) == 1
    assert key({}, path="/v1/models") != key({}, path="/v1beta/models")  # OpenAI's and Gemini's


def test_a_path_that_may_name_the_model_counts() -> None:
    paths = [f"/openai/deployments/{model}/chat/completions" for model in ("a", "b")]

    assert len({key({"messages": []}, path=path) for path in paths}) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/v1beta/models/a:generateContent", "/v1beta/models/b:generateContent"),
        ("/v1beta/models/a:generateContent", "/v1beta/models/a:streamGenerateContent"),
        ("/v1/embeddings", "/v1/moderations"),
        ("/v1/models", "/v1/models/a"),
    ],
)
def test_what_the_path_asks_for_counts(one, other) -> None:
    assert key({}, path=one) != key({}, path=other)


def test_the_framing_of_a_stream_counts() -> None:
    path = "/v1beta/models/a:streamGenerateContent"

    assert key({}, path=path, query="alt=sse") != key({}, path=path)


def test_query_members_count_in_any_order() -> None:
    assert key({}, query="a=1&b=2") == key({}, query="b=2&a=1")
    assert key({}, query="a=1") != key({}, query="a=2")


def test_method_counts() -> None:
    assert key({}, path="/v1/files", method="GET") != key({}, path="/v1/files", method="POST")


def test_long_media_are_digests_in_the_canonical_body() -> None:
    body = canonical_of(request({"source": {"type": "base64", "data": IMAGE}})).body

    assert body["source"]["data"].startswith("sha256:")


def test_a_prefixed_path_is_classified() -> None:
    found = route_of(request({}, path="/api/v1/chat/completions"))

    assert found is not None
    assert found.dialect == "openai_chat"
    assert route_of(request({}, path="/v1/nothing")) is None


def test_chains_are_equal_as_far_as_conversations_are() -> None:
    one = chain_of(canonical_of(talk("hello", "hi", "how?", system="s")))
    other = chain_of(canonical_of(talk("hello", "hi", "why?", system="s", temperature=1)))

    assert [step.pointer for step in one] == ["", "/system", "/messages/0", "/messages/1", "/messages/2"]
    assert [a.digest == b.digest for a, b in zip(one, other, strict=True)] == [True, True, True, True, False]


@given(DOCUMENTS)
def test_a_key_ignores_spelling(document) -> None:
    body = json.dumps({"model": "m", "x": document.value}).encode()
    respelled = json.dumps({"x": document.value, "model": "m"}, ensure_ascii=False, indent=1)

    assert key(body) == key(respelled.encode("utf-8", "surrogatepass"))


@given(DOCUMENTS, DOCUMENTS)
def test_different_values_have_different_keys(one, other) -> None:
    same = json.dumps(_plain(one.value), sort_keys=True) == json.dumps(_plain(other.value), sort_keys=True)

    assert (
        key(json.dumps({"metadata": one.value}).encode()) == key(json.dumps({"metadata": other.value}).encode())
    ) == same


def _plain(value):
    """The value up to whole floats and emptied objects, which the key does not tell apart."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value


@given(st.binary(max_size=50))
def test_any_body_has_a_key(body) -> None:
    found = request(body)
    before = msgspec.structs.replace(found)

    assert len(key_of(found)) == 16
    assert found == before


def form(boundary: str, *parts: tuple[str, bytes], quote: str = "") -> Request:
    lead = f"--{boundary}\r\ncontent-disposition: form-data; name=".encode()
    body = b"".join(lead + name.encode() + b"\r\n\r\n" + content + b"\r\n" for name, content in parts)
    headers = {"content-type": f"multipart/form-data; boundary={quote}{boundary}{quote}"}
    asked = request(path="/v1/audio/transcriptions", headers=headers)
    return msgspec.structs.replace(asked, body=body + f"--{boundary}--\r\n".encode())


def test_a_forms_boundary_does_not_count_and_its_parts_do() -> None:
    sound = ("file", bytes(range(256)) * 9)
    key = key_of(form("a1", sound, ("model", b"whisper-1")))

    assert key == key_of(form("b2", sound, ("model", b"whisper-1"), quote='"'))
    assert key != key_of(form("a1", sound, ("model", b"whisper-2")))
    assert key != key_of(form("a1", ("file", sound[1] + b"."), ("model", b"whisper-1")))
    assert key != key_of(form("a1", sound))


def test_a_form_that_its_boundary_does_not_divide_is_its_bytes() -> None:
    whole = form("a1", ("model", b"m"))
    one, other = (msgspec.structs.replace(whole, body=body) for body in (b"--x\r\n1", b"--x\r\n2"))

    assert key_of(one) != key_of(other)


@pytest.mark.parametrize("member", ["stream", "call_id", "tool_call_id"])
def test_in_an_api_that_is_nobodys_dialect_every_member_is_content(member: str) -> None:
    assert key_of(request({member: "a"}, path="/jobs")) != key_of(request({member: "b"}, path="/jobs"))
