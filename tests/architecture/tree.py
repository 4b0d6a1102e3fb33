"""The repository as data: its contracts, its modules, its functions."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
_FORMATS = ("formats", "formats.registry", "formats.files")  # the package itself is empty
IMPURE_CASSETTE = frozenset(
    f"setu.cassette.{name}"
    for name in ("library", "shelf", "shared", "repair", "blobs", "misslog", "parcels", "yamlfile", *_FORMATS)
)
"""The modules of `cassette` that touch a disk or a parser of files; all the others are pure."""
JUDGES_MAY_IMPORT = frozenset({"setu.http", "setu.framing", "setu.errors", "setu._json", "setu.conformance"})


class Function(NamedTuple):
    """A function and how many lines it has, decorators aside."""

    path: Path
    name: str
    lines: int


def settings(tool: str) -> dict[str, Any]:
    """Return what pyproject.toml says to a tool."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][tool]
    return found


def contract(name: str) -> dict[str, Any]:
    """Return an import contract of pyproject.toml by its id."""
    contracts: list[dict[str, Any]] = settings("importlinter")["contracts"]
    return next(found for found in contracts if found["id"] == name)


def sources(*folders: str) -> list[Path]:
    """Return every Python file below the folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    """Return the dotted name of a file of the package."""
    steps = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(steps[:-1] if steps[-1] == "__init__" else steps)


def pure_modules() -> list[str]:
    """Return every module that the second contract calls pure."""
    pure = tuple(contract("pure")["source_modules"])
    modules = [module_of(path) for path in sources("setu")]
    return [module for module in modules if module in pure or module.startswith(tuple(f"{name}." for name in pure))]


def functions(path: Path) -> Iterator[Function]:
    """Yield the functions of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield Function(path.relative_to(ROOT), node.name, node.end_lineno - node.lineno + 1)
