"""Providers of other people's packages: found by import string or by entry point, and refused in one sentence."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from setu import build
from setu.bundled import cassettes_of
from setu.config.model import Config
from setu.errors import ConfigError
from setu.providers import lookup
from setu.providers.imports import imported

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "acme"


def announce(folder: Path, package: str, **names: str) -> None:
    """Install nothing but the announcement: what pip writes of a package's entry points."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in names.items())
    (info / "entry_points.txt").write_text(f"[setu.providers]\n{lines}")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages that Python looks in."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLE)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in {"setu_acme", "setu_broken"}]:
        del sys.modules[name]


def test_a_package_announces_its_provider(site: Path) -> None:
    announce(site, "setu_acme", acme="setu_acme:PROVIDER")

    assert lookup.find("acme").base_url == "https://api.acme.example/v1"
    assert lookup.find("acme") == lookup.find("setu_acme:PROVIDER")
    assert lookup.installed("acme")


def test_the_same_announcement_found_twice_is_one(site: Path) -> None:
    announce(site / "a", "setu_acme", acme="setu_acme:PROVIDER")
    announce(site / "b", "setu_acme", acme="setu_acme : PROVIDER")
    sys.path[:0] = [str(site / "a"), str(site / "b")]
    try:
        assert lookup.find("acme").name == "acme"
    finally:
        del sys.path[:2]


def test_two_announcements_of_one_name_are_a_sentence(site: Path) -> None:
    announce(site, "setu_acme", acme="setu_acme:PROVIDER")
    announce(site, "other_acme", acme="other_acme:PROVIDER")

    with pytest.raises(ConfigError) as caught:
        lookup.find("acme")

    assert str(caught.value) == (
        "provider 'acme' is announced by several packages: other_acme:PROVIDER, setu_acme:PROVIDER; name one of these"
    )


def test_nobody_takes_the_name_of_a_built_in_provider(site: Path) -> None:
    announce(site, "setu_acme", openai="setu_acme:PROVIDER")

    assert lookup.find("openai").base_url == "https://api.openai.com/v1"
    assert cassettes_of("openai") is None


@pytest.mark.parametrize(
    ("source", "value", "says"),
    [
        ("X = 1", "setu_broken:Y", "provider 'broken': 'setu_broken:Y' cannot be imported: module 'setu_broken' has no attribute 'Y'"),
        ("X = 1", "setu_broken:X", "'setu_broken:X' is a int, not a setu.providers.record.Provider"),
        ("X = 1", "setu_broken", "provider 'broken': 'setu_broken:' is no import string: write package.module:OBJECT"),
        ("import no_such_package", "setu_broken:X", "provider 'broken': 'setu_broken:X' cannot be imported: No module named 'no_such_package'"),
        ("import setu_broken.part", "setu_broken:X", "provider 'broken': 'setu_broken:X' cannot be imported: No module named 'setu_broken.part'; 'setu_broken' is not a package"),
        ("1 / 0", "setu_broken:X", "provider 'broken': 'setu_broken:X' cannot be imported: division by zero"),
        ("", "setu_nowhere.deep:X", "provider 'broken': 'setu_nowhere.deep:X' cannot be imported: module 'setu_nowhere' not found"),
    ],
)  # fmt: skip
def test_a_package_that_does_not_hold_its_word_is_one_sentence(site: Path, source: str, value: str, says: str) -> None:
    (site / "setu_broken.py").write_text(source)
    announce(site, "setu_broken", broken=value)

    with pytest.raises(ConfigError) as caught:
        lookup.find("broken")

    assert str(caught.value) == says


def test_an_object_within_an_object_can_be_named() -> None:
    assert imported("pathlib:Path.home") == Path.home


def test_the_recordings_lie_in_the_package(site: Path) -> None:
    announce(site, "setu_acme", acme="setu_acme:PROVIDER")
    own = EXAMPLE / "setu_acme" / "cassettes"

    assert cassettes_of("acme") == own
    assert cassettes_of("setu_acme:PROVIDER") == own
    assert cassettes_of("setu.providers.groq:PROVIDER") is None


@pytest.mark.parametrize("section", [{}, {"type": "acme"}, {"type": "setu_acme:PROVIDER"}])
def test_a_configuration_names_it_each_way(site: Path, section: dict[str, str]) -> None:
    announce(site, "setu_acme", acme="setu_acme:PROVIDER")
    config = Config.model_validate({"providers": {"acme": section}})

    found = build.deployments(config, {"ACME_API_KEY": "k"})["acme"]

    assert (found.base_url, found.key) == ("https://api.acme.example/v1", "k")


def test_entry_points_are_read_only_for_an_unknown_name() -> None:
    """They cost a mail parser, and with it 20 ms of every start."""
    code = (
        "import sys\n"
        "from setu.providers import lookup\n"
        "lookup.find('openai'); lookup.find('google'); lookup.find('setu.providers.groq:PROVIDER')\n"
        "assert 'importlib.metadata' not in sys.modules\n"
        "assert not lookup.installed('acme')\n"
        "assert 'importlib.metadata' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
