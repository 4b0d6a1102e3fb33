"""Recipes are read and filled in as they say, and refused with file and key."""

import json
from pathlib import Path
from typing import Any

import pytest
import tomli
import yaml
from hypothesis import given
from hypothesis import strategies as st

import setu
from setu.config.model import Config
from setu.conformance.gateways import PLACES, Model, Recipe, keys, load, names, render
from setu.errors import ConfigError
from tests.conformance.fakes import MINIMAL, written

VALUES = {place: f"<{place}>" for place in PLACES}


@pytest.mark.parametrize("name", names())
def test_a_recipe_leads_every_model_to_the_upstream(name: str) -> None:
    recipe = load(name)

    rendered = render(recipe, VALUES)

    said = [*rendered.files.values(), *(json.dumps(dict(model.headers)) for model in rendered.models.values())]
    assert "".join(said).count("<upstream>") >= len(recipe.models)
    assert {*recipe.models, *recipe.missing} == {"openai_chat", "anthropic", "gemini"}
    assert all("openai_chat" in model.clients for model in recipe.models.values())
    assert "{" not in "".join(rendered.command)


@pytest.mark.parametrize("name", names())
def test_what_a_recipe_writes_is_what_its_file_says_it_is(name: str) -> None:
    parsers: dict[str, Any] = {".yaml": yaml.safe_load, ".toml": tomli.loads}
    values = VALUES | {"port": "4000", "upstream": "http://127.0.0.1:9009"}

    read = [parsers[Path(file).suffix](text) for file, text in render(load(name), values).files.items()]

    assert all(read)


def test_setus_own_recipe_is_a_valid_configuration_with_keys() -> None:
    recipe = load("setu")
    values = VALUES | {"port": "4000", "upstream": "http://127.0.0.1:9009"} | keys(0)

    config = Config.model_validate(tomli.loads(render(recipe, values).files["setu.toml"]))

    assert recipe.version == setu.__version__
    assert [key.get_secret_value() for key in config.auth.keys] == [keys(0)["key"]]
    assert {str(provider.base_url)[:21] for provider in config.providers.values()} == {"http://127.0.0.1:9009"}


def test_another_version_is_named_behind_an_at_sign() -> None:
    assert load("litellm@1.109.1").wanted.packages[0] == "litellm[proxy]==1.109.1"
    assert load("portkey@1.9.8").wanted.packages == ("@portkey-ai/gateway@1.9.8",)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "lightllm",
            "no recipe for a gateway 'lightllm'; there are litellm, mlflow, portkey, setu, or give a .toml file",
        ),
        ("setu@0.0.1", f"setu@0.0.1: setu is the installation that runs, version {setu.__version__}"),
        ("nowhere.toml", "nowhere.toml: No such file or directory"),
    ],
)
def test_a_recipe_that_is_not_there_is_said_to_be_so(said: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(said)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Fake"', 'titel = "Fake"', "unknown field `titel`"),
        ('kind = "here"', 'kind = "here"\nversions = 1', "unknown field `versions` - at `$.install`"),
        ('kind = "here"', 'kind = "cargo"', "Invalid enum value 'cargo' - at `$.install.kind`"),
        ('kind = "here"', 'kind = "pypi"', "install.packages is empty"),
        ('kind = "here"', 'kind = "pypi"\npackages = ["x"]', "version is missing"),
        ('ready = "/up"', "ready = 1", "Expected `str`, got `int` - at `$.ready`"),
        ("{port}", "{prot}", "command[2] has {prot}, which is not filled in; there are anthropic_key, "),
        ('"gpt",', '"gpt", headers = { a = "{b}" },', "models.openai_chat.headers.a has {b}, which is not filled in"),
        ("[models]", '[missing]\nopenai_chat = "no"\n[models]', "missing.openai_chat has a model, too"),
        ("[models]", "[models", "Expected ']' at the end of a table declaration"),
    ],
)
def test_a_wrong_recipe_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = written(tmp_path, MINIMAL.replace(old, new))

    with pytest.raises(ConfigError) as caught:
        load(str(path))

    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_npm_packages_need_a_version_of_node(tmp_path: Path) -> None:
    more = 'kind = "npm"\npackages = ["x@{version}"]'
    path = written(tmp_path, 'version = "1"\n' + MINIMAL.replace('kind = "here"', more))

    with pytest.raises(ConfigError, match=r"install\.node is missing"):
        load(str(path))


def test_every_request_carries_the_headers_of_all_and_those_of_its_model(tmp_path: Path) -> None:
    text = MINIMAL.replace('"gpt",', '"gpt", headers = { x = "{openai_key}" },')
    recipe = load(str(written(tmp_path, text + '\n[headers]\nauthorization = "Bearer {key}"\n')))

    rendered = render(recipe, VALUES)

    assert rendered.models["openai_chat"].headers == {"authorization": "Bearer <key>", "x": "<openai_key>"}


def test_a_model_can_what_the_gateway_can_and_what_it_can_be_asked_in(tmp_path: Path) -> None:
    assert load(str(written(tmp_path))).can("openai_chat") == {"auth", "tools", "anthropic"}


def test_fake_keys_tell_whose_they_are_and_stay_the_same_by_seed() -> None:
    assert keys(7) == keys(7)
    assert len({*keys(7).values(), *keys(8).values()}) == 8


@given(st.text().filter(lambda text: "{" not in text))
def test_text_without_places_stays_as_it_is(text: str) -> None:
    recipe = Recipe(
        title="t", ready="/", ready_seconds=1, command=(text,), install=load("setu").install, models={},
        embedding=Model(name="e", headers={"x": text}), capabilities=frozenset(), files={"f": text},
    )  # fmt: skip

    rendered = render(recipe, {})

    assert rendered.embedding is not None
    assert (rendered.command[0], rendered.files["f"], rendered.embedding.headers["x"]) == (text, text, text)
