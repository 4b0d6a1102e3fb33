import asyncio

import httpx
import msgspec
import pytest

from setu import build
from setu.cassette.script import script
from setu.cassette.shelf import read_cassette
from setu.config.model import Config
from setu.errors import CassetteNotFoundError, ConfigError
from setu.http import Headers
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

    def __init__(self, directory, mode="all", answer=ANSWER):
        self.told = []
        self.live = Upstream(lambda _: script(200, Headers.of(JSON), answer), VirtualClock())
        setup = Setup(directory=directory, mode=mode, misses=None)
        self.studio = Studio(setup, live=self.live, tell=self.told.append, environ={})
        self.deployed = build.deployments(Config(), {}, offline_key="offline")

    def run(self, *requests):
        async def run():
            transport = proxy(self.studio, self.deployed, live=self.live)
            answers = []
            for asked in requests:
                response = await transport.send(asked)
                answers.append((response.status, await response.read()))
            await transport.aclose()
            self.studio.close()
            return answers

        return asyncio.run(run())


def to(path, **options):
    return msgspec.structs.replace(talk("hello", **options), path=path, origin="")


def test_each_test_records_into_a_file_of_its_own_and_replays_from_it(tmp_path):
    Set(tmp_path).run(to("/c/one/v1/messages"), to("/c/deep%2Ftwo/v1/messages", max_tokens=2))

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yaml")) == ["deep/two.yaml", "one.yaml"]
    replayed = Set(tmp_path, "none", b"not asked")
    answers = replayed.run(to("/c/one/v1/messages"), to("/c/one@other/v1/messages"), to("/c/one/v1/messages"))
    assert [status for status, _ in answers] == [200, 200, 424]
    assert replayed.live.received == []


def test_a_cassette_that_is_not_there_is_a_424_that_names_the_file(tmp_path):
    [(status, body)] = Set(tmp_path, "none").run(to("/c/nope/v1/messages"))

    assert status == 424
    assert b"no cassette nope" in body
    assert str(tmp_path / "nope.yaml").encode() in body


def test_requests_without_a_name_are_answered_from_everything(tmp_path):
    Set(tmp_path).run(to("/c/one/v1/messages"), to("/v1/messages", max_tokens=2))

    answers = Set(tmp_path, "none").run(to("/v1/messages"), to("/v1/messages", max_tokens=2))

    assert [status for status, _ in answers] == [200, 200]
    assert (tmp_path / "api.anthropic.com" / "anthropic.chat.yaml").is_file()


def test_any_host_can_be_recorded_by_its_address(tmp_path):
    there = Set(tmp_path)
    there.run(to("/proxy/https/llm.example.com:8443/v1/messages"), request(path="/proxy/ftp/a/b", origin=""))

    [sent] = there.live.received
    assert (sent.origin, sent.path) == ("https://llm.example.com:8443", "/v1/messages")
    assert (tmp_path / "llm.example.com_8443" / "anthropic.chat.yaml").is_file()


def test_a_key_that_names_a_cassette_never_reaches_the_provider(tmp_path):
    there = Set(tmp_path)
    asked = to("/v1/messages")
    asked.headers = Headers.of(JSON | {"x-api-key": "setu:mine"})
    there.run(asked)

    [sent] = there.live.received
    assert sent.headers.get("x-api-key") == "offline"
    assert (tmp_path / "mine.yaml").is_file()


def test_rewriting_an_unchanged_upstream_changes_no_file(tmp_path):
    Set(tmp_path).run(to("/v1/messages"), to("/c/one/v1/messages"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    Set(tmp_path, "rewrite").run(to("/v1/messages"), to("/c/one/v1/messages"))

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_once_leaves_a_cassette_alone_that_is_there(tmp_path):
    Set(tmp_path, "once").run(to("/c/one/v1/messages"))

    answers = Set(tmp_path, "once", b'"new"').run(to("/c/one/v1/messages"), to("/c/two/v1/messages"))

    assert [body for _, body in answers] == [ANSWER, b'"new"']


def test_a_directory_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(CassetteNotFoundError, match=r"no cassette at .*nope"):
        Studio(Setup(directory=tmp_path / "nope"), tell=print)


def test_a_directory_that_cannot_be_made_is_told_at_once(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot record into"):
        Studio(Setup(directory=tmp_path / "file" / "x", mode="all"), tell=print)


@pytest.mark.parametrize("stream", [False, True])
def test_a_translated_call_is_recorded_on_both_sides(tmp_path, stream):
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
