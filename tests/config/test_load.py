from pathlib import Path

import pytest

from setu.config.load import find, line_of, load, parse
from setu.config.model import Config
from setu.errors import ConfigError


def read(text: str, **environ: str) -> Config:
    return parse(text, "setu.toml", environ)


def test_no_file_gives_the_defaults() -> None:
    config = load(None)

    assert (config.server.host, config.server.port, config.server.max_body) == ("127.0.0.1", 3742, 10 * 1024 * 1024)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server]\nprot = 1\n", "setu.toml:2: server.prot: unknown key; did you mean 'port'?"),
        ("[sever]\nport = 1\n", "setu.toml:1: sever: unknown key; did you mean 'server'?"),
        ("[server]\nhost = 'x'\n\nport = 70000\n", "setu.toml:4: server.port: Input should be less than or equal to 65535"),
        ("[server\n", "setu.toml:1: not valid TOML: "),
        ("[providers.local]\ntype='openai_compatible'\nbase_url = 'ftp://x'\n", "setu.toml:3: providers.local.base_url: must start with http:// or https://"),
        ("[providers.local]\napi_kye = 'x'\n", "setu.toml:2: providers.local.api_kye: unknown key; did you mean 'api_key'?"),
        ("[providers.openai]\napi_key = '${NOPE}'\n", "setu.toml:2: providers.openai.api_key: the environment has no variable NOPE"),
        ("[routing]\ndefault_provider='x'\n[providers.openai]\n", "setu.toml: routing.default_provider: 'x' is not one of openai"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert str(caught.value).startswith(message)


def test_variables_are_expanded_and_secrets_do_not_print() -> None:
    config = read("[providers.openai]\napi_key = '${KEY}'\n", KEY="sk-secret-value")

    key = config.providers["openai"].api_key
    assert key is not None
    assert key.get_secret_value() == "sk-secret-value"
    assert "secret-value" not in repr(config)


def test_an_error_never_shows_a_value() -> None:
    with pytest.raises(ConfigError) as caught:
        read("[providers.openai]\napi_key = ['sk-secret-value']\n")

    assert "sk-secret" not in str(caught.value)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="configuration file not found"):
        find(tmp_path / "none.toml", {})


def test_the_file_is_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "xdg" / "setu" / "setu.toml"
    own.parent.mkdir(parents=True)
    own.touch()
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}

    assert find(None, environ) == own
    (tmp_path / "setu.toml").touch()
    assert find(None, environ) == Path("setu.toml")
    assert find(None, {**environ, "SETU_CONFIG": str(own)}) == own


def test_a_line_is_found_under_its_own_table() -> None:
    text = "[a]\nkey = 1\n[b]\n# key = 0\nkey = 2\n"

    assert line_of(text, ("b", "key")) == 5


def test_offline_a_key_need_not_be_set_an_address_must() -> None:
    text = """
[auth]
mode = "keys"
keys = ["${TEAM}"]
[providers.mine]
type = "openai_compatible"
api_key = "${KEY}"
base_url = "${URL}"
"""

    config = parse(text, "setu.toml", {"URL": "http://here/v1"}, offline=True)
    key = config.providers["mine"].api_key

    assert key is not None
    assert (key.get_secret_value(), config.providers["mine"].base_url) == ("", "http://here/v1")
    with pytest.raises(ConfigError, match="base_url: the environment has no variable URL"):
        parse(text, "setu.toml", {}, offline=True)
    with pytest.raises(ConfigError, match="no variable TEAM"):
        parse(text, "setu.toml", {"URL": "http://here/v1"})


def test_a_file_is_looked_for_in_the_folder_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "setu.toml").write_text("")

    assert find(None, {"HOME": "/nonexistent"}, tmp_path) == tmp_path / "setu.toml"
