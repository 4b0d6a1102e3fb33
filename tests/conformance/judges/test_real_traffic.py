"""What OpenAI, Anthropic and Google themselves send is nobody's fault; the same from others, or a little worse, is."""

import re
from typing import Any

import msgspec
import pytest

from setu.conformance.catalogue import load
from setu.conformance.judges.registry import judge
from setu.http import Exchange, Headers
from tests.conformance.build import (
    ASK,
    ASK_STREAM,
    ASK_USAGE,
    CHAT,
    CHUNKS,
    COMPLETION,
    CREATED,
    USAGE_CHUNK,
    but,
    chat,
    chat_stream,
    exchange,
    gemini,
    sse,
)

PREVIEW = "gpt-4-1106-vision-preview"
LISTING = {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "docs", "tools": []}
OLD, NEW = 1_747_751_969, 1_748_488_177


def broken(found: Exchange, check: str) -> bool | None:
    """Tell whether an exchange breaks a check; None: it is not judged."""
    verdicts = judge(found)
    return bool(verdicts[check]) if check in verdicts else None


def typed(found: Exchange, media_type: str) -> Exchange:
    return msgspec.structs.replace(found, headers=Headers.of({"content-type": media_type}))


@pytest.mark.parametrize(
    ("path", "media_type", "wrong"),
    [
        ("/api/chat", "application/x-ndjson", False),
        ("/api/chat", "text/event-stream", True),
        ("/model/m/converse-stream", "application/vnd.amazon.eventstream", False),
        ("/v2/chat", "text/event-stream", False),
        (CHAT, "application/x-ndjson", True),
    ],
)
def test_a_stream_has_the_type_of_its_dialect(path: str, media_type: str, wrong: bool) -> None:
    answer = typed(exchange(path, ASK_STREAM, b'{"done": true}\n'), media_type)

    assert broken(answer, "TRN-002") is wrong


def test_lines_of_json_are_not_judged_as_server_sent_events() -> None:
    answer = typed(exchange("/api/chat", ASK_STREAM, b'{"done": false}\n{"done": true}\n'), "application/x-ndjson")

    assert not {check for check in judge(answer) if check.startswith("SSE-")}


def test_a_binary_event_stream_is_not_judged_as_text() -> None:
    answer = exchange("/model/m/converse-stream", {}, b"\x00\x00\xff\xfe")

    assert broken(typed(answer, "application/vnd.amazon.eventstream"), "TRN-003") is None
    assert broken(typed(answer, "text/event-stream"), "TRN-003")


@pytest.mark.parametrize(
    ("path", "sent", "judged"),
    [
        ("/v1/models", {}, True),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, False),
        ("/v1beta/models", {}, False),
    ],
)
def test_only_openais_list_of_models_is_judged_as_one(path: str, sent: dict[str, str], judged: bool) -> None:
    answer = exchange(path, None, {"models": []}, method="GET", sent=sent)

    assert broken(answer, "MOD-001") is (True if judged else None)


@pytest.mark.parametrize(
    ("status", "media_type", "judged"),
    [(503, "text/plain", False), (503, "text/html", True), (500, "text/plain", True), (400, "text/plain", True)],
)
@pytest.mark.parametrize("check", ["ERR-001", "ERR-003"])
def test_a_load_balancer_answers_for_itself(check: str, status: int, media_type: str, judged: bool) -> None:
    answer = typed(exchange(CHAT, ASK, b"upstream connect error", status=status), media_type)

    assert broken(answer, check) is (True if judged else None)


def test_a_gateway_answers_for_its_upstreams_load_balancer() -> None:
    behind = typed(exchange(CHAT, ASK, b"upstream connect error", status=503), "text/plain")

    assert broken(msgspec.structs.replace(behind, upstream=(behind,)), "ERR-001")


@pytest.mark.parametrize(("model", "wrong"), [(PREVIEW, None), ("gpt-5-2026-01-01", True)])
def test_the_vision_preview_told_its_finish_otherwise(model: str, wrong: bool | None) -> None:
    body = but(but(COMPLETION, "choices.0.finish_reason"), "choices.0.finish_details", {"type": "max_tokens"})

    answer = chat(but(body, "model", model))

    assert broken(answer, "CHAT-008") is wrong
    assert bool(broken(answer, "CHAT-001")) is bool(wrong)


def with_moderation(*after_usage: dict[str, Any]) -> Exchange:
    return chat_stream([*CHUNKS, USAGE_CHUNK, *after_usage], ASK_USAGE | {"moderation": {"model": "omni"}})


MODERATION = {**USAGE_CHUNK, "usage": None, "moderation": {"input": {}}}


@pytest.mark.parametrize("check", ["STR-012", "STR-013", "STR-014"])
def test_what_was_asked_beside_the_answer_may_follow_the_usage(check: str) -> None:
    assert broken(with_moderation(MODERATION), check) is False


@pytest.mark.parametrize(
    ("check", "chunk"),
    [
        ("STR-012", {**CHUNKS[1], "usage": None}),
        ("STR-013", {**MODERATION, "usage": 1}),
        ("STR-014", {**USAGE_CHUNK, "usage": None, "surprise": {"a": 1}}),
    ],
)
def test_nothing_else_may(check: str, chunk: dict[str, Any]) -> None:
    assert broken(with_moderation(chunk), check)


def responses(*events: dict[str, Any], created: int = CREATED, numbered: bool = True) -> Exchange:
    first = {"type": "response.created", "response": {"created_at": created}}
    told = [event | ({"sequence_number": place} if numbered else {}) for place, event in enumerate((first, *events))]
    return exchange("/v1/responses", ASK_STREAM, sse(*told, named=True, done=False))


def ended(kind: str, *output: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"response.{kind}", "response": {"status": kind, "output": list(output)}}


@pytest.mark.parametrize(("created", "numbered", "wrong"), [(OLD, False, None), (OLD, True, False), (NEW, False, True)])
def test_events_have_had_numbers_since_may_2025(created: int, numbered: bool, wrong: bool | None) -> None:
    answer = responses(ended("completed"), created=created, numbered=numbered)

    assert broken(answer, "RSP-002") is wrong


def begun(item: dict[str, Any], place: int) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": place, "item": item}


def done(item: dict[str, Any], place: int) -> dict[str, Any]:
    return begun(item, place) | {"type": "response.output_item.done"}


@pytest.mark.parametrize(("kind", "wrong"), [("mcp_list_tools", False), ("web_search_call", True)])
@pytest.mark.parametrize("check", ["RSP-003", "RSP-004"])
def test_listings_of_tools_need_not_be_done_one_by_one(check: str, kind: str, wrong: bool) -> None:
    first, second = ({**LISTING, "type": kind, "id": name} for name in ("a", "b"))
    text = {"type": "response.output_text.done", "output_index": 0, "text": "hi"}

    answer = responses(begun(first, 0), begun(second, 1), done(second, 1), text, ended("completed", first, second))

    assert (
        any("never done" in found.message or "other items" in found.message for found in judge(answer)[check]) is wrong
    )


@pytest.mark.parametrize(("kind", "wrong"), [("incomplete", False), ("completed", True)])
def test_a_summary_that_ran_into_the_limit_is_finished_unseen(kind: str, wrong: bool) -> None:
    place = {"output_index": 0, "summary_index": 0}
    delta = {"type": "response.reasoning_summary_text.delta", "delta": "I see", **place}
    whole = {"type": "response.reasoning_summary_text.done", "text": "I need to", **place}

    assert broken(responses(delta, whole, ended(kind)), "RSP-004") is wrong


COUNTS = {"promptTokenCount": 8, "candidatesTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 13}


@pytest.mark.parametrize(
    ("model", "total", "wrong"),
    [
        ("gemini-2.5-flash", 20, False),
        ("gemini-2.5-flash", 13, True),
        ("g-preview-04-17", 13, False),
        ("g-preview-04-17", 14, True),
    ],
)
def test_a_preview_may_count_the_thoughts_apart(model: str, total: int, wrong: bool) -> None:
    answer = gemini({"modelVersion": model, "usageMetadata": COUNTS | {"totalTokenCount": total}, "candidates": []})

    assert broken(answer, "GEM-007") is wrong


@pytest.mark.parametrize(("feedback", "wrong"), [({"blockReason": "MODEL_ARMOR"}, False), ({}, True)])
def test_a_blocked_prompt_needs_no_counts(feedback: dict[str, str], wrong: bool) -> None:
    answer = gemini({"promptFeedback": feedback, "usageMetadata": {"trafficType": "ON_DEMAND"}})

    assert broken(answer, "GEM-008") is wrong


@pytest.mark.parametrize(("media_type", "wrong"), [("application/x-ndjson", None), ("application/json", True)])
def test_a_stream_of_lines_may_be_one_error(media_type: str, wrong: bool | None) -> None:
    answer = typed(exchange("/api/chat", ASK_STREAM, b'{"error": "no such model"}\n'), media_type)

    assert broken(answer, "ERR-014") is wrong


def test_evidence_names_exchanges_and_what_became_of_the_check() -> None:
    lines = [line for check in load().checks for line in check.evidence]

    assert lines
    assert all(re.fullmatch(r"corpus [a-z._]+.*: .*\d.*[a-zA-Z.-]+-[0-9a-f]{10}.*; [a-z].*", line) for line in lines)
