"""No secret, in whatever place and shape, is in a cassette, a report of misses, a log or what the commands print."""

import asyncio
import base64
import json
import logging
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec
import pytest
from typer.testing import CliRunner

from setu import build
from setu.cassette.redact import parse_rules
from setu.cassette.script import script
from setu.cassette.shelf import read_cassette
from setu.cli.main import app
from setu.config.model import Config
from setu.http import Headers, Request
from setu.studio import Setup, Studio, proxy
from tests.e2e.seeds import KNOWN, Seed, seeds
from tests.transport.virtual import Upstream, VirtualClock

SEEDS = seeds()
ENVIRON = {"VAULT_TOKEN": KNOWN}


def serve(setup: Setup, seed: Seed, *requests: Request) -> tuple[list[tuple[int, Headers, bytes]], list[str]]:
    """Send requests through a studio; return the answers, and what it told."""
    told: list[str] = []
    live = Upstream(lambda _: script(200, Headers.of(seed.headers), seed.answer), VirtualClock())
    studio = Studio(setup, live=live, tell=told.append, environ=ENVIRON)
    deployed = build.deployments(Config(), {}, offline_key="offline")

    async def run() -> list[tuple[int, Headers, bytes]]:
        transport = proxy(studio, deployed, live=live)
        answers = []
        for request in requests:
            response = await transport.send(copy(request))
            answers.append((response.status, response.headers, await response.read()))
        await transport.aclose()
        return answers

    return asyncio.run(run()), told


def copy(request: Request) -> Request:
    return msgspec.structs.replace(request, headers=request.headers.copy())


def other(request: Request) -> Request:
    """Return a request that nothing was recorded for."""
    query = f"{request.query}&other=1" if request.query else "other=1"
    return msgspec.structs.replace(request, query=query, headers=request.headers.copy())


def disguises(secret: str) -> set[str]:
    """Return how a secret may be written."""
    data = secret.encode()
    once = json.dumps(secret)[1:-1]
    whole = {secret, once, json.dumps(once)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe="")}
    return whole | {data.hex(), base64.b64encode(data).decode().rstrip("=")[: len(data)]}


def unwrapped(data: bytes) -> Iterator[str]:
    """Yield data as text, and everything that it holds in base64, compressed or escaped."""
    text = data.decode("utf-8", "replace")
    yield text
    yield unquote(text)
    yield re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    for word in re.findall(r"[A-Za-z0-9+/\s]{24,}={0,2}", text):
        inner = plain(re.sub(r"[\s=]", "", word))
        yield inner.decode("utf-8", "replace")
        for deeper in re.findall("[A-Za-z0-9+/]{24,}", inner.decode("latin-1")):
            yield plain(deeper).decode("utf-8", "replace")
        if inner[:2] == b"\x1f\x8b":
            yield zlib.decompressobj(31).decompress(inner).decode("utf-8", "replace")


def plain(word: str) -> bytes:
    whole = word[: len(word) - (len(word) % 4 == 1)]
    return base64.b64decode(whole + "=" * (-len(whole) % 4))


def assert_clean(name: str, data: bytes, seed: Seed) -> None:
    forms = {form for secret in seed.secrets for form in disguises(secret)}
    for text in unwrapped(data):
        assert [form for form in forms if form in text] == [], name


def printed(*arguments: str) -> bytes:
    result = CliRunner().invoke(app, ["cassettes", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.output or arguments[0] == "lint"
    return result.output.encode()


def test_the_seeds_are_many() -> None:
    assert len(SEEDS) >= 80


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
def test_a_seeded_secret_is_nowhere_and_the_recording_replays(
    seed: Seed, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    kept, misses = tmp_path / "kept", tmp_path / "misses.jsonl"

    [(status, _, _)], told = serve(Setup(directory=kept, mode="all", misses=None), seed, seed.request)
    replaying = Setup(directory=kept, misses=misses, speed=0)
    [hit, miss], told_again = serve(replaying, seed, seed.request, other(seed.request))

    assert (status, hit[0], hit[1].get("x-setu-match"), miss[0]) == (200, 200, "exact", 424)
    assert told == told_again == []
    out, err = capsys.readouterr()
    shown = {command: printed(command, str(kept)) for command in ("list", "show", "stats", "lint")}
    shown["diff"] = printed("diff", str(kept), str(tmp_path))
    files = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(files) == 2
    told_all = {"logs": caplog.text.encode(), "out": out.encode(), "err": err.encode(), "miss": miss[2], "hit": hit[2]}
    for name, data in {**files, **shown, **told_all}.items():
        assert_clean(name, data, seed)


@pytest.mark.parametrize("name", [name for name in SEEDS if name.startswith("answer: ")])
def test_a_redacted_answer_has_as_many_events_and_json_that_can_be_read(name: str, tmp_path: Path) -> None:
    seed = SEEDS[name]
    serve(Setup(directory=tmp_path, mode="all", misses=None), seed, seed.request)

    [kept] = [each for path in tmp_path.rglob("*.yaml") for each in read_cassette(path)]

    assert kept.notes == ()
    assert kept.exchange.body.count(b"\n\n") == (seed.answer.count(b"\n\n") if "gzip" not in name else 0)
    for line in kept.exchange.body.split(b"\n") if seed.headers.get("content-type") != "text/html" else ():
        if line.startswith((b"data: {", b"{")):
            json.loads(line.removeprefix(b"data: "))


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
def test_scan_finds_nothing_in_what_was_recorded(seed: Seed, tmp_path: Path) -> None:
    serve(Setup(directory=tmp_path, mode="all", misses=None), seed, seed.request)

    result = CliRunner().invoke(app, ["cassettes", "scan", str(tmp_path)])

    assert (result.exit_code, result.output) == (0, "")


def test_what_the_user_wants_redacted_goes_on_both_sides(tmp_path: Path) -> None:
    asked = msgspec.structs.replace(
        next(iter(SEEDS.values())).request,
        body=b'{"model":"m","messages":[],"customer":{"iban":"DE00","pin":"is 1234"}}',
    )
    seed = Seed(("DE00", "1234"), asked, {"content-type": "application/json"}, b'{"text":"pin is 1234"}')
    rules = parse_rules([], ["/customer/iban"], [r"is (?P<secret>\d{4})"])

    serve(Setup(directory=tmp_path, mode="all", misses=None, redact=rules), seed, asked)
    [hit], _ = serve(Setup(directory=tmp_path, misses=None, speed=0, redact=rules), seed, asked)

    assert hit[1].get("x-setu-match") == "exact"
    assert hit[2] == b'{"text":"pin is REDACTED"}'
    for file in tmp_path.rglob("*.yaml"):
        assert_clean(file.name, file.read_bytes(), seed)


def test_the_commands_of_recording_and_replay_take_the_same_rules() -> None:
    helps = [CliRunner().invoke(app, [command, "--help"]).output for command in ("record", "replay")]

    for option in ("--redact-header", "--redact-pointer", "--redact-pattern"):
        assert all(option in text for text in helps)
