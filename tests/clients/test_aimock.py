"""aimock itself loads the fixtures that Setu writes, and says what was recorded."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from setu.cassette.formats.aimock_fixtures import unfit, write
from setu.cassette.shelf import read_cassette
from tests.benchmarks.contest.rivals import fixtures_served
from tests.cassettes.bundled import FILES, bundled
from tests.clients.nodes import installed
from tests.clients.sdks import anthropic_sdk, openai_sdk
from tests.clients.upstreams import ANSWER

PACKAGES = Path(__file__).parents[1] / "benchmarks" / "contest"


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """aimock with every bundled recording of which a fixture can be made; it checks them as it loads them."""
    room = tmp_path_factory.mktemp("aimock")
    (room / "fixtures").mkdir()
    recorded = [each for file in FILES for each in read_cassette(file)]
    (room / "fixtures" / "all.json").write_text(write(recorded), encoding="utf-8")
    with fixtures_served(installed(PACKAGES), room) as url:
        yield url


def asked(api: str, scenario: str) -> dict[str, object]:
    body: dict[str, object] = json.loads(bundled(api, scenario).exchange.request.body)  # type: ignore[arg-type]  # bytes
    return body


@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
def test_it_says_what_was_recorded_whole_and_streamed(aimock: str) -> None:
    with openai_sdk(aimock) as chat, anthropic_sdk(aimock) as messages:
        whole = chat.chat.completions.create(**asked("openai", "text"))  # type: ignore[call-overload]  # from a file
        chunks = chat.chat.completions.create(**asked("openai", "text-stream"))  # type: ignore[call-overload]  # same
        message = messages.messages.create(**asked("anthropic", "text"))  # type: ignore[call-overload]  # same

        assert whole.choices[0].message.content == ANSWER
        assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == ANSWER
        assert message.content[0].text == ANSWER

    recorded = json.loads(bundled("openai", "text").exchange.body)
    assert (whole.id, whole.usage.completion_tokens) == (recorded["id"], recorded["usage"]["completion_tokens"])


def test_a_call_comes_with_its_id_and_arguments(aimock: str) -> None:
    with openai_sdk(aimock) as chat:
        found = chat.chat.completions.create(**asked("openai", "tool-call"))  # type: ignore[call-overload]  # a file's

    [choice] = json.loads(bundled("openai", "tool-call").exchange.body)["choices"]
    calls = [
        (call.id, call.function.name, json.loads(call.function.arguments))
        for call in found.choices[0].message.tool_calls
    ]
    assert calls == [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in choice["message"]["tool_calls"]
    ]


def test_fixtures_that_are_wrong_would_be_refused(tmp_path: Path) -> None:
    (tmp_path / "fixtures").mkdir()
    wrong = {"fixtures": [{"match": {"userMessage": "a"}, "response": {"content": ""}}]}
    (tmp_path / "fixtures" / "all.json").write_text(json.dumps(wrong))

    with pytest.raises((RuntimeError, subprocess.SubprocessError)), fixtures_served(installed(PACKAGES), tmp_path):
        pass


def test_most_of_what_is_bundled_has_a_fixture() -> None:
    chats = [each for file in FILES for each in read_cassette(file) if ".chat" in each.recording.op]

    assert sum(not unfit(each) for each in chats) > 0.8 * len(chats)
