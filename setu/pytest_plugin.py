"""The pytest plugin: recorded providers for every test, a cassette for each.

Only pytest is imported here: every run in an environment with Setu pays for this module.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from setu.testing import Cassette, Server

MODES = ("none", "once", "new_episodes", "all", "rewrite")

_CASSETTE: pytest.StashKey[Cassette] = pytest.StashKey()
_NUMBERS = count(1)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 120
_REDACT: dict[str, tuple[str, Literal["args", "linelist"], str]] = {
    "header": ("NAME", "args", "Take this header out of recordings, too."),
    "pointer": ("POINTER", "args", "Take this member out of bodies, too: /a/*/b."),
    "pattern": ("REGEX", "linelist", "Take out what this regular expression matches (or its group `secret`)."),
}
_OFFLINE_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENROUTER_API_KEY")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("setu", "Setu: recorded LLM providers")
    group.addoption("--setu-record-mode", choices=MODES, default=None, help="How calls are recorded (default: none).")
    group.addoption(
        "--setu-cassettes",
        metavar="DIR",
        default=None,
        help="Where cassettes are (default: cassettes); bundled: those that come with Setu.",
    )
    group.addoption(
        "--setu-config", metavar="FILE", default=None, help="Configuration file (default: setu.toml, then XDG)."
    )
    group.addoption(
        "--setu-upstream",
        metavar="NAME",
        default=None,
        help="Where unprefixed OpenAI paths go: a provider's name, or a base URL (default: openai).",
    )
    for kind, (metavar, _, what) in _REDACT.items():
        group.addoption(f"--setu-redact-{kind}", metavar=metavar, action="append", default=[], help=what)
    group.addoption(
        "--setu-strict-unused",
        action="store_true",
        default=None,
        help="A recording that no call asked for is a failure.",
    )
    parser.addini("setu_record_mode", "How calls are recorded: " + ", ".join(MODES), default="none")
    parser.addini("setu_cassettes", "Directory of cassettes, relative to the root directory", default="cassettes")
    parser.addini("setu_strict_unused", "A recording that no call asked for is a failure", type="bool", default=False)
    parser.addini("setu_config", "Configuration file, relative to the root directory", default="")
    parser.addini("setu_upstream", "Where unprefixed OpenAI paths go: a provider's name, or a base URL", default="")
    for kind, (_, form, what) in _REDACT.items():
        parser.addini(f"setu_redact_{kind}", what, type=form)
    parser.addini("setu_normalise", "What requests may differ in: uuid, timestamp, date, path, …", type="args")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "setu(cassette=NAME, faults=[TEXT, …], record_mode=MODE): the cassette of a test that uses setu_server, and "
        "what is to go wrong",
    )


@pytest.fixture(scope="session")
def _setu_session(request: pytest.FixtureRequest) -> Iterator[Server]:
    from setu import project
    from setu.cassette.normalise import parse_normalisers
    from setu.cassette.redact import parse_rules
    from setu.studio import BUNDLED, Setup
    from setu.testing import Server

    config = request.config
    bundled = _bundled(config)
    directory = BUNDLED if bundled else Path(config.rootpath, _said(config, "cassettes"))
    mode = _said(config, "record_mode")
    if mode == "none" and not bundled:
        directory.mkdir(parents=True, exist_ok=True)  # a test without a cassette says so, not the whole session
    setup = Setup(
        directory=directory,
        mode=mode,
        speed=0.0,
        misses=None,
        normalisers=parse_normalisers(config.getini("setu_normalise")),
        redact=parse_rules(
            *([*config.getini(f"setu_redact_{kind}"), *config.getoption(f"--setu-redact-{kind}")] for kind in _REDACT)
        ),
    )
    named = _said(config, "config")
    settings = project.read(Path(config.rootpath, named) if named else None, os.environ, config.rootpath)
    with Server(setup, config=settings, upstream=_said(config, "upstream") or "openai") as server:
        yield server


@pytest.fixture
def setu_server(request: pytest.FixtureRequest, _setu_session: Server) -> Cassette:
    """A server with this test's cassette: `.openai`, `.anthropic`, `.gemini` are base URLs, `.env()` has them all."""
    marker = request.node.get_closest_marker("setu")
    said: dict[str, Any] = dict(marker.kwargs) if marker is not None else {}
    unknown = sorted(said.keys() - {"cassette", "faults", "record_mode"})
    if unknown or (marker is not None and marker.args):
        raise pytest.UsageError(
            f"{request.node.nodeid}: the setu marker takes cassette, faults and record_mode by name"
        )
    found = _setu_session.cassette(
        # Of Setu's own recordings none is named like a test.
        said.get("cassette") or (None if _bundled(request.config) else cassette_name(request.node)),
        session=_session(),
        faults=said.get("faults", ()),
        mode=said.get("record_mode"),
    )
    request.node.stash[_CASSETTE] = found
    return found


@pytest.fixture
def setu_env(setu_server: Cassette, monkeypatch: pytest.MonkeyPatch) -> Cassette:
    """The environment leads every SDK to `setu_server`; where this test is only replayed its keys lead nowhere else."""
    for name, value in setu_server.env().items():
        monkeypatch.setenv(name, value)
    if setu_server.only_replays:
        for name in _OFFLINE_KEYS:
            monkeypatch.setenv(name, "setu-offline")
    return setu_server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Explain misses with a test that failed, and fail one that passed in spite of them."""
    try:
        result = yield
    except BaseException:
        told = _misses(item)
        if told:
            item.add_report_section("call", "setu", told)
        raise
    told = _misses(item)
    if told:
        pytest.fail(told, pytrace=False)
    return result


def cassette_name(node: pytest.Item) -> str:
    """Return the cassette of a test: its module's path and its own name, `tests/test_chat/test_greeting`.

    `test_greeting[en]` has `test_greeting-en`. A name that is too long for a file, or has characters that a file's
    name may not have, ends in a digest, so that no two tests share a cassette.
    """
    module, _, name = node.nodeid.partition("::")
    function, bracket, case = name.partition("[")
    *classes, own = function.split("::")
    if bracket:
        own = f"{own}-{case.removesuffix(']')}"
    return "/".join(map(_safe, (*Path(module).with_suffix("").parts, *classes, own)))


def _safe(step: str) -> str:
    name = _UNSAFE.sub("_", step).strip("._-") or "_"
    if name == step and len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}-{sha256(step.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _session() -> str:
    """Return a name that no other test has, nor an earlier run of the same one."""
    return f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{next(_NUMBERS)}"


def _said(config: pytest.Config, name: str) -> Any:
    """Return what the command line says of a setting, or else the ini file."""
    return config.getoption(f"--setu-{name.replace('_', '-')}") or config.getini(f"setu_{name}")


def _bundled(config: pytest.Config) -> bool:
    """Say whether the cassettes are those that come with Setu."""
    return _said(config, "cassettes") == "bundled" and not Path(config.rootpath, "bundled").exists()


def _misses(item: pytest.Item) -> str:
    cassette = item.stash.get(_CASSETTE, None)
    if cassette is None:
        return ""
    told = cassette.misses
    strict = item.config.getoption("--setu-strict-unused") or item.config.getini("setu_strict_unused")
    if strict and not told:
        told = [f"no call asked for the recording at {place}" for place in cassette.unused]
    return "\n\n".join(told)
