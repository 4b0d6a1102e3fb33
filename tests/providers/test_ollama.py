import pytest

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.providers.ollama import address


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("box.local:11434/", "http://box.local:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000"),
        (":9000", "http://127.0.0.1:9000"),
        ("[::]:9000", "http://127.0.0.1:9000"),
        ("[::1]", "http://[::1]:11434"),
        ("https://ollama.example.com", "https://ollama.example.com"),
        ("https://example.com/ollama/", "https://example.com/ollama"),
        ('"127.0.0.1"', "http://127.0.0.1:11434"),
        ("", "http://127.0.0.1:11434"),
    ],
)
def test_ollama_host_means_a_url(value, url) -> None:
    assert address(value) == url


@pytest.mark.parametrize(
    ("environ", "url"),
    [({}, "http://127.0.0.1:11434"), ({"OLLAMA_HOST": "0.0.0.0:8000"}, "http://127.0.0.1:8000")],
)
def test_a_deployment_is_where_the_environment_says_and_needs_no_key(environ, url) -> None:
    found = build.deployments(Config(providers={"ollama": ProviderConfig()}), environ)["ollama"]

    assert found.base_url == url
    assert (found.key, found.scheme) == (None, "none")
