"""What a target declares."""

import re
from pathlib import Path

import pytest

from setu.conformance import caps
from setu.conformance.front import CAPABILITIES
from setu.conformance.probes.registry import PROBES
from setu.errors import ConfigError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "caps.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_what_there_is(tmp_path: Path) -> None:
    found = caps.load(written(tmp_path, 'capabilities = ["tools", "n"]\nembedding = "e"\n'))

    assert (found.capabilities, found.embedding) == (("tools", "n"), "e")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('capabilities = ["tool"]', "no 'tool'"),
        ("capabilities = 3", "caps.toml"),
        ('capabilities = []\nembeding = "e"', "embeding"),
        ("capabilities = [", "caps.toml"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        caps.load(written(tmp_path, text))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        caps.load(tmp_path / "none.toml")


def test_every_need_of_a_probe_can_be_declared() -> None:
    assert {need for probe in PROBES for need in probe.needs} <= caps.KNOWN
    assert CAPABILITIES <= caps.KNOWN
