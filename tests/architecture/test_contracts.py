"""The import contracts speak about the whole tree, and the tree keeps them."""

import subprocess
import sys

from tests.architecture.tree import IMPURE_CASSETTE, JUDGES_MAY_IMPORT, ROOT, contract, module_of, sources

PURE_PACKAGES = ("chat", "dialects", "translate", "framing", "providers", "routing", "resilience", "access")
PURE_MODULES = ("errors", "_json", "http", "signals", "schema", "media", "ports")


def test_the_tree_keeps_the_contracts() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "4 kept, 0 broken" in done.stdout


def test_the_layers_are_exhaustive() -> None:
    found = contract("layers")

    assert found["exhaustive"] is True
    assert found["exhaustive_ignores"] == ["__main__"]


def test_every_dialect_is_held_apart() -> None:
    dialects = {f"setu.dialects.{path.parent.name}" for path in (ROOT / "setu" / "dialects").glob("*/codec.py")}

    assert set(contract("dialects")["modules"]) == dialects


def test_every_module_of_the_cassette_room_is_pure_or_known_to_do_io() -> None:
    modules = {module_of(path) for path in sources("setu/cassette")} - {"setu.cassette"}

    declared = {name for name in contract("pure")["source_modules"] if name.startswith("setu.cassette.")}

    assert declared == modules - IMPURE_CASSETTE


def test_every_pure_room_that_exists_is_in_the_contract() -> None:
    rooms = [f"setu.{name}" for name in PURE_PACKAGES if (ROOT / "setu" / name).is_dir()]
    rooms += [f"setu.{name}" for name in PURE_MODULES if (ROOT / "setu" / f"{name}.py").is_file()]

    assert set(rooms) <= set(contract("pure")["source_modules"])


def test_judges_may_import_only_what_a_stranger_could() -> None:
    top = {".".join(module_of(path).split(".")[:2]) for path in sources("setu")} - {"setu", "setu.__main__"}

    assert set(contract("judges")["forbidden_modules"]) == top - JUDGES_MAY_IMPORT


def test_judges_know_nothing_of_the_rest_of_conformance() -> None:
    """The contract forbids rooms; inside their own room judges may import only judges and wire models."""
    allowed = ("setu.conformance.judges", "setu.conformance.wire")
    strangers = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sources("setu/conformance/judges", "setu/conformance/wire")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.lstrip().startswith(("from setu.conformance", "import setu.conformance"))
        and not line.split()[1].startswith(allowed)
    ]

    assert strangers == []
