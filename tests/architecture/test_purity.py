"""Importing a pure module pulls in nothing that could touch a network, a clock or a disk."""

import json
import subprocess
import sys

from tests.architecture.tree import ROOT, contract, module_of, pure_modules, sources

# What the interpreter itself loads before any code of ours runs (os, time) proves nothing and is left out.
PROBE = """
import sys
bare = set(sys.modules)
import importlib, json
modules, forbidden = json.loads(sys.argv[1])
forbidden = set(forbidden) - bare
found = {}
for module in modules:
    importlib.import_module(module)
    loaded = forbidden & set(sys.modules)
    if loaded:
        found[module] = sorted(loaded)
        forbidden -= loaded
print(json.dumps(found))
"""


def probe(modules: list[str], forbidden: list[str]) -> dict[str, list[str]]:
    command = [sys.executable, "-c", PROBE, json.dumps([modules, forbidden])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_importing_the_pure_modules_loads_nothing_forbidden() -> None:
    modules = pure_modules()

    assert len(modules) > 30
    assert probe(modules, contract("pure")["forbidden_modules"]) == {}


def test_the_probe_sees_an_impure_module() -> None:
    """The probe itself must be able to fail."""
    found = probe(["setu.transport.httpx_"], ["httpx", "anyio"])

    assert "httpx" in found["setu.transport.httpx_"]


def test_packages_that_hold_pure_modules_have_an_empty_init() -> None:
    """An edge through `__init__` is invisible to the linter and loads a whole room."""
    packages = {module.rpartition(".")[0] for module in pure_modules()} | {"setu.conformance", "setu.cassette"}
    inits = [path for path in sources("setu") if path.name == "__init__.py" and module_of(path) in packages - {"setu"}]

    assert [str(path.relative_to(ROOT)) for path in inits if path.stat().st_size] == []
