"""A run: what it judges, what it refuses to call a pass, and what the fuzz stage finds in a broken gateway."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from setu import _json, build
from setu.bundled import data_dir
from setu.chat.embed import EmbedResponse, Vector
from setu.chat.ids import Mint
from setu.config.model import Config
from setu.conformance import fuzz
from setu.conformance.results import Exit
from setu.conformance.runner import Settings, minimum, names_of, run
from setu.conformance.tally import Tally
from setu.dialects.record import Dialect
from setu.dialects.registry import DIALECTS
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
    nothing = Settings(fuzz=False, laws=False, scenarios=False, probes=False)

    assert 0 < run(name, nothing).counts().run < minimum(name)
    assert minimum("a.module:OF_A_STRANGER") == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alibaba", "databricks", "github_models", "perplexity", "writer", "zai"])
def test_a_provider_with_ways_of_its_own_passes_every_scenario_that_fits_it(name: str) -> None:
    result = run(name, Settings(fuzz=False, laws=False))

    assert {found.check.id: found.broken[:1] for found in result.results if found.broken} == {}
    assert result.counts().run > 100


def test_a_scenario_of_an_operation_that_a_provider_has_not_is_skipped_by_name() -> None:
    skipped = run("writer", Settings(fuzz=False, laws=False, probes=False)).skipped

    assert skipped["B-EMB-01"] == "writer has no operation 'embed'"
    assert skipped["legacy-completion"] == "writer has no operation 'complete'"
    assert not any(reason.endswith("'chat'") for reason in skipped.values())


def embedding(dialects: Mapping[str, Dialect]) -> dict[str, str]:
    """Return what became of the checks of embeddings when Bedrock's recordings alone are played."""
    nothing = Settings(fuzz=False, laws=False, scenarios=False, probes=False, dialects=dialects)
    results = run("bedrock", nothing).results
    return {found.check.id: found.status for found in results if found.check.area == "EMB"}


def rounded(body: bytes, mint: Mint) -> EmbedResponse:
    told: EmbedResponse = DIALECTS["bedrock"].upstream["embed"].parse_response(body, mint)
    vectors = (_json.encode([round(number, 3) for number in _json.decode(row.floats or b"")]) for row in told.vectors)
    return msgspec.structs.replace(told, vectors=tuple(Vector(floats=floats) for floats in vectors))


def test_recorded_embeddings_are_played_in_both_encodings() -> None:
    assert embedding(DIALECTS) == dict.fromkeys(("EMB-001", "EMB-002", "EMB-003", "EMB-004"), "pass")


def test_embeddings_that_lose_digits_on_their_way_are_found() -> None:
    bedrock = DIALECTS["bedrock"]
    codec = msgspec.structs.replace(bedrock.upstream["embed"], parse_response=rounded)
    broken = msgspec.structs.replace(bedrock, upstream={**bedrock.upstream, "embed": codec})

    assert embedding({**DIALECTS, "bedrock": broken})["EMB-004"] == "warn"


def test_recordings_of_nobody_are_no_pass(tmp_path: Path) -> None:
    with pytest.raises(CassetteNotFoundError, match="no recordings of openai"):
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
