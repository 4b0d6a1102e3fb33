from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml import safe_dump as dump

from setu.config.load import OF_A_SERVER, Options, find, line_of, load, parse
from setu.config.load import read as loading
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
        ("[server]\nhost = '${NOPE}'\n", "setu.toml:2: server.host: the environment has no variable NOPE"),
        ("strict = true\n[providers.openai]\napi_key = '${NOPE}'\n", "setu.toml:3: providers.openai.api_key: the environment has no variable NOPE"),
        ("[daemon]\nport = 70000\n", "setu.toml:2: daemon.port: Input should be less than or equal to 65535"),
        ("[server]\nport = 1\n[daemon]\nport = 2\n", "setu.toml:4: daemon.port: says the same as server.port: keep one of them"),
        ("profile = 'nginx'\n", "there is no profile 'nginx'; there are setu, ai-gateway-proxy, responses-proxy, ai-gateway, semaroute"),
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


def test_a_provider_without_its_key_is_worth_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "setu.toml"
    path.write_text("[providers.openai]\napi_key = '${NOPE}'\n")
    loaded = loading(path, {"OPENAI_API_KEY": "another's"})
    key = loaded.config.providers["openai"].api_key

    assert key is not None
    assert key.get_secret_value() == ""
    assert loaded.warnings == (f"{path}:2: providers.openai.api_key: the environment has no variable NOPE",)


def test_a_text_after_a_colon_stands_for_a_variable_that_is_not_set() -> None:
    text = "[server]\nhost = '${HOST:-127.0.0.2}'\nport = '${PORT:-1}'\n"

    assert [read(text, HOST=host).server.host for host in ("", "::1")] == ["127.0.0.2", "::1"]


SOURCES = {
    "the command line": 1,
    "SETU_SERVER_PORT": 2,
    "the predecessor's own variable": 3,
    "the file": 4,
    "the profile": 3000,
    "the default": 3742,
}


@pytest.mark.parametrize("strongest", SOURCES)
def test_of_two_sources_the_stronger_one_has_the_word(tmp_path: Path, strongest: str) -> None:
    """Every source from the strongest down says something: the strongest is heard."""
    below = list(SOURCES)[list(SOURCES).index(strongest) :]
    path = tmp_path / "setu.toml"
    path.write_text("[server]\nport = 4\n" if "the file" in below else "")
    environ = {"SETU_SERVER_PORT": "2"} if "SETU_SERVER_PORT" in below else {}
    environ |= {"PORT": "3"} if "the predecessor's own variable" in below else {}
    said: dict[tuple[str, ...], int] = {("server", "port"): 1} if "the command line" in below else {}
    profile = "ai-gateway-proxy" if "the profile" in below else None
    loaded = loading(path, environ, Options(profile=profile, said=said))

    assert loaded.config.server.port == SOURCES[strongest]


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"SETU_SERVER_PORT": "x"}, "SETU_SERVER_PORT: Input should be a valid integer"),
        ({"SETU_DAEMON__PORT": "x"}, "SETU_DAEMON__PORT: Input should be a valid integer"),
        ({"PORT": "x", "SETU_PROFILE": "ai-gateway-proxy"}, "PORT: Input should be a valid integer"),
        ({"SETU_SERVER_PROT": "1", "SETU_STRICT": "1"}, "SETU_SERVER_PROT: names no key of the configuration; did you mean SETU_SERVER_PORT?"),
    ],
)  # fmt: skip
def test_an_error_names_the_variable(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loading(None, environ)

    assert str(caught.value).startswith(message)


def test_an_error_names_the_option() -> None:
    with pytest.raises(ConfigError, match="--port: Input should be less than or equal to 65535"):
        loading(None, {}, Options(said={("server", "port"): 70000}, names={("server", "port"): "--port"}))


def test_a_variable_of_a_predecessor_means_nothing_without_its_profile() -> None:
    assert load(None, {"PORT": "1", "HOST": "0.0.0.0", "BACKEND_URL": "x"}) == Config()


def test_yaml_and_toml_say_the_same() -> None:
    toml = "[server]\nport = 1\n[providers.local]\ntype = 'openai_compatible'\nbase_url = 'http://here/v1'\nmodels = ['a']\n"
    yaml = "server:\n  port: 1\nproviders:\n  local:\n    type: openai_compatible\n    base_url: http://here/v1\n    models: [a]\n"

    assert parse(yaml, "config.yaml", {}) == parse(toml, "setu.toml", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server:\n  prot: 1\n", "c.yaml:2: server.prot: unknown key; did you mean 'port'?"),
        ("server:\n  port: 1\n bad\n", "c.yaml:3: not valid YAML: "),
        ("- 1\n", "c.yaml:1: must be a table of keys, not list"),
        ("server: !!python/object/apply:os.system ['true']\n", "c.yaml:1: not valid YAML: "),
        ("server: &a\n  host: *a\n", "c.yaml"),
        ("auth:\n  mode: keys\n  keys:\n    - a\n    - {b: c}\n", "c.yaml:5: auth.keys.1: "),
    ],
)
def test_an_error_in_yaml_names_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "c.yaml", {})

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["", "server:\n", "---\n", "# nothing\n"])
def test_yaml_that_says_nothing_is_the_default(text: str) -> None:
    assert parse(text, "config.yaml", {}) == Config()


def test_a_server_is_also_configured_by_config_yaml_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("")
    environ = {"HOME": "/nonexistent"}

    assert find(None, environ, tmp_path) is None
    assert find(None, environ, tmp_path, OF_A_SERVER) == tmp_path / "config.yaml"
    (tmp_path / "setu.toml").write_text("")
    assert find(None, environ, tmp_path, OF_A_SERVER) == tmp_path / "setu.toml"


def test_who_said_a_key_is_known(tmp_path: Path) -> None:
    path = tmp_path / "setu.toml"
    path.write_text("[server]\nport = 1\nhost = '127.0.0.1'\n")
    merged = loading(path, {"SETU_SERVER_HOST": "::1", "SETU_PROFILE": "ai-gateway-proxy"}).merged
    said = {key: layer.place((*key.split("."),)) for key in KEYS if (layer := merged.layer((*key.split("."),)))}

    assert said == {
        "server.host": "SETU_SERVER_HOST",
        "server.port": f"{path}:2: server.port",
        "routing.default_provider": "profile ai-gateway-proxy: routing.default_provider",
    }


KEYS = ("server.host", "server.port", "routing.default_provider", "media.fetch")


@given(st.dictionaries(st.text(max_size=6), st.recursive(st.text(max_size=6) | st.integers() | st.booleans() | st.none(), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["server", "host", "port", "providers", "x", "*"]), inner, max_size=3), max_leaves=8), max_size=3))  # fmt: skip
def test_any_yaml_is_a_configuration_or_one_sentence(data: dict[str, object]) -> None:
    said = ""
    try:
        parse(dump(data), "c.yaml", {})
    except ConfigError as error:
        said = str(error)

    assert said == "" or said.isprintable()
