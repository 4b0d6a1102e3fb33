"""Programs are installed once, apart, and whole or not at all."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from setu.conformance.packages import Installed, InstallError, Wanted, cache_folder, installed


def wheel(folder: Path) -> Path:
    """Write a package of one module, `tiny`, as pip takes it without a network."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    info = "tiny-1.0.dist-info"
    with ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "print('tiny runs')\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.slow
def test_a_program_is_installed_once_and_apart(tmp_path: Path) -> None:
    wanted = Wanted(kind="pypi", packages=(str(wheel(tmp_path)),))
    cache = tmp_path / "cache"

    first = installed("tiny", wanted, cache)
    (tmp_path / "tiny-1.0-py3-none-any.whl").unlink()
    second = installed("tiny", wanted, cache)

    assert first == second == Installed(first.python, cache / f"tiny-{wanted.digest()}")
    assert (
        subprocess.run([first.python, "-m", "tiny"], capture_output=True, text=True, check=True).stdout == "tiny runs\n"
    )
    assert not any(Path(place, "tiny.py").exists() for place in sys.path)
    assert sorted(path.suffix for path in cache.iterdir()) == ["", ".log"]


@pytest.mark.slow
def test_an_installation_that_fails_is_told_by_its_step_and_leaves_nothing_but_the_log(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing-1.0-py3-none-any.whl")
    cache = tmp_path / "cache"

    with pytest.raises(InstallError) as caught:
        installed("missing", Wanted(kind="pypi", packages=(missing,)), cache)

    (log,) = cache.iterdir()
    assert str(caught.value).startswith(f"installing {missing} from PyPI failed: ERROR: ")
    assert str(caught.value).endswith(f"; see {log}")


def test_another_wish_is_installed_elsewhere() -> None:
    wishes = [
        Wanted(kind="npm", packages=("a@1",), node="22"),
        Wanted(kind="npm", packages=("a@2",), node="22"),
        Wanted(kind="npm", packages=("a@1",), node="24"),
        Wanted(kind="npm", packages=("a@1",), node="22", overrides={"b": "1"}),
    ]

    assert len({wanted.digest() for wanted in wishes}) == len(wishes)


def test_the_cache_is_where_the_user_wants_caches() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/setu/gateways")
    assert cache_folder({}) == Path.home() / ".cache" / "setu" / "gateways"
