"""The official npm packages, and Vercel's `ai`, in front of every provider. One process for each script."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.nodes import run
from tests.clients.upstreams import (
    ANSWER,
    BOTH,
    BRIDGE,
    CITY,
    COLOURS,
    MODELS,
    PROVIDERS,
    RECORD,
    RESULT,
    STATUSES,
    WEATHER,
)

MAJORS = {"openai": "7", "@anthropic-ai/sdk": "1", "@google/genai": "3", "ai": "7", "@ai-sdk/openai": "4"}
FINISHES = {"openai": "stop", "anthropic": "end_turn", "google": "STOP", "ai": "stop"}
SCRIPTS = tuple(FINISHES)
NAMES = {
    400: {"BadRequestError"},
    401: {"AuthenticationError"},
    404: {"NotFoundError"},
    429: {"RateLimitError"},
    500: {"InternalServerError"},
    503: {"InternalServerError", "ServiceUnavailableError"},
    529: {"OverloadedError"},
}
"""Classes of OpenAI's and Anthropic's packages; the other two have one class for all."""

PROPERTIES: Any = CITY["properties"]

every_case = pytest.mark.parametrize(("script", "provider"), [(one, two) for one in SCRIPTS for two in PROVIDERS])


@pytest.fixture(scope="module")
def reported(gateway: str, node_folder: Path) -> Callable[[str], Any]:
    """What a script reports; it runs once."""
    asked = {
        "url": gateway,
        "models": MODELS,
        "overloaded": STATUSES,
        "colours": COLOURS,
        "weather": WEATHER,
        "both": BOTH,
        "bridge": BRIDGE,
        "city": CITY,
        "record": RECORD,
        "result": RESULT,
    }
    known: dict[str, Any] = {}

    def report(script: str) -> Any:
        if script not in known:
            known[script] = run(node_folder, f"{script}.mjs", asked)
        return known[script]

    return report


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_packages_are_of_the_major_versions_that_these_tests_are_for(
    reported: Callable[[str], Any], script: str
) -> None:
    versions = reported(script)["versions"]
    print(f"{script}: {versions}")

    assert versions
    assert {name: version.partition(".")[0] for name, version in versions.items()} == {
        name: MAJORS[name] for name in versions
    }


@every_case
def test_an_answer_and_a_stream_say_the_same(reported: Callable[[str], Any], script: str, provider: str) -> None:
    found = reported(script)["providers"][provider]

    assert found["text"] == {"text": ANSWER, "finish": FINISHES[script]}
    assert found["stream"] == found["text"]


@every_case
def test_a_tool_is_called_and_its_result_answered(reported: Callable[[str], Any], script: str, provider: str) -> None:
    found = reported(script)["providers"][provider]["tool"]

    assert found.get("city") == "Lisbon", found
    assert "24" in found["text"]


@every_case
def test_the_calls_of_a_stream_are_gathered(reported: Callable[[str], Any], script: str, provider: str) -> None:
    assert reported(script)["providers"][provider]["calls"] == ["Lisbon", "Tromsø"]


@every_case
def test_a_schema_is_answered_with_json(reported: Callable[[str], Any], script: str, provider: str) -> None:
    assert reported(script)["providers"][provider]["schema"] == 1566


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("script", ["openai", "ai"])
def test_responses_say_the_same(reported: Callable[[str], Any], script: str, provider: str) -> None:
    assert reported(script)["providers"][provider]["responses"] == [ANSWER, ANSWER]


@every_case
def test_an_error_is_the_packages_own(reported: Callable[[str], Any], script: str, provider: str) -> None:
    found = reported(script)["providers"][provider]["errors"]

    assert {int(status) for status in found} == {400, 401, 404, 429, STATUSES[provider]}
    for text, error in found.items():
        status = int(text)
        seen = 503 if status == 529 and script != "anthropic" else status
        assert error is not None, f"{status} was no error"
        assert error["status"] == seen
        assert error["message"]
        if script in {"openai", "anthropic"}:
            assert error["name"] in NAMES[seen]
        if status == 429 and script != "google":
            assert int(error["retry"]) > 0


@pytest.fixture(scope="module")
def replayed(replay: str, node_folder: Path) -> Any:
    described = {
        **CITY,
        "properties": {**PROPERTIES, "city": {**PROPERTIES["city"], "description": "Name of the city"}},
    }
    asked = {
        "url": replay,
        "model": MODELS["openai"],
        "colours": COLOURS,
        "weather": WEATHER,
        "city": described,
        "result": RESULT,
    }
    return run(node_folder, "replay.mjs", asked)


def test_the_command_line_replays_responses_to_the_openai_package(replayed: Any) -> None:
    found = replayed["openai"]

    assert found["texts"] == [ANSWER, ANSWER]
    assert found["city"] == "Lisbon"
    assert "24" in found["result"]
    assert found["limited"] == {"name": "RateLimitError", "status": 429, "retry": "20"}


def test_the_command_line_replays_responses_to_the_ai_package(replayed: Any) -> None:
    assert replayed["ai"] == {"texts": [ANSWER, ANSWER], "finish": ["stop", "stop"]}
