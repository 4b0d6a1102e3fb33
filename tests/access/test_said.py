"""What header fields say of who asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.access.caller import ANYBODY, Caller
from setu.access.said import Said, said_by, shown_key, speaking, tenant_named
from setu.errors import LocalDialectError
from setu.http import Headers, Request


def asked(fields: dict[str, str], query: str = "") -> Request:
    return Request(method="POST", path="/v1/responses", query=query, headers=Headers.of(fields))


@pytest.mark.parametrize(
    ("fields", "query", "key", "shown"),
    [
        ({"authorization": "Bearer k"}, "", "k", "bearer"),
        ({"Authorization": "bearer  k "}, "", "k", "bearer"),
        ({"x-api-key": "k"}, "", "k", "x-api-key"),
        ({"api-key": "k"}, "", "k", "api-key"),
        ({"x-goog-api-key": "k"}, "", "k", "x-goog-api-key"),
        ({}, "alt=sse&key=k", "k", "query"),
        ({"x-api-key": "first", "authorization": "Bearer second"}, "key=third", "first", "x-api-key"),
        ({"authorization": "Basic k"}, "", None, ""),
        ({"authorization": "k"}, "monkey=k&key=", None, ""),
        ({"x-api-key": ""}, "", None, ""),
    ],
)
def test_the_key_and_how_it_was_shown(fields: dict[str, str], query: str, key: str | None, shown: str) -> None:
    said = said_by(asked(fields, query))

    assert (said.key, said.shown) == (key, shown)
    assert shown_key(asked(fields, query)) == key


def test_a_tenant_and_what_else_is_said_of_the_request() -> None:
    said = said_by(asked({"X-Setu-Tenant": "acme", "x-project-id": "p1", "x-organisation-id": "o1", "x-user-id": "u1"}))

    assert speaking(ANYBODY, said) == Caller(
        tenant="acme", metadata={"project_id": "p1", "organization_id": "o1", "user_id": "u1"}
    )


def test_one_field_of_metadata_alone_counts() -> None:
    assert said_by(asked({"x-experiment-id": "e1"})).metadata == {"experiment_id": "e1"}


@given(st.text(min_size=1, max_size=20), st.text(max_size=200))
def test_no_client_speaks_for_another_tenant_than_its_keys(tenant: str, claimed: str) -> None:
    caller = Caller(tenant=tenant, key="key_1")

    assert speaking(caller, Said(tenant=claimed)).tenant == tenant


def test_a_client_that_says_nothing_is_the_same_value() -> None:
    caller = Caller(key="key_1")

    assert speaking(caller, Said("k", "bearer")) is caller


@pytest.mark.parametrize("name", ["x" * 129, "a\nb", "a\x00", "\u202eacme"])
def test_a_name_that_is_no_tenants_is_the_clients_mistake(name: str) -> None:
    with pytest.raises(LocalDialectError, match="printable") as found:
        tenant_named(name)

    assert found.value.info().status == 400
