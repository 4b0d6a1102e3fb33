"""Scenarios as data: what a file may hold, the request and the script it stands for, and what the bundled ones cover."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.bundled import data_dir
from setu.cassette.script import Bytes, End, Head, Script
from setu.conformance.judges.registry import JUDGES
from setu.conformance.runner import names_of
from setu.conformance.scenario import Client, Scenario, Sent, Upstream, by_id, client_request, load, script, usable
from setu.errors import ConfigError
from setu.framing.eventstream import EventStreamDecoder
from setu.http import Ending

BUNDLED = load(data_dir("conformance") / "scenarios")
DIALECTS = {"openai_chat", "anthropic", "gemini"}
UPSTREAMS = {"bedrock", "cohere", "ollama"}
PROVIDERS = {*names_of("all"), "alibaba", "moonshot"}
"""Those with recordings, and those whose quirk a row is about."""
ROW = re.compile(r"B-(MSG|TOOL|SCH|MED|PRM|THK|STR|SSE|FIN|USG|ERR|HDR|ANT|RSP|EMB)-[0-9]{2}")

MINIMAL = "id: one\ntitle: One.\nclient: {body: {model: $MODEL}}\n"


def written(directory: Path, text: str, name: str = "one") -> Path:
    (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return directory


def body_of(steps: Script) -> bytes:
    return b"".join(step.data for step in steps if isinstance(step, Bytes))


def test_a_directory_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    written(tmp_path, MINIMAL)
    written(tmp_path, MINIMAL.replace("id: one", "id: also"), "also")

    assert [scenario.id for scenario in load(tmp_path)] == ["also", "one"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (MINIMAL.replace("id: one", "id: two"), "called one"),
        (MINIMAL + "exepct: {}\n", "exepct"),
        (MINIMAL + "expect: {status: soon}\n", "status"),
        (MINIMAL + "expect: {client: [{pointer: /id}]}\n", "exactly one test"),
        (MINIMAL + "expect: {client: [{pointer: /id, equals: 1, length: 1}]}\n", "exactly one test"),
        (MINIMAL + "modes: [backwards]\n", "modes"),
        ("id: one\n", "title"),
        ("id: [one\n", "one.yaml"),
    ],
)
def test_a_file_that_is_no_scenario_is_named_with_its_fault(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=r"one\.yaml") as raised:
        load(written(tmp_path, text))

    assert problem in str(raised.value)


def test_the_model_stands_wherever_the_body_has_its_mark() -> None:
    client = Client(body={"model": "$MODEL", "nested": [{"text": "for $MODEL"}], "n": 1})

    request = client_request(client, "openai/gpt-x", "plain")

    assert _json.decode(bytes_of(request.body)) == {
        "model": "openai/gpt-x",
        "nested": [{"text": "for openai/gpt-x"}],
        "n": 1,
    }


@pytest.mark.parametrize(
    ("client", "mode", "place", "streams"),
    [
        (Client(body={}), "plain", ("/v1/chat/completions", ""), False),
        (Client(body={}), "stream", ("/v1/chat/completions", ""), True),
        (Client(body={}, dialect="anthropic"), "stream", ("/v1/messages", ""), True),
        (Client(body={}, dialect="gemini"), "plain", ("/v1beta/models/p/m:generateContent", ""), False),
        (Client(body={}, dialect="gemini"), "stream", ("/v1beta/models/p/m:streamGenerateContent", "alt=sse"), False),
        (
            Client(body={}, dialect="gemini", query=""),
            "stream",
            ("/v1beta/models/p/m:streamGenerateContent", ""),
            False,
        ),
        (
            Client(body={}, dialect="gemini", path="/v1beta/models/x:generateContent"),
            "plain",
            ("/v1beta/models/x:generateContent", ""),
            False,
        ),
    ],
)
def test_the_mode_is_said_in_the_dialects_own_way(
    client: Client, mode: Any, place: tuple[str, str], streams: bool
) -> None:
    request = client_request(client, "p/m", mode)

    assert (request.path, request.query) == place
    assert ("stream" in _json.decode(bytes_of(request.body))) is streams


def test_a_raw_body_is_sent_as_it_stands_in_its_own_charset() -> None:
    client = Client(body={}, raw='{"model": "$MODEL", "é', charset="latin-1")

    assert client_request(client, "p/m", "stream").body == b'{"model": "p/m", "\xe9'


def bytes_of(body: Any) -> bytes:
    assert isinstance(body, bytes)
    return body


def test_a_plain_answer_is_one_piece_of_json() -> None:
    steps = script(Upstream(plain={"b": 1, "a": 12345678901234567890}, status=404, headers={"x": "y"}), "plain")

    head, body, end = steps
    assert isinstance(head, Head)
    assert (head.status, head.headers.get("x"), head.headers.get("content-type")) == (404, "y", "application/json")
    assert body == Bytes(data=b'{"b":1,"a":12345678901234567890}')
    assert end == End()


def test_a_plain_text_answer_is_not_quoted() -> None:
    assert body_of(script(Upstream(plain="<html>"), "plain")) == b"<html>"


def test_a_stream_is_one_piece_per_event() -> None:
    steps = script(Upstream(stream=": hello\n\ndata: 1\n\nevent: x\ndata: 2\n\n"), "stream")

    assert [step.data for step in steps if isinstance(step, Bytes)] == [
        b": hello\n\n",
        b"data: 1\n\n",
        b"event: x\ndata: 2\n\n",
    ]


def test_an_event_stream_is_written_from_its_messages_one_piece_each() -> None:
    messages = (Sent(event="messageStart", data={"role": "assistant"}), Sent(event="throttlingException", data="oops"))

    head, *pieces, _ = script(Upstream(stream=messages), "stream")

    assert isinstance(head, Head)
    assert head.headers.get("content-type") == "application/vnd.amazon.eventstream"
    frames = [frame for piece in pieces if isinstance(piece, Bytes) for frame in EventStreamDecoder().feed(piece.data)]
    assert [(frame.event, frame.data) for frame in frames] == [
        ("messageStart", b'{"role":"assistant"}'),
        ("throttlingException", b"oops"),
    ]


def test_an_upstream_without_a_stream_answers_a_stream_request_in_one_piece() -> None:
    head, *_ = script(Upstream(plain={}), "stream")

    assert isinstance(head, Head)
    assert head.headers.get("content-type") == "application/json"


@pytest.mark.parametrize(
    ("eol", "expected"), [("lf", b"data: 1\n\n"), ("crlf", b"data: 1\r\n\r\n"), ("cr", b"data: 1\r\r")]
)
def test_line_ends_are_the_scenarios(eol: Any, expected: bytes) -> None:
    assert body_of(script(Upstream(stream="data: 1\n\n", eol=eol), "stream")) == expected


def test_a_stream_may_lack_the_end_of_its_last_event() -> None:
    assert body_of(script(Upstream(stream="data: 1\n\ndata: 2\n\n", tail=False), "stream")) == b"data: 1\n\ndata: 2"


def test_faults_strike_in_order() -> None:
    stream = "data: 1\n\ndata: 2\n\ndata: 3\n\n"

    steps = script(Upstream(stream=stream, faults=("close@event=2", "resplit=4")), "stream")

    assert body_of(steps) == b"data: 1\n\ndata: 2\n\n"
    assert {len(step.data) for step in steps if isinstance(step, Bytes)} == {4, 2}
    assert steps[-1] == End(Ending.TRUNCATED)


def test_an_upstream_that_is_unavailable_answers_nothing() -> None:
    assert script(Upstream(unavailable=True), "plain") == (End(Ending.RESET),)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=8), max_size=6))
def test_no_byte_of_a_stream_is_lost_or_moved_by_cutting_it_into_events(lines: list[str]) -> None:
    text = "\n".join(f"data: {line}" if line else "" for line in lines) + "\n\n"

    assert body_of(script(Upstream(stream=text), "stream")) == text.encode()


def test_a_providers_own_script_wins_over_its_dialects() -> None:
    own, shared = Upstream(plain="own"), Upstream(plain="shared")
    scenario = Scenario(id="x", title="", client=Client(body={}), upstream={"openrouter": own, "openai_chat": shared})

    assert usable(scenario, "openrouter", "openai_chat") is own
    assert usable(scenario, "openai", "openai_chat") is shared
    assert usable(scenario, "gemini", "gemini") is None


def test_without_an_upstream_the_simulator_answers_for_the_named_providers() -> None:
    scenario = Scenario(id="x", title="", client=Client(body={}), providers=("openai",))

    assert usable(scenario, "openai", "openai_chat") == "simulator"
    assert usable(scenario, "gemini", "gemini") is None


def test_the_bundled_scenarios_speak_every_dialect_on_both_sides() -> None:
    clients = [scenario.client.dialect for scenario in BUNDLED]
    upstreams = [name for scenario in BUNDLED for name in scenario.upstream]

    assert len(BUNDLED) >= 200
    assert clients.count("anthropic") >= 50
    assert clients.count("gemini") >= 25
    assert clients.count("openai_responses") >= 20
    assert set(clients) == DIALECTS | {"openai_responses"}
    assert set(upstreams) <= DIALECTS | UPSTREAMS | PROVIDERS | {"openai_responses"}
    assert all(upstreams.count(dialect) >= 100 for dialect in DIALECTS)


@pytest.mark.parametrize("scenario", BUNDLED, ids=list(by_id(BUNDLED)))
def test_a_bundled_scenario_is_whole(scenario: Scenario) -> None:
    assertions = [*scenario.expect.client, *scenario.expect.events]
    assertions += [one for upstream in scenario.upstream.values() for one in (*upstream.sent, *upstream.again, *upstream.client)]

    assert re.fullmatch(rf"({ROW.pattern}|[a-z0-9]+)(-[a-z0-9]+)*", scenario.id)
    assert not scenario.title.endswith(".")
    assert all(ROW.fullmatch(row) for row in scenario.covers)
    assert scenario.expect.client or scenario.expect.events
    assert all(one.pointer == "" or one.pointer.startswith("/") for one in assertions)
    assert set(scenario.expect.checks) <= JUDGES.keys()
    assert not scenario.expect.events or "stream" in scenario.modes
    for upstream in scenario.upstream.values():
        if upstream.skip is not None:
            continue
        assert upstream.unavailable or upstream.plain is not None or scenario.modes == ("stream",)
        assert upstream.stream is None or "stream" in scenario.modes
        assert upstream.unavailable or upstream.stream is not None or upstream.plain is not None


def test_a_row_of_the_breakages_is_covered_by_some_scenario_of_each_area() -> None:
    areas = {row.split("-")[1] for scenario in BUNDLED for row in scenario.covers}

    assert areas >= {"MSG", "TOOL", "SCH", "MED", "PRM", "THK", "STR", "SSE", "FIN", "USG", "ERR", "HDR", "ANT"}
