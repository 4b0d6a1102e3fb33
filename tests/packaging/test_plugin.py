"""The example plug-in as a user gets it: built, installed by pip, found by the command line. Nothing is downloaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from setu.conformance.two_sided import Standing
from tests.e2e.predecessors.serving import model_asked
from tests.live import ask, asked
from tests.processes import Serving, setu

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "acme"

pytestmark = [pytest.mark.packaging, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed example in it, made with the build backend that is here already."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-build-isolation", "--no-deps"]
    done = subprocess.run([*command, "--target", folder, EXAMPLE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_the_package_brings_its_recordings(site: Path) -> None:
    bundled = {path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*.yaml")}

    assert len(bundled) == 6
    assert {path.relative_to(site) for path in site.rglob("*.yaml")} == bundled


def test_the_conformance_suite_judges_it_by_its_own_recordings(site: Path, tmp_path: Path) -> None:
    done = setu("conformance", "--provider", "acme", "--no-fuzz", "--strict", cwd=tmp_path, PYTHONPATH=str(site))

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "acme (offline, 6 recordings)" in done.stdout
    assert "compat (MUST): pass" in done.stdout


def test_without_the_package_the_name_is_unknown(tmp_path: Path) -> None:
    done = setu("conformance", "--provider", "acme", cwd=tmp_path)

    assert done.returncode == 2
    assert "unknown provider 'acme'" in done.stderr


def test_the_gateway_serves_it_by_its_name(site: Path, tmp_path: Path) -> None:
    (tmp_path / "setu.toml").write_text('[providers.acme]\napi_key = "k"\n')
    recordings = site / "setu_acme" / "cassettes"
    question = b'{"model":"acme/anvil-2","messages":[{"role":"user","content":"How heavy is an anvil?"}]}'

    with Serving("start", "--port", "0", "--replay", str(recordings), cwd=tmp_path, PYTHONPATH=str(site)) as served:
        got = ask(served.url, question, "/v1/chat/completions", [("content-type", "application/json")])
        listed = ask(served.url, b"", "/v1/models", method="GET").json
        missed = ask(served.url, *asked("acme/anvil-3"))

    assert got.json["choices"][0]["message"]["content"] == "A blacksmith's anvil weighs about 90 kg."
    assert [entry["id"] for entry in listed["data"]] == ["acme/anvil-2", "acme/anvil-2-mini"]
    assert missed.status == 424


CONFIG = """
[providers.acme]
api_key = "k"
[routing]
strategy = "setu_acme.strategies:lightest"
[routing.models]
anvil = ["acme/anvil-2", "acme/anvil-2-mini"]
[[routing.rule]]
model = "anvil"
to = ["acme/anvil-2", "acme/anvil-2-mini"]
strategy = "setu_acme.strategies:lightest"
"""


@pytest.mark.parametrize(("words", "model"), [(1, "anvil-2-mini"), (60_000, "anvil-2")])
def test_its_strategy_orders_the_targets(site: Path, tmp_path: Path, words: int, model: str) -> None:
    """A short question goes to the small model, one that does not fit there to the large one."""
    with Standing() as upstream:
        (tmp_path / "setu.toml").write_text(
            CONFIG.replace('"k"', f'"k"\nbase_url = "{upstream.url}/v1"\ntype = "acme"')
        )
        question = {"model": "anvil", "messages": [{"role": "user", "content": "anvil " * words}]}
        with Serving("start", "--port", "0", cwd=tmp_path, PYTHONPATH=str(site)) as served:
            got = ask(served.url, json.dumps(question).encode(), "/v1/chat/completions")
        (exchange,) = upstream.stand.taken()

    assert got.status == 200
    assert model_asked(exchange) == model


def test_a_strategy_that_is_not_there_is_one_sentence(site: Path, tmp_path: Path) -> None:
    (tmp_path / "setu.toml").write_text(CONFIG.replace(":lightest", ":lightst"))
    done = setu("start", "--port", "0", cwd=tmp_path, PYTHONPATH=str(site))

    assert done.returncode == 78  # EX_CONFIG
    assert "strategy 'setu_acme.strategies:lightst' cannot be imported" in done.stderr
    assert "Traceback" not in done.stderr
