"""Every judge on exchanges made for it: good ones pass, each mutant is found."""

import json
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.conformance.judges.finding import Finding
from setu.conformance.judges.registry import JUDGES, PAIR_JUDGES, SET_JUDGES, judge, judge_pair
from setu.http import Ending, Exchange, Headers, Request
from tests.conformance.build import CHAT, GEMINI_STREAM, GENERATE, MESSAGES
from tests.conformance.examples import GOOD_PAIRS, GOOD_SETS, MUTANTS, PAIR_MUTANTS, SET_MUTANTS
from tests.conformance.good import GOOD

MUTANT_CASES = [(check, name) for check, named in MUTANTS.items() for name in named]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_exchange_passes_all_that_applies(name: str) -> None:
    found = {check: findings for check, findings in judge(GOOD[name]).items() if findings}

    assert found == {}


def test_every_check_passes_some_good_exchange() -> None:
    passed = Counter(check for exchange in GOOD.values() for check in judge(exchange))

    assert set(JUDGES) - set(passed) == set()


@pytest.mark.parametrize(("check", "name"), MUTANT_CASES, ids=[f"{check}-{name}" for check, name in MUTANT_CASES])
def test_a_mutant_is_found(check: str, name: str) -> None:
    findings = JUDGES[check](MUTANTS[check][name])

    assert findings
    assert {found.check for found in findings} == {check}


def test_every_judge_has_a_mutant() -> None:
    assert set(MUTANTS) | set(PAIR_MUTANTS) | set(SET_MUTANTS) == set(JUDGES) | set(PAIR_JUDGES) | set(SET_JUDGES)


@pytest.mark.parametrize("name", GOOD_PAIRS)
def test_a_good_pair_passes(name: str) -> None:
    stream, plain = GOOD_PAIRS[name]

    assert [found for findings in judge_pair(stream, plain).values() for found in findings] == []


def test_every_pair_judge_passes_some_good_pair() -> None:
    passed = {check for check, rule in PAIR_JUDGES.items() for pair in GOOD_PAIRS.values() if rule(*pair) == []}

    assert passed == set(PAIR_JUDGES)


PAIR_CASES = [(check, name) for check, named in PAIR_MUTANTS.items() for name in named]


@pytest.mark.parametrize(("check", "name"), PAIR_CASES)
def test_a_pair_mutant_is_found(check: str, name: str) -> None:
    findings = PAIR_JUDGES[check](*PAIR_MUTANTS[check][name])

    assert findings
    assert findings[0].check == check


@pytest.mark.parametrize("name", GOOD_SETS)
def test_good_sets_pass(name: str) -> None:
    assert SET_JUDGES["CHAT-012"](GOOD_SETS[name]) == []


@pytest.mark.parametrize("name", SET_MUTANTS["CHAT-012"])
def test_set_mutants_are_found(name: str) -> None:
    assert SET_JUDGES["CHAT-012"](SET_MUTANTS["CHAT-012"][name])


def test_nothing_is_judged_on_an_unknown_route() -> None:
    exchange = Exchange(request=Request(method="POST", path="/v1/files"), status=200, headers=Headers(), body=b"{}")

    assert judge(exchange) == {}
    assert SET_JUDGES["CHAT-012"]([exchange]) is None


def test_evidence_names_the_event_and_its_bytes() -> None:
    exchange = MUTANTS["STR-003"]["id_changes"]
    (found,) = JUDGES["STR-003"](exchange) or []

    assert (found.event, found.path, found.got, found.want) == (2, "$.id", '"chatcmpl-2"', '"chatcmpl-1"')
    assert found.span is not None
    assert b"chatcmpl-2" in exchange.body[slice(*found.span)]


PATHS = st.sampled_from([CHAT, MESSAGES, GENERATE, GEMINI_STREAM, "/v1/models"])
TYPES = st.sampled_from(["application/json", "text/event-stream", "text/html", ""])
_KEYS = """
id object created model choices index message delta role content refusal tool_calls function name arguments type
finish_reason usage prompt_tokens completion_tokens total_tokens error code param prompt_tokens_details stream
stop_reason content_block input partial_json messages tools contents parts functionCall functionResponse args
candidates finishReason usageMetadata totalTokenCount n stop tool_choice stream_options include_usage system
tool_use_id data promptFeedback blockReason text thought status input_tokens output_tokens
"""
WIRE_KEYS = _KEYS.split()
WIRE_WORDS = [
    "assistant", "user", "model", "tool", "function", "tool_use", "tool_result", "text", "message_start",
    "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop", "error",
    "[DONE]", "stop", "STOP", "{}", "chat.completion", "",
]  # fmt: skip
WIRE_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WIRE_WORDS)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WIRE_KEYS), inner, max_size=6),
    max_leaves=25,
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Arbitrary bytes, wire-like JSON, or a stream of it."""
    kind = draw(st.sampled_from(["bytes", "json", "sse"]))
    if kind == "bytes":
        return draw(st.binary(max_size=200))
    if kind == "json":
        return json.dumps(draw(WIRE_JSON)).encode()
    events = draw(st.lists(WIRE_JSON | st.sampled_from(["[DONE]"]), max_size=5))
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


@st.composite
def exchanges(draw: st.DrawFn, *, nested: bool = True) -> Exchange:
    return Exchange(
        request=Request(
            method=draw(st.sampled_from(["POST", "GET"])),
            path=draw(PATHS),
            query=draw(st.sampled_from(["", "alt=sse"])),
            headers=Headers.of({"authorization": "Bearer 0123456789abcdef"}),
            body=draw(bodies() | st.sampled_from([b'{"stream": true, "model": "m"}'])),
        ),
        status=draw(st.sampled_from([0, 200, 201, 204, 400, 429, 500])),
        headers=Headers.of(
            {"content-type": draw(TYPES), "date": draw(st.sampled_from(["", "Mon, 99 Sep 2026 14:13:20 GMT"]))}
        ),
        body=draw(bodies()),
        end=draw(st.sampled_from(Ending)),
        upstream=tuple(draw(st.lists(exchanges(nested=False), max_size=2))) if nested else (),
    )


@pytest.mark.parametrize("path", [CHAT, MESSAGES, GENERATE])
@pytest.mark.parametrize("depth", [90, 300, 900, 5_000])
def test_deep_nesting_is_judged_or_named(path: str, depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    upstream = Exchange(
        request=Request(method="POST", path=path, body=nested), status=200, headers=Headers(), body=nested
    )

    verdicts = judge(msgspec.structs.replace(upstream, upstream=(upstream,)))

    assert "PRX-004" in verdicts


def test_a_lone_surrogate_is_only_text() -> None:
    text = b'{"choices":[{"message":{"tool_calls":[{"function":{"arguments":"\\ud800"}}]}}]}'
    given = b'{"content":[{"type":"tool_use","input":{"a":"\\ud800"}}]}'
    pair = [
        Exchange(request=Request(method="POST", path=path), status=200, headers=Headers(), body=body)
        for path, body in ((CHAT, text), (MESSAGES, given))
    ]

    assert [judge(exchange) for exchange in pair]
    assert judge_pair(*pair) == {}


@settings(max_examples=100, deadline=None)
@given(exchanges(), exchanges())
def test_no_judge_ever_raises(one: Exchange, other: Exchange) -> None:
    verdicts = judge(one) | judge_pair(one, other)
    verdicts |= {check: rule(one, other) or [] for check, rule in PAIR_JUDGES.items()}
    verdicts |= {check: rule([one, other]) or [] for check, rule in SET_JUDGES.items()}

    assert all(isinstance(found, Finding) for findings in verdicts.values() for found in findings)
