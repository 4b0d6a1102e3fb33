from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.config.environ import Names, dotenv, with_dotenv
from setu.config.load import load
from setu.config.model import Config
from setu.config.schema import ANY, keys
from setu.errors import ConfigError

NAMES = Names(Config, [(("daemon",), ("server",))])


@pytest.mark.parametrize("name", ["SETU_SERVER_MAX_BODY", "SETU_SERVER__MAX_BODY", "SETU_DAEMON_MAX_BODY"])
def test_a_key_has_its_variable_in_either_spelling(name: str) -> None:
    assert load(None, {name: "2MB"}).server.max_body == 2_000_000


def test_of_both_spellings_the_exact_one_counts() -> None:
    environ = {"SETU_SERVER_PORT": "1", "SETU_SERVER__PORT": "2"}

    assert load(None, environ).server.port == 2


def test_an_empty_variable_says_nothing() -> None:
    assert load(None, {"SETU_SERVER_PORT": ""}).server.port == 3742


def test_a_list_is_separated_by_commas() -> None:
    assert load(None, {"SETU_SERVER_ALLOWED_HOSTS": "a.example, b.example"}).server.allowed_hosts == (
        "a.example",
        "b.example",
    )


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("SETU_PROVIDERS_OPENAI_BASE_URL", "openai"),
        ("SETU_PROVIDERS__OPENAI__BASE_URL", "openai"),
        ("SETU_PROVIDERS_MY_HOST_BASE_URL", "my-host"),
        ("SETU_PROVIDERS_NEW_ONE_BASE_URL", "new_one"),
    ],
)
def test_a_providers_key_has_one_too(name: str, provider: str) -> None:
    said = NAMES.read({name: "http://here/v1"}, {"providers": {"my-host": {}}})

    assert said.data == {"providers": {provider: {"base_url": "http://here/v1"}}}
    assert said.variable(("providers", provider, "base_url")) == name


def test_a_variable_that_names_no_key_is_told_of_others_are_not() -> None:
    said = NAMES.read({"SETU_SERVER_PROT": "1", "SETU_DEBUG": "1", "SETU_CONFIG": "x", "HOME": "/"}, {})

    assert said.unknown == ("SETU_SERVER_PROT: names no key of the configuration; did you mean SETU_SERVER_PORT?",)


@pytest.mark.parametrize("between", ["_", "__"])
def test_every_plain_key_is_found_by_its_variable(between: str) -> None:
    for path, shape in keys(Config):
        named = tuple("x1" if step == ANY else step for step in path)
        said = NAMES.read({"SETU_" + between.join(named).upper(): "v"}, {})

        assert list(said.variables) == [named], shape


def test_an_error_does_not_show_a_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {"SETU_AUTH_KEYS": "sk-hunter2"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=a b", "a b"),
        ("export KEY = a # why", "a"),
        ("KEY='a # b'  # why", "a # b"),
        ('KEY="a=b"', "a=b"),
        ("KEY=a#b", "a#b"),
        ("KEY=", ""),
        ("KEY=# nothing", ""),
        ("KEY='open", "'open"),
    ],
)
def test_a_line_of_dotenv_is_a_variable(line: str, value: str) -> None:
    assert dotenv(f"# KEY=no\n\nnonsense\n{line}\n") == {"KEY": value}


def test_dotenv_gives_what_is_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n", encoding="utf-8-sig")

    assert with_dotenv({"A": "set", "C": ""}, tmp_path) == {"A": "set", "B": "file", "C": ""}
    assert with_dotenv({"A": "set"}, tmp_path / "none") == {"A": "set"}


def test_dotenv_that_is_no_text_is_told_of(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"\.env: cannot be read"):
        with_dotenv({}, tmp_path)


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True), st.text("ab =#\\é", max_size=8)))
def test_what_is_quoted_is_read_back(values: dict[str, str]) -> None:
    text = "\n".join(f"{name}='{value}'" for name, value in values.items())

    assert dotenv(text) == values
