"""Providers as configured: keys by documented precedence, hosts from the configuration alone."""

from typing import Any

import pytest

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.errors import ConfigError
from setu.http import Headers
from setu.providers import lookup
from setu.providers.deployment import Deployment
from setu.providers.record import Provider, Scheme
from setu.providers.signing import sign

NAMED = ("openai", "anthropic", "gemini", "openrouter")


def deployed(environ: dict[str, str], **sections: Any) -> dict[str, Deployment]:
    return build.deployments(
        Config(providers={name: ProviderConfig.model_validate(s) for name, s in sections.items()}), environ
    )


@pytest.mark.parametrize(
    ("environ", "name", "key", "scheme"),
    [
        ({"OPENAI_API_KEY": "a"}, "openai", "a", "bearer"),
        ({"OPENROUTER_API_KEY": "a"}, "openrouter", "a", "bearer"),
        ({"ANTHROPIC_API_KEY": "a"}, "anthropic", "a", "x-api-key"),
        ({"ANTHROPIC_AUTH_TOKEN": "b"}, "anthropic", "b", "bearer"),
        ({"ANTHROPIC_AUTH_TOKEN": "b", "ANTHROPIC_API_KEY": "a"}, "anthropic", "a", "x-api-key"),
        ({"GEMINI_API_KEY": "b"}, "gemini", "b", "x-goog-api-key"),
        ({"GEMINI_API_KEY": "b", "GOOGLE_API_KEY": "a"}, "gemini", "a", "x-goog-api-key"),
        ({"GEMINI_API_KEY": "b", "GOOGLE_API_KEY": ""}, "gemini", "b", "x-goog-api-key"),
    ],
)
def test_a_key_is_taken_from_the_variables_in_their_order(
    environ: dict[str, str], name: str, key: str, scheme: str
) -> None:
    found = deployed(environ)

    assert list(found) == [name]
    assert (found[name].key, found[name].scheme, found[name].callable) == (key, scheme, True)


def test_no_key_means_no_provider_unless_it_is_configured() -> None:
    assert deployed({}) == {}
    assert deployed({}, anthropic={})["anthropic"].callable is False
    assert deployed({}, local={"base_url": "http://x/v1"})["local"].callable is True


def test_a_configured_key_wins_over_the_environment() -> None:
    assert deployed({"OPENAI_API_KEY": "env"}, openai={"api_key": "own"})["openai"].key == "own"


@pytest.mark.parametrize("name", NAMED)
def test_no_variable_moves_a_built_in_host(name: str) -> None:
    names = (
        "OPENAI_BASE_URL",
        "OPENAI_API_BASE",
        "ANTHROPIC_BASE_URL",
        "GOOGLE_GEMINI_BASE_URL",
        "GEMINI_BASE_URL",
        "OPENROUTER_BASE_URL",
    )
    environ = dict.fromkeys(names, "http://evil.test")

    assert deployed(environ, **{name: {"api_key": "k"}})[name].base_url == lookup.find(name).base_url


def test_a_disabled_provider_is_not_there() -> None:
    assert list(deployed({}, openai={"enabled": False}, gemini={})) == ["gemini"]


def test_a_key_never_prints() -> None:
    assert "sk-secret" not in repr(deployed({"OPENAI_API_KEY": "sk-secret"}))


def test_a_model_list_of_ones_own_replaces_list_and_families() -> None:
    mine = deployed({}, openai={"models": ["gpt-4o", "new"]})["openai"]

    assert (list(mine.models), mine.families, mine.serves("gpt-5")) == (["gpt-4o", "new"], (), False)
    assert mine.facts("gpt-4o") == lookup.find("openai").models["gpt-4o"]


def test_a_dated_version_has_the_facts_of_the_longest_name_that_starts_it() -> None:
    openai = deployed({"OPENAI_API_KEY": "k"})["openai"]

    assert openai.facts("gpt-4o-mini-2024-07-18") is openai.models["gpt-4o-mini"]


def test_silence_is_allowed_as_configured_and_by_origin() -> None:
    found = deployed(
        {},
        a={"base_url": "http://x/v1", "timeout": 5},
        b={"base_url": "http://x/v2", "timeout": 9},
        c={"base_url": "http://y"},
    )

    assert build.timeouts(found) == {"http://x": 9.0, "http://y": 600.0}


@pytest.mark.parametrize(
    ("scheme", "fields"),
    [("bearer", {"authorization": "Bearer k"}), ("x-api-key", {"x-api-key": "k"}), ("x-goog-api-key", {"x-goog-api-key": "k"}), ("none", {})],
)  # fmt: skip
def test_a_key_is_presented_as_its_host_wants_it(scheme: Scheme, fields: dict[str, str]) -> None:
    headers = Headers()
    sign(headers, scheme, "k")

    assert dict(headers.items()) == fields


@pytest.mark.parametrize("name", NAMED)
def test_every_provider_says_where_its_facts_are_from(name: str) -> None:
    provider = lookup.find(name)

    assert provider.docs.startswith("https://")
    assert provider.models
    assert provider.base_url.startswith("https://")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("antropic", "unknown provider 'antropic'; did you mean 'anthropic'?"),
        ("zzz", "unknown provider 'zzz'; built in are openai"),
        ("no.module:X", "provider 'no.module:X' cannot be imported: module 'no' not found"),
        (":X", "provider ':X' is no import string: write package.module:OBJECT"),
        ("os:nothing", "cannot be imported: module 'os' has no attribute"),
        ("os:path", "is a module, not a setu.providers.record.Provider"),
    ],
)
def test_a_provider_that_is_none_is_a_clear_sentence(name: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lookup.find(name)

    assert says in str(caught.value)


def test_an_import_string_finds_a_strangers_provider(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from setu.providers.record import Provider\nP = Provider(name='acme', base_url='https://a.test', dialects=('openai_chat',))\n"
    (tmp_path / "setu_acme_one.py").write_text(source)
    (tmp_path / "setu_acme_bad.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)

    assert lookup.find("setu_acme_one:P") == Provider(name="acme", base_url="https://a.test", dialects=("openai_chat",))
    with pytest.raises(ConfigError, match="cannot be imported: division by zero"):
        lookup.find("setu_acme_bad:P")
