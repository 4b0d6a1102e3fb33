"""A run: what it judges, what it refuses to call a pass, and what the fuzz stage finds in a broken gateway."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from setu import build
from setu.bundled import data_dir
from setu.config.model import Config
from setu.conformance import fuzz
from setu.conformance.results import Exit
from setu.conformance.runner import Settings, minimum, names_of, run
from setu.conformance.tally import Tally
from setu.errors import CassetteNotFoundError, ConfigError, TruncatedError
from setu.http import Headers, Request, Response
from setu.ports import Transport
from setu.server.openapi import document
from setu.server.serve import Background
from setu.transport.simulate.simulator import Simulator
from tests.cli import forks

ACME = """
from setu.dialects.record import Facts
from setu.providers.record import KeySource, Provider

PROVIDER = Provider(
    name="acme", base_url="https://api.acme.test/v1", dialects=("openai_chat",), models={"acme-1": Facts()},
    keys=(KeySource(env="ACME_API_KEY", scheme="bearer"),),
)
MARTIAN = Provider(name="martian", base_url="https://mars.test", dialects=("martian",))
"""


class Breaking:
    """The gateway, but for requests that hold `mark`: those get `answer`."""

    def __init__(self, inner: Transport, mark: bytes, answer: Response | Exception) -> None:
        self._inner = inner
        self._mark = mark
        self._answer = answer

    async def send(self, request: Request) -> Response:
        if self._mark not in await request.read():
            return await self._inner.send(request)
        if isinstance(self._answer, Exception):
            raise self._answer
        return Response(self._answer.status, self._answer.headers.copy(), self._answer.body)

    async def aclose(self) -> None:
        await self._inner.aclose()


def fuzzed(mark: bytes, answer: Response | Exception, examples: int = 6) -> dict[str, list[str]]:
    """Run the fuzz stage against a gateway that is broken so; return what failed."""
    deployed = build.deployments(Config(), {}, offline_key="k")
    gateway = build.gateway({"openai": deployed["openai"]}, Simulator(build.SystemClock()), on_call=lambda _call: None)
    tally = Tally()
    with Background(build.app(Breaking(gateway, mark, answer), Config(), dict)) as server:
        fuzz.run(server.url, "openai/gpt-4o", document(), tally, seed=0, examples=examples)
    found: dict[str, list[str]] = {}
    for seen in tally.observations:
        for finding in seen.findings:
            found.setdefault(seen.check, []).append(finding.message)
    return found


JSON = Headers.of({"content-type": "application/json"})
EVERY = b""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "checks"),
    [
        (
            Response(500, JSON, b'{"error":{"message":"x","type":"server_error","param":null,"code":null}}'),
            {"FUZ-001", "FUZ-002"},
        ),
        (Response(400, JSON, b'{"detail":"wrong"}'), {"FUZ-003"}),
        (Response(200, JSON, b'{"object":"chat.completion"}'), {"FUZ-004"}),
        (TruncatedError("cut", reset=True), {"FUZ-001", "FUZ-002"}),
    ],
    ids=["500", "no envelope", "no completion", "no answer"],
)
def test_the_fuzz_stage_finds_a_seeded_defect(answer: Response | Exception, checks: set[str]) -> None:
    found = fuzzed(EVERY, answer)

    assert checks <= set(found), found.keys()


@pytest.mark.slow
def test_the_fuzz_stage_finds_nothing_in_what_we_ship() -> None:
    assert fuzzed(b"\0 no request holds this", RuntimeError()) == {}


def test_all_means_every_provider_with_recordings_and_a_name_itself() -> None:
    recorded = {folder.name for folder in data_dir("cassettes").iterdir() if folder.is_dir()}

    assert set(names_of("all")) == recorded
    assert names_of("all")[:4] == ("openai", "anthropic", "gemini", "openrouter")
    assert names_of("google") == ("gemini",)
    with pytest.raises(ConfigError, match="did you mean 'openai'"):
        names_of("opanai")


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini", "openrouter"])
def test_a_run_without_its_later_stages_judges_less_than_the_minimum(name: str) -> None:
    nothing = Settings(fuzz=False, laws=False, scenarios=False)

    assert 0 < run(name, nothing).counts().run < minimum(name)
    assert minimum("a.module:OF_A_STRANGER") == 1


def test_recordings_of_nobody_are_no_pass(tmp_path: Path) -> None:
    with pytest.raises(CassetteNotFoundError, match="no chat recordings of openai"):
        run("openai", Settings(cassettes=tmp_path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "setu_acme.py").write_text(ACME)
    return folder


@pytest.fixture(scope="module")
def ended(folder: Path) -> list[tuple[int, str, str]]:
    few = ["--max-examples", "2"]
    own = str(data_dir("cassettes") / "openai")
    commands = [
        ["conformance", "--provider", "setu_acme:PROVIDER", "--no-fuzz", *few],
        ["conformance", "--provider", "setu_acme:MARTIAN", "--no-fuzz", *few],
        [
            "conformance",
            "-p",
            "openai",
            "--cassettes",
            own,
            "--no-fuzz",
            *few,
            "--report",
            "junit=a.xml",
            "--report",
            "junit=b.xml",
        ],
        ["conformance", "-p", "openai", "--no-fuzz", *few, "--strict"],
    ]
    return forks.run(commands, folder, PYTHONPATH=str(folder))


def test_a_strangers_provider_gets_the_whole_suite(ended: list[tuple[int, str, str]]) -> None:
    status, out, errors = ended[0]

    assert (status, errors) == (Exit.OK, "")
    assert "setu_acme:PROVIDER" in out
    assert all(area in out for area in ("CHAT", "STR", "TOOL", "XLT", "SCN"))


def test_a_dialect_nobody_knows_is_one_sentence(ended: list[tuple[int, str, str]]) -> None:
    status, _, errors = ended[1]

    assert status == Exit.USAGE
    assert errors.startswith("setu: error: provider martian speaks 'martian', which is no dialect; there are anthropic")


def test_reports_are_xml_with_a_case_per_check(ended: list[tuple[int, str, str]], folder: Path) -> None:
    one, two = (ET.parse(folder / name).getroot() for name in ("a.xml", "b.xml"))

    cases = [case.get("name") for case in one.iter("testcase")]
    assert ended[2][0] == Exit.OK, ended[2]
    assert len(cases) > 50
    assert any((name or "").startswith("CHAT-") for name in cases)
    assert ET.tostring(one) == ET.tostring(two)


def test_a_run_by_hand_without_fuzzing_passes(ended: list[tuple[int, str, str]]) -> None:
    assert ended[3][0] == Exit.OK, ended[3]


def test_a_report_holds_no_key(folder: Path, ended: list[tuple[int, str, str]]) -> None:
    assert "setu-offline" not in (folder / "a.xml").read_text() + ended[2][1]
