"""The distribution: what is inside, and that it works where nobody has a checkout."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
DATA = ("setu/_bundled/cassettes/", "setu/_bundled/conformance/")
DATA_KINDS = {".yaml", ".toml", ".json", ".md"}
WEB_KINDS = {".html", ".css", ".js", ".svg"}

pytestmark = [pytest.mark.packaging, pytest.mark.slow, pytest.mark.timeout(900)]


def run(command: list[str | Path], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with only the environment that a stranger's shell would have."""
    env = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "HTTP", "NO_PROXY", "SSL"))}
    env |= {"PATH": os.environ["PATH"], "HOME": str(cwd), **variables}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fresh wheel and sdist; the wheel is built from the sdist, so what the sdist lacks is missed."""
    folder = tmp_path_factory.mktemp("dist")
    done = run([sys.executable, "-m", "build", "--outdir", folder, ROOT], folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (found,) = built.glob("setu_llm-*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a clean environment that holds the wheel and nothing of this repository."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=True)
    done = run([folder / "bin/python", "-m", "pip", "install", "--quiet", wheel], folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "bin"


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_code_data_and_metadata_only(wheel: Path) -> None:
    strangers = [
        name
        for name in names(wheel)
        if not (
            (name.startswith("setu/") and name.endswith(".py"))
            or (name.startswith(DATA) and PurePosixPath(name).suffix in DATA_KINDS)
            or (name.startswith("setu/web/") and PurePosixPath(name).suffix in WEB_KINDS)
            or name == "setu/py.typed"
            or name.split("/")[0].endswith(".dist-info")
        )
    ]

    assert strangers == []


def test_the_wheel_holds_every_module_and_both_data_folders(wheel: Path) -> None:
    found = set(names(wheel))
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "setu").rglob("*.py")}
    data = {
        f"setu/_bundled/{path.relative_to(ROOT)}"
        for folder in ("cassettes", "conformance")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }

    assert modules | data | {"setu/py.typed"} <= found
    assert all(any(name.startswith(folder) for name in data) for folder in DATA)


def test_no_test_reaches_a_user(wheel: Path) -> None:
    assert [name for name in names(wheel) if "tests" in PurePosixPath(name).parts] == []


def test_the_wheel_brings_its_licence_and_its_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = {
            name.split("/", 1)[1]: archive.read(name).decode() for name in archive.namelist() if ".dist-info/" in name
        }

    assert "Name: setu-llm" in metadata["METADATA"]
    assert "Requires-Python: >=3.11" in metadata["METADATA"]
    assert "setu = setu.cli.main:main" in metadata["entry_points.txt"]
    assert "MIT License" in metadata["licenses/LICENSE"]


def test_the_sdist_can_run_the_tests(built: Path) -> None:
    (sdist,) = built.glob("setu_llm-*.tar.gz")
    with tarfile.open(sdist) as archive:
        top = {PurePosixPath(name).parts[1] for name in archive.getnames() if len(PurePosixPath(name).parts) > 1}

    wanted = {"setu", "tests", "docs", "cassettes", "conformance", "pyproject.toml", "tox.ini", "README.md", "LICENSE"}
    assert wanted <= top


def test_the_help_is_there(installed: Path, tmp_path: Path) -> None:
    done = run([installed / "setu", "--help"], tmp_path)

    assert done.returncode == 0, done.stderr
    assert [word for word in ("start", "record", "replay", "conformance") if word not in done.stdout] == []


def test_a_provider_conforms_in_a_foreign_directory(installed: Path, tmp_path: Path) -> None:
    """One of them: the tox environment `conformance` runs all, from a wheel, too."""
    done = run([installed / "setu", "conformance", "--provider", "gemini"], tmp_path)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "gemini (offline" in done.stdout
