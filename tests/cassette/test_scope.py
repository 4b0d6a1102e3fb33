import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.scope import Scope, parse_scope, scope_of
from setu.errors import LocalDialectError
from setu.http import Headers, Request


def asked(path="/v1/messages", query="", **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method="POST", path=path, query=query, headers=Headers.of(fields), body=b"{}")


def test_a_request_that_names_nothing_is_passed_on_as_it_is() -> None:
    request = asked(authorization="Bearer sk-real", query="key=abc")

    assert scope_of(request) == (None, request)


def test_a_path_prefix_names_a_cassette() -> None:
    scope, inner = scope_of(asked("/c/test_chat/v1/messages"))

    assert (scope, inner.path) == (Scope("test_chat"), "/v1/messages")


def test_directories_are_separated_by_escaped_slashes_in_a_path() -> None:
    scope, inner = scope_of(asked("/c/tests%2Fchat%2Ftest_one@gw0/v1/messages"))

    assert (scope, inner.path) == (Scope("tests/chat/test_one", "gw0"), "/v1/messages")


def test_a_header_names_a_cassette_and_does_not_travel_on() -> None:
    scope, inner = scope_of(asked(x_setu_cassette="chat/one", x_api_key="sk"))

    assert scope == Scope("chat/one")
    assert list(inner.headers.items()) == [("x-api-key", "sk")]


@pytest.mark.parametrize("field", ["authorization", "x-api-key", "api-key", "x-goog-api-key"])
def test_a_key_names_a_cassette_and_does_not_travel_on(field) -> None:
    value = "Bearer setu:chat" if field == "authorization" else "setu:chat"

    scope, inner = scope_of(asked(**{field.replace("-", "_"): value}))

    assert scope == Scope("chat")
    assert list(inner.headers.items()) == []


def test_a_key_in_the_query_names_a_cassette_and_the_rest_of_the_query_stays() -> None:
    scope, inner = scope_of(asked(query="alt=sse&key=setu%3Achat&key2=x"))

    assert (scope, inner.query) == (Scope("chat"), "alt=sse&key2=x")


def test_the_path_wins_over_the_header_and_the_header_over_the_key() -> None:
    both = asked("/c/path/v1/messages", x_setu_cassette="header", x_api_key="setu:key")

    scope, inner = scope_of(both)

    assert scope == Scope("path")
    assert list(inner.headers.items()) == []
    assert scope_of(asked(x_setu_cassette="header", x_api_key="setu:key"))[0] == Scope("header")


@pytest.mark.parametrize("name", ["", "..", "a/../b", "/etc", "a//b", "a b", "a/", ".hidden/../x", "ü", "x@", "x@a/b"])
def test_a_name_that_is_none_is_refused(name) -> None:
    with pytest.raises(LocalDialectError, match="cassette name"):
        parse_scope(name)


@given(st.text(max_size=30))
def test_an_accepted_name_never_leaves_the_directory(text) -> None:
    try:
        scope = parse_scope(text)
    except LocalDialectError:
        return

    assert not scope.name.startswith(("/", "."))
    assert ".." not in scope.name.split("/")
    assert parse_scope(str(scope)) == scope
