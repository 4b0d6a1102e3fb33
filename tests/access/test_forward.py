"""A client's own credential goes to the provider that its request names, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.access.caller import ANYBODY
from setu.access.entrance import own
from setu.access.forward import recipient, with_own_key
from setu.errors import DeniedError
from setu.http import Headers
from setu.providers.deployment import Deployment
from setu.providers.record import Provider, Scheme
from setu.providers.signing import sign

MINE = "sk-of-the-client"


def host(name: str, dialect: str, scheme: Scheme = "bearer", key: str | None = "sk-of-the-gateway") -> Deployment:
    provider = Provider(name=name, base_url="https://host.test", dialects=(dialect,), scheme=scheme)
    return Deployment(name=name, provider=provider, base_url="https://host.test", key=key, scheme=scheme)


HOSTS = {
    each.name: each
    for each in (
        host("openai", "openai_chat"),
        host("groq", "openai_chat"),
        host("anthropic", "anthropic", "x-api-key"),
        host("gemini", "gemini", "x-goog-api-key"),
        host("ollama", "ollama", "none", None),
    )
}


@pytest.mark.parametrize(
    ("named", "dialect", "expected"),
    [
        ("groq", "openai_chat", "groq"),
        ("anthropic", "openai_chat", "anthropic"),
        ("nobody", "openai_chat", None),
        (None, "anthropic", "anthropic"),
        (None, "openai_chat", None),
        (None, "cohere", None),
    ],
)
def test_which_provider_a_request_means(named: str | None, dialect: str, expected: str | None) -> None:
    assert recipient(named, dialect, HOSTS) == expected


@pytest.mark.parametrize(
    ("named", "dialect", "expected"),
    [("openai", "openai_chat", "openai"), (None, "anthropic", "anthropic"), (None, "openai_chat", "groq"), ("nobody", "cohere", None)],
)  # fmt: skip
def test_a_default_is_for_requests_that_mean_nobody_else(named: str | None, dialect: str, expected: str | None) -> None:
    assert recipient(named, dialect, HOSTS, "groq") == expected


@pytest.mark.parametrize(
    ("shown", "dialect", "to", "field", "value"),
    [
        ("bearer", "openai_chat", "openai", "authorization", f"Bearer {MINE}"),
        ("bearer", "openai_chat", "anthropic", "x-api-key", MINE),
        ("bearer", "anthropic", "anthropic", "authorization", f"Bearer {MINE}"),
        ("x-api-key", "anthropic", "anthropic", "x-api-key", MINE),
        ("x-api-key", "anthropic", "openai", "authorization", f"Bearer {MINE}"),
        ("query", "gemini", "gemini", "x-goog-api-key", MINE),
        ("bearer", "openai_chat", "ollama", "authorization", f"Bearer {MINE}"),
    ],
)
def test_it_is_shown_as_the_provider_wants_it(shown: str, dialect: str, to: str, field: str, value: str) -> None:
    deployment = with_own_key(own(MINE, shown), HOSTS[to], to, dialect)
    headers = Headers()
    sign(headers, deployment.scheme, deployment.key)

    assert headers == Headers.of({field: value})


def test_a_client_without_one_uses_the_gateways() -> None:
    assert with_own_key(ANYBODY, HOSTS["groq"], None, "openai_chat") is HOSTS["groq"]


@given(
    st.sampled_from([None, *HOSTS]),
    st.sampled_from(sorted(HOSTS)),
    st.sampled_from(["openai_chat", "anthropic", "gemini"]),
)
def test_neither_its_key_nor_the_gateways_goes_to_a_provider_that_is_not_meant(
    meant: str | None, to: str, dialect: str
) -> None:
    if meant == to:
        assert with_own_key(own(MINE, "bearer"), HOSTS[to], meant, dialect).key == MINE
        return

    with pytest.raises(DeniedError) as raised:
        with_own_key(own(MINE, "bearer"), HOSTS[to], meant, dialect)
    assert raised.value.info().status == 403
    assert MINE not in str(raised.value)
