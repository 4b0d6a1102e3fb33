import contextlib
from typing import Any

import anthropic
import httpx
import msgspec
import openai
import pytest

from setu import testing
from setu.bundled import data_dir
from setu.cassette.shelf import Appender, read_cassette
from setu.errors import CassetteNotFoundError, ConfigError, LocalDialectError
from setu.studio import Setup
from tests.cassette.samples import JSON, interaction, request

ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hi there","refusal":null},"logprobs":null,"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}'
)


def said(text: str) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}


def recorded(directory, name, *texts):
    appender = Appender(directory / f"{name}.yaml")
    for text in texts:
        asked = request(said(text), path="/v1/chat/completions", origin="https://api.openai.com")
        appender.append(interaction(ANSWER, asked=asked, headers=JSON))
    return directory


def ask(server, text="hello", **options):
    client = openai.OpenAI(base_url=server.openai, api_key="none", **options)
    return client.chat.completions.create(**said(text)).choices[0].message.content


def test_an_sdk_gets_the_recorded_answer(tmp_path):
    with testing.serve(recorded(tmp_path, "greeting", "hello"), cassette="greeting") as server:
        assert ask(server) == "hi there"
        assert server.misses == []


def test_all_recordings_together_answer_without_a_name(tmp_path):
    recorded(tmp_path, "one", "hello")
    recorded(tmp_path, "deep/two", "goodbye")

    with testing.serve(tmp_path) as server:
        assert [ask(server), ask(server, "goodbye")] == ["hi there", "hi there"]


@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")  # the SDK's word on models, not on us
def test_anthropics_sdk_finds_its_path():
    found = next(
        each
        for each in read_cassette(data_dir("cassettes") / "anthropic" / "anthropic" / "text.yaml")
        if each.exchange.status == 200
    )
    asked = msgspec.json.decode(found.exchange.request.body)

    with testing.serve(data_dir("cassettes"), cassette="anthropic/anthropic/text") as server:
        answer = anthropic.Anthropic(base_url=server.anthropic, api_key="none").messages.create(**asked)

    assert answer.id == msgspec.json.decode(found.exchange.body)["id"]


def test_a_call_that_no_recording_answers_is_explained_at_the_end(tmp_path):
    directory = recorded(tmp_path, "greeting", "hello")

    with (
        pytest.raises(testing.Miss) as caught,
        testing.serve(directory, cassette="greeting") as server,
        pytest.raises(openai.APIStatusError),
    ):
        ask(server, "goodbye")

    assert "first difference: /messages/0/content" in str(caught.value)
    assert "greeting.yaml:3" in str(caught.value)


def test_unused_recordings_fail_only_when_asked(tmp_path):
    directory = recorded(tmp_path, "greeting", "hello", "goodbye")

    with testing.serve(directory, cassette="greeting") as server:
        ask(server)
    with (
        pytest.raises(testing.Miss, match=r"no call asked for the recording at .*greeting\.yaml:\d+"),
        testing.serve(directory, cassette="greeting", strict_unused=True) as server,
    ):
        ask(server)
    with (
        pytest.raises(testing.Miss, match="no call asked"),
        testing.serve(directory, cassette="greeting", strict_unused=True),
    ):
        pass


def test_sessions_of_a_cassette_do_not_use_up_each_others_recordings(tmp_path):
    recorded(tmp_path, "greeting", "hello")

    with testing.Server(Setup(directory=tmp_path, misses=None)) as server:
        answers = [ask(server.cassette("greeting", session=str(n))) for n in range(3)]

    assert answers == ["hi there"] * 3


def test_faults_strike_one_cassette(tmp_path):
    recorded(tmp_path, "greeting", "hello")

    with testing.Server(Setup(directory=tmp_path, misses=None)) as server:
        failing = server.cassette("greeting", session="1", faults=["429x1 retry-after=0"])
        with pytest.raises(openai.RateLimitError):
            ask(failing, max_retries=0)
        assert ask(failing, max_retries=0) == "hi there"
        assert ask(server.cassette("greeting", session="2"), max_retries=0) == "hi there"


def test_what_differs_in_every_run_can_be_named(tmp_path):
    recorded(tmp_path, "greeting", "today is 2026-01-01")

    with testing.serve(tmp_path, cassette="greeting", normalise=["date"]) as server:
        assert ask(server, "today is 2026-11-20") == "hi there"


def test_the_environment_leads_every_sdk_here(tmp_path, monkeypatch):
    recorded(tmp_path, "greeting", "hello")

    with testing.serve(tmp_path, cassette="greeting") as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        answer = openai.OpenAI(api_key="none").chat.completions.create(**said("hello"))

    assert answer.id == "chatcmpl-1"
    assert set(server.env()) >= {"OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"}


def test_what_has_no_cassette_is_recorded_from_a_live_upstream(tmp_path):
    source = recorded(tmp_path / "source", "greeting", "hello")
    with testing.serve(source, cassette="greeting") as upstream:
        target = upstream.url.partition("://")[2]
        with testing.serve(tmp_path / "new", mode="once") as recorder:
            answer = httpx.post(
                f"{recorder.url}/c/mine/proxy/http/{target}/v1/chat/completions",
                json=said("hello"),
                headers={"authorization": "Bearer x"},
            )

    assert answer.content == ANSWER
    assert (tmp_path / "new" / "mine.yaml").is_file()


def test_what_cannot_be_used_is_told(tmp_path):
    with pytest.raises(CassetteNotFoundError), testing.serve(tmp_path / "none"):
        pass
    with pytest.raises(ConfigError, match="unknown fault"), testing.serve(tmp_path, faults=["sometimes"]):
        pass
    with pytest.raises(LocalDialectError, match="cassette name"), testing.serve(tmp_path, cassette="../x"):
        pass


def test_a_call_for_a_cassette_that_is_not_there_is_a_miss_even_where_the_test_swallows_it(tmp_path):
    recorded(tmp_path, "greeting", "hello")

    with (
        pytest.raises(testing.Miss, match="no cassette nope"),
        testing.serve(tmp_path, cassette="nope") as server,
        contextlib.suppress(openai.APIStatusError),
    ):
        ask(server, max_retries=0)


@pytest.mark.parametrize("mode", ["verify", "sometimes"])
def test_a_mode_that_is_none_here_is_refused_at_once(tmp_path, mode):
    with pytest.raises(ConfigError, match=mode), testing.serve(tmp_path, mode=mode):
        pass
    with testing.Server(Setup(directory=tmp_path, misses=None)) as server, pytest.raises(ConfigError, match=mode):
        server.cassette("x", mode=mode)


def test_one_cassette_is_recorded_where_the_server_only_replays(tmp_path):
    source = recorded(tmp_path / "source", "greeting", "hello")
    with (
        testing.serve(source, cassette="greeting") as upstream,
        testing.Server(Setup(directory=recorded(tmp_path / "mine", "old", "hello"), misses=None)) as server,
    ):
        target = f"/proxy/http/{upstream.url.partition('://')[2]}/v1/chat/completions"
        new, old = server.cassette("new", mode="all"), server.cassette("old")
        answers = [httpx.post(each.url + target, json=said("hello")) for each in (new, old)]

    assert [answer.content for answer in answers] == [ANSWER, ANSWER]
    assert (tmp_path / "mine" / "new.yaml").is_file()
    assert len(read_cassette(tmp_path / "mine" / "old.yaml")) == 1


def test_a_cassette_only_replays_by_its_own_mode(tmp_path):
    recorded(tmp_path, "old", "hello")

    with testing.Server(Setup(directory=tmp_path, misses=None)) as server:
        modes = {
            mode: [server.cassette(name, session=mode, mode=mode).only_replays for name in ("old", "new")]
            for mode in ("none", "once", "new_episodes", "all", "rewrite")
        } | {"": [server.cassette("old").only_replays]}

    replays = {"none": [True, True], "once": [True, False], "": [True]}
    assert modes == {mode: replays.get(mode, [False, False]) for mode in modes}


def test_the_recordings_that_come_with_setu_have_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with testing.serve("bundled") as server:
        assert ask(server, "Name the three primary colours of light.")
    with (
        pytest.raises(ConfigError, match="cannot record into bundled"),
        testing.serve("bundled", mode="all"),
    ):
        pass
    recorded(tmp_path / "bundled", "mine", "hello")
    with testing.serve("bundled", cassette="mine") as server:
        assert ask(server) == "hi there"


def test_all_recordings_together_have_a_state_for_each_session(tmp_path):
    recorded(tmp_path, "one", "hello")
    recorded(tmp_path, "everything", "not asked")

    with testing.Server(Setup(directory=tmp_path, misses=None)) as server:
        sessions = [server.cassette(session=str(n)) for n in range(2)]
        assert [ask(each) for each in sessions] == ["hi there"] * 2
        with pytest.raises(openai.APIStatusError, match="has been served as often") as caught:
            ask(sessions[0], max_retries=0)

    assert "--cassette" not in str(caught.value)
    assert [len(each.unused) for each in sessions] == [1, 1]


def test_faults_and_a_mode_are_of_all_recordings_together_too(tmp_path):
    recorded(tmp_path, "one", "hello")

    with testing.Server(Setup(directory=tmp_path, misses=None)) as server:
        failing = server.cassette(faults=["429x1 retry-after=0"])
        with pytest.raises(openai.RateLimitError):
            ask(failing, max_retries=0)


def test_hosts_are_those_of_the_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = recorded(tmp_path / "source", "greeting", "hello", "hello", "hello")
    with testing.serve(source, cassette="greeting") as upstream:
        table = f'[providers.mine]\ntype = "openai_compatible"\nbase_url = "{upstream.openai}"\n'
        (tmp_path / "setu.toml").write_text(table)
        (tmp_path / "other.toml").write_text(table.replace("mine", "other"))

        def prefixed(name, **options):
            with testing.serve(tmp_path / "new", mode="all", **options) as server:
                return httpx.post(f"{server.url}/{name}/v1/chat/completions", json=said("hello")).status_code

        assert prefixed("mine") == 200
        assert prefixed("other", config="other.toml") == 200
        with testing.serve(tmp_path / "new", mode="all", upstream=upstream.openai) as server:
            assert ask(server) == "hi there"
    with (
        pytest.raises(ConfigError, match="upstream nobody: no such provider"),
        testing.serve(source, upstream="nobody"),
    ):
        pass
    with pytest.raises(ConfigError, match="configuration file not found"), testing.serve(source, config="no.toml"):
        pass


def test_what_else_is_a_secret_is_taken_out_of_both_sides(tmp_path):
    source = recorded(tmp_path / "source", "greeting", "my heron")
    rules = {"redact_patterns": ["my (?P<secret>[a-z]+)"], "redact_headers": ["openai-beta"]}
    with (
        testing.serve(source, cassette="greeting") as upstream,
        testing.serve(tmp_path / "new", cassette="mine", mode="all", upstream=upstream.openai, **rules) as server,
    ):
        ask(server, "my heron", default_headers={"openai-beta": "b"})

    kept = (tmp_path / "new" / "mine.yaml").read_text()
    assert "heron" not in kept
    assert "openai-beta: [b]" not in kept
    with testing.serve(tmp_path / "new", cassette="mine", **rules) as server:
        assert ask(server, "my ibis") == "hi there"
    with (
        pytest.raises(ConfigError, match="not a JSON pointer"),
        testing.serve(tmp_path / "new", redact_pointers=["user"]),
    ):
        pass
