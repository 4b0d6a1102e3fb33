"""The Action and the recipes for CI: their parts exist, their options are the command's, their script does what it says."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from setu.cli.main import app
from setu.conformance.report.registry import KINDS
from tests.docs.blocks import ROOT, blocks

GUIDE = ROOT / "docs" / "guides" / "conformance-in-ci.md"
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
SCRIPTS = {step["name"]: step for step in STEPS if "run" in step}
RUN = SCRIPTS["Run setu conformance"]
_INPUT = re.compile(r"\binputs\.([\w-]+)")
STUB = """#!{python}
import json, pathlib, sys
pathlib.Path({log!r}).write_text(json.dumps(sys.argv[1:]))
sys.exit({status})
"""


def options() -> set[str]:
    """Return the options that `setu conformance --help` knows."""
    answer = CliRunner().invoke(app, ["conformance", "--help"], terminal_width=200)
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", answer.output.partition("Options:")[2]))


def strings(value: Any) -> Iterator[str]:
    """Yield every string in a YAML value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in (*value, *value.values()):
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def guide() -> list[Any]:
    """Return the YAML blocks of the guide."""
    return [yaml.safe_load(block.text) for block in blocks(GUIDE) if block.language == "yaml"]


def commands() -> list[list[str]]:
    """Return the words of every `setu conformance` line: of the recipes, and of the Action's `args`."""
    lines = [text for text in strings(guide()) if text.startswith("setu conformance")]
    lines += [text for step in _uses(guide()) for name, text in step.get("with", {}).items() if name == "args"]
    return [shlex.split(line) for line in lines]


def _uses(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the steps that use Setu's Action."""
    if isinstance(value, dict):
        if str(value.get("uses", "")).partition("@")[0].endswith("/setu"):
            yield value
        for each in value.values():
            yield from _uses(each)
    elif isinstance(value, list):
        for each in value:
            yield from _uses(each)


def test_the_action_is_a_composite_one_with_everything_that_github_asks_for() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert all(ACTION[member] for member in ("name", "description", "inputs", "outputs"))
    assert all(each["description"] for table in ("inputs", "outputs") for each in ACTION[table].values())
    assert all(each["default"] is not None for each in ACTION["inputs"].values())
    assert all(step.get("shell") == "bash" for step in SCRIPTS.values())


def test_other_peoples_actions_are_pinned_to_a_commit() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    used += [text for text in strings(guide()) if text.startswith("actions/")]

    assert used
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name)] == []


def test_every_input_is_used_and_every_input_that_is_used_exists() -> None:
    used = {name for text in strings(ACTION["runs"]) for name in _INPUT.findall(text)}

    assert used == set(ACTION["inputs"])


def test_no_input_can_be_a_command() -> None:
    """An expression inside of a script is pasted into it before the shell reads it."""
    assert [name for name, step in SCRIPTS.items() if "${{" in step["run"]] == []


def test_every_output_comes_from_a_step() -> None:
    written = set(re.findall(r'echo "([\w-]+)=', RUN["run"]))

    assert {f"${{{{ steps.{RUN['id']}.outputs.{name} }}}}" for name in written} == {
        output["value"] for output in ACTION["outputs"].values()
    }


def test_the_scripts_options_are_the_commands() -> None:
    named = set(re.findall(r"(?:option |\(\+?)(--[a-z-]+)", RUN["run"]))

    assert len(named) > 10
    assert named - options() == set()
    assert set(re.findall(r"\b([a-z]+)=(?:xml|html|json|md)\b", RUN["run"])) | {"badge"} == set(KINDS)


def test_the_recipes_options_are_the_commands() -> None:
    used = {word.partition("=")[0] for words in commands() for word in words if word.startswith("--")}

    assert len(commands()) > 1
    assert used - options() == set()


def test_the_recipes_give_the_action_inputs_that_it_has() -> None:
    steps = list(_uses(guide()))

    assert len(steps) > 2
    assert {name for step in steps for name in step["with"]} - set(ACTION["inputs"]) == set()


def test_jobs_that_keep_reports_in_one_run_name_them_apart() -> None:
    for workflow in guide():
        if isinstance(workflow, dict) and "jobs" in workflow:
            names = [step["with"].get("artifact-name") for step in _uses(workflow)]

            assert len(set(names)) == len(names)


class Step:
    """The Action's script in a folder of its own, with variables as GitHub sets them."""

    def __init__(self, folder: Path, **inputs: str) -> None:
        self.folder = folder
        self.output = folder / "output"
        self.log = folder / "arguments.json"
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert set(given) <= set(ACTION["inputs"])
        defaults = {name: each["default"] for name, each in ACTION["inputs"].items()}
        values = defaults | {"reports": str(folder / "reports")} | given
        self.environ = {
            name: _INPUT.sub(lambda found: values[found[1]], text.removeprefix("${{ ").removesuffix(" }}"))
            for name, text in RUN["env"].items()
        }
        self.environ |= {"RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(self.output), "LANG": "C.UTF-8"}

    def run(self, scripts: Path) -> int:
        """Run the script with `setu` and `python` of a folder; return its exit status."""
        path = os.pathsep.join([str(scripts), str(Path(sys.executable).parent), "/usr/bin", "/bin"])
        script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", RUN["run"]]  # as GitHub calls it
        environ = {**self.environ, "PATH": path, "HOME": str(self.folder)}
        return subprocess.run(script, env=environ, cwd=self.folder, capture_output=True, check=False).returncode

    def stub(self, status: int = 0) -> int:
        """Run the script with a `setu` that writes down its arguments."""
        scripts = self.folder / "bin"
        scripts.mkdir()
        (scripts / "setu").write_text(STUB.format(python=sys.executable, log=str(self.log), status=status))
        (scripts / "setu").chmod(0o755)
        return self.run(scripts)

    @property
    def arguments(self) -> list[str]:
        found: list[str] = json.loads(self.log.read_text())
        return found

    @property
    def outputs(self) -> dict[str, str]:
        lines = self.output.read_text().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_without_inputs_the_script_only_asks_for_reports(tmp_path: Path) -> None:
    step = Step(tmp_path)

    assert step.stub() == 0
    assert step.arguments[0] == "conformance"
    assert set(step.arguments[1::2]) == {"--report"}
    assert {text.partition("=")[0] for text in step.arguments[2::2]} == set(KINDS)
    assert step.outputs["exit-code"] == "0"
    assert (tmp_path / "reports").is_dir()


def test_inputs_become_options_word_by_word(tmp_path: Path) -> None:
    step = Step(
        tmp_path,
        gateway="http://127.0.0.1:4000",
        model="openai=a b,anthropic=$(touch pwned)",
        expected_failures="x; touch pwned",
        strict="true",
        args="--select 'TOOL,-TOOL-019' --header 'x=a b' --seed 7",
    )

    assert step.stub() == 0
    found = " ".join(map(shlex.quote, step.arguments))
    assert "--gateway http://127.0.0.1:4000" in found
    assert step.arguments[step.arguments.index("--model") + 1] == "openai=a b,anthropic=$(touch pwned)"
    assert step.arguments[step.arguments.index("--expected-failures") + 1] == "x; touch pwned"
    assert "--strict" in step.arguments
    assert step.arguments[-6:] == ["--select", "TOOL,-TOOL-019", "--header", "x=a b", "--seed", "7"]
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("status", [1, 4])
def test_the_steps_status_is_the_commands(status: int, tmp_path: Path) -> None:
    step = Step(tmp_path)

    assert step.stub(status) == status
    assert step.outputs["exit-code"] == str(status)


def test_arguments_that_no_shell_could_read_fail_the_step(tmp_path: Path) -> None:
    assert Step(tmp_path, args="--select 'TOOL").stub() != 0


def cassette(usage: dict[str, int]) -> dict[str, Any]:
    """Return a recorded chat as plain vcrpy writes one."""
    asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Name three colours."}]}
    message = {"role": "assistant", "content": "Red, green and blue.", "refusal": None}
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1795165200,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": usage,
    }
    headers = {"content-type": ["application/json"], "x-request-id": ["req_1"]}
    request = {
        "method": "POST",
        "uri": "https://api.openai.com/v1/chat/completions",
        "headers": {"content-type": ["application/json"]},
        "body": json.dumps(asked),
    }
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": headers,
        "body": {"string": json.dumps(answer)},
    }
    return {"version": 1, "interactions": [{"request": request, "response": response}]}


@pytest.mark.slow
@pytest.mark.parametrize(("total", "status"), [(20, 0), (21, 1)], ids=["right", "a sum that is wrong"])
def test_the_script_runs_the_suite_and_writes_what_it_promises(total: int, status: int, tmp_path: Path) -> None:
    usage = {"prompt_tokens": 14, "completion_tokens": 6, "total_tokens": total}
    (tmp_path / "chat.yaml").write_text(yaml.safe_dump(cassette(usage)), encoding="utf-8")
    step = Step(tmp_path, cassette=str(tmp_path / "chat.yaml"), profile="core")

    assert step.run(Path(sys.executable).parent) == status
    assert all(Path(step.outputs[name]).stat().st_size > 100 for name in ("junit", "html", "json"))
