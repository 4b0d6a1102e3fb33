"""The path table: what a request asks for, however its path is spelt."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.dialects.record import Route
from setu.dialects.routes import allowed, classify, classify_prefixed, clean

PROVIDERS = frozenset({"openai", "openrouter"})
MODELS = st.text(st.sampled_from("abz09.-_:/é %@"), min_size=1, max_size=12).filter(
    lambda model: model == "/".join(step for step in model.split("/") if step)
)
TABLE = [
    ("POST", "/v1/chat/completions", Route(dialect="openai_chat", operation="chat")),
    ("POST", "/chat/completions", Route(dialect="openai_chat", operation="chat")),
    ("POST", "/v1/messages", Route(dialect="anthropic", operation="chat")),
    ("GET", "/v1/models", Route(dialect="openai_chat", operation="models")),
    ("GET", "/models", Route(dialect="openai_chat", operation="models")),
    ("GET", "/v1beta/models", Route(dialect="gemini", operation="models")),
    ("GET", "/v1/models/gpt-x", Route(dialect="openai_chat", operation="models", model="gpt-x")),
    ("GET", "/v1beta/models/g", Route(dialect="gemini", operation="models", model="g")),
    ("POST", "/v1beta/models/g:generateContent", Route(dialect="gemini", operation="chat", model="g", stream=False)),
    ("POST", "/v1/models/g:generateContent", Route(dialect="gemini", operation="chat", model="g", stream=False)),
    (
        "POST",
        "/model/amazon.titan-embed-text-v2%3A0/invoke",
        Route(dialect="bedrock", operation="embed", model="amazon.titan-embed-text-v2:0", stream=False),
    ),
    (
        "POST",
        "/v1beta/tunedModels/t:generateContent",
        Route(dialect="gemini", operation="chat", model="t", stream=False),
    ),
    (
        "POST",
        "/v1beta/models/g:streamGenerateContent",
        Route(dialect="gemini", operation="chat", model="g", stream=True, framing="jsonarray"),
    ),
]
ROWS = st.sampled_from(TABLE)


@pytest.mark.parametrize(("method", "path", "route"), TABLE, ids=[f"{method} {path}" for method, path, _ in TABLE])
def test_every_path_of_the_table(method: str, path: str, route: Route) -> None:
    assert classify(method, path) == route


@pytest.mark.parametrize(
    ("query", "framing"),
    [
        ("alt=sse", "sse"),
        ("key=k&alt=sse", "sse"),
        ("", "jsonarray"),
        ("alt=json", "jsonarray"),
        ("alt=sse&alt=json", "jsonarray"),
    ],
)
def test_the_query_says_how_a_gemini_stream_is_framed(query: str, framing: str) -> None:
    route = classify("POST", "/v1beta/models/g:streamGenerateContent", query)

    assert route is not None
    assert (route.stream, route.framing) == (True, framing)


def test_any_other_query_changes_nothing() -> None:
    assert classify("POST", "/v1/messages", "beta=true") == Route(dialect="anthropic", operation="chat")


@given(ROWS, st.lists(st.integers(0, 60), max_size=3), st.sampled_from(["", "/", "//"]))
def test_duplicate_and_trailing_slashes_do_not_matter(
    row: tuple[str, str, Route], places: list[int], tail: str
) -> None:
    method, path, route = row
    for place in places:
        at = path.find("/", place % len(path))
        path = path if at < 0 else path[:at] + "/" + path[at:]

    assert classify(method, path + tail) == route


@given(ROWS, st.sampled_from(sorted(PROVIDERS)))
def test_a_providers_prefix_is_taken_off(row: tuple[str, str, Route], provider: str) -> None:
    method, path, route = row

    found, rest = classify_prefixed(method, f"/{provider}{path}", PROVIDERS)

    assert rest == path
    assert found is not None
    assert found.provider == provider
    assert (found.dialect, found.operation, found.model, found.stream, found.framing) == (
        route.dialect, route.operation, route.model, route.stream, route.framing,
    )  # fmt: skip


@given(ROWS)
def test_without_a_prefix_the_path_means_what_it_says(row: tuple[str, str, Route]) -> None:
    method, path, route = row

    assert classify_prefixed(method, path, PROVIDERS) == (route, path)


def test_a_prefix_that_is_no_provider_is_part_of_the_path() -> None:
    assert classify_prefixed("POST", "/elsewhere/v1/messages", PROVIDERS) == (None, "/elsewhere/v1/messages")


@pytest.mark.parametrize(("path", "rest"), [("/openai/v1/files", "/v1/files"), ("/openai", "/"), ("/openai/", "/")])
def test_an_unknown_path_of_a_provider_is_raw(path: str, rest: str) -> None:
    assert classify_prefixed("GET", path, PROVIDERS) == (Route(dialect="", operation="raw", provider="openai"), rest)


@given(MODELS, st.booleans())
def test_a_model_may_hold_slashes_colons_and_escapes(model: str, escaped: bool) -> None:
    path = quote(model, safe="" if escaped else "/:@é ")

    listed = classify("GET", f"/v1/models/{path}")
    asked = classify("POST", f"/v1beta/models/{path}:generateContent")

    assert listed is not None
    assert asked is not None
    assert (listed.model, asked.model) == (model, model)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/chat/completions"), ("POST", "/v1/models"), ("POST", "/v1beta/models/g:explode"), ("POST", "/"),
     ("POST", "/v1beta/models/:generateContent"), ("GET", "/v1beta/models/"[:-2]), ("DELETE", "/v1/models/gpt-x")],
)  # fmt: skip
def test_what_no_dialect_has_is_none(method: str, path: str) -> None:
    assert classify(method, path) is None


@given(st.sampled_from(["GET", "POST", "PUT", ""]), st.text(max_size=30), st.text(max_size=10))
def test_any_path_is_classified_or_none(method: str, path: str, query: str) -> None:
    route = classify(method, path, query)

    assert route is None or route.operation in {"chat", "models", "count_tokens", "embed"}


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/v1/chat/completions", ("POST",)), ("/v1/models", ("GET",)), ("/nowhere", ()), ("/v1/messages/", ("POST",))],
)
def test_a_known_path_tells_its_methods(path: str, methods: tuple[str, ...]) -> None:
    assert allowed(path) == methods


@given(st.text("/ab", max_size=12))
def test_cleaning_twice_changes_nothing_more(path: str) -> None:
    once = clean(path)

    assert clean(once) == once
    assert "//" not in once
    assert once == "/" or not once.endswith("/")


def test_a_method_called_with_get_is_no_model() -> None:
    assert classify("GET", "/v1beta/models/g:generateContent") is None
    assert allowed("/v1beta/models/g:generateContent") == ("POST",)
    route = classify("GET", "/v1beta/models/local/llama3:8b")
    assert route is not None
    assert route.model == "local/llama3:8b"
