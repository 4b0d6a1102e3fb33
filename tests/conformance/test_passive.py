"""Recorded traffic is judged as it was sent, group by group, and what is kept of it is bounded."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.formats import har
from setu.cassette.formats.intake import Skipped
from setu.cassette.model import Interaction
from setu.cassette.shelf import write_cassette
from setu.conformance import traffic
from setu.conformance.judges.finding import Finding
from setu.conformance.passive import Counted, Settings, Source, run, traffic_of
from setu.conformance.recorded import Recorded, not_as_sent, read
from setu.conformance.results import Exit, Status
from setu.errors import CassetteNotFoundError
from setu.http import Exchange
from tests.conformance.build import ASK, CHAT, COMPLETION, ERROR, but, chat, chat_stream, exchange, message

ALONE = Settings(jobs=1)
OPENAI, OTHER = "https://api.openai.com", "https://llm.example"
NO_ROLE = but(COMPLETION, "choices.0.message.role")


def at(origin: str, found: Exchange) -> Interaction:
    request = msgspec.structs.replace(found.request, origin=origin)
    return Interaction(exchange=msgspec.structs.replace(found, request=request))


def cassette(path: Path, *interactions: Interaction) -> Source:
    write_cassette(path, interactions)
    return Source("cassette", path)


def line(name: str, body: Any = COMPLETION, **members: Any) -> dict[str, Any]:
    made = {
        "id": name,
        "provider": "openai",
        "host": "api.openai.com",
        "method": "POST",
        "path": CHAT,
        "query": "",
        "request_headers": {},
        "request_body": ASK,
        "status": 200,
        "response_headers": {"content-type": "application/json"},
        "response_body": body if isinstance(body, str) else json.dumps(body),
        "flags": [],
    }
    return made | members


def corpus(path: Path, *lines: dict[str, Any]) -> Source:
    path.write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in lines).encode()))
    return Source("corpus", path)


def test_cassettes_are_judged_by_api_and_host(tmp_path: Path) -> None:
    source = cassette(
        tmp_path / "all.yaml", at(OPENAI, chat()), at(OTHER, chat(NO_ROLE)), at(OTHER, message()), at(OPENAI, chat())
    )

    groups = {(group.api, group.party): group for group in traffic_of([source], settings=ALONE).groups}

    assert {key: group.exchanges for key, group in groups.items()} == {
        ("openai.chat", "api.openai.com"): 2,
        ("openai.chat", "llm.example"): 1,
        ("anthropic.messages", "llm.example"): 1,
    }
    assert groups["openai.chat", "api.openai.com"].broken == Counter()
    assert groups["openai.chat", "llm.example"].run.exit_code() is Exit.FAILED


def test_a_broken_check_names_the_line_of_the_recording(tmp_path: Path) -> None:
    source = cassette(tmp_path / "one.yaml", at(OTHER, chat()), at(OTHER, chat(NO_ROLE)))

    (found,) = run([source], settings=ALONE)

    result = next(result for result in found.results if result.check.id == "CHAT-001")
    assert result.status is Status.FAIL
    assert [seen.place.rpartition(":")[0] for seen in result.broken] == [str(tmp_path / "one.yaml")]
    assert (result.exchanges, result.reason) == (2, "1 of 2 exchanges break it")
    assert (found.kind, found.mode, found.label) == ("recordings", "passive", "llm.example openai.chat")


def test_a_directory_stands_for_all_its_cassettes_and_the_unreadable_is_named(tmp_path: Path) -> None:
    cassette(tmp_path / "good.yaml", at(OPENAI, chat()))
    (tmp_path / "bad.yaml").write_text("interactions: [", encoding="utf-8")

    found = traffic_of([Source("cassette", tmp_path)], settings=ALONE)

    assert found.exchanges == 1
    assert [skipped.place for skipped in found.unread] == [str(tmp_path / "bad.yaml")]
    assert found.unread[0].reason


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    for kind in ("cassette", "har", "corpus"):
        with pytest.raises(CassetteNotFoundError, match="nowhere"):
            run([Source(kind, tmp_path / "nowhere")], settings=ALONE)


def test_a_har_is_judged_header_fields_and_all(tmp_path: Path) -> None:
    path = tmp_path / "page.har"
    without_id = chat_stream([], drop=("x-request-id",))
    path.write_text(har.write([at(OPENAI, chat()), at(OPENAI, without_id)]), encoding="utf-8")

    (group,) = traffic_of([Source("har", path)], settings=ALONE).groups

    assert (group.judged["TRN-008"], group.broken["TRN-008"]) == (2, 1)


def test_a_corpus_names_exchange_and_provider(tmp_path: Path) -> None:
    source = corpus(tmp_path / "a.jsonl.gz", line("a-1", provider="azure"), line("a-2", NO_ROLE, provider="azure"))

    (group,) = traffic_of([source], settings=ALONE).groups

    assert (group.api, group.party, group.broken["CHAT-001"]) == ("openai.chat", "azure", 1)
    assert {seen.place for result in group.run.results for seen in result.broken} == {"a-2"}


def test_what_a_recording_did_not_keep_is_not_judged(tmp_path: Path) -> None:
    stream = 'data: {"choices":[]}\n\ndata: [DONE]\n\n'
    asked = ASK | {"stream": True}
    kept = line("a", stream, request_body=asked, response_headers={"content-type": "text/event-stream"})
    lost = line("b", stream, request_body=asked, response_headers={})

    (group,) = traffic_of([corpus(tmp_path / "a.jsonl", kept, lost)], settings=ALONE).groups

    assert (group.judged["SSE-001"], group.judged["TRN-002"], group.judged["TRN-008"]) == (2, 1, 0)


def test_what_was_not_sent_is_left_out_with_its_reason(tmp_path: Path) -> None:
    known = next(iter(not_as_sent()))
    source = corpus(
        tmp_path / "a.jsonl.gz",
        line("a-1", flags=["maybe_synthetic"]),
        line("a-2", flags=["request_missing"]),
        line(known),
        {"id": "a-4"},
    )

    found = list(read(source))

    assert all(isinstance(each, Skipped) for each in found)
    assert [str(each[1])[:20] for each in found] == [
        "perhaps written by h",
        "there is no request ",
        not_as_sent()[known][:20],
        "not an exchange: Key",
    ]


def test_errors_and_other_operations_are_told_apart(tmp_path: Path) -> None:
    source = corpus(
        tmp_path / "a.jsonl.gz",
        line("a-1", ERROR, status=429),
        line("a-2", {"data": []}, path="/v1/files", method="GET"),
        line("a-3", "not JSON", status=400),
    )

    groups = {group.api: group for group in traffic_of([source], settings=ALONE).groups}

    assert (groups["openai.chat"].judged["ERR-001"], groups["openai.chat"].broken["ERR-001"]) == (2, 1)
    assert not groups["openai.chat"].judged["CHAT-001"]
    assert (groups["other"].exchanges, groups["other"].run.exit_code()) == (1, Exit.NOTHING)


def test_a_secret_of_the_traffic_is_not_repeated_as_evidence(tmp_path: Path) -> None:
    key = "sk-proj-" + "a1B2c3D4" * 5
    leaking = exchange(CHAT, ASK, but(COMPLETION, "object", f"key {key}"), sent={"authorization": f"Bearer {key}"})
    path = tmp_path / "page.har"
    path.write_text(har.write([at(OTHER, leaking)]), encoding="utf-8")

    (found,) = run([Source("har", path)], settings=ALONE)

    assert any(result.check.id == "AUTH-004" and result.broken for result in found.results)
    assert key not in repr(found)


def test_several_processes_find_what_one_does(tmp_path: Path) -> None:
    pad = {"metadata": {"pad": "x" * 1_000_000}}
    sources = [
        corpus_of_size(tmp_path / f"{name}.jsonl", [line(f"{name}-{number}", NO_ROLE | pad) for number in range(3)])
        for name in "ab"
    ]

    several, one = (traffic_of(sources, settings=Settings(jobs=jobs, kept=4)) for jobs in (2, 1))

    assert several.groups == one.groups
    broken = next(result for result in several.groups[0].run.results if result.check.id == "CHAT-001")
    assert [seen.place for seen in broken.broken] == ["a-0", "a-1", "a-2", "b-0"]
    assert several.peak_mb > one.peak_mb > 0


def corpus_of_size(path: Path, lines: list[dict[str, Any]]) -> Source:
    path.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    return Source("corpus", path)


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 60), st.integers(0, 5))
def test_counts_are_whole_and_evidence_is_bounded_wherever_the_traffic_is_cut(
    broken: list[bool], cut: int, kept: int
) -> None:
    first, second, whole = Counted(kept), Counted(kept), Counted(kept)
    for place, bad in enumerate(broken):
        findings = [Finding("CHAT-001", "wrong")] if bad else []
        (first if place < cut else second).add("CHAT-001", findings, str(place))
        whole.add("CHAT-001", findings, str(place))

    first.merge(second)

    assert (first.judged, first.broken["CHAT-001"]) == (whole.judged, sum(broken))
    told, wanted = ([seen.place for seen in tally.observations if seen.findings] for tally in (first, whole))
    assert told == wanted == [str(place) for place, bad in enumerate(broken) if bad][:kept]


def test_the_summary_tells_what_is_broken_by_whom(tmp_path: Path) -> None:
    source = corpus(
        tmp_path / "a.jsonl.gz",
        line("a-1", NO_ROLE, provider="azure"),
        line("a-2"),
        line("a-3", flags=["maybe_synthetic"]),
    )
    found = traffic_of([source], settings=ALONE)

    text, page, document = traffic.text(found), traffic.markdown(found), json.loads(traffic.json(found))

    assert "CHAT-001" in text
    assert "1 of      1" in text
    assert "| openai.chat | azure | CHAT-001 | 1 | 1 | a-1 |" in page
    assert "- openai.chat: openai (1)" in page
    assert "- 1: perhaps written by hand" in page
    azure, openai = document["groups"]
    assert {"id": "CHAT-001", "level": "MUST", "broken": 1, "judged": 1, "examples": ["a-1"]} in azure["broken"]
    assert [found for found in openai["broken"] if found["level"] == "MUST"] == []
    assert document["unread"] == [{"place": "a-3", "reason": "perhaps written by hand"}]


def test_a_place_in_a_cassette_says_what_was_recorded_whole(tmp_path: Path) -> None:
    source = cassette(tmp_path / "one.yaml", at(OPENAI, chat()))

    (found,) = read(source)

    assert isinstance(found, Recorded)
    assert found.untold == {"TRN-008"}
