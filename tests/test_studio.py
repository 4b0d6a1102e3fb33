import asyncio
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from setu import build
from setu.cassette.misslog import read_miss
from setu.cassette.scope import Scope
from setu.cassette.script import script
from setu.cassette.shelf import read_cassette
from setu.config.model import Config
from setu.errors import CassetteNotFoundError, ConfigError
from setu.http import Headers
from setu.live import again
from setu.server.serve import Background
from setu.studio import Setup, Studio, proxy
from tests.cassette.samples import ANTHROPIC_STREAM, JSON, SSE, request, talk
from tests.transport.virtual import Upstream, VirtualClock

ANSWER = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"hi"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}'
)


class Set:
    """A studio in a directory, in front of an upstream that gives one answer."""

    def __init__(self, directory, mode="all", answer=ANSWER, live=None, **options):
        self.told: list[Any] = []
        self.live = Upstream(live or (lambda _: script(200, Headers.of(JSON), answer)), VirtualClock())
        setup = Setup(directory=directory, mode=mode, misses=None, **options)
        self.studio = Studio(setup, live=self.live, tell=self.told.append, environ={})
        self.deployed = build.deployments(Config(), {}, offline_key="offline")

    def run(self, *requests, end=Studio.close):
        async def run():
            transport = proxy(self.studio, self.deployed, live=self.live)
            answers = []
            for asked in requests:
                response = await transport.send(asked)
                answers.append((response.status, await response.read()))
            await transport.aclose()
            end(self.studio)
            return answers

        return asyncio.run(run())


def to(path, **options):
    return msgspec.structs.replace(talk("hello", **options), path=path, origin="")


def test_each_test_records_into_a_file_of_its_own_and_replays_from_it(tmp_path) -> None:
    Set(tmp_path).run(to("/c/one/v1/messages"), to("/c/deep%2Ftwo/v1/messages", max_tokens=2))

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yaml")) == ["deep/two.yaml", "one.yaml"]
    replayed = Set(tmp_path, "none", b"not asked")
    answers = replayed.run(to("/c/one/v1/messages"), to("/c/one@other/v1/messages"), to("/c/one/v1/messages"))
    assert [status for status, _ in answers] == [200, 200, 424]
    assert replayed.live.received == []


def test_a_cassette_that_is_not_there_is_a_424_that_names_the_file(tmp_path) -> None:
    [(status, body)] = Set(tmp_path, "none").run(to("/c/nope/v1/messages"))

    assert status == 424
    assert b"no cassette nope" in body
    assert str(tmp_path / "nope.yaml").encode() in body


def test_the_journal_holds_no_secret_of_a_request_whose_cassette_is_not_there(tmp_path) -> None:
    there = Set(tmp_path, "none")
    secret = "sk-ant-api03-" + "aB3dE6gH9j" * 3

    there.run(to(f"/c/nope/v1/files/{secret}"))

    [entry] = there.studio.journal
    assert entry.path.startswith("/c/nope/v1/files/")
    assert secret not in repr(entry) + repr(there.told)


def test_requests_without_a_name_are_answered_from_everything(tmp_path) -> None:
    Set(tmp_path).run(to("/c/one/v1/messages"), to("/v1/messages", max_tokens=2))

    answers = Set(tmp_path, "none").run(to("/v1/messages"), to("/v1/messages", max_tokens=2))

    assert [status for status, _ in answers] == [200, 200]
    assert (tmp_path / "api.anthropic.com" / "anthropic.chat.yaml").is_file()


def test_any_host_can_be_recorded_by_its_address(tmp_path) -> None:
    there = Set(tmp_path)
    there.run(to("/proxy/https/llm.example.com:8443/v1/messages"), request(path="/proxy/ftp/a/b", origin=""))

    [sent] = there.live.received
    assert (sent.origin, sent.path) == ("https://llm.example.com:8443", "/v1/messages")
    assert (tmp_path / "llm.example.com_8443" / "anthropic.chat.yaml").is_file()


def test_a_key_that_names_a_cassette_never_reaches_the_provider(tmp_path) -> None:
    there = Set(tmp_path)
    asked = to("/v1/messages")
    asked.headers = Headers.of(JSON | {"x-api-key": "setu:mine"})
    there.run(asked)

    [sent] = there.live.received
    assert sent.headers.get("x-api-key") == "offline"
    assert (tmp_path / "mine.yaml").is_file()


def test_rewriting_an_unchanged_upstream_changes_no_file(tmp_path) -> None:
    Set(tmp_path).run(to("/v1/messages"), to("/c/one/v1/messages"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    Set(tmp_path, "rewrite").run(to("/v1/messages"), to("/c/one/v1/messages"))

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_once_leaves_a_cassette_alone_that_is_there(tmp_path) -> None:
    Set(tmp_path, "once").run(to("/c/one/v1/messages"))

    answers = Set(tmp_path, "once", b'"new"').run(to("/c/one/v1/messages"), to("/c/two/v1/messages"))

    assert [body for _, body in answers] == [ANSWER, b'"new"']


def test_a_directory_that_is_not_there_is_told_at_once(tmp_path) -> None:
    with pytest.raises(CassetteNotFoundError, match=r"no cassette at .*nope"):
        Studio(Setup(directory=tmp_path / "nope"), tell=print)


def test_a_directory_that_cannot_be_made_is_told_at_once(tmp_path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot record into"):
        Studio(Setup(directory=tmp_path / "file" / "x", mode="all"), tell=print)


@pytest.mark.parametrize("stream", [False, True])
def test_a_translated_call_is_recorded_on_both_sides(tmp_path, stream) -> None:
    answer = ANTHROPIC_STREAM if stream else ANSWER
    live = Upstream(lambda _: script(200, Headers.of(SSE if stream else JSON), answer), VirtualClock())
    studio = Studio(Setup(directory=tmp_path, mode="all"), live=live, tell=pytest.fail, environ={})
    deployed = build.deployments(Config(), {}, offline_key="offline")
    app = build.app(studio.both_sides(lambda inner: build.gateway(deployed, inner)), Config(), dict)
    asked = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "hi"}], "stream": stream}

    with Background(app) as server:
        chat = httpx.post(f"{server.url}/v1/chat/completions", json=asked)
        httpx.post(f"{server.url}/v1/messages", json=asked | {"max_tokens": 10})

    [native, identical] = read_cassette(next((tmp_path / "api.anthropic.com").iterdir()))
    [client] = read_cassette(next((tmp_path / "setu").iterdir()))
    assert client.recording.twin == native.recording.twin != identical.recording.twin
    assert (client.recording.side, native.recording.side) == ("client", "upstream")
    assert (client.recording.dialect, native.recording.dialect) == ("openai_chat", "anthropic")
    assert client.exchange.body == chat.content
    assert client.exchange.request.url == "http://setu/v1/chat/completions"


def test_just_the_call_of_a_miss_can_be_recorded(tmp_path) -> None:
    misses = tmp_path / "misses.jsonl"
    recorded = Set(tmp_path / "c")
    recorded.run(to("/c/one/v1/messages"))
    replayed = Studio(Setup(directory=tmp_path / "c", misses=misses), tell=print, environ={})
    transport = proxy(replayed, recorded.deployed)

    async def fail():
        return await (await transport.send(to("/c/one/v1/messages", max_tokens=7))).read()

    told = asyncio.run(fail()).decode()
    later = Set(tmp_path / "c")
    place, status = asyncio.run(again(later.studio, read_miss(str(misses)), later.deployed, Scope("one")))

    assert f"setu record -o {tmp_path / 'c'} --cassette one --miss {misses}:1" in told
    assert (place, status) == (tmp_path / "c" / "one.yaml", 200)
    [sent] = later.live.received
    assert (sent.origin, sent.headers.get("x-api-key")) == ("https://api.anthropic.com", "offline")
    assert [status for status, _ in Set(tmp_path / "c", "none").run(to("/c/one/v1/messages", max_tokens=7))] == [200]


def test_requests_without_a_name_can_be_given_one(tmp_path) -> None:
    there = Set(tmp_path)
    transport = proxy(there.studio, there.deployed, live=there.live, default=Scope("mine"))

    async def run():
        await (await transport.send(to("/v1/messages"))).read()
        await transport.aclose()

    asyncio.run(run())

    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_recorded_in_another_dialect_is_answered_through_the_translator(tmp_path, stream):
    answer = ANTHROPIC_STREAM if stream else ANSWER
    native = Set(tmp_path, answer=answer)
    native.live = Upstream(lambda _: script(200, Headers.of(SSE if stream else JSON), answer), VirtualClock())
    studio = Studio(Setup(directory=tmp_path, mode="all"), live=native.live, tell=pytest.fail, environ={})
    asked = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    chat = request(asked, path="/v1/chat/completions", origin="")
    gateway = studio.both_sides(lambda inner: build.gateway(native.deployed, inner))
    first = asyncio.run(told(gateway, chat))
    for client_side in (tmp_path / "setu").iterdir():
        client_side.unlink()

    replaying = Studio(Setup(directory=tmp_path, misses=None), tell=print, environ={})
    status, headers, body = asyncio.run(told(proxy(replaying, native.deployed), chat))

    assert (status, headers.get("x-setu-match")) == (200, "translated")
    [entry] = replaying.journal
    assert (entry.match, entry.dialect, entry.path) == ("translated", "openai_chat", "/v1/chat/completions")
    assert len(body) == len(first[2])
    assert b"hi" in body if not stream else body.endswith(b"data: [DONE]\n\n")


def test_what_is_recorded_in_no_dialect_is_one_miss_of_the_request_as_it_is(tmp_path):
    Set(tmp_path).run(to("/v1/messages", model="claude-sonnet-4-5"))
    studio = Studio(Setup(directory=tmp_path, misses=None), tell=print, environ={})
    asked = request({"model": "claude-sonnet-4-5", "messages": []}, path="/v1/chat/completions", origin="")

    status, _, body = asyncio.run(told(proxy(studio, Set(tmp_path).deployed), asked))

    assert status == 424
    assert b"no recording answers POST /v1/chat/completions" in body
    assert studio.misses == 1


async def told(transport, asked):
    response = await transport.send(msgspec.structs.replace(asked, headers=asked.headers.copy()))
    return response.status, response.headers, await response.read()


def test_new_names_of_identifiers_do_not_depend_on_what_other_cassettes_record(tmp_path) -> None:
    answer = ANSWER.replace(b"msg_1", b"msg_01AbCdEfGh2345")
    for directory, names in ((tmp_path / "a", ("one", "two")), (tmp_path / "b", ("two", "one"))):
        ids = iter((answer, answer.replace(b"AbCd", b"XyZw")))
        found = Set(directory, rename=True, live=lambda _, ids=ids: script(200, Headers.of(JSON), next(ids)))
        found.run(*(to(f"/c/{name}/v1/messages") for name in names))

    for name in ("one.yaml", "two.yaml"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


FORM = b'--%(b)s\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--%(b)s--\r\n'


def form(boundary):
    kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return request(FORM % {b"b": boundary.encode()}, path="/v1/audio/transcriptions", origin="", headers=kind)


def test_rewriting_an_unchanged_form_changes_no_file(tmp_path) -> None:
    Set(tmp_path).run(form("0a1b2c3d4e5f60718293a4b5c6d7e8f9"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    Set(tmp_path, "rewrite").run(form("ffeeddccbbaa99887766554433221100"))

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_rewriting_that_was_cut_short_leaves_nothing_behind(tmp_path) -> None:
    Set(tmp_path).run(to("/c/one/v1/messages"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    rewriting = Set(tmp_path, "rewrite", ANSWER.replace(b"hi", b"ho"))

    rewriting.run(to("/c/one/v1/messages"), end=Studio.discard)

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_of_thousands_of_sessions_some_are_at_hand_and_all_are_judged(tmp_path) -> None:
    Set(tmp_path).run(to("/c/one/v1/messages"), to("/c/one/v1/messages", max_tokens=2))
    replayed = Set(tmp_path, "none")
    paths = [f"/c/one@{number}/v1/messages" for number in range(1500)]

    asked = [to(path) for path in paths]
    answers = replayed.run(*asked, to(paths[0]), to("/c/none/v1/messages"), to(paths[3], temperature=1))

    assert [status for status, _ in answers] == [200] * 1500 + [424] * 3
    assert len(replayed.studio.libraries) <= 1025
    assert replayed.studio.misses == 3
    explained = {str(scope): replayed.studio.ledger.reports(scope) for scope in replayed.studio.ledger.asked}
    assert len(explained) == 1501
    assert {scope for scope, reports in explained.items() if reports} == {"one@0", "one@3", "none"}
    [place] = replayed.studio.ledger.unused()
    assert place.startswith(str(tmp_path / "one.yaml"))


def test_recordings_that_come_with_setu_may_stand_beside_others(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    studio = Studio(Setup(directory=tmp_path, more=(Path("bundled"),), misses=None), tell=print, environ={})

    assert studio.load() > 200
