"""Every built-in provider as a row: found by its name, complete, and at the address its documentation names."""

import re
from pathlib import Path

import pytest

from setu import build
from setu.config.model import Config
from setu.conformance.runner import Settings, each_once
from setu.dialects.openai_chat.words import CAPABILITIES
from setu.dialects.registry import DIALECTS
from setu.errors import ConfigError
from setu.providers import lookup
from tests.providers.asking import ENVIRON, ask

ROOT = Path(__file__).parents[2]
HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hi."}]}
BREAKAGE = re.compile(r"B-[A-Z]{3,4}-\d{2}")
EXCHANGE = re.compile(r"[A-Za-z.-]+-[0-9a-f]{10}")
OPENAI_LIKE = tuple(
    name
    for name in lookup.BUILT_IN
    if lookup.find(name).dialects[0] == "openai_chat" and name not in {"openai", "openai_compatible"}
)
each = pytest.mark.parametrize("name", lookup.BUILT_IN)


def test_the_rows_are_the_modules_of_the_package() -> None:
    files = {path.stem for path in (ROOT / "setu" / "providers").glob("*.py")} - {"__init__"}

    assert set(lookup.BUILT_IN) == files - lookup.PLUMBING
    assert lookup.BUILT_IN[:4] == lookup.FIRST
    assert len(lookup.BUILT_IN) >= 30


@each
def test_a_row_says_who_it_is_and_where_that_stands(name) -> None:
    provider = lookup.find(name)

    assert provider.name == name
    assert provider.docs.startswith("https://")
    assert set(provider.dialects) <= DIALECTS.keys()
    assert set(provider.speaks.values()) <= set(provider.dialects)
    assert provider.paths.keys() <= set(provider.dialects)


@pytest.mark.parametrize("name", OPENAI_LIKE)
def test_its_capabilities_are_words_of_the_dialect(name) -> None:
    assert lookup.find(name).capabilities <= CAPABILITIES | {"tool_id_9"}


@each
def test_a_quirk_names_its_source_and_its_proof(name) -> None:
    for quirk in lookup.find(name).quirks:
        assert quirk.dialect in lookup.find(name).dialects
        assert quirk.source.startswith("https://")
        assert quirk.request or quirk.frame
        if quirk.proof.startswith("cassettes/"):
            assert (ROOT / quirk.proof).is_file()
        else:
            assert BREAKAGE.fullmatch(quirk.proof) or EXCHANGE.fullmatch(quirk.proof)


@each
def test_variables_and_placeholders_are_the_same_names(name) -> None:
    provider = lookup.find(name)
    needed = set(re.findall(r"\{(\w+)\}", provider.base_url)) - {"model"}

    assert needed <= provider.variables.keys()
    assert all(source.follows is None or source.follows in provider.variables for source in provider.variables.values())


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("mistral", "https://api.mistral.ai/v1/chat/completions"),
        ("groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("deepseek", "https://api.deepseek.com/chat/completions"),
        ("xai", "https://api.x.ai/v1/chat/completions"),
        ("together", "https://api.together.ai/v1/chat/completions"),
        ("nebius", "https://api.tokenfactory.nebius.com/v1/chat/completions"),
        ("novita", "https://api.novita.ai/openai/v1/chat/completions"),
        ("fireworks", "https://api.fireworks.ai/inference/v1/chat/completions"),
        ("cerebras", "https://api.cerebras.ai/v1/chat/completions"),
        ("perplexity", "https://api.perplexity.ai/chat/completions"),
        ("huggingface", "https://router.huggingface.co/v1/chat/completions"),
        ("nvidia", "https://integrate.api.nvidia.com/v1/chat/completions"),
        ("moonshot", "https://api.moonshot.ai/v1/chat/completions"),
        ("zai", "https://api.z.ai/api/paas/v4/chat/completions"),
        ("alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions"),
        ("vllm", "http://localhost:8000/v1/chat/completions"),
        ("llamacpp", "http://localhost:8080/v1/chat/completions"),
        ("lmstudio", "http://localhost:1234/v1/chat/completions"),
        ("github_models", "https://models.github.ai/inference/chat/completions"),
        ("cloudflare", "https://api.cloudflare.com/client/v4/accounts/acc/ai/v1/chat/completions"),
        ("databricks", "https://w.example/serving-endpoints/chat/completions"),
        ("snowflake", "https://org-acc.snowflakecomputing.com/api/v2/cortex/v1/chat/completions"),
        ("writer", "https://api.writer.com/v1/chat"),
        ("xiaomi", "https://api.xiaomimimo.com/v1/chat/completions"),
        ("vercel", "https://ai-gateway.vercel.sh/v1/chat/completions"),
    ],
)
def test_a_request_goes_to_the_documented_address_with_the_key(name, url) -> None:
    upstream, response, _ = ask(name, HELLO)

    assert response.status == 200
    assert upstream.sent[0].url == url
    assert upstream.sent[0].headers.get("authorization") == "Bearer k"


def test_without_a_configuration_every_provider_with_a_key_is_there() -> None:
    environ = {"GROQ_API_KEY": "g", "MISTRAL_API_KEY": "m", "OPENAI_API_KEY": "o", "TOGETHER_API_KEY": ""}

    found = build.deployments(Config(), environ)

    assert list(found) == ["openai", "groq", "mistral"]


@pytest.mark.parametrize(("region", "host"), [({}, "us-east-1"), ({"AWS_REGION": "eu-west-1"}, "eu-west-1")])
def test_without_a_configuration_a_bedrock_key_alone_is_enough(region: dict[str, str], host: str) -> None:
    (found,) = build.deployments(Config(), {"AWS_BEARER_TOKEN_BEDROCK": "b"} | region).values()

    assert (found.name, found.base_url) == ("bedrock", f"https://bedrock-runtime.{host}.amazonaws.com")
    assert (found.key, found.scheme, found.signer) == ("b", "bearer", None)


def test_a_key_without_the_address_it_needs_does_not_break_the_others() -> None:
    environ = {"AZURE_OPENAI_API_KEY": "a", "XAI_API_KEY": "x", "CLOUDFLARE_API_TOKEN": "c"}

    assert list(build.deployments(Config(), environ)) == ["xai"]
    assert list(build.deployments(Config(), environ | ENVIRON)) == ["azure", "cloudflare", "xai"]


def test_offline_every_provider_with_a_key_of_its_own_is_there() -> None:
    found = build.deployments(Config(), {}, offline_key="k")

    assert {"openai", "azure", "vertex", "mistral", "cloudflare"} <= found.keys()
    assert not {"vllm", "openai_compatible"} & found.keys()
    assert not any("{" in deployment.base_url.replace("{model}", "") for deployment in found.values())


def test_offline_ollama_is_there_without_an_address() -> None:
    """Its native path has no other home: a recorded `/api/chat` was refused as a provider that is not configured."""
    assert "ollama" in build.deployments(Config(), {}, offline_key="k")


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="unknown provider 'groqq'; did you mean 'groq'\\?; built in are openai"):
        lookup.find("groqq")


def test_fuzzing_runs_once_per_dialect_of_a_whole_run() -> None:
    paired = each_once(("openai", "groq", "anthropic", "azure", "vertex"), Settings())

    assert [own.fuzz for _, own in paired] == [True, False, True, False, True]
    assert not any(own.fuzz for _, own in each_once(("openai", "groq"), Settings(fuzz=False)))
